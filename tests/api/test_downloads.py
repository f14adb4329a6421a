"""Downloads: ranges, validators, headers; in place and as an attachment; HEAD; by token and by signed address."""

import base64
import email
import email.policy
import hashlib
import http.client
import threading
import urllib.parse

import pytest

from harness.files import sha256, some_bytes, upload

KIB, MIB = 1024, 1024 * 1024
PNG = bytes.fromhex("89504e470d0a1a0a0000000d494844520000000100000001080600000" + "01f15c489")
DIGEST = "sha-256=:{}:"


@pytest.fixture
def ada(storage):
    return storage.user("ada")


@pytest.fixture
def put(ada):
    """put(bytes, name) is the file that ada stored."""

    def put(data, name="data.bin"):
        return upload(ada, data, name, expect=201).json

    return put


def fetch(client, file, how="download", method="GET", expect=None, headers=(), **query):
    return client.call(method, client.target(how, file["id"], **query), headers=dict(headers), expect=expect)


def ranged(client, file, value, expect=None, **more):
    return fetch(client, file, headers={"Range": value, **{k.replace("_", "-"): v for k, v in more.items()}}, expect=expect)


@pytest.mark.smoke
@pytest.mark.parametrize("size", [0, 1, 4 * KIB, 16 * KIB, 16 * KIB + 1, 300 * KIB, 3 * MIB + 17])
def test_what_was_uploaded_comes_back(ada, put, size):
    data = some_bytes(size)
    file = put(data)
    answer = fetch(ada, file, expect=200)
    assert answer.body == data
    assert int(answer.headers["Content-Length"]) == size
    assert answer.headers["ETag"] == f'"{sha256(data)}"'
    assert answer.headers["Repr-Digest"] == DIGEST.format(base64.b64encode(hashlib.sha256(data).digest()).decode())
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    head = fetch(ada, file, method="HEAD", expect=200)
    assert head.body == b"" and int(head.headers["Content-Length"]) == size
    same = ("Content-Type", "ETag", "Last-Modified", "Content-Disposition", "Repr-Digest", "Accept-Ranges")
    assert [head.headers[name] for name in same] == [answer.headers[name] for name in same]


@pytest.mark.parametrize(
    ("value", "first", "end"),
    [("bytes=0-0", 0, 1), ("bytes=0-499", 0, 500), ("bytes=500-", 500, None), ("bytes=-500", -500, None), ("bytes=-9999999", 0, None),
     ("bytes=199999-", 199_999, None), ("bytes=100-9999999", 100, None), ("bytes=70000-170000", 70_000, 170_001), ("BYTES=1-2", 1, 3),
     ("bytes=5-6,300000-400000", 5, 7), ("bytes= 5-6", 5, 7)],
)  # fmt: skip
def test_a_range_is_that_part(ada, put, value, first, end):
    data = some_bytes(200_000)
    answer = ranged(ada, put(data), value, expect=206)
    assert answer.body == data[first:end]
    begin = first % len(data)
    assert answer.headers["Content-Range"] == f"bytes {begin}-{begin + len(answer.body) - 1}/200000"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert answer.headers["ETag"] == f'"{sha256(data)}"'


@pytest.mark.parametrize(
    "value",
    ["bytes", "bytes=", "bytes=x-", "bytes=9-3", "bytes=-", "lines=1-2", "bytes=0-9;x", "bytes=1--2", "bytes=" + ",".join(["0-0"] * 9),
     "bytes=0-99999,0-99999,0-99999"],
)  # fmt: skip
def test_a_range_that_is_none_is_passed_over(ada, put, value):
    data = some_bytes(100_000)
    assert ranged(ada, put(data), value, expect=200).body == data


@pytest.mark.parametrize("value", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=5000-6000,7000-"])
def test_a_range_behind_the_end_is_416(ada, put, value):
    answer = ranged(ada, put(some_bytes(1000)), value).refused(416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == "bytes */1000"


@pytest.mark.parametrize("value", ["bytes=0-9,20-29", "bytes=90000-,0-0,-5", "bytes=0-49999, 60000-99999"])
def test_several_ranges_are_parts_that_a_mime_parser_reads(ada, put, value):
    data = some_bytes(100_000)
    answer = ranged(ada, put(data, "film.mp4"), value, expect=206)
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + answer.body, policy=email.policy.HTTP)
    assert message.get_content_type() == "multipart/byteranges" and not message.defects
    # The parser is for text: what it finds is compared by length, and the bytes where the heads say they are.
    parts, at = message.get_payload(), 0
    asked = [piece.strip() for piece in value.removeprefix("bytes=").split(",")]
    assert len(parts) == len(asked)
    for part in parts:
        place, _, whole = part["Content-Range"].removeprefix("bytes ").partition("/")
        first, last = map(int, place.split("-"))
        assert whole == "100000"
        at = answer.body.index(b"\r\n\r\n", at) + 4
        assert answer.body[at : at + last - first + 1] == data[first : last + 1]
        at += last - first + 1
        assert answer.body[at : at + 4] == b"\r\n--"
    assert answer.body.endswith(b"--\r\n")


def test_if_range_lets_a_range_count_only_for_that_very_file(ada, put):
    data = some_bytes(1000)
    file = put(data)
    known = fetch(ada, file).headers
    for same in (known["ETag"], known["Last-Modified"]):
        assert ranged(ada, file, "bytes=5-9", 206, If_Range=same).body == data[5:10]
    for other in ('"other"', "W/" + known["ETag"], "Sun, 06 Nov 1994 08:49:37 GMT", "never"):
        assert ranged(ada, file, "bytes=5-9", 200, If_Range=other).body == data
        assert ranged(ada, file, "bytes=5000-", 200, If_Range=other).body == data


def test_whoever_has_it_is_told_so(ada, put):
    file = put(some_bytes(1000))
    known = fetch(ada, file).headers
    for method in ("GET", "HEAD"):
        for headers in ({"If-None-Match": known["ETag"]}, {"If-None-Match": f'"a", W/{known["ETag"]}'}, {"If-None-Match": "*"},
                        {"If-Modified-Since": known["Last-Modified"]}, {"If-None-Match": known["ETag"], "Range": "bytes=0-1"}):  # fmt: skip
            answer = fetch(ada, file, method=method, headers=headers, expect=304)
            assert answer.body == b"" and answer.headers["ETag"] == known["ETag"]
        for headers in ({"If-None-Match": '"a"'}, {"If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT"}, {"If-Modified-Since": "x"},
                        {"If-None-Match": '"a"', "If-Modified-Since": known["Last-Modified"]}):  # fmt: skip
            fetch(ada, file, method=method, headers=headers, expect=200)


def test_only_what_no_browser_runs_is_shown_in_place(ada, put):
    page = b"<!doctype html><html><script>alert(1)</script></html>"
    drawing = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"></svg>'
    for data, name, way in ((PNG, "a.png", "inline"), (b"some plain text\n", "a.txt", "inline"), (page, "a.html", "attachment"),
                            (drawing, "a.svg", "attachment"), (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "a.pdf", "attachment"),
                            (page, "innocent.png", "attachment")):  # fmt: skip
        file = put(data, name)
        for answer in (fetch(ada, file, "stream"), fetch(ada, file, disposition="inline")):
            assert answer.headers["Content-Disposition"] == f'{way}; filename="{name}"', file
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none';")
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Content-Type"].split(";")[0] == file["content_type"]
        assert fetch(ada, file).headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert fetch(ada, file, disposition="attachment").headers["Content-Disposition"].startswith("attachment;")
        fetch(ada, file, disposition="form-data").refused(400, "validation_failed", "query.disposition")


@pytest.mark.parametrize("name", ["Grüße.txt", "猫 🐈.txt", 'a"b\\c.txt', "a;b=c, d%41.txt"])
def test_a_name_survives_the_way(ada, put, name):
    file = put(b"x", name)
    field = fetch(ada, file).headers["Content-Disposition"]
    extended = [piece for piece in field.split("; ") if piece.startswith("filename*=UTF-8''")]
    told = urllib.parse.unquote(extended[0].removeprefix("filename*=UTF-8''")) if extended else field.split('"')[1]
    assert told == file["filename"]
    assert field.isascii()


def test_a_deleted_file_is_gone_at_once(ada, put):
    file = put(some_bytes(100))
    tag = fetch(ada, file).headers["ETag"]
    ada.delete("files", file["id"], expect=204)
    for how in ("download", "stream"):
        fetch(ada, file, how).refused(404, "not_found")
        fetch(ada, file, how, headers={"If-None-Match": tag}).refused(404)
        fetch(ada, file, how, headers={"Range": "bytes=0-1"}).refused(404)
        assert fetch(ada, file, how, method="HEAD", expect=404).body == b""


@pytest.mark.parametrize("id", ["nothing", "%2e", "0198c5a2-7f00-7000-8000-000000000001", "0198C5A2-7F00-7000-8000-000000000001"])
def test_what_is_no_file_is_404(ada, id):
    for how in ("download", "stream"):
        ada.get(how, id).refused(404, "not_found")


def test_without_a_token_nothing_comes(storage, put):
    file = put(b"x")
    for how in ("download", "stream"):
        fetch(storage.nobody(), file, how).refused(401, "unauthorized")
        fetch(storage.nobody("nonsense"), file, how).refused(401, "unauthorized")


def test_many_read_one_file_at_once(ada, put):
    data = some_bytes(2 * MIB)
    file, faults = put(data), []

    def read(first):
        if ranged(ada, file, f"bytes={first}-").body != data[first:]:
            faults.append(first)

    threads = [threading.Thread(target=read, args=(n * 100_000,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_a_download_goes_on_though_its_file_is_deleted_meanwhile(ada, put):
    data = some_bytes(8 * MIB)
    file = put(data)
    host, port = ada.origin
    connection = http.client.HTTPConnection(host, port, timeout=30)
    connection.request("GET", ada.target("download", file["id"]), headers={"Authorization": f"Bearer {ada.token}"})
    answer = connection.getresponse()
    begin = answer.read(1000)
    ada.delete("files", file["id"], expect=204)
    assert begin + answer.read() == data
    connection.close()


def test_an_address_that_is_signed_downloads(ada, storage, put):
    data = some_bytes(50_000)
    file = put(data, "a.bin")
    address = ada.get("download", file["id"], "signed", expect=200).json["url"]
    target = ada.prefix + address[address.index("/download/") :]
    nobody = storage.nobody()
    assert nobody.call("GET", target, expect=200).body == data
    assert nobody.call("GET", target, headers={"Range": "bytes=5-9"}, expect=206).body == data[5:10]
    assert nobody.call("HEAD", target, expect=200).headers["Content-Length"] == "50000"
    assert nobody.call("GET", target, headers={"If-None-Match": f'"{sha256(data)}"'}, expect=304).body == b""
    assert nobody.call("GET", target).headers["Referrer-Policy"] == "no-referrer"
    ada.delete("files", file["id"], expect=204)
    nobody.call("GET", target).refused(404, "not_found")
