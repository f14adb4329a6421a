"""tus 1.0.0 (https://tus.io/protocols/resumable-upload), request by request."""

import pytest

from harness.files import MIB, ChunkedUpload, Tus, base64_of, download, metadata, sha256, some_bytes
from harness.raw import RawConnection
from harness.waiting import until


@pytest.fixture
def ada(storage):
    return storage.user("ada")


@pytest.fixture
def tus(ada):
    return Tus(ada)


def file_of(tus, place):
    return tus.client.post("upload", "complete", place.rsplit("/", 1)[1], expect=200).json


@pytest.mark.smoke
@pytest.mark.parametrize("size", [0, 1, 5 * MIB + 1])
def test_an_upload_in_pieces(tus, size):
    data = some_bytes(size)
    named = metadata(filename="día.txt", filetype="text/plain") + ",flag"
    place = tus.place(size, Upload_Metadata=named)
    for at in range(0, size, 2 * MIB):
        state = tus.head(place)
        assert (state.status, state.headers["Upload-Offset"], state.headers["Upload-Length"]) == (200, str(at), str(size))
        assert state.headers["Upload-Metadata"] == named and state.headers["Cache-Control"] == "no-store"
        answer = tus.patch(place, at, data[at : at + 2 * MIB])
        assert (answer.status, answer.headers["Upload-Offset"]) == (204, str(min(at + 2 * MIB, size))), answer
    file = file_of(tus, place)
    assert (file["sha256"], file["filename"], file["size"]) == (sha256(data), "día.txt", size)
    assert download(tus.client, file["id"]) == data
    assert tus.head(place).headers["Upload-Offset"] == str(size)


def test_options(ada, storage):
    target = storage.nobody().target("tus")
    answer = storage.nobody().call("OPTIONS", target)
    assert answer.status == 204 and answer.headers["Tus-Version"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) == {
        "creation", "creation-with-upload", "creation-defer-length", "expiration", "checksum", "termination", "concatenation"}  # fmt: skip
    assert int(answer.headers["Tus-Max-Size"]) == 1024 * MIB
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,md5,sha256,sha512"


def test_the_version_is_asked_for(ada, tus):
    place = tus.place(10)
    for version in ({}, {"Tus-Resumable": "0.2.2"}, {"Tus-Resumable": "1.0"}):
        for method, target in (("POST", ada.target("tus")), ("HEAD", place), ("PATCH", place), ("DELETE", place)):
            answer = ada.call(method, target, None, version)
            assert answer.status == 412 and answer.headers["Tus-Version"] == "1.0.0", answer
            assert method == "HEAD" or answer.code == "unsupported_tus_version"
    assert tus.head(place).headers["Upload-Offset"] == "0"


def test_creation_is_held_to_its_rules(tus):
    big = str(2**53)
    for headers, path in (({}, "Upload-Length"), ({"Upload_Length": "-1"}, "Upload-Length"), ({"Upload_Length": "1.0"}, "Upload-Length"),
                          ({"Upload_Length": ""}, "Upload-Length"), ({"Upload_Length": big}, "Upload-Length"),
                          ({"Upload_Defer_Length": "0"}, "Upload-Defer-Length"),
                          ({"Upload_Length": "1", "Upload_Defer_Length": "1"}, "Upload-Defer-Length"),
                          ({"Upload_Length": "1", "Upload_Metadata": "filename !"}, "Upload-Metadata"),
                          ({"Upload_Length": "1", "Upload_Metadata": "a YQ==,a YQ=="}, "Upload-Metadata"),
                          ({"Upload_Length": "1", "Upload_Metadata": ",,"}, "Upload-Metadata"),
                          ({"Upload_Length": "1", "Upload_Metadata": "x" * 8193}, "Upload-Metadata"),
                          ({"Upload_Length": "1", "Upload_Concat": "whole"}, "Upload-Concat")):  # fmt: skip
        tus.create(**headers).refused(400, "validation_failed", f"header.{path}")
    tus.create(1024 * MIB + 1).refused(413, "payload_too_large")
    tus.call("POST", tus.client.target("tus"), b"x", {"Upload-Length": "1", "Content-Type": "text/plain"}).refused(415)
    tus.create(1, body=b"x", Content_Encoding="gzip").refused(415)


def test_a_patch_is_held_to_its_rules(tus):
    place = tus.place(10)
    tus.call("PATCH", place, b"x").refused(400, "validation_failed", "header.Upload-Offset")
    for wrong in ("-1", "x", "", "1.0", str(2**53)):
        tus.patch(place, wrong, b"x").refused(400, "validation_failed", "header.Upload-Offset")
    for wrong in (1, 10, 11):
        tus.patch(place, wrong, b"x").refused(409, "upload_offset_mismatch")
    tus.patch(place, 0, b"x" * 11).refused(413, "payload_too_large")
    tus.patch(place, 0, b"x", Content_Type="application/octet-stream").refused(415, "unsupported_media_type")
    tus.patch(place, 0, b"x", Upload_Length="11").refused(409, "upload_size_known")
    assert tus.patch(place, 0, b"").headers["Upload-Offset"] == "0"
    assert tus.head(place).headers["Upload-Offset"] == "0"
    tus.patch(place.rsplit("/", 1)[0] + "/nothing", 0, b"x").refused(404, "not_found")


def test_a_creation_may_bring_bytes(tus):
    created = tus.create(10, body=b"01234")
    assert (created.status, created.headers["Upload-Offset"]) == (201, "5")
    place = tus.client.target("tus") + "/" + created.headers["Location"].rsplit("/", 1)[1]
    assert tus.patch(place, 5, b"56789").status == 204
    assert file_of(tus, place)["sha256"] == sha256(b"0123456789")
    tus.create(10, body=b"x" * 11).refused(413, "payload_too_large")
    tus.create(1, body=b"x", Upload_Checksum="md5 " + base64_of("md5", b"y")).refused(460, "checksum_mismatch")


def test_the_length_may_be_said_later(tus):
    place = tus.place(None, Upload_Defer_Length="1")
    assert tus.head(place).headers["Upload-Defer-Length"] == "1"
    assert tus.patch(place, 0, b"01234").status == 204
    tus.patch(place, 5, b"", Upload_Length="4").refused(400, "validation_failed", "header.Upload-Length")
    assert tus.patch(place, 5, b"56789", Upload_Length="10").headers["Upload-Offset"] == "10"
    assert file_of(tus, place)["sha256"] == sha256(b"0123456789")


@pytest.mark.parametrize("algorithm", ["sha1", "md5", "sha256", "sha512"])
def test_checksums(tus, algorithm):
    data = some_bytes(300_000)
    place = tus.place(len(data))
    good = f"{algorithm} {base64_of(algorithm, data)}"
    tus.patch(place, 0, data, Upload_Checksum=f"{algorithm} {base64_of(algorithm, b'')}").refused(460, "checksum_mismatch")
    for wrong in ("", algorithm, f"{algorithm} ", f"{algorithm} !", f"{algorithm} AAAA", "crc32 AAAA", good.upper()):
        tus.patch(place, 0, data, Upload_Checksum=wrong).refused(400, "validation_failed", "header.Upload-Checksum")
    assert tus.head(place).headers["Upload-Offset"] == "0"
    assert tus.patch(place, 0, data, Upload_Checksum=good).status == 204
    assert file_of(tus, place)["sha256"] == sha256(data)


def test_termination(tus):
    place = tus.place(10)
    tus.patch(place, 0, b"0123")
    assert tus.call("DELETE", place).status == 204
    assert tus.head(place).status == 404
    tus.patch(place, 4, b"x").refused(404, "not_found")
    tus.call("DELETE", place).refused(404, "not_found")
    done = tus.place(0)
    tus.call("DELETE", done).refused(409, "upload_complete")


def test_the_method_may_stand_in_a_field(tus):
    place = tus.place(4)
    override = lambda method, body=None, **more: tus.call("POST", place, body, {"X-HTTP-Method-Override": method, **more})  # noqa: E731
    assert override("PATCH", b"01", **{"Upload-Offset": "0"}).headers["Upload-Offset"] == "2"
    assert override("HEAD").headers["Upload-Offset"] == "2"
    for wrong in ("GET", "patch", ""):
        override(wrong).refused(400, "validation_failed", "header.X-HTTP-Method-Override")
    tus.call("POST", place).refused(400, "validation_failed", "header.X-HTTP-Method-Override")
    gone = tus.call("POST", place, None, {"X-HTTP-Method-Override": "DELETE"}, check=False)  # there is nothing left to expire
    assert (gone.status, gone.headers["Tus-Resumable"]) == (204, "1.0.0")


def test_partial_uploads_become_one_file(tus):
    data = some_bytes(3 * MIB)
    places = [tus.place(MIB, Upload_Concat="partial") for _ in range(3)]
    for n, place in enumerate(places):
        assert tus.patch(place, 0, data[n * MIB : (n + 1) * MIB]).status == 204
        assert tus.head(place).headers["Upload-Concat"] == "partial"
    final = "final;" + " ".join(places)
    for wrong in ("final;", "final;/nothing", "final;" + places[0] + " /x", "partial;" + places[0]):
        tus.create(Upload_Concat=wrong).refused(400, "validation_failed", "header.Upload-Concat")
    tus.create(3 * MIB, Upload_Concat=final).refused(400, "validation_failed", "header.Upload-Length")
    half = tus.place(10, Upload_Concat="partial")
    tus.create(Upload_Concat=f"final;{half}").refused(409, "upload_incomplete")
    whole = tus.place(None, Upload_Concat=final, Upload_Metadata=metadata(filename="whole"))
    assert (file_of(tus, whole)["sha256"], file_of(tus, whole)["filename"]) == (sha256(data), "whole")
    state = tus.head(whole)
    assert (state.headers["Upload-Concat"], state.headers["Upload-Length"]) == (final, str(3 * MIB))
    tus.patch(whole, 3 * MIB, b"x").refused(403, "forbidden")
    assert tus.head(places[0]).status == 404, "it became part of the whole"


def test_an_upload_is_its_users_alone(storage, tus):
    place, partial = tus.place(10), tus.place(0, Upload_Concat="partial")
    for other in (storage.user("ben"), storage.user("root", "admin"), storage.other().user("ada"), storage.other().service("ada")):
        theirs = Tus(other)
        assert theirs.head(place).status == 404
        theirs.patch(place, 0, b"x").refused(404, "not_found")
        theirs.call("DELETE", place).refused(404, "not_found")
        theirs.create(Upload_Concat=f"final;{partial}").refused(400, "validation_failed", "header.Upload-Concat")
    assert Tus(storage.user("ada", ttl=60)).patch(place, 0, b"0123456789").status == 204
    chunks = ChunkedUpload(tus.client, b"x")
    assert tus.head(tus.client.target("tus", chunks.id)).status == 404


def begin_patch(tus, place, offset, length, data):
    connection = RawConnection(tus.client.origin)
    connection.send((f"PATCH {place} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {tus.client.token}\r\nTus-Resumable: 1.0.0\r\n"
                     f"Upload-Offset: {offset}\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: {length}\r\n"
                     "\r\n").encode() + data)  # fmt: skip
    upload = place.rsplit("/", 1)[1]
    until("it has come", lambda: tus.client.get("upload", upload, "progress").json["received"] == offset + len(data))
    return connection


def hears_that_it_was_taken_over(connection, more):
    connection.send(more)  # a gateway looks for an answer when the next bytes come
    answer = connection.read_answer()
    return answer.status == 409 and b"upload_taken_over" in answer.body


def test_a_dead_connection_holds_nobody_up(tus):
    """The server does not know that it is dead: the bytes just stop. No 423, and what came counts."""
    data = some_bytes(MIB)
    place = tus.place(MIB)
    with begin_patch(tus, place, 0, MIB, data[:200_000]) as dead:
        state = tus.head(place)
        assert (state.status, state.headers["Upload-Offset"]) == (200, "200000")
        assert hears_that_it_was_taken_over(dead, data[200_000:201_000])
    with begin_patch(tus, place, 200_000, MIB - 200_000, data[200_000:300_000]) as dead:
        assert tus.patch(place, 300_000, data[300_000:]).status == 204
        assert hears_that_it_was_taken_over(dead, data[300_000:301_000])
    assert file_of(tus, place)["sha256"] == sha256(data)


def test_a_lost_connection_keeps_what_came(tus):
    data = some_bytes(MIB)
    place = tus.place(MIB)
    with begin_patch(tus, place, 0, MIB, data[:200_000]):
        pass
    assert tus.head(place).headers["Upload-Offset"] == "200000"
    assert tus.patch(place, 200_000, data[200_000:]).status == 204
    assert file_of(tus, place)["sha256"] == sha256(data)
