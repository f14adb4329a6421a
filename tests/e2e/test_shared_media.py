"""Two instances of media on one MongoDB and one bucket: what one takes the other has, and what one deletes is gone at both."""

import json
import os
import secrets

import pytest

from harness.files import MIB, ChunkedUpload, download, some_bytes, upload
from harness.raw import RawConnection
from harness.s3 import ENDPOINT, Bucket
from harness.server import run_cli
from harness.waiting import until

MONGODB = os.environ.get("PARLEY_TEST_MONGODB_URI", "")
pytestmark = [pytest.mark.live,
              pytest.mark.skipif(not ENDPOINT or not MONGODB, reason="no PARLEY_TEST_S3_ENDPOINT, or no …MONGODB_URI")]  # fmt: skip


@pytest.fixture
def bucket():
    bucket = Bucket()
    yield bucket
    bucket.remove()


@pytest.fixture
def servers(bucket, start_server):
    settings = bucket.settings() | {"MONGODB_URI": MONGODB, "MONGODB_DATABASE": f"parley_test_{secrets.token_hex(6)}",
                                    "SIGNING_KEYS": f"k:{secrets.token_hex(20)}", "CHUNK_SIZE_MB": 1,
                                    "QUOTA_PER_USER_MB": 20}  # fmt: skip
    return [start_server(["media"], **settings) for _ in range(2)]


@pytest.fixture
def both(servers, storage_at):
    """The same user at two instances."""
    return [storage_at(server, name="acme").user("ada") for server in servers]


def test_what_one_instance_stores_the_other_reads_lists_and_deletes(both):
    one, other = both
    data = some_bytes(100_000)
    file = upload(one, data, "a.bin", expect=201).json
    assert download(other, file["id"]) == data
    assert other.get("files", expect=200).json["items"] == [file]
    other.delete("files", file["id"], expect=204)
    one.get("files", file["id"], expect=404)
    assert one.get("usage", expect=200).json == other.get("usage", expect=200).json


def test_an_upload_that_one_begins_the_other_goes_on_with(both):
    one, other = both
    data = some_bytes(3 * MIB + 5)
    chunks = ChunkedUpload(one, data)
    for index in range(chunks.count):
        chunks.put(index, client=both[index % 2], expect=200)
    done = until("it is complete", lambda: (a := chunks.complete(client=other)).status in (200, 201) and a, 60)
    assert download(one, done.json["id"]) == data


def test_both_count_against_one_quota(both):
    stored = [upload(both[n % 2], some_bytes(6 * MIB, n), "a.bin").status for n in range(4)]
    assert stored == [201, 201, 201, 507]


def test_what_was_stored_is_there_after_both_are_killed(both, servers):
    one, other = both
    data = some_bytes(300_000)
    file = upload(one, data, "a.bin", expect=201).json
    begun = ChunkedUpload(other, some_bytes(2 * MIB))
    begun.put(0, expect=200)
    for server in servers:
        server.kill()
        server.start()
    assert download(other, file["id"]) == data
    usage = one.get("usage", expect=200).json["user"]
    assert (usage["stored"], usage["reserved"]) == (len(data), 2 * MIB)
    begun.put(1, client=one, expect=200)
    done = until("it is complete", lambda: (a := begun.complete(client=one)).status in (200, 201) and a, 60)
    assert download(other, done.json["id"]) == begun.data


def test_a_start_does_not_forget_what_another_instance_is_bringing(both, servers):
    one, _ = both
    data = some_bytes(4 * MIB)
    head = (f"POST {one.target('upload', filename='a.bin')} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {one.token}\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Length: {len(data)}\r\n\r\n")  # fmt: skip
    with RawConnection(one.origin, timeout=60) as connection:
        connection.send(head.encode() + data[:MIB])
        until("its room is taken", lambda: one.get("usage", expect=200).json["user"]["reserved"] >= MIB, 20)
        servers[1].stop()
        servers[1].start()
        connection.send(data[MIB:])
        answer = connection.read_answer()
    assert answer.status == 201, answer
    assert download(one, json.loads(answer.body)["id"]) == data


def test_health_names_mongodb_and_check_holds_it_against_the_bucket(both, servers, bucket):
    one, _ = both
    file = upload(one, some_bytes(50_000), "a.bin", expect=201).json
    assert servers[0].health("media")["dependencies"]["mongodb"]["status"] == "ok"
    command = ("check", "--data", servers[0].data)
    done = run_cli(*command, **servers[0].settings)
    assert done.returncode == 0 and b"in MongoDB" in done.stdout and b"1 objects, 50000 bytes" in done.stdout, done
    (key,) = [key for key in bucket.keys("files/") if file["id"] in key]
    bucket.call("DELETE", key)
    done = run_cli(*command, "--repair", **servers[0].settings)
    assert done.returncode == 1 and f"file {file['id']}: its object is missing".encode() in done.stdout, done
    refused = run_cli("backup", "--data", servers[0].data, servers[0].data / "copy", **servers[0].settings)
    assert refused.returncode == 1 and b"mongodump" in refused.stderr, refused


def test_a_folder_with_files_that_mongodb_does_not_know_is_not_served(start_server, storage_at):
    server = start_server(["media"])
    user = storage_at(server, name="acme").user("ada")
    data = some_bytes(1000)
    file = upload(user, data, "a.bin", expect=201).json
    server.stop()
    elsewhere = {"MONGODB_URI": MONGODB, "MONGODB_DATABASE": f"parley_test_{secrets.token_hex(6)}"}
    done = run_cli("serve", "--role", "media", "--data", server.data, **server.settings, **elsewhere)
    assert done.returncode == 1 and b"holds 1 files of which MongoDB" in done.stderr, done
    server.start()
    assert download(user, file["id"]) == data


def test_all_roles_in_one_process_with_files_in_its_folder(start_server, storage_at):
    server = start_server(MONGODB_URI=MONGODB, MONGODB_DATABASE=f"parley_test_{secrets.token_hex(6)}")
    user = storage_at(server, name="acme").user("ada")
    data = some_bytes(200_000)
    kept, gone = (upload(user, data, name, expect=201).json for name in ("kept.bin", "gone.bin"))
    user.delete("files", gone["id"], expect=204)
    server.stop()
    server.start()
    assert download(user, kept["id"]) == data
    assert user.get("files", expect=200).json["items"] == [kept]
    user.get("files", gone["id"], expect=404)
    assert user.get("usage", expect=200).json["user"]["files"] == 1
    assert server.health("media")["dependencies"]["mongodb"]["status"] == "ok"
    server.stop()
    checked = run_cli("check", "--data", server.data, "--deep", **server.settings)
    assert b"problem: " not in checked.stdout and b"1 objects" not in checked.stdout, checked
    assert checked.returncode == 0 and b"2 objects, 400000 bytes, all of them read" in checked.stdout, checked
