"""Uploads in chunks: any order, several at once, again and again; progress; taking over; the wrong space of each."""

import concurrent.futures
import http.client
import random
import uuid

import pytest

from harness.files import MIB, ChunkedUpload, base64_of, chunked, download, events_of, form, sha256, some_bytes
from harness.raw import RawConnection
from harness.waiting import until


@pytest.fixture
def ada(storage):
    return storage.user("ada")


@pytest.mark.smoke
@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1, 5 * MIB - 1])
def test_chunks_in_order_become_a_file(ada, size):
    data = some_bytes(size)
    up = ChunkedUpload(ada, data, "a.bin", content_type="text/plain", sha256=sha256(data))
    for index in range(up.count):
        up.put(index, expect=200)
    answer = up.complete(expect=201)
    assert (answer.json["id"], answer.json["size"], answer.json["sha256"]) == (up.id, size, sha256(data))
    again = up.complete(expect=200)
    assert again.json == answer.json
    progress = up.progress(expect=200).json
    assert (progress["state"], progress["received"], progress["file"]) == ("complete", size, answer.json)


def test_chunks_come_in_any_order_at_once_and_twice(ada):
    data = some_bytes(9 * MIB + 17)
    up = ChunkedUpload(ada, data)
    order = list(range(up.count)) * 3
    random.shuffle(order)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(up.put, order))
    for answer in answers:  # the same chunk twice at once: the later one takes over
        assert answer.status == 200 or answer.refused(409, "upload_taken_over"), answer
    for index in range(up.count):
        up.put(index, expect=200)
    assert up.complete(expect=201).json["sha256"] == sha256(data)
    assert download(ada, up.id) == data


def test_another_token_of_the_same_user_goes_on(storage, ada):
    data = some_bytes(MIB + 1)
    up = ChunkedUpload(ada, data)
    up.put(0, expect=200)
    up.put(1, client=storage.user("ada", ttl=60), expect=200)
    assert up.complete(client=storage.service("ada"), expect=201).json["sha256"] == sha256(data)


def test_what_is_missing_is_told(ada):
    data = some_bytes(6 * MIB + 1)
    up = ChunkedUpload(ada, data)
    assert up.progress().json["chunks"] == {"total": 7, "present": 0, "missing": [[0, 6]], "more_missing": False}
    for index in (1, 4, 6):
        progress = up.put(index, expect=200).json
    assert progress == up.progress().json
    assert progress["chunks"] == {"total": 7, "present": 3, "missing": [[0, 0], [2, 3], [5, 5]], "more_missing": False}
    assert (progress["state"], progress["received"], progress["size"], progress["file"]) == ("receiving", 2 * MIB + 1, len(data), None)
    refused = up.complete().refused(409, "upload_incomplete")
    assert "0, 2-3, 5" in refused.json["detail"]


def test_a_chunk_that_differs_is_refused_and_changes_nothing(ada):
    data = some_bytes(2 * MIB)
    up = ChunkedUpload(ada, data)
    up.put(0, expect=200)
    other = up.chunk(0)[:-1] + bytes([data[MIB - 1] ^ 1])
    up.put(0, other).refused(409, "chunk_differs")
    up.put(1, expect=200)
    assert up.complete(expect=201).json["sha256"] == sha256(data)
    up.put(0, expect=200)
    up.put(0, other).refused(409, "chunk_differs")


def test_a_chunk_by_its_range(ada):
    data = some_bytes(MIB + 100)
    up = ChunkedUpload(ada, data)
    target = ada.target("upload", "chunk", up.id)

    def put(content_range, body, query=""):
        return ada.call("POST", target + query, body, {"Content-Range": content_range, "Content-Type": "application/octet-stream"})

    assert put(f"bytes {MIB}-{MIB + 99}/{len(data)}", data[MIB:]).status == 200
    assert put(f"bytes 0-{MIB - 1}/*", data[:MIB], "?index=0").status == 200
    for wrong in (f"bytes 0-{MIB - 2}/{len(data)}", f"bytes 1-{MIB}/{len(data)}", f"bytes 0-{MIB - 1}/{len(data) + 1}",
                  f"bytes 0-{MIB + 99}/{len(data)}", f"bytes {2 * MIB}-{3 * MIB - 1}/*", "bytes 0-", "x", "bytes */100",
                  f"items 0-{MIB - 1}/*", f"bytes 0-{MIB - 1}", "bytes 18446744073709551615-18446744073709551616/*"):  # fmt: skip
        put(wrong, b"x").refused(400, "validation_failed", "header.Content-Range")
    put(f"bytes 0-{MIB - 1}/*", data[:MIB], "?index=1").refused(400, "validation_failed", "query.index")
    assert up.complete(expect=201).json["sha256"] == sha256(data)


def test_wrong_indexes_and_lengths(ada):
    up = ChunkedUpload(ada, some_bytes(MIB + 100))
    target = ada.target("upload", "chunk", up.id)
    kind = {"Content-Type": "application/octet-stream"}
    for query in ("", "?index=", "?index=-1", "?index=x", "?index=2", "?index=1.0", "?index=9007199254740991",
                  "?index=9007199254740992", "?index=0&index=1"):  # fmt: skip
        ada.call("POST", target + query, b"x", kind).refused(400, "validation_failed", "query.index")
    ada.call("POST", target + "?chunk=1", b"x", kind).refused(400, "validation_failed", "query.chunk")
    up.put(0, up.chunk(0) + b"x").refused(413, "payload_too_large")
    up.put(0, up.chunk(0)[:-1]).refused(400, "bad_request")
    up.put(1, b"").refused(400, "bad_request")
    up.put(0, headers={"Content-Encoding": "br"}).refused(415, "unsupported_media_type")
    body, fields = form(("file", "a", up.chunk(0)))
    ada.call("POST", target + "?index=0", body, fields).refused(415, "unsupported_media_type")
    for pieces, status in (([up.chunk(0)[:-1]], 400), ([up.chunk(0), b"x"], 413), ([up.chunk(0)], 200)):
        assert chunked(ada, pieces, target + "?index=0").status == status


def test_checksums_of_a_chunk(ada):
    data = some_bytes(MIB + 100)
    up = ChunkedUpload(ada, data)
    for name, value in (("Content-MD5", base64_of("md5", b"")), ("Digest", "sha-256=" + base64_of("sha256", b"")),
                        ("Repr-Digest", f"sha-256=:{base64_of('sha256', b'')}:"), ("X-Checksum-SHA256", sha256(b"")),
                        ("Content-Digest", f"sha-512=:{base64_of('sha512', b'')}:")):  # fmt: skip
        up.put(1, headers={name: value}).refused(400, "checksum_mismatch")
        up.put(1, headers={name: "sha-256=?"}).refused(400, "validation_failed", f"header.{name}")
    assert up.progress().json["received"] == 0
    up.put(0, headers={"X-Checksum-SHA256": sha256(up.chunk(0))}, expect=200)
    up.put(1, headers={"Content-MD5": base64_of("md5", up.chunk(1))}, expect=200)
    assert up.complete(expect=201).json["sha256"] == sha256(data)


def test_a_whole_that_is_not_what_was_announced_is_gone(ada):
    for order in ((0, 1), (1, 0)):
        up = ChunkedUpload(ada, some_bytes(MIB + 1), sha256=sha256(b"other"))
        for index in order:
            up.put(index, expect=200)
        answer = until("it is read over", lambda up=up: (a := up.complete()).status != 202 and a)
        answer.refused(400, "checksum_mismatch")
        up.progress().refused(400, "checksum_mismatch")
        up.put(0).refused(400, "checksum_mismatch")
        up.abort().refused(400, "checksum_mismatch")


def test_the_beginning_is_held_to_its_fields(ada):
    good = {"filename": "a", "size": 1}
    for name, values in {"filename": [None, 1, "", "x" * 8193], "size": [None, -1, 1.5, "1", 9007199254740992],
                         "content_type": ["", "x" * 256, "a\nb", "ü", 1], "sha256": ["", "0" * 63, "g" * 64, 1]}.items():  # fmt: skip
        for value in values:
            ada.post("upload", "chunk", body=good | {name: value}).refused(400, "validation_failed", f"/{name}")
    for name in ("filename", "size"):
        ada.post("upload", "chunk", body={n: v for n, v in good.items() if n != name}).refused(400, "validation_failed", f"/{name}")
    ada.post("upload", "chunk", body=good | {"stray": 1}).refused(400, "validation_failed", "/stray")
    ada.post("upload", "chunk", body=good | {"size": 2**53 - 1}).refused(413, "payload_too_large")
    ada.post("upload", "chunk", body=b"{").refused(400, "invalid_json")
    ada.post("upload", "chunk", body=b"x" * 20_000).refused(413)
    ada.post("upload", "chunk", body=good, headers={"Content-Type": "text/plain"}).refused(415, "unsupported_media_type")


def test_aborting_ends_everything(ada):
    up = ChunkedUpload(ada, some_bytes(MIB + 1))
    up.put(0, expect=200)
    up.abort(expect=204)
    for answer in (up.abort(), up.put(1), up.complete(), up.progress()):
        answer.refused(404, "not_found")
    done = ChunkedUpload(ada, b"")
    done.complete(expect=201)
    done.abort().refused(409, "upload_complete")


def test_a_body_where_none_belongs_is_413(ada):
    up = ChunkedUpload(ada, b"")
    for method, segments in (("POST", ("upload", "complete", up.id)), ("DELETE", ("upload", up.id)), ("DELETE", ("files", up.id)),
                             ("DELETE", ("tus", up.id))):  # fmt: skip
        ada.call(method, ada.target(*segments), b"{}").refused(413, "payload_too_large")
    up.complete(expect=201)


def test_an_upload_is_its_users_alone(storage, ada):
    up = ChunkedUpload(ada, some_bytes(MIB))
    unknown = ChunkedUpload(ada, some_bytes(MIB))
    unknown.id = str(uuid.uuid4())
    for other in (storage.user("ben"), storage.user("root", "admin"), storage.service("ben"), storage.service(),
                  storage.other().user("ada"), storage.other().user("ada", "admin"), storage.other().service("ada")):  # fmt: skip
        for target in (up, unknown):
            target.client = other
            for answer in (target.put(0), target.complete(), target.progress(), target.abort()):
                theirs = answer.refused(404, "not_found").json
                assert theirs["detail"] == "There is no such upload, or it is not yours to see."
    up.client = ada
    up.put(0, expect=200)
    for bad in ("x", "..%2f..", up.id.upper(), up.id + "0", "0" * 36):
        assert ada.call("GET", f"{ada.prefix}/upload/{bad}/progress").status == 404


class Watcher:
    """Reads the server-sent events of an upload."""

    def __init__(self, client, upload):
        self.connection = http.client.HTTPConnection(*client.origin, timeout=30)
        self.connection.request("GET", client.target("upload", upload, "progress"), headers={
            "Authorization": f"Bearer {client.token}", "Accept": "text/event-stream"})  # fmt: skip
        self.response = self.connection.getresponse()
        assert self.response.status == 200 and self.response.headers["Content-Type"] == "text/event-stream"
        self.events = events_of(self.response)

    def wait_for(self, event, **fields):
        for name, data in self.events:
            if name == event and all(data.get(key) == value for key, value in fields.items()):
                return data
        raise AssertionError(f"the events ended before {event} {fields}")

    def close(self):
        self.connection.close()


def test_progress_is_told_as_it_changes(ada):
    up = ChunkedUpload(ada, some_bytes(3 * MIB))
    watcher = Watcher(ada, up.id)
    assert watcher.wait_for("progress")["received"] == 0
    for index, received in ((1, MIB), (0, 2 * MIB), (2, 3 * MIB)):
        up.put(index, expect=200)
        assert watcher.wait_for("progress", received=received)["upload_id"] == up.id
    file = up.complete(expect=201).json
    assert watcher.wait_for("progress", state="complete")["file"] == file
    assert list(watcher.events) == [("end", {})]


def test_watching_ends_with_the_upload(ada):
    up = ChunkedUpload(ada, some_bytes(MIB))
    watcher = Watcher(ada, up.id)
    assert watcher.wait_for("progress")["received"] == 0
    up.abort(expect=204)
    watcher.wait_for("end")
    assert list(watcher.events) == []


def test_bytes_on_their_way_are_told_and_a_later_request_takes_over(ada):
    data = some_bytes(MIB)
    up = ChunkedUpload(ada, data)
    watcher = Watcher(ada, up.id)
    head = (f"POST {ada.target('upload', 'chunk', up.id, index=0)} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {ada.token}\r\nContent-Length: {MIB}\r\n\r\n").encode()  # fmt: skip
    with RawConnection(ada.origin) as dead:
        dead.send(head + data[:300_000])
        watcher.wait_for("progress", received=300_000)
        up.put(0, expect=200)
        dead.send(data[300_000:301_000])  # a gateway looks for an answer when the next bytes come
        answer = dead.read_answer()
        assert answer.status == 409 and b"upload_taken_over" in answer.body, answer
    watcher.wait_for("progress", received=MIB)
    watcher.close()
    assert up.complete(expect=201).json["sha256"] == sha256(data)


def test_what_came_before_the_connection_was_lost_is_kept(ada):
    data = some_bytes(MIB)
    up = ChunkedUpload(ada, data)
    head = (f"POST {ada.target('upload', 'chunk', up.id, index=0)} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {ada.token}\r\nContent-Length: {MIB}\r\n\r\n").encode()  # fmt: skip
    with RawConnection(ada.origin) as lost:
        lost.send(head + data[:300_000])
        until("it has come", lambda: up.progress().json["received"] == 300_000)
    until("it is recorded", lambda: up.put(0, data[:300_000] + bytes(MIB - 300_000 - 1)).status == 400)
    assert up.progress().json["received"] == 300_000
    up.put(0, expect=200)
    assert up.complete(expect=201).json["sha256"] == sha256(data)


def test_an_abort_ends_a_request_on_its_way(ada):
    up = ChunkedUpload(ada, some_bytes(MIB))
    with RawConnection(ada.origin) as connection:
        connection.send((f"POST {ada.target('upload', 'chunk', up.id, index=0)} HTTP/1.1\r\nHost: x\r\n"
                         f"Authorization: Bearer {ada.token}\r\nContent-Length: {MIB}\r\n\r\n").encode() + bytes(1000))  # fmt: skip
        until("it has come", lambda: up.progress().json["received"] == 1000)
        up.abort(expect=204)
        connection.send(bytes(1000))
        assert connection.read_answer().status == 404


def test_a_stop_ends_watching_soon(start_server, storage_at):
    server = start_server(["media"], CHUNK_SIZE_MB=1, SHUTDOWN_GRACE_MS=20_000)
    ada = storage_at(server).user("ada")
    watcher = Watcher(ada, ChunkedUpload(ada, some_bytes(10)).id)
    watcher.wait_for("progress")
    server.terminate(seconds=10)
    assert list(watcher.events) == [], "no end: the client is to ask again"
