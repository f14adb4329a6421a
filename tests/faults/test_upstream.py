"""Promise 9: a failed or slow messaging costs a clear 503 or 504, soon; never a hang, never a lost write."""

import json
import threading
import time

import pytest

from harness.client import words
from harness.raw import RawConnection
from harness.upstream import FakeUpstream, answer
from harness.waiting import until

FAST = {"BREAKER_MIN_REQUESTS": 5, "BREAKER_WINDOW_MS": 2000, "BREAKER_OPEN_MS": 400, "UPSTREAM_CONNECT_TIMEOUT_MS": 300,
        "UPSTREAM_DEADLINE_MS": 800}  # fmt: skip


def timed(call):
    began = time.monotonic()
    result = call()
    return result, time.monotonic() - began


def circuit(gateway):
    states = [value for name, value in gateway.metrics("gateway").items() if "circuit_state" in name and "messaging" in name]
    return {0: "closed", 1: "open", 2: "half open"}[int(states[0])]


@pytest.mark.smoke
def test_messaging_down_is_a_503_that_says_when_to_come_back(start_server, tenant_at):
    messaging = start_server(["messaging"])
    gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=messaging.url("messaging"), **FAST)
    ada = tenant_at(gateway).user("ada")
    ada.group("room")
    messaging.kill()
    codes = set()
    body = {"conversation_id": "room", "content": words()}
    for number in range(30):
        refused, took = timed(
            lambda number=number: ada.get("conversations") if number % 2 else ada.post("messages", body=body)
        )
        assert refused.status == 503 and refused.code in ("upstream_unavailable", "circuit_open"), refused
        assert int(refused.headers["Retry-After"]) >= 1 and took < 3
        codes.add(refused.code)
    assert "circuit_open" in codes, "the breaker opens"
    took = min(timed(lambda: ada.get("conversations"))[1] for _ in range(5))
    assert took < 0.25, "while open it is refused at once"
    health = gateway.health("gateway")
    assert health["status"] in ("degraded", "down") and health["dependencies"]["messaging"]["breaker"] == "open", health
    assert gateway.answers("gateway"), "it lives all the while"
    until("the circuit is seen in the metrics", lambda: circuit(gateway) in ("open", "half open"))
    assert any("circuit" in line.get("msg", line.get("message", "")) for line in gateway.log_lines())

    messaging.start()
    until("it serves again", lambda: ada.get("conversations").status == 200)
    until("the circuit closes", lambda: ada.get("conversations").status == 200 and circuit(gateway) == "closed")
    until("health is well again", lambda: gateway.health("gateway")["status"] == "ok", 15)
    ada.post("messages", body=body, expect=201)


def test_a_gateway_starts_before_messaging(start_server, tenant_at):
    messaging = start_server(["messaging"], launch=False)
    gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=messaging.url("messaging"), **FAST)
    ada = tenant_at(gateway).user("ada")
    assert ada.get("conversations").status == 503
    messaging.start()
    until("it serves", lambda: ada.get("conversations").status == 200)


@pytest.fixture
def behind(start_server, tenant_at):
    """behind(behave) is (a user at a gateway, the fake messaging behind it, the gateway)."""
    fakes = []

    def make(behave, **settings):
        fake = FakeUpstream(behave)
        fakes.append(fake)
        quiet = {"BREAKER_MIN_REQUESTS": 1000}
        gateway = start_server(["gateway"], **(FAST | quiet | {"MESSAGING_SERVICE_URL": fake.url} | settings))
        return tenant_at(gateway).user("ada"), fake, gateway

    yield make
    for fake in fakes:
        fake.__exit__()


def open_call(client, method, *segments, body=None, headers=()):
    """The fake's answers are not in the contract: only problems are looked at."""
    return client.call(method, client.target(*segments), body, headers, check=False)


def test_a_silent_messaging_is_a_504_at_the_deadline(behind):
    ada, fake, _ = behind(lambda *_: time.sleep(5))
    for method, path, body in (("GET", "conversations", None), ("POST", "messages", {"conversation_id": "a", "content": "b"})):
        refused, took = timed(lambda m=method, p=path, b=body: open_call(ada, m, p, body=b))
        assert refused.status == 504 and refused.code == "deadline_exceeded", refused
        assert "Retry-After" in refused.headers
        assert 0.5 < took < 3


def test_slow_answers_open_the_breaker_and_calls_then_cost_nothing(behind):
    ada, _, gateway = behind(lambda *_: time.sleep(5), BREAKER_MIN_REQUESTS=4, BREAKER_OPEN_MS=3000, UPSTREAM_DEADLINE_MS=300,
                             UPSTREAM_RETRIES=0, BREAKER_WINDOW_MS=20000)  # fmt: skip
    results = [open_call(ada, "GET", "conversations") for _ in range(6)]
    assert [r.status for r in results[:3]] == [504] * 3 and results[-1].code == "circuit_open"
    _, took = timed(lambda: open_call(ada, "GET", "conversations"))
    assert took < 0.25
    assert int(results[-1].headers["Retry-After"]) in (1, 2, 3)


@pytest.mark.parametrize("split", [False, True], ids=["all in one", "split"])
def test_a_client_that_sends_slowly_takes_none_of_the_upstreams_time(start_server, tenant_at, split):
    short = {"UPSTREAM_CONNECT_TIMEOUT_MS": 300, "UPSTREAM_DEADLINE_MS": 800, "HTTP_REQUEST_DEADLINE_MS": 1000}
    if split:
        messaging = start_server(["messaging"], HTTP_REQUEST_DEADLINE_MS=1000, UPSTREAM_DEADLINE_MS=800,
                                 UPSTREAM_CONNECT_TIMEOUT_MS=300)  # fmt: skip
        gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=messaging.url("messaging"), **short)
    else:
        gateway = start_server(**short)
    ada = tenant_at(gateway).user("ada")
    ada.get("users", "me", expect=200)
    # The first body is held by the gateway before it asks, the second streams through it.
    held, streamed = ("POST", "/v1/conversations", b'{"id":"slow"}', 201), ("PUT", "/v1/users/me", b'{"name":"S"}', 200)
    for method, path, body, status in (held, streamed):
        head = (f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")  # fmt: skip
        with RawConnection(gateway.origin("gateway")) as connection:
            connection.send(head.encode() + body[:5])
            time.sleep(2.5)
            connection.send(body[5:])
            assert connection.read_answer().status == status


GARBAGE = {
    "no HTTP": b"hello\r\n\r\n", "half a head": b"HTTP/1.1 200 OK\r\nContent-Le", "nothing": b"",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", "an endless head": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 2_000_000,
    "a bad status": b"HTTP/1.1 99 No\r\nContent-Length: 0\r\n\r\n",
    "a switch of protocols": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE.keys())
def test_an_answer_that_is_none_is_a_503(behind, data):
    def behave(connection, head, body):
        connection.sendall(data)
        return False

    ada, _, gateway = behind(behave)
    refused = open_call(ada, "GET", "conversations")
    assert refused.status in (502, 503) and refused.code == "upstream_unavailable", refused
    ada.contract.check_problem(refused)
    assert gateway.answers("gateway")


def test_an_answer_that_breaks_off_is_not_passed_on_as_whole(behind):
    big = b"[" + b"1," * 200_000

    def behave(connection, head, body):
        connection.sendall(answer(body=big, length=len(big) + 1000))
        return False

    ada, _, gateway = behind(behave)
    with RawConnection(gateway.origin("gateway")) as connection:
        connection.send(f"GET /v1/conversations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n\r\n".encode())
        try:
            got = connection.read_answer()
        except AssertionError as cut:
            assert "cut" in str(cut) or "half" in str(cut)
        else:
            assert got is None or got.status >= 500, got


def test_reads_are_tried_again_and_writes_that_may_have_happened_are_not(behind):
    def behave(connection, head, body):
        connection.sendall(answer(503, b"{}", [("Retry-After", "0")]))

    ada, fake, _ = behind(behave, UPSTREAM_RETRIES=2, UPSTREAM_RETRY_BUDGET_PERCENT=100)
    for method, path, body, most in (("GET", ("conversations",), None, 3), ("PUT", ("users", "me"), {"name": "x"}, 1),
                                     ("DELETE", ("messages", "x"), None, 1), ("PUT", ("messages", "x"), {"content": "y"}, 1),
                                     ("POST", ("messages", "x", "reactions"), {"reaction": "y"}, 1)):  # fmt: skip
        before = len(fake.requests)
        got = open_call(ada, method, *path, body=body)
        assert got.status == 503
        assert 1 <= len(fake.requests) - before <= most, (method, path)


def test_a_send_is_tried_again_with_one_key(behind):
    tries = []

    def behave(connection, head, body):
        tries.append(body)
        if len(tries) == 1:
            return False  # the connection breaks: nobody knows whether it happened
        connection.sendall(answer(201, b'{"id":"x"}'))
        return True

    ada, fake, _ = behind(behave, UPSTREAM_RETRIES=2, UPSTREAM_RETRY_BUDGET_PERCENT=100)
    body = {"conversation_id": "room", "content": words()}
    assert open_call(ada, "POST", "messages", body=body).status == 201
    assert len(tries) == 2 and tries[0] == tries[1] == json.dumps(body).encode()
    keys = {fake.header(index, "Idempotency-Key") for index in range(2)}
    assert len(keys) == 1 and keys != {None}, "the gateway adds a key when the client gave none"
    given = open_call(ada, "POST", "messages", body=body, headers={"Idempotency-Key": "mine"})
    assert given.status == 201 and fake.header(-1, "Idempotency-Key") == "mine"


def test_retries_stay_within_their_budget(behind):
    ada, fake, _ = behind(lambda connection, *_: connection.sendall(answer(503)) or True, UPSTREAM_RETRIES=3,
                          UPSTREAM_RETRY_BUDGET_PERCENT=10)  # fmt: skip
    began, calls = time.monotonic(), 300
    for _ in range(calls):
        open_call(ada, "GET", "conversations")
    saved_up, by_time = 100, 3 * (time.monotonic() - began)
    assert len(fake.requests) <= calls * 1.1 + saved_up + by_time + 5, "retrying does not multiply an outage"


def test_what_is_forwarded_and_what_is_not(behind):
    def behave(connection, head, body):
        connection.sendall(answer(418, b'{"tea":true}', [("X-Own", "kept"), ("Connection", "X-Hop"), ("X-Hop", "1"),
                                                         ("Keep-Alive", "timeout=5"), ("ETag", '"7"')]))  # fmt: skip

    ada, fake, _ = behind(behave)
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    got = open_call(ada, "GET", "conversations", headers={
        "X-Request-Id": "abc", "traceparent": trace, "Connection": "keep-alive, X-Mine", "X-Mine": "1", "TE": "trailers",
        "Keep-Alive": "timeout=9", "Proxy-Authorization": "Basic x", "Upgrade": "websocket", "X-Forwarded-For": "6.6.6.6",
        "X-Real-IP": "6.6.6.6", "Accept": "application/json",
    })  # fmt: skip
    assert got.status == 418 and got.body == b'{"tea":true}'
    assert got.headers["X-Own"] == "kept" and got.headers["ETag"] == '"7"'
    assert "X-Hop" not in got.headers and "Keep-Alive" not in got.headers
    assert got.headers["X-Request-Id"] == "abc"
    head = fake.requests[0][0]
    assert head.startswith("GET /conversations HTTP/1.1\r\n"), head
    assert fake.header(0, "Authorization") == f"Bearer {ada.token}"
    assert fake.header(0, "X-Request-Id") == "abc" and fake.header(0, "Accept") == "application/json"
    assert fake.header(0, "traceparent").split("-")[1] == trace.split("-")[1]
    for name in ("X-Mine", "TE", "Keep-Alive", "Proxy-Authorization", "Upgrade"):
        assert fake.header(0, name) is None, head
    assert "6.6.6.6" not in head, "a client does not say where it comes from"


def test_internal_routes_are_not_reachable_through_the_gateway(behind):
    ada, fake, _ = behind(lambda connection, *_: connection.sendall(answer()) or True)
    for path in ("/internal/x", "/v1/internal/x", "/v1/../internal/x", "/v1/%2e%2e/internal/x", "/v1//internal/x", "/metrics/x",
                 "/v1/metrics", "/v1/health", "/v1/messages/..%2f..%2finternal", "/v1/messages/../internal/x",
                 "/v1/conversations/../../internal/x", "/v1/conversations/%2e%2e", "/v1/conversations/."):  # fmt: skip
        got = ada.call("GET", path, check=False)
        if got.status == 200:
            assert fake.requests[-1][0].startswith("GET /messages/..%2f..%2finternal "), "it stays one encoded segment"
        else:
            assert got.status in (400, 404), got


def test_a_large_body_streams_through_in_bounded_memory(behind):
    """The importer's megabyte passes; more is 413."""
    ada, fake, _ = behind(lambda connection, *_: connection.sendall(answer(200)) or True)
    headers = {"Content-Type": "application/x-ndjson"}
    assert open_call(ada, "POST", "conversations", "x", "import", body=b"x" * 1048576, headers=headers).status == 200
    assert len(fake.requests[-1][1]) == 1048576
    got = open_call(ada, "POST", "conversations", "x", "import", body=b"x" * 1048577, headers=headers)
    assert got.status in (200, 413), got


def test_a_client_that_goes_away_is_no_failure_of_messaging(behind):
    ada, fake, gateway = behind(lambda connection, *_: time.sleep(0.3) or connection.sendall(answer()) or True,
                                BREAKER_MIN_REQUESTS=3)  # fmt: skip
    request = f"GET /v1/conversations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n\r\n".encode()
    for _ in range(8):
        with RawConnection(gateway.origin("gateway")) as connection:
            connection.send(request)
    until("they arrived", lambda: len(fake.requests) >= 1)
    assert open_call(ada, "GET", "conversations").status == 200
    assert circuit(gateway) == "closed"


def test_one_slow_call_does_not_hold_up_others(behind):
    def behave(connection, head, body):
        if "/slow" in head.split("\r\n")[0]:
            time.sleep(0.6)
        connection.sendall(answer())

    ada, _, _ = behind(behave)
    slow = [threading.Thread(target=lambda: open_call(ada, "GET", "conversations", "slow")) for _ in range(20)]
    for thread in slow:
        thread.start()
    _, took = timed(lambda: open_call(ada, "GET", "conversations", "quick"))
    for thread in slow:
        thread.join()
    assert took < 0.5


def test_of_two_instances_the_one_that_goes_costs_no_read_and_is_found_again(start_server, tenant_at):
    def behave(connection, *_):
        connection.sendall(answer(200, b'{"items":[],"next_cursor":null}'))

    one, other = FakeUpstream(behave), FakeUpstream(behave)
    gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=f"{one.url},{other.url}")
    ada = tenant_at(gateway).user("ada")

    def counts(calls):
        before = len(one.requests), len(other.requests)
        for _ in range(calls):
            assert ada.get("conversations").status == 200
        return len(one.requests) - before[0], len(other.requests) - before[1]

    with other:
        with one:
            assert min(counts(60)) > 5, "both are asked"
        assert counts(60)[1] == 60
        well = [v for name, v in gateway.metrics("gateway").items() if name.startswith("parley_upstream_instances_well")]
        assert well == [1]
