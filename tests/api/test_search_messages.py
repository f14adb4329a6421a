"""GET /search/messages: the query language, filters, order, pages, totals, highlights, near words."""

import datetime
import json

import pytest

from harness.client import unique
from harness.search import check_highlight, check_hits, ids_of, lit


class Room:
    def __init__(self, seekers):
        self.tenant = seekers
        self.ada = seekers.user("ada", name="Ada Lovelace")
        self.ben = seekers.user("ben", name="Ben")
        self.ada.get("users", "me", expect=200)
        self.ben.get("users", "me", expect=200)
        self.ada.group("room", members=["ben"], name="Boot room")
        self.names = {}

    def says(self, name, content, who=None, **fields):
        message = (who or self.ada).send(fields.pop("room", "room"), content, **fields)
        self.names[message["id"]] = name
        return message

    def finds(self, q=None, **query):
        """The names of what is found, in order."""
        answer = check_hits(self.ada.search(**({"q": q} if q is not None else {}), **query))
        assert answer["total"] == {"value": len(answer["items"]), "relation": "eq"} and answer["next_cursor"] is None
        return [self.names[hit["id"]] for hit in answer["items"]]


@pytest.fixture
def room(seekers):
    return Room(seekers)


@pytest.fixture
def talk(room):
    room.says("boot", "the grub menu does not show at boot")
    room.says("slow", "kernel boots, but slowly: too slow for me")
    room.says("both", "grub and the kernel disagree")
    room.says("order", "menu grub", room.ben)
    return room


@pytest.mark.smoke
@pytest.mark.parametrize(("q", "names"), [
    ("grub", "boot both order"), ("GRUB", "boot both order"), ("gr\u00fcb", "boot both order"), ("grub menu", "boot order"),
    ("grub   \t menu\u3000", "boot order"), ("grub kernel menu", ""), ("nothing-like-it", ""),
    ("boot", "boot slow"), ("booting", "boot slow"), ("slow", "slow"),  # stems of English
    ('"grub menu"', "boot"), ('"menu grub"', "order"), ("\u201cgrub menu\u201d", "boot"), ('"GRUB Menu"', "boot"), ('"boots"', "slow"),
    ('"grub menu', "boot"), ('"grub menu" does', "boot"), ('"the kernel" disagree', "both"), ('"kernel the"', ""),
    ("gr*", "boot both order"), ("kern* gr*", "both"), ("disag*", "both"), ("zz*", ""), ("men* -boot", "order"),
    ("grub -kernel", "boot order"), ("grub -kernel -boot", "order"), ('grub -"grub menu"', "both order"), ("grub -grub", ""),
    ("kernel OR menu", "boot slow both order"), ("slow OR disagree", "slow both"), ("slow OR disagree kernel", "slow both"),
    ("menu slow OR disagree", ""), ('"grub menu" OR "too slow"', "boot slow"), ("zebra OR grub", "boot both order"), ("zebra OR yak", ""),
    ("grub from:ben", "order"), ("grub from:ada", "boot both"), ("from:ben", "order"), ("from:nobody grub", ""), ("grub from:me", "boot both"),
    ('grub from:"Ada Lovelace"', "boot both"), ("grub from:ada from:ben", "boot both order"), ("FROM:ben grub", "order"),
    ("grub -from:ben", "boot both"), ("-from:ada", "order"), ('grub -from:"Ada Lovelace"', "order"), ("grub -from:me", "order"), ("grub -From:nobody", "boot both order"),
    ("menu -has:link -has:file -mentions:me", "boot order"), ("grub -in:room", ""), ("grub -in:elsewhere", "boot both order"), ("grub -before:2020-01-01", "boot both order"),
    ("grub -after:2020-01-01", ""), ("grub -on:2020-01-01", "boot both order"), ("m*", ""), ("grub m*", ""),
    ("grub in:room", "boot both order"), ('grub in:"boot room"', "boot both order"), ("grub in:elsewhere", ""),
])  # fmt: skip
def test_the_query_language(talk, q, names):
    for sort in ("relevance", "newest"):
        assert set(talk.finds(q, sort=sort)) == set(names.split()), sort


def test_a_minus_alone_takes_away_from_everything_or_finds_nothing(talk):
    """There is nothing to take from, so it is bounded: never more than what lacks the word."""
    assert set(talk.finds("-grub")) <= {"slow"}
    assert set(talk.finds("-grub from:ada")) == {"slow"}


TYPED = [
    '"', '""', '"""', "'", "''", "-", "--", "---", "- -", "-\"", '-""', "*", "**", "a*b", "*a", "(", ")", "()", "(a", "a)", "((((", "[", "]", "{", "}", "{a:b}",
    "OR", "or", "OR OR", "a OR", "OR a", "a OR OR b", "-OR", "a OR -b", "AND", "a AND", "NOT", "NOT a", "NEAR", "NEAR(a b)", "NEAR/3", "a NEAR b", ":", "::", ":a",
    "a:", "a:b", "a:b:c", "from:", "from:\"", "from: a", "in:", "in:\"\"", "before:", "before:soon", "after:2026-99-99", "on:", "has:", "has:cat", "mentions:",
    "mentions:you", "-from:ada", "body:grub", "rank:1", "content:x", "rowid:1", "^a", "a^2", "+a", "+", "a+b", "&", "&&", "a && b", "|", "||", "!", "!!", "~", "a~", "a~2",
    "?", "a?", "\\", "\\\"", "\\u0000", "%", "%%", "_", "/", "//", "/etc/", "..", "../..", "...", ",", ";", "'; DROP TABLE messages; --", "\" OR 1=1 --", "<script>",
    "</em>", "&amp;", "${jndi:x}", "{{7*7}}", "#", "#room", "@", "@ada", "$", "€", "=", "==", "<=>", "``", "´", "\t", "\n", " ", "\u3000", "\u00a0", "\u200b", "\ufeff",
    "\u202egrub", "\u200fשלום\u200f", "مرحبا \"بالعالم", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇫🇷", "🚀" * 40, "e\u0301\u0301\u0301", "\u0301", "Z\u0351\u036b\u0343", "\U000e0001", "\ufffd", "\uffff",
    "ﷺ", "ﷺ" * 100, "İ", "ı", "ß", "ẞ", "ǅ", "Å", "K", "\x01", "\x02c1", "\x1f", "\x7f", "a\x01b", "a" * 1024, "a " * 512, "-a " * 341, '"a" ' * 256, "a* " * 341, "a OR " * 204 + "b",
    "from:a " * 10, "in:a " * 10, '"' * 1024, "-" * 1024, "(" * 1024, "*" * 1024, ":" * 1024, "會" * 341, "ก" * 341, "a_b-c.d/e" * 100, "1" * 1024, "0x" + "f" * 1000,
]  # fmt: skip


@pytest.mark.parametrize("kind", ["messages", "conversations", "users", "global", "suggestions"])
def test_nothing_that_a_person_types_is_an_error(talk, kind):
    talk.says("odd", "an odd one: \"quoted\" (bracketed) a:b from: OR NEAR -minus *star* \\ ' %")
    talk.ada.settle()
    for q in TYPED:
        answer = talk.ada.ask(*([kind] if kind != "global" else []), q=q)
        assert answer.status == 200, (q[:40], answer)
        assert answer.json.get("took_ms", 0) < 3000, q[:40]
        if kind == "messages":
            check_hits(answer.json)


@pytest.mark.parametrize("q", ["from:a " * 146, "in:a " * 204, "from:a in:b " * 85, " ".join(f"from:u{n}" for n in range(100))], ids=len)
def test_filters_beyond_number_are_refused_or_bounded(talk, q):
    answer = talk.ada.ask("messages", q=q.strip())
    if answer.status != 200:
        answer.refused(400, "validation_failed", "query.q")


def test_marks_around_a_word_do_not_hide_it(talk):
    for q in ("(grub)", "[grub]", "grub?", "grub!", "«grub»", "'grub'", "grub,", "#grub", "@grub", "*grub", "^grub", "+grub", "grub~", "`grub`",
              "\u200fgrub\u200f", "grub\\", "grub)", ":grub", "grub:", "\ufeffgrub"):  # fmt: skip
        assert set(talk.finds(q)) == {"boot", "both", "order"}, q


def test_a_word_of_the_language_in_lower_case_is_a_word(room):
    room.says("this", "this or that")
    room.says("that", "that alone")
    assert room.finds("this or that") == ["this"]
    assert set(room.finds("this OR that")) == {"this", "that"}


def test_what_is_no_filter_is_text(room):
    room.says("has", "it has:cat in it")
    room.says("url", "see http://example.org:8080/a?b=c")
    assert room.finds("has:cat") == ["has"]
    assert room.finds("http://example.org:8080/a?b=c") == room.finds("example.org:8080") == ["url"]


@pytest.mark.parametrize(("filters", "names"), [
    ({"from": "ben"}, "order"), ({"from": "me"}, "boot slow both"), ({"from": "Ada Lovelace"}, "boot slow both"), ({"from": "ada lovelace"}, "boot slow both"),
    ({"from": "@ben"}, "order"), ({"in": "room"}, "boot slow both order"), ({"in": "Boot Room"}, "boot slow both order"), ({"in": "#boot room"}, "boot slow both order"),
    ({"in": "other"}, ""), ({"from": "nobody"}, ""), ({"q": "grub", "from": "ben"}, "order"), ({"q": "grub from:ada", "from": "ben"}, "boot both order"),
])  # fmt: skip
def test_filters_as_parameters(talk, filters, names):
    assert set(talk.finds(**filters)) == set(names.split())


def test_filters_of_what_a_message_has(room):
    room.says("link", "see https://example.org/page for more")
    room.says("plain", "no such thing as example here")
    room.says("mine", "ada, look", room.ben, mentions=["ada"])
    room.says("his", "ben, look", mentions=["ben"])
    reacted = room.says("reacted", "nice")
    room.ben.post("messages", reacted["id"], "reactions", body={"reaction": "👍"}, expect=201)
    for q, names in (("has:link", {"link"}), ("has:link example", {"link"}), ("has:reaction", {"reacted"}), ("has:file", set()), ("mentions:me", {"mine"}),
                     ("look", {"mine", "his"}), ("look mentions:me", {"mine"}), ("has:link has:reaction", set()), ("HAS:link", {"link"}),
                     ("look -mentions:me", {"his"}), ("example -has:link", {"plain"}), ("-has:link -has:reaction -from:ada", {"mine"})):  # fmt: skip
        assert set(room.finds(q)) == names, q
    for filters, names in (({"has": "link"}, {"link"}), ({"has": "reaction"}, {"reacted"}), ({"has": "file"}, set()), ({"mentions": "me"}, {"mine"}),
                           ({"q": "look", "mentions": "me"}, {"mine"}), ({"q": "has:reaction", "has": "link"}, set())):  # fmt: skip
        assert set(room.finds(**filters)) == names, filters
    room.ben.call("DELETE", room.ben.target("messages", reacted["id"], "reactions", "👍"), expect=204)
    assert room.finds("has:reaction") == []


NDJSON = {"Content-Type": "application/x-ndjson"}


def bring(client, room, lines):
    """Messages from elsewhere, with times of their own: [(content, created_at)]."""
    for begin in range(0, len(lines), 250):
        body = [{"external_id": f"x:{begin + n}", "author": "irc:old", "content": content, "created_at": at}
                for n, (content, at) in enumerate(lines[begin : begin + 250])]  # fmt: skip
        client.post("conversations", room, "import", body="\n".join(map(json.dumps, body)).encode(), headers=NDJSON, expect=200)


def test_days_and_times(seekers):
    boss = seekers.user("boss", "admin")
    boss.group("old", imported=True)
    days = {"feb28": "2024-02-28T23:59:59.999Z", "leap": "2024-02-29T00:00:00.000Z", "noon": "2024-02-29T12:00:00.000Z", "late": "2024-02-29T23:59:59.999Z",
            "mar1": "2024-03-01T00:00:00.000Z"}  # fmt: skip
    bring(boss, "old", [(f"grub {name}", at) for name, at in days.items()])

    def finds(q="grub", **query):
        return {hit["content"].split()[1] for hit in boss.search(q=q, limit=100, **query)["items"]}

    leap_day = {"leap", "noon", "late"}
    for at in ("2024-02-29", "2024-02-29T12:00:00Z"):
        whole = len(at) == 10
        assert finds(on=at) == finds(f"grub on:{at}") == (leap_day if whole else {"noon"})
        assert finds(before=at) == finds(f"grub before:{at}") == ({"feb28"} if whole else {"feb28", "leap"})
        assert finds(after=at) == finds(f"grub after:{at}") == ({"mar1"} if whole else {"late", "mar1"})
    assert finds(after="2024-02-28", before="2024-03-01") == finds("grub after:2024-02-28 before:2024-03-01") == leap_day
    assert finds(after="2024-02-28", q="grub before:2024-03-01") == leap_day, "one in the text, one beside it"
    assert finds(on="2024-02-29T14:00:00+02:00") == {"noon"}
    assert finds(after="2030-01-01") == finds(before="2004-01-01") == finds(after="2024-03-01", before="2024-02-01") == set()
    assert finds("grub before:leapday") == set(), "text, and nobody wrote it"
    assert [hit["content"].split()[1] for hit in boss.search(q="grub", sort="newest")["items"]] == ["mar1", "late", "noon", "leap", "feb28"]


def test_a_message_posted_today_was_posted_today(talk):
    today = datetime.datetime.now(datetime.UTC).date()
    week = datetime.timedelta(days=7)  # midnight may pass meanwhile
    assert set(talk.finds("grub", after=str(today - week), before=str(today + week))) == {"boot", "both", "order"}
    assert talk.finds("grub", before=str(today - week)) == []


# Order, pages, totals


def test_newest_first_is_by_time_and_relevance_puts_the_better_first(room):
    room.says("long", "grub " + "and a lot of words that nobody looks for " * 10)
    room.says("short", "grub error")
    room.says("last", "more words and grub somewhere among them, as an afterthought, at the end")
    assert room.finds("grub", sort="newest") == ["last", "short", "long"]
    assert room.finds("grub")[0] == "short" and room.finds("grub", sort="relevance")[0] == "short"


@pytest.mark.parametrize("sort", ["relevance", "newest"])
def test_pages_are_stable_while_others_write_and_delete(room, sort):
    old = {room.says(f"m{n}", f"grub number {n}")["id"] for n in range(40)}
    order = ids_of(room.ada.search(q="grub", sort=sort, limit=100))
    assert set(order) == old
    gone, come = [], []

    def meanwhile():
        come.append(room.says("new", "grub again", room.ben)["id"])
        victim = order[(len(gone) * 11 + 3) % len(order)]
        room.ada.delete("messages", victim, expect=204)
        gone.append(victim)

    seen, at = [], 0
    for page in room.ada.walk(q="grub", sort=sort, limit=7, between=meanwhile):
        check_hits(page)
        ids = ids_of(page)
        assert not set(ids) & set(gone), "a deleted message"
        seen += ids
        at += 1
    assert at >= 5 and len(set(seen)) == len(seen), "a message twice"
    assert set(seen) <= old, "a message that came after the first page"
    assert old - set(gone) <= set(seen), "a message left out"
    if sort == "newest":
        assert seen == [one for one in order if one in seen], "in another order than at first"
    assert set(come) <= set(room.ada.found("grub")), "and a new search finds the new"


@pytest.mark.parametrize("sort", ["relevance", "newest"])
def test_beyond_five_hundred_the_total_is_a_bound_and_all_are_found(seekers, sort):
    boss = seekers.user("boss", "admin")
    boss.group("old", imported=True)
    bring(boss, "old", [(f"grub {n}", "2024-02-29T12:00:00Z") for n in range(499)] + [("kernel", "2024-02-29T12:00:00Z")])
    assert boss.search(q="grub", sort=sort)["total"] == {"value": 499, "relation": "eq"}
    for n in range(61):
        boss.send("old", f"grub new {n}")
    seen = []
    for page in boss.walk(q="grub", sort=sort, limit=100):
        assert page["total"]["relation"] == "gte" and 500 <= page["total"]["value"] <= 560, page["total"]
        seen += ids_of(check_hits(page))
    assert len(seen) == len(set(seen)) == 560


def test_the_total_counts_what_is_beyond_the_page(room):
    for n in range(12):
        room.says(str(n), f"grub {n}")
    for limit in (1, 5, 11, 12, 100):
        page = room.ada.search(q="grub", limit=limit)
        assert page["total"] == {"value": 12, "relation": "eq"} and len(page["items"]) == min(limit, 12)
        assert (page["next_cursor"] is None) == (limit >= 12)


# Highlights


@pytest.mark.parametrize(("content", "q", "shown"), [
    ("<script>alert('grub')</script> & \"more\"", "grub", "&lt;script&gt;alert(&#39;<em>grub</em>&#39;)&lt;/script&gt; &amp; &quot;more&quot;"),
    ("<em>no</em> grub", "grub", "&lt;em&gt;no&lt;/em&gt; <em>grub</em>"),
    ("</em><img src=x onerror=grub>", "grub onerror", "&lt;/em&gt;&lt;img src=x <em>onerror</em>=<em>grub</em>&gt;"),
    ("&lt;b&gt; &amp; grub", "grub", "&amp;lt;b&amp;gt; &amp;amp; <em>grub</em>"),
    ("an amp & an em lt", "amp em lt", "an <em>amp</em> &amp; an <em>em</em> <em>lt</em>"),
    ("Zwei CAFÉS", "cafes", "Zwei <em>CAFÉS</em>"),
    ("the servers run", "server", "the <em>servers</em> run"),
    ("明天在会议室", "会议", "明天在<em>会议</em>室"),
    ("ship it 🚀", "🚀", "ship it <em>🚀</em>"),
    ("installing", "inst*", "<em>installing</em>"),
    ("grub kde", "grub -gnome", "<em>grub</em> kde"),
])  # fmt: skip
def test_a_highlight_is_escaped_and_marks_what_matched(room, content, q, shown):
    room.says("it", content)
    (hit,) = room.ada.search(q=q)["items"]
    assert hit["highlight"] == shown and hit["content"] == content


def test_a_highlight_of_an_edited_message_is_escaped_too(room):
    message = room.says("it", "grub")
    room.ada.put("messages", message["id"], body={"content": "<b>kernel</b> & 'more'"}, expect=200)
    (hit,) = room.ada.search(q="kernel")["items"]
    assert hit["highlight"] == "&lt;b&gt;<em>kernel</em>&lt;/b&gt; &amp; &#39;more&#39;"


def test_a_highlight_of_a_long_message_is_a_piece_around_the_match(room):
    content = "é<b> " * 1000 + "needle" + " <i>ü" * 1000
    room.says("it", content)
    (hit,) = room.ada.search(q="needle")["items"]
    assert check_highlight(hit["highlight"], content) == ["needle"] and len(hit["highlight"]) < 1000
    assert hit["highlight"].startswith("…") and hit["highlight"].endswith("…")


def test_a_hit_by_a_filter_alone_has_a_highlight_with_nothing_lit(room):
    room.says("it", "a <b>bold</b> word")
    (hit,) = room.ada.search(**{"from": "ada"})["items"]
    assert hit["highlight"] == "a &lt;b&gt;bold&lt;/b&gt; word"


def test_a_hit_is_the_message_as_messaging_shows_it(room):
    message = room.says("it", "grub", metadata={"k": [1, {"a": None}]}, client_message_id="m1", mentions=["ben"])
    room.ben.post("messages", message["id"], "reactions", body={"reaction": "👍"}, expect=201)
    room.says("reply", "kernel", reply_to=message["id"])
    (hit,) = room.ada.search(q="grub")["items"]
    assert {name: value for name, value in hit.items() if name != "highlight"} == room.ada.read(message["id"])
    assert "score" not in json.dumps(hit)


# Near words


@pytest.fixture
def typos(room):
    room.says("disk", "the bootloader cannot find the partition")
    room.says("more", "partition table")
    return room


@pytest.mark.parametrize(("q", "meant", "names"), [
    ("bootlaoder", "bootloader", {"disk"}), ("partitoin", "partition", {"disk", "more"}), ("partiton", "partition", {"disk", "more"}),
    ("partitionn", "partition", {"disk", "more"}), ("bootlaoder partition", "bootloader partition", {"disk"}),
    ("PARTITOIN", "partition", {"disk", "more"}), ("tabel", "table", {"more"}),
])  # fmt: skip
def test_a_mistyped_word_finds_the_near_one_and_says_so(typos, q, meant, names):
    answer = check_hits(typos.ada.search(q=q))
    assert answer["did_you_mean"] == meant
    assert {typos.names[one] for one in ids_of(answer)} == names
    assert answer["total"] == {"value": len(names), "relation": "eq"}
    assert all(lit(hit["highlight"]) for hit in answer["items"])


@pytest.mark.parametrize("q", ["partition", "partition table", "partition -table", "zebrafish", "xy", "tab", "bootloader table"])
def test_what_is_found_and_what_is_near_to_nothing_has_no_near_words(typos, q):
    assert "did_you_mean" not in typos.ada.search(q=q)


def test_near_words_keep_the_filters_and_the_pages(typos):
    for n in range(5):
        typos.says(f"ben{n}", f"partition {n}", typos.ben)
    answer = typos.ada.search(q="partitoin from:ben", limit=2)
    assert answer["did_you_mean"] == "partition" and answer["total"]["value"] == 5
    seen = []
    for page in typos.ada.walk(q="partitoin from:ben", limit=2):
        assert page["did_you_mean"] == "partition"
        seen += [typos.names[one] for one in ids_of(page)]
    assert sorted(seen) == [f"ben{n}" for n in range(5)]


# What was written


def test_what_was_written_is_found_by_the_very_next_request(room):
    for n in range(20):
        mark = unique("mark")
        message = room.says(str(n), f"{mark} {n}")
        assert room.ben.found(mark) == [message["id"]], "for another user, with the position"
        room.ada.put("messages", message["id"], body={"content": "changed"}, expect=200)
        assert room.ben.found(f'"{mark}"') == []
        room.ada.delete("messages", message["id"], expect=204)
    assert room.ben.found("changed") == []


def test_what_was_written_shows_soon_without_a_position(room):
    message = room.says("it", "zeppelin")
    room.ben.soon("it is found", lambda: ids_of(room.ben.ask("messages", q="zeppelin", expect=200).json) == [message["id"]])
    room.ada.put("messages", message["id"], body={"content": "airship"}, expect=200)
    room.ben.soon("the old is gone", lambda: ids_of(room.ben.ask("messages", q="zeppelin", expect=200).json) == [])
    room.ben.soon("the new is found", lambda: ids_of(room.ben.ask("messages", q="airship", expect=200).json) == [message["id"]])
    room.ada.delete("messages", message["id"], expect=204)
    room.ben.soon("it is gone", lambda: ids_of(room.ben.ask("messages", q="airship", expect=200).json) == [])
