"""60 messages a minute for a user, wherever they come in; replays, reads and services stay outside."""

import pytest

from harness.client import words

LIMIT = 8
# The window moves in steps of a twelfth, so one may count up to 5 s longer than a minute.
LONGEST = 65


@pytest.fixture(params=["all in one", "split"])
def limited(request, start_server, tenant_at):
    """Tenants at two doors to the same limit: the gateway, and messaging itself."""
    settings = {"RATE_LIMIT_MESSAGES_PER_MINUTE": LIMIT}
    if request.param == "all in one":
        gateway = messaging = start_server(**settings)
    else:
        messaging = start_server(["messaging"], **settings)
        gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=messaging.url("messaging"), **settings)
    front = tenant_at(gateway, "gateway")
    return front, tenant_at(messaging, "messaging", front.name)


@pytest.mark.smoke
def test_the_limit_counts_down_and_refuses(limited):
    front, back = limited
    ada, same = front.user("ada"), back.user("ada")
    room = ada.group(members=["ben"])["id"]
    body = {"conversation_id": room, "content": words()}
    for sent in range(LIMIT):
        answer = (ada, same)[sent % 2].post("messages", body=body, expect=201)
        assert answer.headers["RateLimit-Limit"] == str(LIMIT)
        assert int(answer.headers["RateLimit-Remaining"]) in (LIMIT - sent - 1, LIMIT - sent), "both ways in share it"
        assert 0 < int(answer.headers["RateLimit-Reset"]) <= LONGEST
    for client in (ada, same):
        refused = client.post("messages", body=body).refused(429, "rate_limited")
        assert refused.headers["RateLimit-Remaining"] == "0" and 1 <= int(refused.headers["Retry-After"]) <= LONGEST
    front.user("ben").send(room)  # has a limit of his own
    assert len(ada.all("conversations", room, "messages")) == LIMIT + 1


def test_replays_reads_edits_and_refused_requests_do_not_count(limited):
    front, _ = limited
    ada = front.user("ada")
    room = ada.group()["id"]
    body = {"conversation_id": room, "content": words()}
    key = {"Idempotency-Key": "k"}
    message = ada.post("messages", body=body, headers=key, expect=201).json["id"]
    for _ in range(LIMIT + 2):
        ada.post("messages", body=body, headers=key, expect=200)
        ada.get("conversations", room, "messages", expect=200)
    ada.put("messages", message, body={"content": words()}, expect=200)
    ada.post("messages", message, "reactions", body={"reaction": "x"}, expect=201)
    for _ in range(LIMIT - 1):
        ada.post("messages", body=body, expect=201)
    ada.post("messages", body=body).refused(429)
    ada.post("messages", body=body, headers=key, expect=200)


def test_a_service_is_outside_the_limit(limited):
    front, _ = limited
    front.user("ada").group("room")
    service = front.service("ada")
    for _ in range(LIMIT + 5):
        answer = service.post("messages", body={"conversation_id": "room", "content": "x"}, expect=201)
        assert "RateLimit-Limit" not in answer.headers


def test_the_same_user_id_in_another_tenant_has_its_own_limit(limited):
    front, _ = limited
    for tenant in (front, front.other()):
        ada = tenant.user("ada")
        ada.group("room")
        for _ in range(LIMIT):
            ada.send("room")


def test_services_can_be_given_a_limit_of_their_own(start_server, tenant_at):
    server = start_server(["messaging"], RATE_LIMIT_SERVICE_MESSAGES_PER_MINUTE=5)
    tenant = tenant_at(server)
    tenant.user("ada").group("room", members=["ben"])
    for number in range(5):
        tenant.service(("ada", "ben")[number % 2]).send("room")
    body = {"conversation_id": "room", "content": "x"}
    tenant.service("ben").post("messages", body=body).refused(429, "rate_limited")
