"""Two gateways, two messaging instances and two searches on one set of engines: to those who use them they are one."""

import threading

import pytest

from harness.client import Tenant, unique, words
from harness.contract import contract
from harness.engines import EnginePlace, Roles
from harness.waiting import until

pytestmark = pytest.mark.live
LIMIT = 40


@pytest.fixture(scope="module")
def roles(parley, issuer, tmp_path_factory):
    place = EnginePlace()
    roles = Roles(tmp_path_factory.mktemp("instances"), JWT_PUBLIC_KEY=issuer.public_keys, RATE_LIMIT_MESSAGES_PER_MINUTE=LIMIT,
                  RATE_LIMIT_SEARCHES_PER_MINUTE=LIMIT, UPSTREAM_DEADLINE_MS=10000, **place.settings)  # fmt: skip
    roles.start(gateway=2, messaging=2, search=2)
    yield roles
    roles.stop()
    place.remove()


@pytest.fixture
def gateways(roles, issuer):
    """The same new tenant at each gateway."""
    name = unique("tenant")
    return [Tenant(issuer, one.origin("gateway"), contract("gateway"), "/v1", name) for one in roles.servers["gateway"]]


@pytest.fixture
def instances(roles, issuer, gateways):
    """The same tenant at each messaging instance itself."""
    return [Tenant(issuer, one.origin("messaging"), contract("messaging"), "", gateways[0].name) for one in roles.servers["messaging"]]


def together(*works):
    """Runs all at once; the first failure is the test's."""
    failures = []

    def run(work):
        try:
            work()
        except BaseException as failure:  # noqa: BLE001 – handed to the test
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if failures:
        raise failures[0]


def served(one):
    return sum(value for name, value in one.metrics("messaging").items()
               if name.startswith("parley_http_requests_total") and 'method="POST"' in name)  # fmt: skip


def test_seqs_are_dense_whoever_sends_where(roles, gateways):
    owner = gateways[0].user("owner")
    owner.group("room", members=[f"w{number}" for number in range(6)])
    before = [served(one) for one in roles.servers["messaging"]]

    def sender(number):
        client = gateways[number % 2].user(f"w{number}")
        return lambda: [client.send("room", words(f"{number} {count}")) for count in range(15)]

    together(*map(sender, range(6)))
    for tenant in gateways:
        messages = tenant.user("owner").all("conversations", "room", "messages", order="asc", limit=100)
        assert [message["seq"] for message in messages] == list(range(1, 91))
        for number in range(6):
            own = [message["content"].split()[-1] for message in messages if message["sender_id"] == f"w{number}"]
            assert own == [str(count) for count in range(15)], "each one's own in the order in which they were answered"
    assert all(served(one) > had for one, had in zip(roles.servers["messaging"], before, strict=True)), "both had a part in it"


def test_a_key_is_known_to_every_instance(gateways, instances):
    ada, at_other = (tenant.user("ada") for tenant in instances)
    ada.group("room")
    body, headers = {"conversation_id": "room", "content": words()}, {"Idempotency-Key": unique("k")}
    first = ada.post("messages", body=body, headers=headers, expect=201).json
    for client in (at_other, *(tenant.user("ada") for tenant in gateways)):
        assert client.post("messages", body=body, headers=headers, expect=200).json == first
    at_other.post("messages", body=body | {"content": words()}, headers=headers).refused(409)

    answers, key = [], {"Idempotency-Key": unique("k")}
    racing = [tenant.user("ada") for tenant in (*instances, *gateways)]
    together(*(lambda client=client: answers.append(client.post("messages", body=body, headers=key)) for client in racing))
    assert sorted(answer.status for answer in answers) == [200, 200, 200, 201], answers
    assert len({answer.json["id"] for answer in answers}) == 1
    assert len(ada.all("conversations", "room", "messages")) == 2


@pytest.mark.parametrize("what", ["messages", "searches"])
def test_a_limit_is_one_for_all(gateways, instances, what):
    gateways[0].user("ada").group("room")
    places = [tenant.user("ada") for tenant in (*gateways, *(instances if what == "messages" else ()))]
    accepted = 0
    for turn in range(LIMIT + 12):
        client = places[turn % len(places)]
        if what == "messages":
            answer = client.post("messages", body={"conversation_id": "room", "content": words()})
        else:
            answer = client.get("search", "messages", q=unique("q"))
        accepted += answer.status < 300
        if answer.status >= 300:
            answer.refused(429, "rate_limited")
            assert int(answer.headers["Retry-After"]) >= 1
    assert accepted <= LIMIT + 2, "counted together (two more at most, for what left the window meanwhile)"
    assert accepted >= LIMIT


def test_what_one_instance_was_told_is_found_at_every_gateway(gateways):
    ada = gateways[0].user("ada")
    ada.group("room")
    word = unique("walrus").replace("-", "")
    sent = ada.send("room", words(word))
    for tenant in gateways:
        until("it is found", lambda tenant=tenant: [hit["id"] for hit in tenant.user("ada")
              .get("search", "messages", q=word, expect=200).json["items"]] == [sent["id"]])  # fmt: skip
    gateways[1].user("ada").delete("messages", sent["id"], expect=204)
    for tenant in gateways:
        until("it is gone", lambda tenant=tenant: tenant.user("ada").get("search", "messages", q=word, expect=200).json["items"] == [])


def test_one_messaging_instance_is_killed_and_the_other_serves(roles, gateways):
    ada = gateways[0].user("ada")
    ada.group("room")
    kept, victim = [], roles.one("messaging", 1)
    try:
        for turn in range(12):
            if turn == 4:
                victim.kill()
            client = gateways[turn % 2].user("ada")
            body, key = {"conversation_id": "room", "content": words(str(turn))}, {"Idempotency-Key": unique("k")}
            answer = until("it is taken", lambda client=client, body=body, key=key: (
                (a := client.post("messages", body=body, headers=key)).status in (200, 201) and a), 30)  # fmt: skip
            kept.append(answer.json["id"])
    finally:
        if victim.process is None:
            victim.start(60)
    messages = ada.all("conversations", "room", "messages", order="asc")
    assert [message["id"] for message in messages] == kept and [message["seq"] for message in messages] == list(range(1, 13))
