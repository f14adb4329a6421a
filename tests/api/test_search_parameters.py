"""The parameters of every search route: missing, empty, oversized, of another type, twice, badly encoded."""

import urllib.parse

import pytest

from harness.contract import contract
from harness.search import SearchTenant, ids_of

ROUTES = [op for op in contract("search").operations if op.method == "GET" and op.path.startswith("/search")]
ASKING = [op for op in ROUTES if "q" in op.names("query")]


def each(operations):
    assert operations
    return pytest.mark.parametrize("operation", operations, ids=lambda op: op.id)


def having(name):
    return each([op for op in ROUTES if name in op.names("query")])


class Scene:
    """One tenant for all tests of a file: they only read."""

    def __init__(self, issuer, place):
        self.tenant = SearchTenant(issuer, place)
        self.ada = self.tenant.user("ada", name="Ada Lovelace")
        self.ada.get("users", "me", expect=200)
        self.ada.group("room", members=["ben"], name="Analytical engines")
        self.messages = [self.ada.send("room", f"grub rescue {n}") for n in range(5)]
        self.ada.settle()

    def get(self, operation, query="", good=True):
        """`query` as it stands; `good` adds a q, where the route takes one and `query` has none."""
        if good and "q" in operation.names("query"):
            query = "q=grub" + ("&" + query if query else "")
        target = f"{self.ada.finder.prefix}{operation.path}" + (f"?{query}" if query else "")
        return self.ada.finder.call("GET", target)


@pytest.fixture(scope="module")
def scene(issuer, search_place):
    return Scene(issuer, search_place)


# q


@each(ASKING)
def test_without_q_it_is_400(scene, operation):
    scene.get(operation, good=False).refused(400, "validation_failed", "query.q")
    scene.get(operation, "limit=1", good=False).refused(400, "validation_failed", "query.q")


def test_messages_may_be_asked_for_by_a_filter_alone(scene):
    operation = next(op for op in ROUTES if op.id == "search_messages")
    for query in ("from=ada", "in=room", "from=me", "after=2020-01-01"):
        assert len(scene.get(operation, query, good=False).json["items"]) == 5, query
    for query in ("from=ben", "has=link", "has=reaction", "has=file", "mentions=me", "before=2020-01-01", "on=2020-01-01"):
        assert scene.get(operation, query, good=False).json["items"] == [], query
    scene.get(operation, "sort=newest", good=False).refused(400, "validation_failed", "query.q")


@each(ASKING)
@pytest.mark.parametrize("bad", ["", "%00", "a%00b", "%ff", "%C3", "a%C3%28", "%C0%80", "%ED%A0%80", "%F4%90%80%80", "%", "%z", "%4", "%%"])
def test_a_q_that_is_no_text_is_400(scene, operation, bad):
    scene.get(operation, f"q={bad}", good=False).refused(400, "validation_failed", "query.q")


@each(ASKING)
def test_q_twice_is_400(scene, operation):
    for query in ("q=a&q=a", "q=a&q=b", "q=a&%71=b", "q=&q="):
        scene.get(operation, query, good=False).refused(400, "validation_failed", "query.q")


@each(ASKING)
@pytest.mark.parametrize("letter", ["a", "é", "議", "🚀", "\u0301", "%", "\u200f"], ids=["a", "é", "議", "emoji", "mark", "percent", "rtl"])
def test_q_may_have_1024_bytes_and_no_more(scene, operation, letter):
    size = len(letter.encode())
    longest = letter * (1024 // size) + "a" * (1024 % size)
    assert scene.get(operation, "q=" + urllib.parse.quote(longest), good=False).status == 200
    too_long = urllib.parse.quote(longest + "a")
    scene.get(operation, f"q={too_long}", good=False).refused(400, "validation_failed", "query.q")


@each(ASKING)
def test_a_q_of_many_kilobytes_is_refused_and_not_searched(scene, operation):
    assert scene.get(operation, "q=" + "a" * 8000, good=False).status == 400
    assert scene.get(operation, "q=" + "a" * 40000, good=False).status == 431


@each(ASKING)
def test_however_q_is_encoded_it_is_the_same_text(scene, operation):
    def shown(query):
        answer = scene.get(operation, query, good=False)
        assert answer.status == 200, answer
        return {name: value for name, value in answer.json.items() if name not in ("took_ms", "indexed_through")}

    plain = shown("q=grub%20rescue")
    assert plain == shown("q=grub+rescue") == shown("q=%67%72%75%62%20%72%65%73%63%75%65") == shown("%71=grub%20rescue")
    assert shown("q=grub%c3%a9") == shown("q=grub%C3%A9")
    assert scene.get(operation, "q=c%2B%2B", good=False).status == 200


# limit, sort, filters


@having("limit")
@pytest.mark.parametrize("value", ["0", "101", "-1", "abc", "", "1.5", "1e1", "+5", " 5", "5 ", "0x10", "99999999999999999999", "%00", "٥", "05x"])
def test_a_limit_outside_1_to_100_is_400(scene, operation, value):
    quoted = value if value.startswith("%") else urllib.parse.quote(value)
    scene.get(operation, f"limit={quoted}").refused(400, "validation_failed", "query.limit")


@having("limit")
def test_a_limit_of_1_and_of_100_is_taken(scene, operation):
    for value in (1, 100):
        assert scene.get(operation, f"limit={value}").status == 200


@having("sort")
@pytest.mark.parametrize("value", ["", "best", "NEWEST", "newest,relevance", "oldest", "newest%00", "-created_at", "score"])
def test_a_sort_that_is_none_is_400(scene, operation, value):
    scene.get(operation, f"sort={value}").refused(400, "validation_failed", "query.sort")


@having("has")
@pytest.mark.parametrize(("name", "value"), [
    ("has", ""), ("has", "music"), ("has", "FILE"), ("has", "file,link"), ("mentions", ""), ("mentions", "ben"), ("mentions", "ME"),
    ("from", ""), ("from", "%00"), ("from", "a%0A"), ("from", "x" * 257), ("from", "%ff"),
    ("in", ""), ("in", "%07"), ("in", "x" * 257), ("in", "%C3"),
])  # fmt: skip
def test_a_filter_that_cannot_be_is_400(scene, operation, name, value):
    scene.get(operation, f"{name}={value}").refused(400, "validation_failed", f"query.{name}")


@having("before")
@pytest.mark.parametrize("name", ["before", "after", "on"])
@pytest.mark.parametrize("value", ["", "yesterday", "2026", "2026-01", "2026-13-01", "2026-02-30", "2026-00-10", "01-02-2026", "2026-1-1xx",
                                   "2026-01-01T", "2026-01-01T10:00:00", "2026-01-01T25:00:00Z", "2026-01-01 10:00:00Z ", "%2B2026-01-01",
                                   "1768435200", "12345678901", "2026-01-01%00"])  # fmt: skip
def test_a_day_that_is_none_is_400(scene, operation, name, value):
    scene.get(operation, f"{name}={urllib.parse.quote(value, safe='%')}").refused(400, "validation_failed", f"query.{name}")


@having("before")
@pytest.mark.parametrize("value", ["2026-01-31", "2024-02-29", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00.123Z", "2026-01-01T10:00:00%2B02:00",
                                   "1970-01-01", "9999-12-31"])  # fmt: skip
def test_a_day_or_a_time_is_taken(scene, operation, value):
    for name in ("before", "after", "on"):
        assert scene.get(operation, f"{name}={value}").status == 200, name


@each(ROUTES)
def test_an_unknown_parameter_is_400_and_named(scene, operation):
    for name in ("stray", "Q", "query", "Limit", "tenant_id", "user", "offset", "score", "conversations", "scope"):
        scene.get(operation, f"{name}=1").refused(400, "validation_failed", f"query.{name}")


@each(ROUTES)
def test_the_same_parameter_twice_is_400(scene, operation):
    good = {"limit": "5", "sort": "newest", "from": "ada", "in": "room", "before": "2030-01-01", "after": "2020-01-01", "on": "2026-01-01",
            "has": "link", "mentions": "me", "wait_ms": "1"}  # fmt: skip
    for name in operation.names("query"):
        if name in good:
            scene.get(operation, f"{name}={good[name]}&{name}={good[name]}").refused(400, "validation_failed", f"query.{name}")


@each(ROUTES)
def test_a_query_with_bad_escapes_is_400(scene, operation):
    for query in ("a=%zz", "a=%", "%zz=1", "a=%ff", "a=1%0"):
        scene.get(operation, query).refused(400)


@each(ROUTES)
def test_other_methods_are_405_with_allow(scene, operation):
    target = f"{scene.ada.finder.prefix}{operation.path}"
    allowed = scene.ada.finder.contract.methods_of(target)
    for method in {"POST", "PUT", "PATCH", "DELETE"} - allowed:
        answer = scene.ada.finder.call(method, target, body={} if method != "DELETE" else None, check=False)
        assert answer.status == 405, answer
        assert set(answer.headers["Allow"].replace(" ", "").split(",")) - {"OPTIONS", "HEAD"} == allowed, answer


# cursors


@having("cursor")
def test_a_cursor_that_is_none_is_400(scene, operation):
    for value in ("x", "%20", "%00", "%FF", "null", "x" * 512, "AAAA", "r:1:1:1", "x" * 2048, "", "x" * 2049, "%F0%9F%9A%80"):
        answer = scene.get(operation, f"cursor={value}").refused(400)
        assert answer.code in ("invalid_cursor", "validation_failed") and answer.faulty == ["query.cursor"], answer


@pytest.fixture(scope="module")
def cursor(scene):
    return scene.ada.search(q="grub", limit=2)["next_cursor"]


def test_a_cursor_of_the_same_search_goes_on_whatever_the_limit(scene, cursor):
    first = ids_of(scene.ada.search(q="grub", limit=2))
    rest = ids_of(scene.ada.search(q="grub", cursor=cursor, limit=100))
    assert len(first) == 2 and len(rest) == 3 and not set(first) & set(rest)


@pytest.mark.parametrize("query", [
    {"q": "grubs"}, {"q": "Grub"}, {"q": "grub "}, {"q": "grub", "sort": "newest"}, {"q": "grub", "from": "ada"}, {"q": "grub", "in": "room"},
    {"q": "grub", "after": "2020-01-01"}, {"q": "grub", "before": "2030-01-01"}, {"q": "grub", "has": "link"}, {"q": "grub", "mentions": "me"},
    {"from": "me"},
], ids=str)  # fmt: skip
def test_a_cursor_of_another_search_is_400(scene, cursor, query):
    scene.ada.ask("messages", cursor=cursor, **query).refused(400, "invalid_cursor", "query.cursor")


def test_a_cursor_of_another_kind_another_user_or_another_tenant_is_400(scene, cursor):
    for kind in ("conversations", "users"):
        scene.ada.ask(kind, q="grub", cursor=cursor).refused(400, "invalid_cursor", "query.cursor")
    for stranger in (scene.tenant.user("ben"), scene.tenant.other().user("ada")):
        stranger.ask("messages", q="grub", cursor=cursor).refused(400, "invalid_cursor", "query.cursor")


def test_a_cursor_that_was_changed_is_400_and_tells_nothing(scene, cursor):
    for place in range(0, len(cursor), 7):
        for letter in ("A", "b", "-"):
            if cursor[place] != letter:
                changed = cursor[:place] + letter + cursor[place + 1 :]
                answer = scene.ada.ask("messages", q="grub", cursor=changed)
                if place + 1 < len(cursor) or answer.status != 200:  # the last letter may hold bits that mean nothing
                    answer.refused(400, "invalid_cursor", "query.cursor")
    for cut in (cursor[:-2], cursor[2:], cursor * 2, cursor + "A"):
        scene.ada.ask("messages", q="grub", cursor=cut).refused(400, None, "query.cursor")


# min_position and wait_ms


@having("wait_ms")
@pytest.mark.parametrize("value", ["-1", "5001", "", "x", "1.5", "1e3", "%00"])
def test_a_wait_outside_0_to_5000_is_400(scene, operation, value):
    scene.get(operation, f"wait_ms={value}").refused(400, "validation_failed", "query.wait_ms")


@having("min_position")
@pytest.mark.parametrize("value", ["", "x", "AAAA", "null", "0", "-1", "9223372036854775807", "%00", "%20", "x" * 64, "x" * 65, "%FF", "🚀"])
def test_a_position_that_is_none_is_400(scene, operation, value):
    quoted = urllib.parse.quote(value, safe="%")
    scene.get(operation, f"min_position={quoted}").refused(400, "validation_failed", "query.min_position")


@having("min_position")
def test_a_position_of_another_tenant_is_400(scene, operation):
    theirs = scene.tenant.other().user("ada").group("room")["position"]
    scene.get(operation, f"min_position={theirs}").refused(400, "validation_failed", "query.min_position")
    assert scene.get(operation, f"min_position={scene.tenant.written.position}").status == 200


@having("min_position")
def test_what_a_search_was_indexed_through_is_a_position(scene, operation):
    through = scene.get(operation).json["indexed_through"]
    assert scene.get(operation, f"min_position={through}&wait_ms=0").status == 200
    stranger = scene.tenant.other().user("ada")
    stranger.ask(*operation.path.split("/")[2:], q="grub", min_position=through).refused(400, None, "query.min_position")


# Who may ask.


def test_a_service_searches_as_the_user_it_acts_for(scene):
    acting = scene.tenant.service("ada")
    assert len(acting.found("grub")) == 5
    assert scene.tenant.service("carol").found("grub") == []
    assert scene.tenant.service("ada").ask("users", q="lovelace", expect=200).json["items"]
    scene.ada.ask("messages", q="grub", headers={"X-Parley-User": "ben"}).refused(403, "forbidden")


def test_a_tenant_admin_finds_nothing_of_a_room_it_is_not_in(scene):
    boss = scene.tenant.user("boss", "admin")
    assert boss.found("grub") == [] and boss.found("engines", "conversations") == []
    assert boss.search("messages", q="grub")["total"] == {"value": 0, "relation": "eq"}
