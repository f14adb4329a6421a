"""60 searches a minute for a user, wherever they come in; suggestions have ten times as many."""

import pytest

from harness.contract import contract
from harness.search import Place, SearchTenant

LIMIT = 8
LONGEST = 65  # the window moves in steps, see test_rate_limit.py


@pytest.fixture
def limited(start_server, issuer):
    """The same tenant at two doors to one limit: the gateway, and search itself."""
    server = start_server(RATE_LIMIT_SEARCHES_PER_MINUTE=LIMIT)
    gateway = (server.origin("gateway"), contract("gateway"), "/v1")
    service = (server.origin("search"), contract("search"), "")
    front = SearchTenant(issuer, Place(gateway, gateway, service))
    back = SearchTenant(issuer, Place(gateway, service, service), front.name)
    return front, back


@pytest.mark.smoke
def test_the_limit_counts_down_over_all_kinds_and_refuses(limited):
    front, back = limited
    doors = [front.user("ada"), back.user("ada")]
    kinds = (["messages"], ["conversations"], ["users"], [])
    for asked in range(LIMIT):
        answer = doors[asked % 2].ask(*kinds[asked % 4], q=f"word {asked}", expect=200)
        assert answer.headers["RateLimit-Limit"] == str(LIMIT)
        assert int(answer.headers["RateLimit-Remaining"]) in (LIMIT - asked - 1, LIMIT - asked)
        assert 0 < int(answer.headers["RateLimit-Reset"]) <= LONGEST
    for door in doors:
        for kind in kinds:
            refused = door.ask(*kind, q="more").refused(429, "rate_limited")
            assert refused.headers["RateLimit-Remaining"] == "0" and 1 <= int(refused.headers["Retry-After"]) <= LONGEST
    doors[0].ask("suggestions", q="more", expect=200)
    doors[0].ask("recent", expect=200)
    for other in (front.user("ben"), front.other().user("ada")):
        other.ask("messages", q="more", expect=200)


def test_what_is_refused_does_not_count_and_services_have_no_limit_unless_set(limited):
    front, _ = limited
    ada = front.user("ada")
    for _ in range(LIMIT + 2):
        ada.ask("messages").refused(400)
        ada.ask("messages", q="a", limit=0).refused(400)
    for n in range(LIMIT + 2):
        front.service("ada").ask("messages", q=f"word {n}", expect=200)
    assert int(ada.ask("messages", q="a", expect=200).headers["RateLimit-Remaining"]) >= LIMIT - 2


def test_suggestions_have_ten_times_as_many(limited):
    front, _ = limited
    ada = front.user("ada")
    for n in range(10 * LIMIT):
        ada.ask("suggestions", q=f"w{n}", expect=200)
    ada.ask("suggestions", q="more").refused(429, "rate_limited")
    ada.ask("messages", q="more", expect=200)
