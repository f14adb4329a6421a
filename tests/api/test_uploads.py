"""POST /upload: files that come whole, as a body or in a form."""

import concurrent.futures
import urllib.parse

import pytest

from harness.files import (KIB, MIB, NAMES, base64_of, chunked, download, form, is_safe_name, sha256, some_bytes, upload,
                           upload_form)  # fmt: skip
from harness.raw import RawConnection
from harness.waiting import until

SIZES = [0, 1, 64 * KIB, 10 * 1000 * 1000]


@pytest.fixture
def ada(storage):
    return storage.user("ada")


@pytest.mark.smoke
@pytest.mark.parametrize("size", SIZES)
def test_a_body_becomes_a_file(ada, size):
    data = some_bytes(size)
    answer = upload(ada, data, "a.bin", expect=201)
    file = answer.json
    assert (file["filename"], file["size"], file["sha256"], file["owner_id"]) == ("a.bin", size, sha256(data), "ada")
    assert answer.headers["Location"] == f"files/{file['id']}"
    assert file["image"] is None and file["thumbnails"] == []
    assert download(ada, file["id"]) == data


@pytest.mark.parametrize("size", SIZES)
def test_a_form_becomes_a_file(ada, size):
    data = some_bytes(size)
    file = upload_form(ada, ("comment", None, b"hi"), ("file", "a.bin", data), ("x", None, b""), expect=201).json
    assert (file["size"], file["sha256"]) == (size, sha256(data))
    assert download(ada, file["id"]) == data


@pytest.mark.parametrize("size", SIZES)
def test_a_body_of_unknown_length_becomes_a_file(ada, size):
    data = some_bytes(size)
    pieces = [data[at : at + 100_000] for at in range(0, size, 100_000)]
    answer = chunked(ada, pieces, ada.target("upload", filename="a.bin"))
    assert answer.status == 201 and answer.json["sha256"] == sha256(data), answer


def test_several_files_of_a_form_are_answered_together(ada):
    data = [some_bytes(size) for size in (0, 10, 300_000)]
    answer = upload_form(ada, *[("file", f"{n}.bin", one) for n, one in enumerate(data)], expect=201)
    assert [(f["filename"], f["sha256"]) for f in answer.json["files"]] == [(f"{n}.bin", sha256(one)) for n, one in enumerate(data)]
    assert len({f["id"] for f in answer.json["files"]}) == 3


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_names_are_made_safe_however_they_come(ada, name):
    by_query = upload(ada, b"x", name, expect=201).json["filename"]
    encoded = urllib.parse.quote(name, safe="")
    by_field = upload(ada, b"x", headers={"Content-Disposition": f"attachment; filename*=UTF-8''{encoded}"}, expect=201).json
    by_form = upload_form(ada, ("file", name, b"x"), expect=201).json["filename"]
    begun = ada.post("upload", "chunk", body={"filename": name, "size": 0}, expect=201).json["upload_id"]
    by_json = ada.post("upload", "complete", begun, expect=201).json["filename"]
    assert is_safe_name(by_query)
    assert by_field["filename"] == by_query == by_json
    assert is_safe_name(by_form)
    if NAMES[name] is not None:
        assert by_query == by_form == NAMES[name]


def test_the_type_is_what_the_bytes_say(ada):
    png = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
    assert upload(ada, png, headers={"Content-Type": "text/html"}, expect=201).json["content_type"] == "image/png"
    assert upload(ada, b"<html><script>x</script></html>", headers={"Content-Type": "image/png"}, expect=201).json["content_type"] == "text/html"
    assert upload(ada, b"a,b\n1,2\n", headers={"Content-Type": "text/csv"}, expect=201).json["content_type"] == "text/csv"
    for odd in ("x", "", "a/b; c=d", "text/plain; charset=\xe4", "/" * 3000):
        assert upload(ada, b"plain", headers={"Content-Type": odd}, expect=201).json["content_type"] == "text/plain"


DIGESTS = {
    "Content-MD5": lambda data: base64_of("md5", data),
    "Digest": lambda data: "unknown=abc, SHA-256=" + base64_of("sha256", data),
    "Repr-Digest": lambda data: f"sha-512=:{base64_of('sha512', data)}:, sha-256=:{base64_of('sha256', data)}:",
    "Content-Digest": lambda data: f"sha-256=:{base64_of('sha256', data)}:",
    "X-Checksum-SHA256": sha256,
}


@pytest.mark.parametrize("name", DIGESTS)
def test_checksums_of_a_body_are_held_against_it(ada, name):
    data = some_bytes(200_000)
    upload(ada, data, headers={name: DIGESTS[name](data)}, expect=201)
    upload(ada, data, headers={name: DIGESTS[name](data[:-1])}).refused(400, "checksum_mismatch")
    for wrong in ("sha-256=!", "x", "AAAA", "sha-256=:AAAA:", "0" * 63):
        got = upload(ada, data, headers={name: wrong})
        if name in ("Content-MD5", "X-Checksum-SHA256") or wrong.startswith("sha-256"):
            got.refused(400, "validation_failed", f"header.{name}")
        else:
            assert got.status == 201, "an algorithm that is not known is passed over"


@pytest.mark.parametrize("name", DIGESTS)
def test_checksums_of_a_part_are_held_against_it(ada, name):
    data = some_bytes(200_000)
    upload_form(ada, ("file", "a", data, {name: DIGESTS[name](data)}), ("file", "b", b"x"), expect=201)
    wrong = DIGESTS[name](b"other")
    upload_form(ada, ("file", "a", b"x"), ("file", "b", data, {name: wrong})).refused(400, "checksum_mismatch")


def test_a_forms_only_file_may_have_its_checksum_in_the_request(ada):
    data = some_bytes(100)
    upload_form(ada, ("file", "a", data), headers={"X-Checksum-SHA256": sha256(data)}, expect=201)
    upload_form(ada, ("file", "a", data), headers={"X-Checksum-SHA256": sha256(b"")}).refused(400, "checksum_mismatch")
    upload_form(ada, ("file", "a", data), ("file", "b", data), headers={"X-Checksum-SHA256": sha256(data)}).refused(
        400, "validation_failed", "header.X-Checksum-SHA256")  # fmt: skip


def test_forms_that_are_none_are_refused(ada):
    post = lambda body, kind: ada.call("POST", ada.target("upload"), body, {"Content-Type": kind})  # noqa: E731
    body, headers = form(("file", "a", b"x"), boundary="B")
    good = headers["Content-Type"]
    assert post(body, good).status == 201
    for kind in ("multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "x" * 71,
                 "multipart/form-data; boundary=C", 'multipart/form-data; boundary="B\t"'):  # fmt: skip
        got = post(body, kind)
        assert (got.status, got.code) in ((400, "invalid_multipart"), (415, "unsupported_media_type")), (kind, got)
    for cut in (b"", b"--B", body[:-4], body[:20], body.replace(b"Content-Disposition", b"Content-Nothing"), b"x" * 100,
                body.replace(b"form-data", b"attachment"), body.replace(b"\r\n", b"\n")):  # fmt: skip
        assert post(cut, good).refused(400).code == "invalid_multipart", cut
    assert post(form(("file", None, b"x"), boundary="B")[0], good).refused(400).code == "invalid_multipart"
    assert post(form(("file", "", b""), boundary="B")[0], good).refused(400).code == "invalid_multipart"
    many = form(*[("file", f"{n}", b"x") for n in range(101)], boundary="B")[0]
    post(many, good).refused(413, "payload_too_large")
    long_head = form(("file", "a", b"x", {"X-Long": "x" * 9000}), boundary="B")[0]
    post(long_head, good).refused(413, "payload_too_large")


def test_wrong_parameters_are_named(ada):
    target = ada.target("upload")
    kind = {"Content-Type": "application/octet-stream"}
    for query, path in (("?name=a", "query.name"), ("?filename=", "query.filename"), ("?filename=a&filename=b", "query.filename"),
                        ("?filename=%ff", "query.filename"), ("?filename=%", "query.filename"),
                        ("?filename=" + "x" * 8193, "query.filename")):  # fmt: skip
        ada.call("POST", target + query, b"x", kind).refused(400, "validation_failed", path)
    ada.call("POST", target, b"x", kind | {"X-Checksum-SHA256": "xyz"}).refused(400, "validation_failed", "header.X-Checksum-SHA256")
    ada.call("POST", target, b"x", kind | {"Content-Encoding": "gzip"}).refused(415, "unsupported_media_type")
    ada.call("POST", target, b"x", kind | {"X-Parley-User": "ben"}).refused(403, "forbidden")


@pytest.fixture(scope="module")
def small(fleet):
    return fleet.small_media()


def test_what_is_too_large_is_refused_before_it_comes(small, storage_at):
    ada = storage_at(small).user("ada")
    for name in ("media", "gateway"):
        prefix = "/v1/media" if name == "gateway" else ""
        with RawConnection(small.origin(name)) as connection:
            connection.send((f"POST {prefix}/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n"
                             f"Content-Length: {3 * MIB + 1}\r\nExpect: 100-continue\r\n\r\n").encode())  # fmt: skip
            answer = connection.read_answer()
            assert answer.status == 413 and b"payload_too_large" in answer.body, answer
    upload(ada, bytes(3 * MIB), expect=201)
    upload(ada, bytes(3 * MIB + 1)).refused(413, "payload_too_large")
    ada.post("upload", "chunk", body={"filename": "a", "size": 3 * MIB + 1}).refused(413, "payload_too_large")


def test_what_becomes_too_large_is_refused_when_it_does(small, storage_at):
    ada = storage_at(small).user("ada")
    with RawConnection(small.origin("media")) as connection:
        connection.send((f"POST /upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n"
                         "Transfer-Encoding: chunked\r\n\r\n").encode())  # fmt: skip
        for _ in range(13):  # and no end of it
            connection.send(b"40000\r\n" + bytes(0x40000) + b"\r\n")
        answer = connection.read_answer()
        assert answer.status == 413 and b"payload_too_large" in answer.body, answer
    upload_form(ada, ("file", "a", b"x"), ("file", "b", bytes(3 * MIB + 1))).refused(413, "payload_too_large")
    assert ada.get("usage", expect=200).json["user"] == {"stored": 0, "reserved": 0, "files": 0, "limit": 10 * MIB}


def test_quotas_are_exact_however_many_come_at_once(small, storage_at):
    tenant = storage_at(small)
    users = [tenant.user(name) for name in ("ada", "ben")]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        def one(n):
            data = some_bytes(700_000, n)
            user = users[n % 2]
            return upload(user, data) if n % 3 else upload_form(user, ("file", "a", data))
        answers = list(pool.map(one, range(60)))  # fmt: skip
    assert {answer.status for answer in answers} == {201, 507}, answers
    for answer in answers:
        if answer.status == 507:
            answer.refused(507, "quota_exceeded")
    stored = [user.get("usage", expect=200).json for user in users]
    assert all(usage["user"]["reserved"] == 0 for usage in stored), stored
    assert stored[0]["tenant"]["stored"] == sum(answer.status == 201 for answer in answers) * 700_000 <= 16 * MIB
    assert all(usage["user"]["stored"] <= 10 * MIB for usage in stored)
    left = 16 * MIB - stored[0]["tenant"]["stored"]
    smaller = min(users, key=lambda user: user.get("usage").json["user"]["stored"])
    if left < 3 * MIB:
        upload(smaller, bytes(left + 1)).refused(507, "quota_exceeded")
        upload(smaller, bytes(left), expect=201)


def test_a_client_that_goes_away_leaves_nothing(small, storage_at):
    ada = storage_at(small).user("ada")
    body, headers = form(("file", "a", b"whole"), ("file", "b", bytes(100_000)))
    for fields, data in ((f"Content-Length: {2 * MIB}", bytes(MIB)),
                         (f"Content-Type: {headers['Content-Type']}\r\nContent-Length: {len(body)}", body[:-500])):  # fmt: skip
        with RawConnection(small.origin("gateway")) as connection:
            connection.send((f"POST /v1/media/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n"
                             f"{fields}\r\n\r\n").encode() + data)  # fmt: skip
            until("it has begun", lambda: ada.get("usage").json["user"]["reserved"] > 0)
        until("it is cleared away", lambda: ada.get("usage").json["user"] == {"stored": 0, "reserved": 0, "files": 0, "limit": 10 * MIB})
    assert small.health("gateway")["dependencies"]["media"]["breaker"] == "closed"
