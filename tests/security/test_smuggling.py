"""What two parsers could read two ways is never forwarded: raw bytes at a gateway, with messaging watched behind it."""

import json
import random

import pytest

from harness.client import Tenant, unique, words
from harness.contract import contract
from harness.raw import RawConnection, raw_exchange
from harness.server import Server
from harness.waiting import until

REFUSED = {400, 408, 413, 414, 417, 431, 501, 505}


class Front:
    """A gateway, the messaging process behind it, and a request that is good until a test spoils it."""

    def __init__(self, gateway, messaging, issuer):
        self.gateway, self.messaging = gateway, messaging
        self.origin = gateway.origin("gateway")
        self.tenant = Tenant(issuer, self.origin, contract("gateway"), "/v1", unique("smuggler"))
        self.ada = self.tenant.user("ada")
        self.room = self.ada.group()["id"]

    def arrived(self):
        """Requests that messaging has answered, but for the gateway's own questions after its health."""
        return sum(
            value for name, value in self.messaging.metrics("messaging").items()
            if name.startswith("parley_http_requests_total{") and "/health" not in name and "/metrics" not in name
        )  # fmt: skip

    def count(self):
        return self.ada.get("conversations", self.room, expect=200).json["last_seq"]

    @property
    def body(self):
        return json.dumps({"conversation_id": self.room, "content": words()}).encode()

    @property
    def auth(self):
        return f"Authorization: Bearer {self.ada.token}\r\n".encode()

    def smuggled(self):
        """What the attacker hopes a second parser sees."""
        body = self.body
        return (b"POST /v1/messages HTTP/1.1\r\nHost: x\r\n" + self.auth + b"Content-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body) + body)  # fmt: skip

    def post(self, framing, payload, line=b"POST /v1/messages HTTP/1.1", host=b"Host: x\r\n"):
        return line + b"\r\n" + host + self.auth + b"Content-Type: application/json\r\n" + framing + b"\r\n" + payload


@pytest.fixture(scope="module")
def front(parley, issuer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("smuggling")
    keys = {"JWT_PUBLIC_KEY": issuer.public_keys}
    messaging = Server(folder / "messaging", ["messaging"], **keys).start()
    gateway = Server(folder / "gateway", ["gateway"], MESSAGING_SERVICE_URL=messaging.url("messaging"),
                     HTTP_HEADER_TIMEOUT_MS=700, HTTP_BODY_IDLE_TIMEOUT_MS=900, HTTP_IDLE_TIMEOUT_MS=1500, **keys).start()  # fmt: skip
    yield Front(gateway, messaging, issuer)
    try:
        gateway.stop()
    finally:
        messaging.stop()


def chunked(body):
    return b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"


LENGTH, CHUNKED = b"Content-Length: ", b"Transfer-Encoding: chunked\r\n"


def ambiguous(front):
    """(what, the bytes): each must be refused with one answer and the connection closed."""
    body, tail = front.body, front.smuggled()
    size = str(len(body)).encode()

    def length(value, payload=body):
        return front.post(LENGTH + value + b"\r\n", payload)

    both = CHUNKED + LENGTH + size + b"\r\n"
    yield "CL and TE", front.post(both, chunked(body) + tail)
    yield "TE and CL", front.post(LENGTH + b"4\r\n" + CHUNKED, chunked(body) + tail)
    yield "CL 0 and TE", front.post(LENGTH + b"0\r\n" + CHUNKED, chunked(body) + tail)
    yield "two lengths", front.post(LENGTH + size + b"\r\n" + LENGTH + b"0\r\n", body + tail)
    yield "the same length twice", front.post((LENGTH + size + b"\r\n") * 2, body + tail)
    yield "a list of lengths", length(size + b", " + size)
    for what, value in {"plus": b"+" + size, "minus": b"-1", "hex": b"0x10", "dot": size + b".0", "space": b"1 0",
                        "letters": size + b"a", "nothing": b"", "huge": b"9" * 30, "2^64": b"18446744073709551617",
                        "underscore": b"1_0", "quoted": b'"' + size + b'"', "vertical tab": b"\x0b" + size}.items():  # fmt: skip
        yield f"a length with {what}", length(value)
    for value in (b"chunked, chunked", b"gzip, chunked", b"chunked, identity", b"identity", b"xchunked", b"chunked;a=b",
                  b"\x0bchunked", b"", b"'chunked'", b"chunked\x00", b"gzip"):  # fmt: skip
        yield f"transfer encoding {value!r}", front.post(b"Transfer-Encoding: " + value + b"\r\n", chunked(body) + tail)
    yield "two transfer encodings", front.post(CHUNKED * 2, chunked(body) + tail)
    yield "TE in HTTP/1.0", front.post(CHUNKED, chunked(body) + tail, b"POST /v1/messages HTTP/1.0")
    for field in (b"Transfer-Encoding : chunked\r\n", b" Transfer-Encoding: chunked\r\n", b"Transfer-Encoding\t: chunked\r\n",
                  b"Transfer-Encoding: \r\n chunked\r\n", b"X: y\r\n folded\r\n", b"X: y\r\n\tfolded\r\n", b": nameless\r\n",
                  b"no colon\r\n", b"X\x00Y: 1\r\n", b"X: a\x00b\r\n", b"X: a\rb\r\n", b"X: a\nTransfer-Encoding: chunked\r\n",
                  b"X(Y): 1\r\n", b"X\xc3\xa9: 1\r\n", b"X: a\x7fb\r\n", b"\r\x0bX: 1\r\n"):  # fmt: skip
        yield f"field {field!r}", front.post(field + LENGTH + size + b"\r\n", body)
    good = front.post(LENGTH + size + b"\r\n", body)
    yield "bare LF for all lines", good.replace(b"\r\n", b"\n")
    yield "bare LF after the request line", good.replace(b"\r\n", b"\n", 1)
    yield "bare LF before the body", front.post(LENGTH + size + b"\n", body)
    yield "bare CR for all lines", good.replace(b"\r\n", b"\r") + b"\r\n\r\n"
    for line in (b"POST /v1/messages", b"POST  /v1/messages HTTP/1.1", b"POST /v1/messages  HTTP/1.1", b" POST /v1/messages HTTP/1.1",
                 b"POST /v1/messages HTTP/1.1 ", b"POST\t/v1/messages HTTP/1.1", b"POST /v1/messages HTTP/2.0", b"POST /v1/messages HTTP/1.2",
                 b"POST /v1/messages HTTP/0.9", b"POST /v1/messages http/1.1", b"POST /v1/mess\x00ages HTTP/1.1",
                 b"POST /v1/messages\xff HTTP/1.1", b"POST v1/messages HTTP/1.1", b"POST  HTTP/1.1", b"POST * HTTP/1.1",
                 b"P(ST /v1/messages HTTP/1.1", b"POST /v1/messages#x HTTP/1.1", b"GET /v1/messages HTTP/1.1\rX: y"):  # fmt: skip
        yield f"line {line!r}", front.post(LENGTH + size + b"\r\n", body, line)
    yield "no host", front.post(LENGTH + size + b"\r\n", body, host=b"")
    yield "two hosts", front.post(LENGTH + size + b"\r\n", body, host=b"Host: a\r\nHost: b\r\n")


def bad_chunks(front):
    body, tail = front.body, front.smuggled()
    for what, payload in {
        "no hex": b"zz\r\n" + body, "minus": b"-5\r\n" + body, "plus": b"+5\r\n12345\r\n0\r\n\r\n", "0x": b"0x5\r\n12345\r\n0\r\n\r\n",
        "spaces": b"  5\r\n12345\r\n0\r\n\r\n", "space after": b"5 \r\n12345\r\n0\r\n\r\n", "bare LF": b"5\n12345\r\n0\r\n\r\n",
        "bare LF after data": b"5\r\n12345\n0\r\n\r\n", "wrong size": b"3\r\n12345\r\n0\r\n\r\n", "huge": b"f" * 17 + b"\r\n12345\r\n",
        "overflow": b"10000000000000005\r\n12345\r\n0\r\n\r\n", "no size": b"\r\n12345\r\n0\r\n\r\n", "NUL": b"5\x00\r\n12345\r\n0\r\n\r\n",
        "bare CR": b"5\r12345\r\n0\r\n\r\n", "LF in extension": b"5;a\nb\r\n12345\r\n0\r\n\r\n", "comma": b"5,5\r\n12345\r\n0\r\n\r\n",
    }.items():  # fmt: skip
        yield f"a chunk with {what}", front.post(CHUNKED, payload + tail)


def refuse_all(front, cases):
    faults = []
    for what, data in cases:
        answers = raw_exchange(front.origin, data, timeout=5)
        if len(answers) != 1 or answers[0].status not in REFUSED:
            faults.append(f"{what}: {answers}")
        elif answers[0].headers.get("content-type") != "application/problem+json" or answers[0].headers.get("connection") != "close":
            faults.append(f"{what}: no problem or no close: {answers}")
    assert not faults, "\n".join(faults)


def test_no_ambiguous_head_is_forwarded(front):
    cases = list(ambiguous(front))
    assert len(cases) > 60
    for case in cases:
        before = front.arrived()
        refuse_all(front, [case])
        assert front.arrived() == before, f"{case[0]} arrived at messaging"
    assert front.count() == 0


def test_no_body_of_bad_chunks_is_forwarded_as_whole(front):
    """The head may be on its way when a chunk goes wrong; messaging then sees a body that breaks off, and does nothing."""
    cases = list(bad_chunks(front))
    assert len(cases) > 12
    refuse_all(front, cases)
    assert front.count() == 0


def test_the_reference_request_is_taken(front):
    """What the cases above are made of is good when it is not spoilt."""
    size = str(len(front.body)).encode()
    before = front.count()
    for data in (front.post(LENGTH + size + b"\r\nConnection: close\r\n", front.body),
                 front.post(CHUNKED + b"Connection: close\r\n", chunked(front.body))):  # fmt: skip
        (answer,) = raw_exchange(front.origin, data)
        assert answer.status == 201, answer
    assert front.count() == before + 2


def test_chunks_arrive_whole_with_extensions_and_trailers_dropped(front):
    body = front.body
    pieces = b"".join(b"%X;name=\"v\"\r\n" % 1 + body[n : n + 1] + b"\r\n" for n in range(len(body)))
    before = front.count()
    data = front.post(CHUNKED + b"Connection: close\r\n", pieces + b"0\r\nX-Parley-User: eve\r\n\r\n")
    (answer,) = raw_exchange(front.origin, data)
    assert answer.status in (201, 400), answer
    assert front.count() - before == (answer.status == 201)


def test_a_body_that_was_cut_is_not_forwarded_as_whole(front):
    before = front.count()
    body = front.body
    for framing, payload in ((LENGTH + str(len(body) + 5).encode() + b"\r\n", body), (CHUNKED, b"%x\r\n" % len(body) + body + b"\r\n")):
        with RawConnection(front.origin) as connection:
            connection.send(front.post(framing, payload))
            connection.socket.shutdown(1)
            answer = connection.read_answer()
            assert answer is None or answer.status in (400, 408), answer
    assert front.count() == before


def test_pipelined_requests_are_answered_in_order(front):
    size = 12
    requests = b"".join(
        f"GET /v1/users/me HTTP/1.1\r\nHost: x\r\nX-Request-Id: n{n}\r\n".encode() + front.auth
        + (b"Connection: close\r\n" if n == size - 1 else b"") + b"\r\n" for n in range(size)
    )  # fmt: skip
    answers = raw_exchange(front.origin, requests)
    assert [a.headers["x-request-id"] for a in answers] == [f"n{n}" for n in range(size)]
    assert all(a.status == 200 for a in answers)


def test_pipelined_posts_are_each_done_once_in_order(front):
    before = front.count()
    requests = b"".join(
        front.post(LENGTH + str(len(body)).encode() + b"\r\n", body) for body in (front.body for _ in range(5))
    )
    with RawConnection(front.origin) as connection:
        connection.send(requests)
        answers = [connection.read_answer() for _ in range(5)]
    assert [json.loads(a.body)["seq"] for a in answers] == list(range(before + 1, before + 6))


def test_after_a_refusal_what_follows_on_the_connection_is_not_read(front):
    data = front.post(LENGTH + b"4\r\n" + CHUNKED, b"0\r\n\r\n") + front.smuggled()
    before = front.count()
    answers = raw_exchange(front.origin, data)
    assert len(answers) == 1 and front.count() == before


def test_a_bare_body_on_a_get_is_not_taken_for_a_request(front):
    before = front.count()
    tail = front.smuggled()
    data = (b"GET /v1/users/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + front.auth
            + LENGTH + str(len(tail)).encode() + b"\r\n\r\n" + tail)  # fmt: skip
    answers = raw_exchange(front.origin, data)
    assert len(answers) == 1 and front.count() == before


def test_expect_100_continue_is_answered_before_the_body_is_sent(front):
    body = front.body
    with RawConnection(front.origin) as connection:
        connection.send(front.post(LENGTH + str(len(body)).encode() + b"\r\nExpect: 100-continue\r\n", b""))
        assert connection.read_answer().status == 100
        connection.send(body)
        assert connection.read_answer().status == 201


def test_a_refused_request_is_not_asked_for_its_body(front):
    head = b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n"
    with RawConnection(front.origin) as connection:
        connection.send(head)
        assert connection.read_answer().status == 401


# Limits


def test_heads_that_are_too_large_are_431(front):
    big = b"X: " + b"a" * 20000 + b"\r\n"
    many = b"".join(b"X-%d: 1\r\n" % n for n in range(500))
    for framing, line in ((big, None), (many, None), (b"", b"GET /v1/" + b"a" * 20000 + b" HTTP/1.1"), (b"X" * 20000 + b": 1\r\n", None)):
        answers = raw_exchange(front.origin, front.post(framing, b"", line or b"GET /v1/users/me HTTP/1.1"))
        assert len(answers) == 1 and answers[0].status in (431, 414), answers


def test_an_endless_head_is_cut_off(front):
    with RawConnection(front.origin) as connection:
        sent = 0
        connection.send(b"GET / HTTP/1.1\r\nX: ")
        while connection.send(b"a" * 65536) and sent < 64 * 1024 * 1024:
            sent += 65536
        assert sent < 64 * 1024 * 1024


def test_a_slow_head_is_cut_off(front):
    """Slowloris: a byte now and then does not keep a connection."""
    with RawConnection(front.origin, timeout=0.05) as connection:
        connection.send(b"GET /v1/users/me HTTP/1.1\r\nHost: x\r\n")

        def ended():
            if not connection.send(b"X: y\r\n"):
                return True
            try:
                data = connection.socket.recv(4096)
                connection.buffer += data
                return not data
            except TimeoutError:
                return False
            except ConnectionResetError:
                return True

        until("the slow head is cut off", ended, 8)
        assert connection.buffer == b"" or connection.buffer.startswith(b"HTTP/1.1 408 ")


def test_a_slow_body_is_cut_off(front):
    before = front.count()
    with RawConnection(front.origin, timeout=8) as connection:
        connection.send(front.post(LENGTH + b"100\r\n", b'{"conver'))
        answer = connection.read_answer()
        assert answer is None or answer.status in (400, 408), answer
        assert connection.is_closed()
    assert front.count() == before


def test_an_idle_connection_is_closed_without_a_word(front):
    with RawConnection(front.origin, timeout=8) as connection:
        assert connection.is_closed()


def test_connections_over_the_limit_are_turned_away(start_server):
    server = start_server(["messaging"], HTTP_MAX_CONNECTIONS=20)
    connections = [RawConnection(server.origin("messaging"), timeout=5) for _ in range(40)]
    request = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    served = 0
    for connection in connections:
        try:
            answer = connection.read_answer() if connection.send(request) else None
        except (OSError, AssertionError):
            answer = None
        served += answer is not None and answer.status == 200
    for connection in connections:
        connection.socket.close()
    assert 1 <= served <= 20
    until("it takes connections again", lambda: server.answers("messaging"))


def test_random_bytes_break_nothing(front):
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    good = front.post(LENGTH + b"2\r\n", b"{}")
    for _ in range(150):
        data = bytearray(good)
        for _ in range(dice.randrange(1, 6)):
            at = dice.randrange(len(data))
            match dice.randrange(3):
                case 0:
                    data[at] = dice.randrange(256)
                case 1:
                    del data[at]
                case 2:
                    data.insert(at, dice.randrange(256))
        with RawConnection(front.origin, timeout=3) as connection:
            connection.send(bytes(data))
            connection.socket.shutdown(1)
            try:
                answer = connection.read_answer()
                assert answer is None or answer.status != 500, (data, answer)
            except TimeoutError:
                pytest.fail(f"no answer and no close to {bytes(data)!r}")
    assert front.gateway.answers("gateway")
