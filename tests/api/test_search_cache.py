"""The gateway's cache of searches: what it says of itself, whom it answers, and when it forgets."""

import pytest

from harness.client import unique
from harness.contract import contract
from harness.search import Place, SearchTenant, ids_of
from harness.waiting import until


def at(gateway, services, issuer):
    chat = (gateway.origin("gateway"), contract("gateway"), "/v1")
    return SearchTenant(issuer, Place(chat, chat, (services.origin("search"), contract("search"), "")))


@pytest.fixture(params=["all_in_one", "split"])
def tenant(request, fleet, issuer):
    return SearchTenant(issuer, fleet.search_place(request.param))


@pytest.fixture
def ada(tenant):
    ada = tenant.user("ada")
    ada.group("room", members=["ben"])
    ada.send("room", "grub rescue")
    ada.settle()
    return ada


def asked(client, q="grub", **query):
    return client.ask("messages", q=q, expect=200, **query)


def hit(client, q="grub", **query):
    """The first answer by the cache; news of the last write may still be on their way before it."""
    return until("the cache answers", lambda: (answer := asked(client, q, **query)).headers["X-Cache"] == "hit" and answer, 5)


@pytest.mark.smoke
def test_the_same_search_again_is_a_hit_with_its_age(ada):
    first = asked(ada)
    assert first.headers["X-Cache"] == "miss" and "Age" not in first.headers
    again = hit(ada)
    assert int(again.headers["Age"]) in range(0, 10)
    assert ids_of(again.json) == ids_of(first.json) and again.headers["Content-Type"] == first.headers["Content-Type"]


def test_parameters_in_another_order_are_the_same_search_and_others_are_not(ada):
    hit(ada, limit=5, sort="newest")
    assert asked(ada, sort="newest", limit=5).headers["X-Cache"] == "hit"
    for other in ({"limit": 6, "sort": "newest"}, {"limit": 5}, {"limit": 5, "sort": "newest", "in": "room"}, {"limit": 5, "sort": "newest", "q": "Grub"}):
        assert asked(ada, **other).headers["X-Cache"] == "miss", other


def test_nobody_gets_anothers_answer(tenant, ada):
    hit(ada)
    for other in (tenant.user("ben"), tenant.user("eve"), tenant.other().user("ada"), tenant.user("ada", "admin"), tenant.service("ada"), tenant.service("ben")):
        assert asked(other).headers["X-Cache"] == "miss"
    answer = asked(tenant.user("eve"))
    assert answer.json["items"] == []


def test_a_position_asks_past_it(tenant, ada):
    hit(ada)
    for _ in range(3):
        assert asked(ada, min_position=tenant.written.position).headers["X-Cache"] == "miss"
        assert ada.ask("messages", q="grub", headers={"Cache-Control": "no-cache"}, expect=200).headers["X-Cache"] == "miss"


def test_what_was_refused_is_not_kept(ada):
    for _ in range(3):
        answer = ada.ask("messages", q="grub", limit=0).refused(400)
        assert answer.headers.get("X-Cache") != "hit"


@pytest.mark.parametrize("change", ["post", "edit", "delete", "leave", "close"])
def test_what_changes_is_out_of_it_within_a_second(tenant, ada, change):
    ben = tenant.user("ben")
    mark = unique("mark")
    message = ada.send("room", f"{mark} grub")["id"]
    ben.settle()
    hit(ben, mark)
    if change == "post":
        expected = {message, ada.send("room", f"{mark} again")["id"]}
    elif change == "edit":
        ada.put("messages", message, body={"content": "changed"}, expect=200)
    elif change == "delete":
        ada.delete("messages", message, expect=204)
    elif change == "leave":
        ben.delete("conversations", "room", "members", "ben", expect=204)
    else:
        ada.delete("conversations", "room", expect=204)
    if change != "post":
        expected = set()
    ben.soon(f"the {change} shows", lambda: set(ids_of(asked(ben, mark).json)) == expected)


@pytest.mark.parametrize("change", ["edit", "delete", "leave", "close"])
def test_once_a_write_is_answered_no_hit_shows_what_was_before_it(tenant, ada, change):
    """The index may not have it yet. Again and again: the time between is some tens of milliseconds."""
    ben = tenant.user("ben")
    for n in range(5):
        room, mark = f"room-{change}-{n}", unique("mark")
        ada.group(room, members=["ben"])
        message = ada.send(room, f"{mark} grub")["id"]
        ben.settle()
        assert ids_of(hit(ben, mark).json) == [message]
        if change == "edit":
            ada.put("messages", message, body={"content": "changed"}, expect=200)
        elif change == "delete":
            ada.delete("messages", message, expect=204)
        elif change == "leave":
            ben.delete("conversations", room, "members", "ben", expect=204)
        else:
            ada.delete("conversations", room, expect=204)
        for _ in range(3):
            assert mark not in str([item["content"] for item in asked(ben, mark).json["items"]])


def test_without_a_time_to_live_there_is_no_cache(start_server, issuer):
    server = start_server(SEARCH_CACHE_TTL_SECONDS=0)
    ada = at(server, server, issuer).user("ada")
    ada.group("room")
    message = ada.send("room", "grub")["id"]
    ada.settle()
    for _ in range(5):
        answer = asked(ada)
        assert answer.headers.get("X-Cache", "miss") == "miss" and ids_of(answer.json) == [message]


def test_a_gateway_that_hears_nothing_of_search_passes_everything_on(start_server, issuer):
    """Its key is another, so that it cannot follow what changes; searches work, and no answer is older than its question."""
    services = start_server(["messaging", "search"], INTERNAL_KEY="a" * 40)
    gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=services.url("messaging"), SEARCH_SERVICE_URL=services.url("search"), INTERNAL_KEY="b" * 40)
    ada = at(gateway, services, issuer).user("ada")
    ada.group("room")
    for n in range(3):
        ada.send("room", "grub")
        ada.settle()
        answer = asked(ada)
        assert answer.headers["X-Cache"] == "miss" and len(answer.json["items"]) == n + 1


def test_without_search_the_gateway_says_so_and_serves_on(start_server, issuer):
    services = start_server(["messaging", "search"], INTERNAL_KEY="a" * 40)
    gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=services.url("messaging"), SEARCH_SERVICE_URL="http://127.0.0.1:1", INTERNAL_KEY="a" * 40)
    ada = at(gateway, services, issuer).user("ada")
    ada.group("room")
    message = ada.send("room", "grub")["id"]
    for kind in ("messages", "conversations", "users", "suggestions", "recent"):
        answer = ada.ask(*([kind]), **({} if kind == "recent" else {"q": "grub"})).refused(503, "upstream_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
    assert ada.read(message)["content"] == "grub"


def test_a_wait_in_vain_is_answered_at_once_and_opens_no_circuit(start_server, issuer):
    """The index takes a second for what was written, so that searches which would wait for it and not a moment are in vain."""
    services = start_server(["messaging", "search"], INTERNAL_KEY="a" * 40, INDEXING_FLUSH_INTERVAL_MS=1000)
    gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=services.url("messaging"), SEARCH_SERVICE_URL=services.url("search"), INTERNAL_KEY="a" * 40, BREAKER_MIN_REQUESTS=5)
    ada = at(gateway, services, issuer).user("ada")
    ada.group("room")
    in_vain = 0
    for _ in range(20):
        ada.send("room", "grub")
        answer = ada.ask("messages", q="grub", min_position=ada.written.position, wait_ms=0)
        if answer.status != 200:
            in_vain += answer.refused(503, "index_behind").headers["Retry-After"] == "1"
            assert "X-Parley-Role-Is-Well" not in answer.headers
    assert in_vain >= 10, "nobody waits a second for what it did not want to wait for"
    ada.settle()
