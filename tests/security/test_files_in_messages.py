"""Promise 6 for files that messages attach: who sees one in a message reads it, as long as they do, and then it is as if it never was.

Strangers to files as such are in test_file_isolation.py; here each route is walked by those who could read a file and cannot any more.
"""

import re
import secrets
import urllib.parse

import pytest

from harness.client import Client, Tenant, unique
from harness.contract import contract
from harness.files import ChunkedUpload, Tus, form, some_bytes, upload
from harness.tokens import internal_token

OF_FILES = {"uploads", "tus", "files"}
GONE, OWN = "404", "its own"
# What who may not read a file, and does not own an upload, gets.
EXPECTED = {
    "upload_files": OWN, "begin_upload": OWN, "create_tus_upload": OWN, "list_files": OWN, "get_usage": OWN,
    "put_chunk": GONE, "complete_upload": GONE, "abort_upload": GONE, "get_upload_progress": GONE,
    "get_tus_upload": GONE, "continue_tus_upload": GONE, "end_tus_upload": GONE, "override_tus_method": GONE,
    "download_file": GONE, "sign_download": GONE, "stream_file": GONE, "get_file": GONE, "delete_file": GONE, "get_thumbnail": GONE,
}  # fmt: skip
# Fields that tell the time or name the request.
OF_THE_REQUEST = {"date", "x-request-id"}


def unknown_id():
    """An id such as files have, that none has."""
    digits = secrets.token_hex(16)
    return f"{digits[:8]}-{digits[8:12]}-7{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


class World:
    """A tenant whose ada has a file that nobody sees in a message, one that ben sees in one, and uploads under way.

    `storage` and `chat` are the same tenant, for files and for messages.
    """

    def __init__(self, storage, chat):
        self.storage, self.chat, self.mark = storage, chat, unique("mark")
        self.ada = storage.user("ada", "admin")
        self.content = self.mark.encode() * 100 + some_bytes(1000)
        self.own, self.seen = (upload(self.ada, self.content + bytes([n]), f"{self.mark}-{n}.txt", expect=201).json for n in (1, 2))
        self.chunked = ChunkedUpload(self.ada, self.content * 2, f"{self.mark}-3.txt")
        self.tus = urllib.parse.urlsplit(Tus(self.ada).place(1000, Upload_Metadata="filename bWFyaw==")).path.rsplit("/", 1)[1]
        chat.user("ada").group("room", members=["ben"])
        self.message = self.attach("ada", self.seen)["id"]

    def attach(self, sender, *files, room="room"):
        return self.chat.user(sender).send(room, attachments=[file["id"] for file in files])

    def told(self, answer):
        """Whether anything of the files is in any byte of an answer."""
        bytes_ = answer.body + repr(answer.headers.items()).encode()
        return any(one.encode() in bytes_ for one in (self.mark, self.own["sha256"], self.seen["sha256"]))

    def snapshot(self):
        get = self.ada.get
        return [get("files").body, get("files", self.own["id"]).body, get("files", self.seen["id"]).body, get("download", self.own["id"]).body,
                self.chunked.progress().body, Tus(self.ada).head(self.ada.target("tus", self.tus)).headers["Upload-Offset"],
                get("usage").json["user"]]  # fmt: skip


@pytest.fixture
def chat(fleet, topology, storage):
    """The same tenant as storage, where its users write messages."""
    return Tenant(fleet.issuer, *fleet.entrance(topology), storage.name)


@pytest.fixture
def world(storage, chat):
    return World(storage, chat)


def operations(client):
    return [op for op in client.contract.operations if op.needs_token and OF_FILES & set(op.spec["tags"])]


def request_for(client, operation, file, upload_id, tus_id):
    """(target, body, headers) of a request that would do something by who may."""
    names = {"upload_id": tus_id if "tus" in operation.spec["tags"] else upload_id, "file_id": file, "size": "small"}
    path = operation.path.removeprefix("/v1/media").strip("/")
    segments = [names[part[1:-1]] if part[0] == "{" else part for part in path.split("/")]
    tus = {"Tus-Resumable": "1.0.0"} if "tus" in operation.spec["tags"] else {}
    as_it_is = {"Content-Type": "application/octet-stream"}
    query, body, headers = {
        "upload_files": ({}, *form(("file", "mine.txt", b"mine"))), "begin_upload": ({}, {"filename": "mine.txt", "size": 3}, {}),
        "put_chunk": ({"index": 0}, b"mine", as_it_is), "create_tus_upload": ({}, None, {"Upload-Length": "3"}),
        "continue_tus_upload": ({}, b"mine", {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}),
        "override_tus_method": ({}, None, {"X-HTTP-Method-Override": "DELETE"}),
    }.get(operation.id, ({}, None, {}))  # fmt: skip
    return client.target(*segments, **query), body, tus | headers


def walk(client, file, upload_id, tus_id, without=()):
    for operation in operations(client):
        assert operation.id in EXPECTED, f"{operation} needs a line in EXPECTED"
        if operation.id not in without:
            target, body, headers = request_for(client, operation, file, upload_id, tus_id)
            yield operation, client.call(operation.method, target, body, headers)


def walk_of(client, world, file, without=()):
    return walk(client, file["id"], world.chunked.id, world.tus, without)


def is_gone(operation, answer):
    assert answer.status == 404, f"{operation}: {answer}"
    if operation.method != "HEAD":
        answer.refused(404, "not_found")


def sees_nothing(client, world, *files, without=()):
    for file in files:
        for operation, answer in walk_of(client, world, file, without):
            assert not world.told(answer), f"{operation}: {answer}"
            if EXPECTED[operation.id] == GONE:
                is_gone(operation, answer)
            else:
                assert answer.status in (200, 201), f"{operation}: {answer}"
    listed = client.all("files")
    assert not {file["id"] for file in files} & {file["id"] for file in listed}


def shape(answer):
    """All of an answer but what no two requests have in common."""
    body = answer.body.replace(answer.headers["X-Request-Id"].encode(), b"")
    return answer.status, sorted((name.lower(), value) for name, value in answer.headers.items() if name.lower() not in OF_THE_REQUEST), body


def look_alike(client, world, *files, without=()):
    """For who may not read them, files are as if there were none."""
    unknown = {op.id: shape(answer) for op, answer in walk(client, unknown_id(), unknown_id(), unknown_id(), without) if EXPECTED[op.id] == GONE}
    for file in files:
        for operation, answer in walk_of(client, world, file, without):
            if EXPECTED[operation.id] == GONE:
                assert shape(answer) == unknown[operation.id], f"{operation} tells that there is something"
    for headers in ({"Range": "bytes=0-0"}, {"Range": "bytes=999999-"}, {"If-None-Match": "*"}, {"If-None-Match": f'"{files[0]["sha256"]}"'}):
        for path in ("download", "stream"):
            asked = [client.get(path, id_, headers=headers) for id_ in (unknown_id(), *(file["id"] for file in files))]
            assert len({str(shape(answer)) for answer in asked}) == 1 and asked[0].status == 404
            asked = [client.call("HEAD", client.target(path, id_), headers=headers) for id_ in (unknown_id(), *(file["id"] for file in files))]
            assert len({str(shape(answer)) for answer in asked}) == 1 and asked[0].status == 404


def reads(client, file, content):
    assert client.get("download", file["id"], expect=200).body == content
    assert client.get("stream", file["id"], headers={"Range": "bytes=0-3"}, expect=206).body == content[:4]
    assert client.get("files", file["id"], expect=200).json["filename"] == file["filename"]
    return client.get("download", file["id"], "signed", expect=200).json["url"]


def use(world, url, method="GET", **headers):
    """A signed address, without a token."""
    nobody = world.storage.nobody()
    path = urllib.parse.urlsplit(url)
    target = nobody.prefix + path.path.split("/v1/media")[1] + "?" + path.query
    return nobody.call(method, target, headers={name.replace("_", "-"): value for name, value in headers.items()})


def opens_nothing(world, url):
    for headers in ({}, {"Range": "bytes=0-0"}, {"If_None_Match": "*"}):
        answer = use(world, url, **headers).refused(404, "not_found")
        assert not world.told(answer), answer
    assert use(world, url, "HEAD").status == 404


# Another tenant


@pytest.mark.parametrize("roles", [(), ("admin", "service")], ids=["a user", "admin and service"])
def test_another_tenant_finds_nothing_though_all_is_called_the_same(world, chat, roles):
    before = world.snapshot()
    other = world.storage.other()
    neighbours = chat.other(other.name)
    neighbours.user("ada").group("room", members=["ben"])
    for name in ("ada", "ben"):
        stranger = other.user(name, *roles)
        sees_nothing(stranger, world, world.own, world.seen)
        look_alike(stranger, world, world.own, world.seen)
    refused = neighbours.user("ada").post("messages", body={"conversation_id": "room", "content": "x", "attachments": [world.seen["id"]]})
    refused.refused(400, "validation_failed", "/attachments/0")
    assert world.snapshot() == before


def test_what_another_tenant_stores_does_not_count_here(world):
    before = world.ada.get("usage", expect=200).json
    other = world.storage.other().user("ada")
    upload(other, some_bytes(5000), "a.bin", expect=201)
    ChunkedUpload(other, some_bytes(5000))
    assert world.ada.get("usage", expect=200).json == before
    counted = other.get("usage", expect=200).json
    assert counted["tenant"]["stored"] == counted["user"]["stored"] == 5000


# What ends it


def leave(world):
    world.chat.user("ben").delete("conversations", "room", "members", "ben", expect=204)


def be_removed(world):
    world.chat.user("ada").delete("conversations", "room", "members", "ben", expect=204)


def delete_message(world):
    world.chat.user("ada").delete("messages", world.message, expect=204)


def delete_conversation(world):
    world.chat.user("ada").delete("conversations", "room", expect=204)


@pytest.mark.parametrize("end", [leave, be_removed, delete_message, delete_conversation], ids=lambda end: end.__name__)
def test_a_file_is_out_of_reach_at_once(world, end):
    ben, content = world.storage.user("ben"), world.content + b"\2"
    url = reads(ben, world.seen, content)
    of_ada = reads(world.ada, world.seen, content)
    assert use(world, url).body == content
    end(world)
    opens_nothing(world, url)
    sees_nothing(ben, world, world.seen)
    look_alike(ben, world, world.seen, world.own)
    reads(world.ada, world.seen, content)
    assert use(world, of_ada).body == content
    if end in (leave, be_removed):
        world.chat.user("ada").add("room", "ben")
        reads(ben, world.seen, content)
        assert use(world, url).body == content, "who signed it may read it again"


@pytest.mark.parametrize("who", ["its owner", "an admin"])
def test_a_deleted_file_is_gone_for_all_and_its_message_stays(world, who):
    ben, content = world.storage.user("ben"), world.content + b"\2"
    urls = [reads(ben, world.seen, content), reads(world.ada, world.seen, content)]
    world.storage.user(*{"its owner": ("ada",), "an admin": ("boss", "admin")}[who]).delete("files", world.seen["id"], expect=204)
    for url in urls:
        opens_nothing(world, url)
    for client in (ben, world.storage.user("ada")):
        hers = {op.id for op in operations(client) if "upload_id" in op.path} | {"list_files"}  # ada's other things
        sees_nothing(client, world, world.seen, without=hers)
        look_alike(client, world, world.seen, without=hers)
    assert world.chat.user("ben").read(world.message)["attachments"] == [world.seen["id"]]
    refused = world.chat.user("ada").post("messages", body={"conversation_id": "room", "content": "x", "attachments": [world.seen["id"]]})
    refused.refused(400, "validation_failed", "/attachments/0")


def test_the_last_message_that_shows_a_file_decides(world):
    ben, ada, content = world.storage.user("ben"), world.chat.user("ada"), world.content + b"\2"
    again = world.attach("ada", world.seen)["id"]
    ada.group("side", members=["ben"])
    aside = world.attach("ada", world.seen, room="side")["id"]
    ada.delete("messages", world.message, expect=204)
    reads(ben, world.seen, content)
    ada.delete("messages", again, expect=204)
    reads(ben, world.seen, content)
    ada.put("messages", aside, body={"content": "edited"}, expect=200)
    url = reads(ben, world.seen, content)
    ada.delete("messages", aside, expect=204)
    opens_nothing(world, url)
    sees_nothing(ben, world, world.seen)


def test_who_comes_later_reads_what_was_attached_and_the_owner_may_go(world):
    ada, content = world.chat.user("ada"), world.content + b"\2"
    dan = world.storage.user("dan")
    sees_nothing(dan, world, world.seen)
    ada.add("room", "dan", role="owner")
    url = reads(dan, world.seen, content)
    ada.delete("conversations", "room", "members", "ada", expect=204)
    reads(dan, world.seen, content)
    reads(world.ada, world.seen, content)
    assert use(world, url).body == content


def test_who_reads_a_file_may_pass_it_on_and_nobody_else(world):
    ben, eve, content = world.chat.user("ben"), world.chat.user("eve"), world.content + b"\2"
    eve.group("own")
    for file in (world.seen, world.own):
        refused = [eve.post("messages", body={"conversation_id": "own", "content": "x", "attachments": [id_]}) for id_ in (file["id"], unknown_id())]
        for answer in refused:
            answer.refused(400, "validation_failed", "/attachments/0")
        assert shape(refused[0]) == shape(refused[1])
    ben.group("between", members=["eve"])
    passed_on = world.attach("ben", world.seen, room="between")["id"]
    url = reads(world.storage.user("eve"), world.seen, content)
    leave(world)  # ben still sees it in his own message
    reads(world.storage.user("ben"), world.seen, content)
    ben.delete("messages", passed_on, expect=204)
    opens_nothing(world, url)
    for name in ("eve", "ben"):
        sees_nothing(world.storage.user(name), world, world.seen)


# Internal routes


INTERNAL = [op for op in contract("media").operations if op.internal]


def media_at(fleet, topology):
    if topology == "engines":
        return fleet.on_engines("media")
    return fleet.all_in_one() if topology == "all_in_one" else fleet.media()


@pytest.mark.parametrize("operation", INTERNAL, ids=lambda op: op.id)
def test_an_internal_route_takes_no_users_token_and_no_other_roles(world, fleet, topology, operation):
    server = media_at(fleet, topology)
    body = {"tenant": world.storage.name, "user": "ada", "files": [world.seen["id"]]}
    key = server.internal_key
    tokens = [client.token for client in (world.ada, world.storage.user("ada"), world.storage.service())]
    tokens += [None, "", "x", internal_token(key, "messaging"), internal_token(key, "media", ttl=-1), internal_token("0" * 64, "media")]
    for token in tokens:
        client = Client(server.origin("media"), contract("media"), "", token)
        answer = client.call(operation.method, operation.path, body)
        assert answer.status == 401 and not world.told(answer), answer
    good = Client(server.origin("media"), contract("media"), "", internal_token(key, "media"))
    assert good.call(operation.method, operation.path, body, expect=200).json["files"][0]["id"] == world.seen["id"]


def test_what_media_tells_messaging_is_what_the_user_may_read(world, fleet, topology):
    server = media_at(fleet, topology)
    messaging = Client(server.origin("media"), contract("media"), "", internal_token(server.internal_key, "media"))

    def told(user, tenant=world.storage.name):
        asked = [world.own["id"], unknown_id(), world.seen["id"], "no-uuid"]
        return [file["id"] for file in messaging.post("internal", "files", body={"tenant": tenant, "user": user, "files": asked}, expect=200).json["files"]]

    own, seen = world.own["id"], world.seen["id"]
    assert told("ada") == [own, seen] and told("ben") == [seen] and told("eve") == told("boss") == []
    assert told("ada", world.storage.other().name) == []
    leave(world)
    assert told("ben") == []


def test_no_gateway_passes_internal_routes_of_media_on(world, fleet):
    for server in (fleet.all_in_one(), fleet.gateway()):
        client = Client(server.origin("gateway"), contract("gateway"), "", world.ada.token)
        for path in ("/internal/files", "/v1/internal/files", "/v1/media/internal/files", "/v1/media/files/../internal/files",
                     "/v1/media/%2e%2e/internal/files", "/v1/media//internal/files"):  # fmt: skip
            answer = client.call("POST", path, {"tenant": world.storage.name, "user": "ada", "files": [world.seen["id"]]}, check=False)
            assert answer.status in (400, 404, 405) and not world.told(answer), answer
