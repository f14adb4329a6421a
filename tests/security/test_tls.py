"""TLS by TLS_CERT_FILE and TLS_KEY_FILE: every role speaks it, and nothing else."""

import http.client
import json
import ssl

import pytest

from harness.certificates import make_certificate
from harness.raw import RawConnection
from harness.server import ROLES, free_ports, run_cli
from harness.waiting import until


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path)


def ask(server, role, context, path, token=None):
    connection = http.client.HTTPSConnection("127.0.0.1", server.ports[role], context=context, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_every_role_speaks_tls_and_nothing_else(start_server, certificate, issuer):
    cert, key = certificate
    server = start_server(launch=False, TLS_CERT_FILE=cert, TLS_KEY_FILE=key)
    server.launch()
    context = ssl.create_default_context(cafile=cert)

    def up(role):
        try:
            return ask(server, role, context, "/health/live")[0] == 200
        except OSError:
            return False

    for role in ROLES:
        until(f"{role} is up", lambda role=role: up(role), 30)
    status, profile = ask(server, "gateway", context, "/v1/users/me", issuer.token("t", "ada"))
    assert status == 200 and profile["id"] == "ada"
    with RawConnection(server.origin("gateway")) as plain:
        plain.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            data = plain.socket.recv(4096)
        except ConnectionResetError:
            data = b""
        assert not data.startswith(b"HTTP/"), data
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(cert)
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError):
        ask(server, "gateway", old, "/health/live")


def test_a_certificate_that_is_none_stops_the_start(certificate, tmp_path, issuer):
    cert, key = certificate
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    for one, other in ((wrong, key), (cert, wrong), (tmp_path / "missing.pem", key)):
        done = run_cli("serve", "--role", "messaging", "--data", tmp_path / "data", PORT=free_ports(1)[0],
                       JWT_PUBLIC_KEY=issuer.public_keys, TLS_CERT_FILE=one, TLS_KEY_FILE=other)  # fmt: skip
        assert done.returncode not in (0, -6, -11) and done.stderr, done
