"""SIGTERM answers what is in flight, loses nothing that was acknowledged, and ends soon."""

import http.client
import json
import signal
import threading
import time

import pytest

from harness.client import words
from harness.raw import RawConnection
from harness.store import check_events
from harness.upstream import FakeUpstream, answer
from harness.waiting import until

CLEAN = (http.client.RemoteDisconnected, http.client.BadStatusLine, ConnectionResetError, BrokenPipeError, ConnectionRefusedError)


def test_who_waits_for_an_engine_at_the_start_can_be_stopped(start_server):
    server = start_server(["messaging"], launch=False, MONGODB_URI="mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100", ENGINE_WAIT_SECONDS=60)
    server.launch()
    until("it waits", lambda: "waiting for an engine" in server.log_text(), 30)
    assert server.terminate() == 0
    assert "told to stop while it waited for MongoDB" in server.log_text()


@pytest.mark.smoke
@pytest.mark.parametrize("split", [False, True], ids=["all in one", "split"])
def test_sigterm_under_load_answers_or_closes_and_loses_nothing(start_server, tenant_at, split):
    if split:
        store = start_server(["messaging"])
        server = start_server(["gateway"], MESSAGING_SERVICE_URL=store.url("messaging"))
    else:
        store = server = start_server()
    tenant = tenant_at(server)
    tenant.user("owner").group("room", members=[f"w{n}" for n in range(8)])
    answered, faults = [], []

    def write(number):
        client = tenant.user(f"w{number}")
        while True:
            body = {"conversation_id": "room", "content": words()}
            try:
                got = client.exchange("POST", client.target("messages"), json.dumps(body).encode(), {
                    "Authorization": f"Bearer {client.token}", "Content-Type": "application/json",
                    "Content-Length": str(len(json.dumps(body).encode())),
                })  # fmt: skip
            except http.client.IncompleteRead as cut:
                faults.append(f"half an answer: {cut}")
                return
            except CLEAN:
                return
            if got.status == 201:
                answered.append(got.json)
            elif got.status != 503:
                faults.append(str(got))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    until("there is load", lambda: len(answered) > 100)
    began = time.monotonic()
    server.stop()
    took = time.monotonic() - began
    for thread in threads:
        thread.join()
    assert not faults, faults[:3]
    assert took < 8
    server.start()
    held = {m["id"]: m["content"] for m in tenant.user("owner").all("conversations", "room", "messages", limit=100)}
    assert all(held.get(m["id"]) == m["content"] for m in answered)
    assert check_events(store.data) == len(held)


def test_a_request_that_waits_for_messaging_is_answered_before_the_end(start_server, tenant_at):
    def behave(connection, head, body):
        time.sleep(1)
        connection.sendall(answer(200, b'{"late":true}'))

    with FakeUpstream(behave) as fake:
        gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=fake.url)
        ada = tenant_at(gateway).user("ada")
        got = []
        thread = threading.Thread(
            target=lambda: got.append(ada.call("GET", ada.target("conversations"), check=False))
        )
        thread.start()
        until("it has arrived", lambda: fake.requests)
        gateway.stop()
        thread.join()
        assert got[0].status == 200 and got[0].body == b'{"late":true}'


def test_idle_connections_do_not_hold_the_end_up(start_server):
    server = start_server()
    idle = [RawConnection(server.origin("gateway")) for _ in range(20)]
    for connection in idle[:10]:
        connection.send(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.read_answer().status == 200
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 5
    for connection in idle:
        assert connection.is_closed()
        connection.socket.close()


def test_a_request_that_never_ends_is_cut_off_after_the_grace(start_server):
    server = start_server(["messaging"], SHUTDOWN_GRACE_MS=500)
    with RawConnection(server.origin("messaging")) as connection:
        connection.send(b"POST /messages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        until("it was read", lambda: server.answers("messaging"))
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 8


def test_all_roles_share_one_grace(start_server):
    server = start_server(SHUTDOWN_GRACE_MS=4000)
    stuck = [RawConnection(server.origin(role)) for role in server.roles]
    for connection in stuck:
        connection.send(b"POST /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    for role in server.roles:
        until("it was read", lambda role=role: server.answers(role))
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 8
    for connection in stuck:
        connection.socket.close()


def test_sigint_ends_it_as_well(start_server):
    server = start_server()
    server.signal(signal.SIGINT)
    assert server.wait() == 0
    server.check_log()


def test_a_second_signal_ends_it_at_once(start_server):
    server = start_server(["messaging"], SHUTDOWN_GRACE_MS=60000)
    with RawConnection(server.origin("messaging")) as connection:
        connection.send(b"POST /messages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        until("it was read", lambda: server.answers("messaging"))
        server.signal(signal.SIGTERM)
        until("it says so", lambda: "stopping" in server.log_text())
        server.signal(signal.SIGTERM)
        server.wait(10)


def test_clients_that_leave_before_their_answers_do_no_harm(start_server, tenant_at):
    server = start_server()
    ada = tenant_at(server).user("ada")
    ada.group("room")
    for _ in range(60):
        ada.send("room", "x" * 10000)
    request = f"GET /v1/conversations/room/messages?limit=100 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n\r\n"
    for _ in range(10):
        with RawConnection(server.origin("gateway")) as connection:
            connection.send(request.encode() * 20)  # and gone before the answers
    assert server.answers("gateway")
