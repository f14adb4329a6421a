"""Redis shares limits, recent searches and cached answers between processes; and while it is away nothing is lost or refused for it."""

import itertools
import secrets
import time

import pytest

from harness.client import words
from harness.redis import PROGRAM, Redis
from harness.server import run_cli
from harness.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.skipif(not PROGRAM.exists(), reason=f"there is no {PROGRAM}")]
PASSWORD = "a-password-of-" + secrets.token_hex(8)
INTERNAL_KEY = secrets.token_hex(32)


@pytest.fixture
def redis(tmp_path):
    redis = Redis(tmp_path / "redis", PASSWORD).start()
    yield redis
    redis.kill()


@pytest.fixture
def start_with(start_server, redis):
    """Messaging and search in one process, and so many gateways before it, all with Redis."""

    def start(gateways, **settings):
        shared = {"REDIS_URL": redis.url, "INTERNAL_KEY": INTERNAL_KEY} | settings
        services = start_server(["messaging", "search"], **shared)
        to_them = {"MESSAGING_SERVICE_URL": services.url("messaging"), "SEARCH_SERVICE_URL": services.url("search")}
        return services, [start_server(["gateway"], **shared, **to_them) for _ in range(gateways)]

    return start


def as_at(tenant, tenant_at, gateway, name, *roles):
    """The same tenant's user, at another gateway."""
    return tenant_at(gateway, name=tenant.name).user(name, *roles)


def redis_of(server, role):
    return server.health(role)["dependencies"]["redis"]["status"]


def test_limits_outlive_a_restart_and_are_counted_over_processes(start_with, start_server, tenant_at, redis):
    services, (gateway,) = start_with(1, RATE_LIMIT_MESSAGES_PER_MINUTE=6)
    tenant = tenant_at(gateway)
    ada = tenant.user("ada")
    ada.group("room")
    for _ in range(4):
        ada.send("room", words())
    services.stop()
    services.start()
    until("messaging is found again", lambda: ada.get("conversations").status == 200)
    for left in (1, 0):
        answer = ada.post("messages", body={"conversation_id": "room", "content": words()}, expect=201)
        assert answer.headers["RateLimit-Remaining"] == str(left)
    ada.post("messages", body={"conversation_id": "room", "content": words()}).refused(429, "rate_limited")
    assert services.metrics("messaging")["parley_rate_limit_shared"] == 1


@pytest.mark.parametrize("fault", ["killed", "frozen"])
def test_without_redis_limits_are_local_and_nothing_is_refused_and_it_goes_back_by_itself(start_with, tenant_at, redis, fault):
    services, (gateway,) = start_with(1, RATE_LIMIT_MESSAGES_PER_MINUTE=1000)
    tenant = tenant_at(gateway)
    ada = tenant.user("ada")
    ada.group("room")
    ada.send("room", words())
    assert redis_of(services, "messaging") == redis_of(services, "search") == redis_of(gateway, "gateway") == "ok"

    redis.kill() if fault == "killed" else redis.freeze()
    longest = 0.0
    for _ in range(60):
        began = time.monotonic()
        ada.post("messages", body={"conversation_id": "room", "content": words()}, expect=201)
        longest = max(longest, time.monotonic() - began)
    assert longest < 2
    assert services.metrics("messaging")["parley_rate_limit_shared"] == 0
    for server, role in ((services, "messaging"), (services, "search"), (gateway, "gateway")):
        assert server.health(role)["status"] == "degraded"
        assert redis_of(server, role) == "down"
    assert ada.get("search", "messages", q="anything", expect=200).json["items"] == []
    ada.get("search", "recent").refused(503)

    redis.start() if fault == "killed" else redis.thaw()

    def is_shared():
        ada.post("messages", body={"conversation_id": "room", "content": words()}, expect=201)
        return services.metrics("messaging")["parley_rate_limit_shared"] == 1

    until("limits are shared again", is_shared, 15)
    until("health is well again", lambda: redis_of(services, "messaging") == redis_of(gateway, "gateway") == "ok", 15)

    def is_remembered():  # each loop finds Redis again by itself, with the next that it asks it for
        ada.get("search", "messages", q=secrets.token_hex(4), expect=200)
        recent = ada.get("search", "recent")
        return recent.status == 200 and recent.json["items"] != []

    until("searches are remembered again", is_remembered)
    assert PASSWORD not in services.log_text() + gateway.log_text()


def test_gateways_share_what_they_cached_and_never_what_changed(start_with, tenant_at):
    _, (one, two) = start_with(2)
    tenant = tenant_at(one)
    ada, ben = tenant.user("ada"), tenant.user("ben")
    ada.group("room", members=["ben"])
    word = "grub" + secrets.token_hex(4)
    message = ada.send("room", f"{words()} {word}")
    at_one, at_two = (as_at(tenant, tenant_at, gateway, "ben") for gateway in (one, two))

    def found(ben, limit=50):
        answer = ben.get("search", "messages", q=word, limit=limit, expect=200)
        return [hit["id"] for hit in answer.json["items"]], answer.headers.get("X-Cache")

    until("it is found", lambda: found(at_one)[0] == [message["id"]])
    limits = itertools.cycle(range(1, 100))

    def is_shared():
        limit = next(limits)
        found(at_one, limit)
        return found(at_two, limit) == ([message["id"]], "hit")

    until("the other has what the one found", is_shared)
    assert two.metrics("gateway")['parley_gateway_shared_searches_total{result="hit"}'] >= 1
    until("both keep it", lambda: found(at_one)[1] == found(at_two)[1] == "hit")

    # At the gateway where it was written it is gone at once, at the other within a second.
    as_at(tenant, tenant_at, two, "ada").delete("messages", message["id"], expect=204)
    assert found(at_two)[0] == []
    until("the other forgets it", lambda: found(at_one)[0] == [], 1)
    for _ in range(20):
        assert found(at_one)[0] == found(at_two)[0] == []


def test_an_address_that_is_none_is_refused_without_repeating_it(tmp_path):
    done = run_cli("serve", "--role", "messaging", "--data", tmp_path / "data", MESSAGING_PORT=0, REDIS_URL="redis://topsecret@:x")
    assert done.returncode == 1
    assert b"REDIS_URL" in done.stdout + done.stderr
    assert b"topsecret" not in done.stdout + done.stderr
