"""Messaging slow, gone or talking nonsense, as media sees it: owners read on, for all others it is 503 soon, and never a yes."""

import json

import pytest

from harness.client import Client
from harness.contract import contract
from harness.files import upload
from harness.server import free_ports
from harness.upstream import FakeUpstream, answer
from harness.waiting import until

UNKNOWN = "0193a1b2-0000-7000-8000-0000000000ff"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class FakeMessaging(FakeUpstream):
    """Says whether a message shows a file, or whatever a test has it say."""

    def __init__(self):
        super().__init__(lambda connection, *_: connection.sendall(self.instead) is None and self.keep)
        self.keep = True
        self.says(True)

    def says(self, readable):
        self.instead = answer(200, json.dumps({"readable": readable}).encode())


@pytest.fixture
def messaging():
    with FakeMessaging() as messaging:
        yield messaging


@pytest.fixture
def media(start_server, messaging):
    return start_server(["media"], MESSAGING_SERVICE_URL=messaging.url)


def ask(client, file):
    for path in (("download", file), ("stream", file), ("files", file), ("download", file, "signed")):
        yield client.get(*path)


def test_the_question_says_who_asks_for_what_and_in_whose_request(media, storage_at, messaging):
    storage = storage_at(media)
    file = upload(storage.user("ada"), b"bytes", expect=201).json["id"]
    assert messaging.requests == [], "owners need no message"
    headers = {"X-Request-Id": "asked-by-a-test", "traceparent": TRACE}
    shown = storage.user("ben \"x\"/ü").get("files", file, headers=headers, expect=200)
    assert shown.headers["X-Request-Id"] == "asked-by-a-test"
    (head, body), = messaging.requests
    assert head.startswith("POST /internal/attachment-access HTTP/1.1")
    assert json.loads(body) == {"tenant": storage.name, "user": "ben \"x\"/ü", "file": file}
    assert messaging.header(-1, "X-Request-Id") == "asked-by-a-test"
    assert messaging.header(-1, "traceparent").split("-")[1] == TRACE.split("-")[1]
    assert messaging.header(-1, "Authorization").startswith("Bearer parley1.")
    messaging.says(False)
    storage.user("ben").get("files", file).refused(404, "not_found")
    storage.user("ben").get("files", UNKNOWN).refused(404, "not_found")
    assert len(messaging.requests) == 3, "a file that is unknown is asked after as well, so that the time does not tell"


@pytest.mark.parametrize("instead", [
    answer(500), answer(503, headers=[("Retry-After", "7")]), answer(401), answer(403), answer(404), answer(302), answer(204, b""), answer(201, b'{"readable":true}'),
    answer(200, b""), answer(200, b"true"), answer(200, b"[]"), answer(200, b"{}"), answer(200, b'{"readable":1}'), answer(200, b'{"readable":"true"}'),
    answer(200, b'{"readable":true'), answer(200, b'{"readable":true}' + b" " * 300_000), answer(200, b'{"readable":true}', length=500), b"nonsense\r\n\r\n", b"",
], ids=range(19))  # fmt: skip
def test_what_is_no_answer_is_503_and_never_a_yes(media, storage_at, messaging, instead):
    storage = storage_at(media)
    ada, ben = storage.user("ada"), storage.user("ben")
    file = upload(ada, b"bytes", expect=201).json["id"]
    messaging.instead, messaging.keep = instead, False
    for id_ in (file, UNKNOWN):
        for refused in ask(ben, id_):
            refused.refused(503, "unavailable")
            assert int(refused.headers["Retry-After"]) >= 1
            assert "nonsense" not in refused.json["detail"] and "500" not in refused.json["detail"]
    assert [answer_.status for answer_ in ask(ada, file)] == [200] * 4
    messaging.says(True)
    messaging.keep = True
    until("members read again", lambda: [answer_.status for answer_ in ask(ben, file)] == [200] * 4)


def test_messaging_that_is_down_makes_media_degraded_and_not_down(start_server, storage_at):
    (port,) = free_ports(1)
    media = start_server(["media"], MESSAGING_SERVICE_URL=f"http://127.0.0.1:{port}")
    health = media.health("media")
    assert health["status"] == "degraded" and health["dependencies"]["messaging"]["status"] == "down", health
    assert Client(media.origin("media"), contract("media")).get("health").status == 200
    ada = storage_at(media).user("ada")
    file = upload(ada, b"bytes", expect=201).json["id"]
    assert ada.get("download", file, expect=200).body == b"bytes"
    messaging = start_server(["messaging"], MESSAGING_PORT=port, launch=False)
    messaging.ports["messaging"] = port
    messaging.start()
    until("media is well again", lambda: media.health("media")["status"] == "ok")


def test_media_that_has_no_messaging_serves_owners_alone(start_server, storage_at):
    media = start_server(["media"])
    assert set(media.health("media")["dependencies"]) == {"store", "objects"}
    storage = storage_at(media)
    file = upload(storage.user("ada"), b"bytes", expect=201).json["id"]
    storage.user("ada").get("download", file, expect=200)
    for id_ in (file, UNKNOWN):
        for refused in ask(storage.user("ben"), id_):
            refused.refused(404, "not_found")


def test_what_strangers_cannot_be_told_closes_media_to_no_owner(start_server, storage_at, media, messaging):
    gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=messaging.url, MEDIA_SERVICE_URL=media.url("media"),
                           BREAKER_MIN_REQUESTS=5, BREAKER_OPEN_MS=60_000)  # fmt: skip
    storage = storage_at(gateway)
    ada, ben = storage.user("ada"), storage.user("ben")
    file = upload(ada, b"bytes", expect=201).json["id"]
    messaging.instead = answer(503)
    for _ in range(10):
        for refused in ask(ben, file):
            refused.refused(503, "unavailable")
            assert "X-Parley-Role-Is-Well" not in refused.headers
    assert [answer_.status for answer_ in ask(ada, file)] == [200] * 4
