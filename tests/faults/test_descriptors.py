"""File descriptors: as many as the host allows, and what happens without one more."""

import resource
import subprocess

import pytest
from harness.raw import RawConnection

CONNECTIONS = 300


def test_a_low_soft_limit_is_raised_to_what_the_host_allows(start_server):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 2 * CONNECTIONS:
        pytest.skip("this host's hard limit is too low to show it")
    server = start_server(prefix=["prlimit", "--nofile=100:"])  # the soft limit only: raising the other is root's
    connections = [RawConnection(server.origin("gateway")) for _ in range(CONNECTIONS)]
    for connection in connections:
        connection.send(b"GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n")
    assert {connection.read_answer().status for connection in connections} == {200}


def test_without_descriptors_who_is_connected_is_served_on_and_others_later(start_server):
    server = start_server()
    first = RawConnection(server.origin("gateway"))
    ask = b"GET /health/live HTTP/1.1\r\nHost: h\r\n\r\n"

    def answers(connection):
        connection.send(ask)
        return connection.read_answer().status

    assert answers(first) == 200
    pid = str(server.process.pid)
    subprocess.run(["prlimit", "--pid", pid, "--nofile=8:"], check=True)
    waiting = RawConnection(server.origin("gateway"))
    waiting.send(ask)
    assert answers(first) == 200
    subprocess.run(["prlimit", "--pid", pid, "--nofile=512:"], check=True)
    assert waiting.read_answer().status == 200
