"""Messages that attach files: what messaging takes, keeps and tells. Media is a fake here; see also tests/e2e."""

import base64
import json

import pytest

from harness.client import Client, unique, words
from harness.contract import contract
from harness.media import FakeMedia, file_id
from harness.tokens import internal_token
from harness.upstream import answer

MOST = 10


@pytest.fixture
def media():
    with FakeMedia() as fake:
        yield fake


@pytest.fixture(params=["direct", "gateway"])
def tenant(request, start_server, tenant_at, media):
    messaging = start_server(["messaging"], MEDIA_SERVICE_URL=media.url)
    if request.param == "direct":
        return tenant_at(messaging)
    return tenant_at(start_server(["gateway"], MESSAGING_SERVICE_URL=messaging.url("messaging")))


@pytest.fixture
def ada(tenant):
    ada = tenant.user("ada")
    ada.group("room", members=["ben"])
    return ada


def attach(client, *files, headers=(), **fields):
    body = {"conversation_id": "room", "content": words(), "attachments": list(files)} | fields
    return client.post("messages", body=body, headers=headers)


@pytest.mark.smoke
def test_a_message_attaches_files_in_their_order(tenant, ada, media):
    files = [media.give(tenant.name, "ada", f"{n}.pdf") for n in range(MOST)]
    sent = attach(ada, *files)
    assert sent.status == 201 and sent.json["attachments"] == files, sent
    message = sent.json["id"]
    for reader in (ada, tenant.user("ben")):
        assert reader.read(message)["attachments"] == files
        assert reader.get("conversations", "room", "messages").json["items"][0]["attachments"] == files
        assert reader.get("conversations", "room").json["last_message"]["attachments"] == files
    asked = json.loads(media.requests[-1][1])
    assert asked == {"tenant": tenant.name, "user": "ada", "files": files}
    payload = media.header(-1, "Authorization").split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["aud"] == "media"
    assert media.header(-1, "X-Request-Id") == sent.headers["X-Request-Id"]


@pytest.mark.parametrize("fields", [{"content": ""}, {"content": ...}])
def test_a_message_with_attachments_needs_no_text(tenant, ada, media, fields):
    body = {"conversation_id": "room", "attachments": [media.give(tenant.name, "ada")]}
    body |= {name: value for name, value in fields.items() if value is not ...}
    message = ada.post("messages", body=body, expect=201).json
    assert message["content"] == ""
    edited = ada.put("messages", message["id"], body={"content": words()}, expect=200).json
    assert edited["attachments"] == body["attachments"]
    again = ada.put("messages", message["id"], body={"content": ""}, expect=200).json
    assert again["content"] == "" and again["version"] == 3


def test_a_message_without_attachments_asks_nobody(ada, media):
    for fields in ({}, {"attachments": []}):
        ada.send("room", **fields)
    assert media.requests == []


def test_every_file_that_the_sender_cannot_read_is_named_and_no_difference_is_told(tenant, ada, media):
    own = media.give(tenant.name, "ada")
    bens, strangers = media.give(tenant.name, "ben"), media.give(tenant.other().name, "ada")
    refused = attach(ada, bens, own, strangers, file_id(), "no-uuid", own.upper())
    refused.refused(400, "validation_failed")
    assert refused.faulty == [f"/attachments/{place}" for place in (0, 2, 3, 4, 5)]
    assert len({error["message"] for error in refused.json["errors"]}) == 1, refused
    assert ada.get("conversations", "room", "messages").json["items"] == []


@pytest.mark.parametrize(
    ("attachments", "path"),
    [
        ([str(n) for n in range(MOST + 1)], "/attachments"),
        (["a", "a"], "/attachments/1"),
        ([""], "/attachments/0"),
        (["x" * 129], "/attachments/0"),
        (["a\0b"], "/attachments/0"),
        ([7], "/attachments/0"),
        ([None], "/attachments/0"),
        ([["a"]], "/attachments/0"),
        ([{"id": "a"}], "/attachments/0"),
        ("a", "/attachments"),
        (None, "/attachments"),
        ({}, "/attachments"),
    ],
)
def test_a_list_that_is_none_of_ids_is_400_and_media_is_not_asked(ada, media, attachments, path):
    body = {"conversation_id": "room", "content": words(), "attachments": attachments}
    ada.post("messages", body=body).refused(400, "validation_failed", path)
    assert media.requests == []


def test_attachments_are_not_edited(tenant, ada, media):
    message = attach(ada, media.give(tenant.name, "ada")).json
    for bad in ([], message["attachments"], None):
        refused = ada.put("messages", message["id"], body={"attachments": bad})
        refused.refused(400, "validation_failed", "/attachments")
    assert ada.read(message["id"])["version"] == 1


def test_a_deleted_message_attaches_nothing(tenant, ada, media):
    message = attach(ada, media.give(tenant.name, "ada")).json
    ada.delete("messages", message["id"], expect=204)
    assert ada.read(message["id"])["attachments"] == []
    ada.put("messages", message["id"], body={"content": ""}).refused(409, "message_deleted")


def test_who_is_not_a_member_learns_nothing(tenant, ada, media):
    file = media.give(tenant.name, "eve")
    for conversation in ("room", unique("none")):
        attach(tenant.user("eve"), file, conversation_id=conversation).refused(404, "not_found")


def test_a_service_attaches_what_the_user_it_acts_for_can_read(tenant, ada, media):
    file = media.give(tenant.name, "ada")
    assert attach(tenant.service("ada"), file).status == 201
    attach(tenant.service("ben"), file).refused(400, "validation_failed", "/attachments/0")


def test_a_replay_is_answered_whatever_has_become_of_the_files_and_of_media(tenant, ada, media):
    file = media.give(tenant.name, "ada")
    for by_key in (True, False):
        key = unique("k")
        fields = {"content": words()} | ({} if by_key else {"client_message_id": key})
        headers = {"Idempotency-Key": key} if by_key else {}
        first = attach(ada, file, headers=headers, **fields)
        assert first.status == 201, first
        known, media.files = media.files, {}
        again = attach(ada, file, headers=headers, **fields)
        assert again.status == 200 and again.json["id"] == first.json["id"], again
        media.instead = answer(500)
        again = attach(ada, file, headers=headers, **fields)
        assert again.status == 200 and again.json["id"] == first.json["id"], again
        attach(ada, file_id(), headers=headers, **fields).refused(409, "idempotency_mismatch")
        media.files, media.instead = known, None
        attach(ada, file, file_id(), headers=headers, **fields).refused(409, "idempotency_mismatch")


@pytest.mark.parametrize(
    "instead",
    [
        answer(500), answer(503, headers=[("Retry-After", "7")]), answer(401), answer(404), answer(204, b""), answer(200, b""),
        answer(200, b"{"), answer(200, b"[]"), answer(200, b"{}"), answer(200, b'{"files":[7]}'),
        answer(200, b'{"files":[{"id":"a"}]}'), answer(200, b"x" * 300_000), answer(200, b'{"fi', length=500), b"HTTP/1.1 200 OK\r\n", b"nonsense\r\n\r\n",
    ],
    ids=range(15),
)  # fmt: skip
def test_media_that_does_not_answer_as_it_should_is_503_for_attachments_alone(tenant, ada, media, instead):
    file = media.give(tenant.name, "ada")
    media.instead = instead
    media.behave = lambda connection, *_: (connection.sendall(instead), False)[1]
    refused = attach(ada, file).refused(503, "files_unavailable")
    assert int(refused.headers["Retry-After"]) >= 1
    assert "500" not in refused.json["detail"] and "nonsense" not in refused.json["detail"]
    ada.send("room")
    assert len(ada.get("conversations", "room", "messages").json["items"]) == 1


def test_media_that_is_slow_or_gone_is_503_soon(tenant, ada, media):
    file = media.give(tenant.name, "ada")
    media.delay = 30
    refused = attach(ada, file).refused(503, "files_unavailable")
    assert refused.headers["Retry-After"]
    media.__exit__()
    for _ in range(40):
        attach(ada, file).refused(503, "files_unavailable")
    ada.send("room")  # no breaker took messaging for what failed


def test_without_media_attachments_are_refused_by_their_own_code(start_server, tenant_at):
    ada = tenant_at(start_server(["messaging"])).user("ada")
    ada.group("room")
    refused = attach(ada, file_id()).refused(400, "attachments_unavailable", "/attachments")
    assert refused.faulty == ["/attachments"]
    ada.send("room", attachments=[])


def test_what_was_sent_is_told_to_the_roles_that_ask(start_server, tenant_at, media):
    server = start_server(["messaging"], MEDIA_SERVICE_URL=media.url)
    tenant = tenant_at(server)
    ada, ben = tenant.user("ada"), tenant.user("ben")
    ada.group("room", members=["ben"])
    file, other = media.give(tenant.name, "ada", "Größe “1”.pdf"), media.give(tenant.name, "ada", "b.txt")
    message = attach(ada, other, file).json
    plain = ada.send("room")
    role = Client(server.origin("messaging"), contract("messaging"), "", internal_token(server.internal_key))
    page = role.get("internal", "scan", "messages", tenant=tenant.name, conversation_id="room", expect=200).json
    assert [item["files"] for item in page["items"]] == [[media.files[tenant.name, "ada"][id_] for id_ in (other, file)], []]

    def readable(user, file, tenant=tenant.name):
        asked = {"tenant": tenant, "user": user, "file": file}
        return role.post("internal", "attachment-access", body=asked, expect=200).json["readable"]

    assert readable("ada", file) and readable("ben", file) and readable("ben", other)
    assert not readable("eve", file) and not readable("ben", plain["id"]) and not readable("ben", file, "another")
    ben.delete("conversations", "room", "members", "ben", expect=204)
    assert not readable("ben", file)
    ada.add("room", "ben")
    assert readable("ben", file)
    server.kill()
    server.start()
    assert readable("ben", file)
    ada.delete("messages", message["id"], expect=204)
    assert not readable("ben", file) and not readable("ada", file)
    again = attach(ada, file).json
    ada.delete("conversations", "room", expect=204)
    assert not readable("ada", file), again
