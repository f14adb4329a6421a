"""Files whose bytes are in S3: the same answers as from a folder, and what check, backup and a kill make of them."""

import pytest

from harness.files import MIB, ChunkedUpload, Tus, download, sha256, some_bytes, upload
from harness.pictures import png
from harness.s3 import ENDPOINT, SECRET_KEY, Bucket
from harness.server import CRASHES, run_cli
from harness.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.skipif(not ENDPOINT, reason="PARLEY_TEST_S3_ENDPOINT is not set")]


@pytest.fixture
def bucket():
    bucket = Bucket()
    yield bucket
    bucket.remove()


@pytest.fixture
def server(bucket, start_server):
    return start_server(CHUNK_SIZE_MB=1, **bucket.settings())


@pytest.fixture
def ada(server, storage_at):
    return storage_at(server, name="acme").user("ada")


def sealed(bucket):
    return [key for key in bucket.keys("files/") if "." not in key]


def check(server, bucket, *arguments):
    done = run_cli("check", "--data", server.data, *arguments, SEARCH_PORT=server.ports["search"], **bucket.settings())
    assert b"Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout.decode() + done.stderr.decode()


@pytest.mark.parametrize("size", [0, 1, 100_000, 12 * MIB + 7])
def test_what_was_uploaded_whole_is_downloaded_and_is_one_object(server, bucket, ada, size):
    data = some_bytes(size)
    file = upload(ada, data, "a.bin", expect=201).json
    assert file["sha256"] == sha256(data)
    assert download(ada, file["id"]) == data
    if data:
        assert ada.get("download", file["id"], headers={"Range": "bytes=-5"}, expect=206).body == data[-5:]
    assert sealed(bucket) == [f"files/{file['id'][-2:]}/{file['id']}"]
    until("its pieces are gone", lambda: not bucket.keys("uploads/"), 10)
    assert not (server.data / "media" / "objects").exists()
    assert server.health("media")["dependencies"]["s3"]["status"] == "ok"


def test_chunks_in_any_order_and_tus_become_objects(bucket, ada):
    data = some_bytes(6 * MIB + 11)
    chunks = ChunkedUpload(ada, data)
    for index in reversed(range(chunks.count)):
        chunks.put(index, expect=200)
    done = until("it is complete", lambda: (a := chunks.complete()).status in (200, 201) and a, 60)
    assert download(ada, done.json["id"]) == data

    tus = Tus(ada)
    place = tus.place(len(data))
    assert tus.patch(place, 0, data[: 5 * MIB]).status == 204
    assert tus.patch(place, 5 * MIB, data[5 * MIB :]).status == 204
    identity = place.rsplit("/", 1)[1]
    done = until("it is a file", lambda: (a := ada.post("upload", "complete", identity)).status in (200, 201) and a, 60)
    assert download(ada, done.json["id"]) == data
    assert len(sealed(bucket)) == 2


def test_pictures_have_their_thumbnails_in_the_bucket(bucket, ada):
    file = upload(ada, png(600, 400), "a.png", expect=201).json
    shown = until("thumbnails", lambda: (f := ada.get("files", file["id"]).json)["thumbnails"] and f, 30)
    assert shown["thumbnails"]
    for size in shown["thumbnails"]:
        assert ada.get("files", file["id"], "thumbnails", size, expect=200).body[:4] == b"RIFF"
        assert f"files/{file['id'][-2:]}/{file['id']}.{size}" in bucket.keys("files/")


def test_after_a_kill_what_was_answered_is_there_and_what_was_begun_goes_on(server, bucket, ada):
    data = some_bytes(5 * MIB + 3)
    file = upload(ada, data, "whole.bin", expect=201).json
    chunks = ChunkedUpload(ada, data)
    chunks.put(2, expect=200)
    chunks.put(0, expect=200)
    server.kill()
    server.start()
    assert download(ada, file["id"]) == data
    for index in (1, 3, 4, 5):
        chunks.put(index, expect=200)
    done = until("it is complete", lambda: (a := chunks.complete()).status in (200, 201) and a, 60)
    assert download(ada, done.json["id"]) == data
    assert check(server, bucket, "--deep")[0] == 0


def test_check_finds_what_is_lost_and_what_belongs_to_nobody(server, bucket, ada):
    lost, kept = (upload(ada, some_bytes(1000, n), "x", expect=201).json for n in range(2))
    bucket.call("DELETE", f"files/{lost['id'][-2:]}/{lost['id']}")
    orphan = "0192f3a1-7d20-7c21-9a00-0000000000f1"
    bucket.call("PUT", f"files/f1/{orphan}", b"nobody's")
    code, text = check(server, bucket)
    assert code == 1 and f"file {lost['id']}: its object is missing (1000 bytes)" in text and kept["id"] not in text, text
    server.stop()
    code, text = check(server, bucket, "--repair")
    assert "1 objects that belonged to nobody are removed" in text, text
    assert sealed(bucket) == [f"files/{kept['id'][-2:]}/{kept['id']}"]


def test_a_backup_has_the_files_in_a_folder(server, bucket, ada, tmp_path, start_server, storage_at):
    data = some_bytes(2 * MIB)
    file = upload(ada, data, "a.bin", expect=201).json
    done = run_cli("backup", "--data", server.data, tmp_path / "copy", **bucket.settings())
    assert done.returncode == 0, done.stderr
    done = run_cli("check", "--data", tmp_path / "copy", "--deep")
    assert done.returncode == 0, done.stdout
    copied = tmp_path / "copy" / "media" / "objects" / file["id"][-2:] / file["id"]
    assert copied.read_bytes() == data


def test_deleted_files_leave_the_bucket(bucket, start_server, storage_at):
    server = start_server(DELETED_FILES_KEPT_HOURS=0, **bucket.settings())
    ada = storage_at(server).user("ada")
    file = upload(ada, b"some text", "a.txt", expect=201).json
    ada.delete("files", file["id"], expect=204)
    ada.get("download", file["id"], expect=404)
    server.stop()
    server.start()
    until("the object is gone", lambda: not bucket.keys("files/"), 90)


def test_without_s3_files_are_unavailable_and_nothing_tells_the_secret(bucket, start_server, storage_at):
    settings = bucket.settings() | {"S3_ENDPOINT": "http://127.0.0.1:9", "S3_TIMEOUT_MS": 500}
    server = start_server(**settings)
    assert "S3 (S3_ENDPOINT) is missing" in server.log_text() and "Connection refused" in server.log_text()
    ada = storage_at(server).user("ada")
    refused = upload(ada, b"some text", "a.txt")
    assert refused.status == 503 and "Retry-After" in refused.headers, refused
    health = server.health("media")
    assert health["dependencies"]["s3"]["status"] == "down", health
    assert SECRET_KEY not in server.log_text()


def test_media_alone_does_not_begin_without_s3_and_says_why(bucket, start_server):
    server = start_server(["media"], launch=False, **bucket.settings() | {"S3_BUCKET": "there-is-none", "ENGINE_WAIT_SECONDS": 1})
    server.launch()
    assert server.wait() == 1
    assert "S3 (S3_ENDPOINT) is missing" in server.log_text() and "there is no S3_BUCKET" in server.log_text()
    assert not CRASHES.search(server.log_path.read_bytes())
