"""Promise 6 for files: each is its owner's, and theirs whom a message shows it to now; nothing tells anybody else that it is.

Every route of the contract that names a file or an upload is walked, so a new one without a line here fails.
"""

import pytest

from harness.client import words
from harness.files import ChunkedUpload, Tus, metadata, upload

# What a route of files tells whoever may not read the one it names.
GONE, OWN = "404", "of the caller alone"
EXPECTED = {
    "download_file": GONE, "sign_download": GONE, "stream_file": GONE, "get_file": GONE, "delete_file": GONE, "get_thumbnail": GONE,
    "list_files": OWN, "get_usage": OWN, "upload_files": OWN, "begin_upload": OWN, "put_chunk": GONE, "complete_upload": GONE,
    "abort_upload": GONE, "get_upload_progress": GONE, "get_tus_options": OWN, "create_tus_upload": OWN, "get_tus_upload": GONE,
    "continue_tus_upload": GONE, "end_tus_upload": GONE, "override_tus_method": GONE,
}  # fmt: skip
ANOTHER = "0198c5a2-7f00-7000-8000-000000000001"


class Stored:
    """A file of ada's, all of it marked, and an upload that she began."""

    def __init__(self, storage):
        self.storage, self.ada = storage, storage.user("ada")
        self.mark = words().split()[0]
        self.bytes = (self.mark + " of a file").encode()
        self.file = upload(self.ada, self.bytes, self.mark + ".txt", expect=201).json
        self.begun = ChunkedUpload(self.ada, self.bytes, self.mark)
        self.tus = Tus(self.ada)
        self.tus_place = self.tus.place(len(self.bytes), Upload_Metadata=metadata(filename=self.mark))
        self.address = self.signed_by(self.ada)

    def signed_by(self, client):
        url = client.get("download", self.file["id"], "signed", expect=200).json["url"]
        return self.storage.prefix + url[url.index("/download/") :]

    def is_untouched(self):
        assert self.ada.get("files", self.file["id"], expect=200).json == self.file
        assert self.ada.get("download", self.file["id"], expect=200).body == self.bytes
        assert self.begun.progress(expect=200).json["received"] == 0
        assert self.tus.head(self.tus_place).headers["Upload-Offset"] == "0"

    def tells(self, answer):
        known = (self.mark.encode(), self.file["sha256"].encode())
        fields = "".join(f"{name}: {value}\n" for name, value in answer.headers.items()).encode()
        return any(text in part for text in known for part in (answer.body, fields))


BODIES = {"upload_files": b"mine", "put_chunk": b"mine", "begin_upload": {"filename": "mine", "size": 4},
          "continue_tus_upload": b"mine", "override_tus_method": b"mine"}  # fmt: skip
BYTES = {"Content-Type": "application/octet-stream"}
TUS_BYTES = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
HEADERS = {"upload_files": BYTES, "put_chunk": BYTES, "continue_tus_upload": TUS_BYTES, "create_tus_upload": {"Upload-Length": "4"},
           "override_tus_method": TUS_BYTES | {"X-HTTP-Method-Override": "PATCH"}}  # fmt: skip


def walk(client, stored, instead=None):
    """Every route with the ids of what is stored, or with another in their place."""
    for operation in client.contract.operations:
        tags = set(operation.spec["tags"])
        if not {"files", "uploads", "tus"} & tags or operation.internal:
            continue
        assert operation.id in EXPECTED, f"{operation} needs a line in EXPECTED"
        begun = stored.tus_place.rpartition("/")[2] if "tus" in tags else stored.begun.id
        names = {"file_id": instead or stored.file["id"], "upload_id": instead or begun, "size": "small"}
        parts = [p for p in operation.path.strip("/").split("/") if p not in ("v1", "media")]
        target = client.target(*[names[p[1:-1]] if p[0] == "{" else p for p in parts])
        target += "?index=0" if operation.id == "put_chunk" else ""
        headers = HEADERS.get(operation.id, {}) | ({"Tus-Resumable": "1.0.0"} if "tus" in tags else {})
        yield operation, client.call(operation.method, target, BODIES.get(operation.id), headers)


def told(answer):
    """All of it but what differs from answer to answer."""
    body = {name: value for name, value in answer.json.items() if name != "request_id"} if answer.body else None
    return answer.status, body, [name for name in answer.headers if name != "Date"], answer.headers["Content-Length"]


def of_another(storage, user, *roles):
    return storage.other().user(user, *roles)


STRANGERS = {
    "another user": lambda storage: storage.user("eve"),
    "an admin": lambda storage: storage.user("root", "admin"),
    "a service for another user": lambda storage: storage.service("eve"),
    "the same name elsewhere": lambda storage: of_another(storage, "ada"),
    "an admin elsewhere": lambda storage: of_another(storage, "ada", "admin"),
    "a service elsewhere": lambda storage: storage.other().service("ada"),
}


@pytest.fixture
def stored(storage):
    return Stored(storage)


@pytest.mark.smoke
@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS.keys())
def test_a_stranger_finds_nothing(stored, stranger):
    client = stranger(stored.storage)
    for operation, answer in walk(client, stored):
        if operation.id == "delete_file" and stranger is STRANGERS["an admin"]:
            continue  # may delete what it cannot read; below
        assert not stored.tells(answer), f"{operation}: {answer}"
        if EXPECTED[operation.id] == GONE:
            assert answer.status == 404 and (operation.method == "HEAD" or answer.code == "not_found"), f"{operation}: {answer}"
        else:
            assert answer.status in (200, 201, 204), f"{operation}: {answer}"
    if stranger is not STRANGERS["an admin"]:
        stored.is_untouched()


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS.keys())
def test_unknown_and_anothers_look_alike(stored, stranger):
    client = stranger(stored.storage)
    theirs, unknown = walk(client, stored), walk(client, stored, ANOTHER)
    for (operation, one), (_, other) in zip(theirs, unknown, strict=True):
        if EXPECTED[operation.id] != GONE or (operation.id == "delete_file" and stranger is STRANGERS["an admin"]):
            continue
        assert told(one) == told(other), operation


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS.keys())
def test_conditions_and_ranges_tell_nothing(stored, stranger):
    client, id = stranger(stored.storage), stored.file["id"]
    for how in ("download", "stream"):
        for headers in ({"If-None-Match": "*"}, {"If-None-Match": f'"{stored.file["sha256"]}"'}, {"Range": "bytes=0-1"},
                        {"Range": "bytes=900-"}, {"If-Modified-Since": "Sun, 06 Nov 2093 08:49:37 GMT"}):  # fmt: skip
            client.get(how, id, headers=headers).refused(404, "not_found")
            answer = client.call("HEAD", client.target(how, id), headers=headers, expect=404)
            assert not stored.tells(answer)


def test_a_signed_address_is_for_one_file_of_one_tenant(stored):
    nobody, query = stored.storage.nobody(), stored.address.partition("?")[2]
    assert nobody.call("GET", stored.address, expect=200).body == stored.bytes
    other = Stored(stored.storage)
    elsewhere = Stored(stored.storage.other())
    for target in (nobody.target("download", other.file["id"]), nobody.target("download", elsewhere.file["id"])):
        nobody.call("GET", f"{target}?{query}").refused(403, "invalid_signature")
    changed = query.replace(f"tenant={stored.storage.name}", f"tenant={elsewhere.storage.name}")
    assert changed != query
    nobody.call("GET", f"{nobody.target('download', elsewhere.file['id'])}?{changed}").refused(403, "invalid_signature")
    changed = query.replace("user=ada", "user=eve")
    assert changed != query
    nobody.call("GET", f"{nobody.target('download', stored.file['id'])}?{changed}").refused(403, "invalid_signature")


def test_a_signature_opens_nothing_else(stored):
    nobody, query = stored.storage.nobody(), stored.address.partition("?")[2]
    for segments in (("stream", stored.file["id"]), ("files", stored.file["id"]), ("files",), ("usage",),
                     ("files", stored.file["id"], "thumbnails", "small"), ("download", stored.file["id"], "signed")):  # fmt: skip
        answer = nobody.call("GET", f"{nobody.target(*segments)}?{query}", check=False)
        assert answer.status == 401 and not stored.tells(answer), answer
    answer = nobody.call("DELETE", f"{nobody.target('files', stored.file['id'])}?{query}", check=False)
    assert answer.status == 401
    stored.is_untouched()


def test_a_token_counts_where_both_come(stored):
    stranger = stored.storage.user("eve")
    stranger.call("GET", stored.address).refused(404, "not_found")
    stored.storage.nobody("nonsense").call("GET", stored.address).refused(401, "unauthorized")


def test_every_byte_of_an_address_counts(stored):
    nobody = stored.storage.nobody()
    at = stored.address.index("?") + 1
    for place in range(at, len(stored.address)):
        changed = stored.address[:place] + ("x" if stored.address[place] != "x" else "y") + stored.address[place + 1 :]
        answer = nobody.call("GET", changed)
        # Without the signature's name it is a request without a token.
        assert (answer.status, answer.code) in ((403, "invalid_signature"), (401, "unauthorized")), changed
    for more in ("&x=1", "&", "%20", "=", "&signature=x"):
        nobody.call("GET", stored.address + more).refused(403, "invalid_signature")
