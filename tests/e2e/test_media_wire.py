"""Files through the gateway, byte by byte, with media in the same process and in one of its own."""

import hashlib
import http.client
import json
import random
import secrets
import threading
import time

import pytest

from harness.waiting import until

MIB = 1 << 20
NOISE = random.Random(11).randbytes(8 * MIB + 77)
IDLE = {"HTTP_BODY_IDLE_TIMEOUT_MS": 1500, "UPSTREAM_DEADLINE_MS": 1000, "HTTP_REQUEST_DEADLINE_MS": 2000}


class Place:
    def __init__(self, gateway, media, token):
        self.gateway, self.media, self.token = gateway, media, token

    def ask(self, method, path, body=None, headers=(), read=True):
        connection = http.client.HTTPConnection(*self.gateway.origin("gateway"), timeout=30)
        fields = {"Authorization": f"Bearer {self.token}", **dict(headers)}
        connection.request(method, f"/v1/media/{path}", body, fields)
        answer = connection.getresponse()
        if read:
            answer.bytes = answer.read()
            connection.close()
        return answer

    def store(self, data):
        headers = {"Content-Type": "application/octet-stream"}
        stored = self.ask("POST", "upload?filename=noise.bin", data, headers)
        assert stored.status == 201, stored.bytes
        file = json.loads(stored.bytes)
        assert file["sha256"] == hashlib.sha256(data).hexdigest() and file["size"] == len(data)
        return file["id"]

    def sent_by_the_kernel(self):
        server, role = (self.media, "media") if self.media is not self.gateway else (self.gateway, "gateway")
        return server.metrics(role)['parley_http_sent_file_bytes_total{role="%s"}' % role]


@pytest.fixture(params=["in one process", "over http"])
def place(request, start_server, issuer):
    token = issuer.token("acme", "ada")
    key = {"INTERNAL_KEY": secrets.token_hex(16), "SIGNING_KEYS": f"k1:{secrets.token_hex(16)}"}
    if request.param == "in one process":
        server = start_server(**IDLE)
        return Place(server, server, token)
    services = start_server(["messaging", "media"], **(IDLE | key))
    urls = {"MESSAGING_SERVICE_URL": services.url("messaging"), "MEDIA_SERVICE_URL": services.url("media")}
    return Place(start_server(["gateway"], **(IDLE | key | urls)), services, token)


@pytest.mark.smoke
def test_what_is_stored_comes_back_whole_and_in_part(place):
    file = place.store(NOISE)
    whole = place.ask("GET", f"download/{file}")
    assert whole.status == 200 and whole.bytes == NOISE
    assert place.sent_by_the_kernel() >= len(NOISE), "it was read, not sent"
    for first, last in ((0, 0), (5, 3 * MIB), (len(NOISE) - 1, len(NOISE) - 1), (MIB, len(NOISE) - 1)):
        part = place.ask("GET", f"stream/{file}", headers={"Range": f"bytes={first}-{last}"})
        assert part.status == 206 and part.bytes == NOISE[first : last + 1]
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{len(NOISE)}"
    head = place.ask("HEAD", f"download/{file}")
    assert head.status == 200 and head.headers["Content-Length"] == str(len(NOISE)) and head.bytes == b""


def test_a_slow_reader_gets_all_of_it(place):
    file = place.store(NOISE)
    answer = place.ask("GET", f"download/{file}", read=False)
    got, began = b"", time.monotonic()
    while len(got) < 5 * MIB:
        time.sleep(0.05)
        got += answer.read1(32 * 1024)
    got += answer.read()
    assert got == NOISE and time.monotonic() - began > 4 * IDLE["HTTP_BODY_IDLE_TIMEOUT_MS"] / 1000


def test_many_read_at_once(place):
    file = place.store(NOISE)
    faults = []

    def read():
        if place.ask("GET", f"download/{file}").bytes != NOISE:
            faults.append("other bytes")

    threads = [threading.Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


def test_readers_that_go_away_leave_a_closed_circuit(place):
    file = place.store(NOISE)
    for _ in range(30):
        answer = place.ask("GET", f"download/{file}", read=False)
        answer.read(1000)
        answer.close()
    states = [v for name, v in place.gateway.metrics("gateway").items() if "circuit_state" in name and "media" in name]
    assert states == [0]
    assert place.ask("GET", f"download/{file}").bytes == NOISE


def test_a_service_that_is_killed_while_it_sends_cuts_the_download(place):
    if place.media is place.gateway:
        pytest.skip("it does not die alone")
    file = place.store(NOISE * 4)
    answer = place.ask("GET", f"download/{file}", read=False)
    answer.read(1000)
    place.media.kill()
    with pytest.raises(http.client.IncompleteRead):
        answer.read()
    until("it is told", lambda: place.ask("GET", f"download/{file}").status == 503)
    place.media.start()
    until("the circuit closes", lambda: place.ask("GET", f"download/{file}").status == 200, 30)
