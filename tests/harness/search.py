"""Users who write and search, and how their answers are read.

At the services themselves writing and searching are two places, so a searcher is a client of the chat that has another
for search. It knows the position of the last write of its tenant, and its searches wait for it: no test sleeps until
the index has caught up.
"""

import html
import re
from typing import NamedTuple

from harness.client import Client, Tenant, unique
from harness.server import sanitized
from harness.waiting import until

KINDS = ("messages", "conversations", "users")


class Place(NamedTuple):
    """Where a tenant is: (origin, contract, prefix) of the chat, of search, and of the search service itself."""

    chat: tuple
    search: tuple
    service: tuple


class Written:
    """The newest position of a tenant."""

    position = None


class Searcher(Client):
    def __init__(self, place, token, written):
        super().__init__(*place.chat, token)
        self.written = written
        self.finder = Client(*place.search, token)
        self.service = Client(*place.service, token)
        self.finder.headers = self.service.headers = self.headers

    def call(self, *arguments, **options):
        answer = super().call(*arguments, **options)
        self.written.position = answer.headers.get("X-Parley-Position", self.written.position)
        return answer

    def ask(self, *kind, expect=None, headers=(), **query):
        """A search as it is: the Answer."""
        return self.finder.get("search", *kind, expect=expect, headers=headers, **query)

    def search(self, *kind, **query):
        """A search that knows all that was written."""
        if self.written.position:
            query = {"min_position": self.written.position, "wait_ms": 5000} | query
        return self.ask(*(kind or ("messages",)), expect=200, **query).json

    def found(self, q=None, kind="messages", **query):
        """The ids of the first page of a search that knows all that was written, in its order."""
        query = ({"q": q} if q is not None else {}) | {"limit": 100} | query
        return ids_of(self.search(kind, **query))

    def settle(self):
        """Waits until the index has all that was written."""
        self.search("messages", q="settle", limit=1)

    def suggestions(self, q, limit=100):
        """[(kind, text)], of all that was written."""
        self.settle()
        return [(item["kind"], item["text"]) for item in self.ask("suggestions", q=q, limit=limit, expect=200).json["items"]]

    def walk(self, kind="messages", between=lambda: None, **query):
        """Every page to the end; `between` is called between two. A page may be short, when hits were deleted meanwhile."""
        seen, pages = set(), 0
        while True:
            page = self.search(kind, **query)
            yield page
            pages += 1
            assert pages < 1000, "no end"
            if page["next_cursor"] is None:
                return
            assert page["next_cursor"] not in seen, "a cursor that leads round"
            seen.add(page["next_cursor"])
            query = query | {"cursor": page["next_cursor"]}
            between()

    def whole(self, kind="messages", **query):
        """Every page to the end, all of one index: one that is built anew meanwhile has it begin again."""
        while True:
            pages, cursor = [], {}
            while True:
                if self.written.position:
                    query = {"min_position": self.written.position, "wait_ms": 5000} | query
                answer = self.ask(kind, **query, **cursor)
                if cursor and answer.status == 400 and answer.code == "invalid_cursor":
                    break
                assert answer.status == 200, answer
                pages.append(answer.json)
                if answer.json["next_cursor"] is None:
                    return pages
                cursor = {"cursor": answer.json["next_cursor"]}

    def soon(self, what, condition):
        """`condition` comes true within the time that is promised."""
        return until(what, condition, 3.0 if sanitized() else 1.0)


class SearchTenant(Tenant):
    """A tenant whose users search."""

    def __init__(self, issuer, place, name=None):
        super().__init__(issuer, *place.chat, name)
        self.place, self.written = place, Written()

    def user(self, user, *roles, **claims):
        searcher = Searcher(self.place, self.issuer.token(self.name, user, list(roles) or None, **claims), self.written)
        searcher.id = user
        return searcher

    def nobody(self, token=None):
        return Searcher(self.place, token, self.written)

    def other(self, name=None):
        return SearchTenant(self.issuer, self.place, name or unique("tenant"))


def ids_of(answer):
    return [item["id"] for item in answer["items"]]


TAGS = re.compile(r"</?em>")


def lit(highlight):
    """What stands in <em>, as plain text."""
    return [html.unescape(part) for part in re.findall(r"<em>([^<]*)</em>", highlight)]


def check_highlight(highlight, text):
    """It is a part of `text`, escaped, with whole pairs of <em>; returns what is lit up."""
    assert TAGS.findall(highlight) == ["<em>", "</em>"] * len(lit(highlight)), highlight
    bare = TAGS.sub("", highlight)
    assert not re.search(r"[<>\"']", bare), f"not escaped: {highlight}"
    assert not re.search(r"&(?!(amp|lt|gt|quot|#39);)", bare), f"not escaped: {highlight}"
    plain = html.unescape(bare).removeprefix("…").removesuffix("…").strip()
    assert plain in text, f"{plain!r} is no part of {text!r}"
    return lit(highlight)


def check_hits(answer):
    """What every page of messages keeps to, whatever was asked."""
    assert len(set(ids_of(answer))) == len(answer["items"]), "a hit twice"
    assert answer["total"]["value"] >= len(answer["items"])
    for hit in answer["items"]:
        assert hit["deleted_at"] is None and hit["content"]
        check_highlight(hit["highlight"], hit["content"])
    return answer
