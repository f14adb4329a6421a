"""Promises 5 and 6 in search: what a caller may not read is no hit, no count, no highlight, no suggestion, no near word.

Each test has a secret word in what may not be read, asks for it in every way there is, and looks for it in every byte
that comes back.
"""

import pytest

from harness.client import Client
from harness.contract import contract
from harness.search import SearchTenant, ids_of

SECRET = "xylophonic"  # nothing else here is near to it


def questions(room, sender):
    """(kind, query) of every way to come near the secret."""
    for q in (SECRET, SECRET.upper(), f'"{SECRET}"', f'"{SECRET} plan"', "xyloph*", "xylop", f"{SECRET} plan", f"{SECRET} OR zebra", "-zebra plan", "plan",
              "xylophnoic", "xylophonik", "xilophonic", "plna", f"{SECRET} in:{room}", f"plan in:{room}", f"in:{room}", f'in:"{SECRET} room"', f"plan from:{sender}",
              f"from:{sender}", "has:reaction", "has:link", "plan has:reaction", "mentions:me", "after:2020-01-01", "on:2026-01-01 plan", "https://xylophonic.example.org"):  # fmt: skip
        yield "messages", {"q": q}
        yield "messages", {"q": q, "sort": "newest"}
    for filters in ({"in": room}, {"in": f"{SECRET} room"}, {"from": sender}, {"has": "reaction"}, {"has": "link"}, {"mentions": "me"}, {"after": "2020-01-01"}):
        yield "messages", filters
        yield "messages", {"q": "plan"} | filters
    for q in (SECRET, "xyl", "room", "plan", "xylophnoic"):
        for kind in ("conversations", "global", "suggestions"):
            yield kind, {"q": q}


def bare(kind):
    return [] if kind == "global" else [kind]


def is_silent(answer, kind):
    """Nothing of the secret in any byte, no hit and no count of it."""
    assert SECRET.encode() not in answer.body.lower() and b"xyloph" not in answer.body.lower(), answer
    assert answer.status == 200, answer
    shown = answer.json
    groups = [shown[name] for name in ("messages", "conversations")] if kind == "global" else [shown]
    for group in groups:
        assert group["items"] == [], answer
        if kind != "suggestions":
            assert group["total"] == {"value": 0, "relation": "eq"}, answer
    assert "did_you_mean" not in shown, answer
    return True


def tells_nothing(searcher, room, sender, position=True):
    """Every question, as of all that was written; without a position, as it is now."""
    for kind, query in questions(room, sender):
        if position and kind != "suggestions":
            query = query | {"min_position": searcher.written.position, "wait_ms": 5000}
        is_silent(searcher.ask(*bare(kind), **query), kind)


class Secrets:
    """A room of ada and ben with a secret in everything that is searched; `eve` is a member of nothing."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.ada, self.ben, self.eve = tenant.user("ada"), tenant.user("ben"), tenant.user("eve")
        self.ada.group("room", members=["ben"], name=f"{SECRET} room", topic=f"the {SECRET} plan")
        self.message = self.ada.send("room", f"the {SECRET} plan, see https://{SECRET}.example.org", mentions=["ben", "eve"])["id"]
        self.ben.post("messages", self.message, "reactions", body={"reaction": "👍"}, expect=201)
        for searcher in (self.ada, self.ben):
            self.sees(searcher)

    def sees(self, searcher):
        """So that a test that finds nothing means something."""
        assert searcher.found(SECRET) == [self.message] and searcher.found("plan has:link has:reaction") == [self.message]
        assert searcher.search(q="xylophnoic")["did_you_mean"] == SECRET
        assert ("word", SECRET) in searcher.suggestions("xyl") and ("conversation", f"{SECRET} room") in searcher.suggestions("xyl")
        assert searcher.found(SECRET, "conversations") == ["room"]


@pytest.fixture
def secrets(seekers):
    return Secrets(seekers)


@pytest.mark.smoke
def test_one_who_never_was_a_member_learns_nothing(secrets):
    tells_nothing(secrets.eve, "room", "ada")
    own = secrets.eve.group("own")["id"]
    secrets.eve.send(own, "nothing of note")
    answer = secrets.eve.search(q="note")
    assert answer["total"] == {"value": 1, "relation": "eq"}
    for q in (SECRET, "xylophnoic", "plan", "plna"):
        is_silent(secrets.eve.ask("messages", q=q), "messages")


def test_an_admin_or_a_service_that_is_no_member_learns_nothing(secrets):
    tells_nothing(secrets.tenant.user("boss", "admin"), "room", "ada")
    tells_nothing(secrets.tenant.service("eve"), "room", "ada")
    tells_nothing(secrets.tenant.user("boss", "admin", "service"), "room", "ada")


@pytest.mark.parametrize("roles", [(), ("admin",), ("service",), ("admin", "service")], ids=["user", "admin", "service", "both"])
def test_another_tenant_with_the_same_names_learns_nothing(secrets, roles):
    other = secrets.tenant.other()
    stranger = other.user("ada", *roles)
    tells_nothing(stranger, "room", "ada", position=False)
    stranger.group("room", members=["ben"], name="another place")
    stranger.send("room", "nothing of note")
    assert ids_of(stranger.search(q="note"))
    for q in (SECRET, "xylophnoic", "xyloph*", "plan", f"{SECRET} in:room"):
        for kind in ("messages", "conversations", "users"):
            is_silent(stranger.ask(kind, q=q, min_position=other.written.position), kind)
        is_silent(stranger.ask("suggestions", q=q), "suggestions")


def test_what_others_wrote_does_not_change_what_is_suggested_or_meant(secrets):
    """Neither the shared vocabulary nor how often others use a word shows."""
    eve = secrets.eve
    eve.group("own")
    eve.send("own", "xylem and xylene")
    before = eve.suggestions("xyl")
    for n in range(30):
        secrets.ada.send("room", f"{SECRET} xylitol {n}")
    assert eve.suggestions("xyl") == before == [("word", "xylem"), ("word", "xylene")]
    assert "did_you_mean" not in eve.search(q="xylitoll")
    assert eve.search(q="xylemm")["did_you_mean"] == "xylem"


def leave(secrets):
    secrets.ben.delete("conversations", "room", "members", "ben", expect=204)


def be_removed(secrets):
    secrets.ada.delete("conversations", "room", "members", "ben", expect=204)


@pytest.mark.parametrize("go", [leave, be_removed])
def test_who_is_no_member_any_more_learns_nothing_at_once(secrets, go):
    warm(secrets.ben)
    go(secrets)
    tells_nothing(secrets.ben, "room", "ada")
    cold(secrets.ben)
    secrets.sees(secrets.ada)
    secrets.ada.add("room", "ben")
    secrets.sees(secrets.ben)


def warm(searcher):
    """Has caches know the answers."""
    for _ in range(3):
        for kind, query in questions("room", "ada"):
            assert searcher.ask(*bare(kind), **query).status == 200


def cold(searcher):
    """The same questions without a position: within a second no cache tells any more."""
    for kind, query in questions("room", "ada"):
        def silent(kind=kind, query=query):
            try:
                return is_silent(searcher.ask(*bare(kind), **query), kind)
            except AssertionError:
                return False

        searcher.soon(f"nothing is told of {query}", silent)


def test_at_the_service_itself_leaving_needs_no_waiting(issuer, fleet):
    secrets = Secrets(SearchTenant(issuer, fleet.search_place("direct")))
    warm(secrets.ben)
    leave(secrets)
    tells_nothing(secrets.ben, "room", "ada", position=False)


def test_a_deleted_message_tells_nothing(secrets):
    secrets.ada.put("conversations", "room", body={"name": "plain", "topic": None}, expect=200)
    warm(secrets.ben)
    secrets.ada.delete("messages", secrets.message, expect=204)
    for searcher in (secrets.ben, secrets.ada):
        for kind, query in questions("room", "ada"):
            if kind in ("messages", "suggestions"):
                position = {"min_position": secrets.tenant.written.position} if kind == "messages" else {}
                is_silent(searcher.ask(kind, **query, **position), kind)
    secrets.ada.soon("caches forget", lambda: ids_of(secrets.ben.ask("messages", q=SECRET, expect=200).json) == [])


def test_an_edited_message_tells_nothing_of_what_it_said(secrets):
    secrets.ada.put("conversations", "room", body={"name": "plain", "topic": None}, expect=200)
    warm(secrets.ben)
    secrets.ada.put("messages", secrets.message, body={"content": "harmless", "mentions": []}, expect=200)
    for q in (SECRET, "xyloph*", "xylophnoic", "plan", f"{SECRET} in:room", "has:link"):
        is_silent(secrets.ben.ask("messages", q=q, min_position=secrets.tenant.written.position), "messages")
    is_silent(secrets.ben.ask("suggestions", q="xyl"), "suggestions")
    (hit,) = secrets.ben.search(q="in:room")["items"]
    assert hit["highlight"] == "harmless"
    for filters in ({"q": "plan"}, {"in": "room"}, {"has": "reaction"}):
        def silent(filters=filters):
            return SECRET.encode() not in secrets.ben.ask("messages", expect=200, **filters).body

        secrets.ben.soon("caches forget", silent)


def test_a_deleted_conversation_tells_nothing(secrets):
    warm(secrets.ben)
    secrets.ada.delete("conversations", "room", expect=204)
    for searcher in (secrets.ada, secrets.ben):
        tells_nothing(searcher, "room", "ada")
        cold(searcher)


def test_what_was_found_before_does_not_come_by_a_cursor_after_leaving(secrets):
    for n in range(6):
        secrets.ada.send("room", f"{SECRET} plan {n}")
    cursor = secrets.ben.search(q="plan", limit=2)["next_cursor"]
    leave(secrets)
    is_silent(secrets.ben.ask("messages", q="plan", cursor=cursor, limit=100, min_position=secrets.tenant.written.position), "messages")


def test_no_answer_tells_how_much_of_it_others_have(secrets):
    """One hit of one's own among many of others is the whole of the count."""
    secrets.eve.group("own")
    mine = secrets.eve.send("own", "a plan of mine")["id"]
    for n in range(20):
        secrets.ada.send("room", f"plan {n}")
    answer = secrets.eve.search(q="plan", limit=1)
    assert ids_of(answer) == [mine] and answer["total"] == {"value": 1, "relation": "eq"} and answer["next_cursor"] is None


def test_nobody_reads_anothers_recent_searches(secrets):
    secrets.ben.ask("messages", q=SECRET, expect=200)
    for stranger in (secrets.eve, secrets.tenant.user("boss", "admin"), secrets.tenant.other().user("ben"), secrets.tenant.service("eve")):
        answer = stranger.ask("recent", expect=200)
        assert SECRET.encode() not in answer.body
    secrets.eve.ask("recent", headers={"X-Parley-User": "ben"}).refused(403, "forbidden")


# Internal routes


INTERNAL = [op for op in contract("search").operations if op.internal]


def bodies(operation):
    return None if operation.method == "GET" else {"record_recent_search": {"q": SECRET}}.get(operation.id, {})


@pytest.mark.parametrize("operation", [op for op in INTERNAL if op.for_roles], ids=lambda op: op.id)
@pytest.mark.parametrize("roles", [(), ("admin",), ("service",)], ids=["user", "admin", "service"])
def test_an_internal_route_takes_no_users_token(secrets, operation, roles):
    client = secrets.tenant.user("ada", *roles).service
    target = client.target(*["x" if part[0] == "{" else part for part in operation.path.strip("/").split("/")])
    answer = client.call(operation.method, target, bodies(operation))
    assert answer.status == 401, answer
    answer = Client(client.origin, client.contract).call(operation.method, target, bodies(operation))
    assert answer.status == 401, answer


def test_the_gateway_has_no_internal_route(fleet, secrets):
    for server in (fleet.all_in_one(), fleet.gateway()):
        client = Client(server.origin("gateway"), contract("gateway"), "", secrets.ada.token)
        for operation in INTERNAL:
            path = operation.path.replace("{reindex_id}", "x")
            for target in ("/v1" + path, path, "/v1/search/.." + path, "/v1/search/%2e%2e" + path, "/v1//" + path.lstrip("/")):
                answer = client.call(operation.method, target, bodies(operation), check=False)
                assert answer.status in (400, 404), answer
