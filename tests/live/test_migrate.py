"""`parley migrate` between a data folder and MongoDB with S3, there and back: everything equal by checksum, old cursors and keys good.

PARLEY_TEST_MONGODB_URI and PARLEY_TEST_S3_ENDPOINT name the engines; PARLEY_IRC_CORPUS a folder of logs, for the move of a
whole corpus with files.
"""

import os
import pathlib
import re
import secrets
import signal
import subprocess
import time

import pytest

from harness.client import Tenant, unique, words
from harness.contract import contract
from harness.files import MIB, ChunkedUpload, Tus, download, sha256, some_bytes, upload
from harness.s3 import ENDPOINT, Bucket
from harness.server import binary, environment, run_cli
from harness.waiting import until

MONGODB = os.environ.get("PARLEY_TEST_MONGODB_URI", "")
CORPUS = os.environ.get("PARLEY_IRC_CORPUS", "")
pytestmark = [pytest.mark.live,
              pytest.mark.skipif(not MONGODB or not ENDPOINT, reason="no PARLEY_TEST_MONGODB_URI, or no …S3_ENDPOINT")]  # fmt: skip


class Engines:
    """A database and a bucket of the test's own."""

    def __init__(self, bucket):
        self.settings = {"MONGODB_URI": MONGODB, "MONGODB_DATABASE": f"parley_move_{secrets.token_hex(5)}"} | bucket.settings()


@pytest.fixture
def engines():
    bucket = Bucket()
    yield Engines(bucket)
    bucket.remove()


def migrate(engines, data, *more, there=True, timeout=500):
    sides = ["--from", "embedded", "--to", "engines"] if there else ["--from", "engines", "--to", "embedded"]
    return run_cli("migrate", *sides, "--data", data, *more, timeout=timeout, **engines.settings)


def done(run, *needles):
    text = (run.stdout + run.stderr).decode()
    assert run.returncode == 0, text
    for needle in needles:
        assert needle in text, text
    return text


def refused(run, *needles):
    text = (run.stdout + run.stderr).decode()
    assert run.returncode == 1, text
    for needle in needles:
        assert needle in text, text
    return text


def checksums(text):
    """Of the source and of the target, as --cut-over and --verify print them."""
    found = re.findall(r"^(messaging|media): (source|target): .* checksum ([0-9a-f]{64})$", text, re.MULTILINE)
    assert [side for _, side, _ in found] == ["source", "target"] * (len(found) // 2) and found, text
    return [[checksum for _, name, checksum in found if name == side] for side in ("source", "target")]


class Talk:
    """What the tests write and look for again."""

    def __init__(self, server, issuer):
        self.issuer, self.name = issuer, unique("moving")
        ada, bob = self.users(server)
        self.room = ada.group(members=["bob"], name="The room")["id"]
        self.key = unique("key")
        self.first = ada.post("messages", body={"conversation_id": self.room, "content": words("original")},
                              headers={"Idempotency-Key": self.key}, expect=201)  # fmt: skip
        self.original = self.first.json["content"]
        first = self.first.json["id"]
        ada.put("messages", first, body={"content": words("better")}, expect=200)
        bob.post("messages", first, "reactions", body={"reaction": "👍"}, expect=201)
        self.reply = bob.send(self.room, reply_to=first)
        for _ in range(30):
            ada.send(self.room)
        gone = ada.send(self.room)
        ada.delete("messages", gone["id"], expect=204)
        bob.put("conversations", self.room, "read", body={"seq": 7}, expect=200)
        page = bob.get("conversations", self.room, "messages", limit=10, expect=200).json
        self.cursor = page["next_cursor"]
        self.add_files(server)

    def storage(self, server):
        tenant = Tenant(self.issuer, server.origin("gateway"), contract("gateway"), "/v1/media", self.name)
        return tenant.user("ada"), tenant.user("bob")

    def add_files(self, server):
        ada, _ = self.storage(server)
        self.data = some_bytes(3 * MIB + 17)
        self.file = upload(ada, self.data, "large.bin", expect=201).json["id"]
        self.users(server)[0].send(self.room, attachments=[self.file])
        gone = upload(ada, some_bytes(100), "gone.bin", expect=201).json["id"]
        ada.delete("files", gone, expect=204)
        self.chunks = ChunkedUpload(ada, some_bytes(2 * MIB + 9))
        self.chunks.put(1, expect=200)
        tus = Tus(ada)
        self.place, self.sent = tus.place(300_000), some_bytes(300_000)
        assert tus.patch(self.place, 0, self.sent[:123_456]).status == 204

    def files_seen(self, server):
        ada, bob = self.storage(server)
        assert download(bob, self.file) == self.data, "a member reads what a message attaches"
        return {"files": ada.get("files", expect=200).json, "usage": ada.get("usage", expect=200).json}

    def finish_uploads(self, server):
        ada, _ = self.storage(server)
        self.chunks.client = ada
        for index in range(self.chunks.count):
            if index != 1:
                self.chunks.put(index, expect=200)
        done = until("it is complete", lambda: (a := self.chunks.complete()).status in (200, 201) and a, 60)
        assert download(ada, done.json["id"]) == self.chunks.data
        tus = Tus(ada)
        assert tus.head(self.place).headers["Upload-Offset"] == "123456"
        assert tus.patch(self.place, 123_456, self.sent[123_456:]).status == 204
        file = self.place.rsplit("/", 1)[1]
        assert until("it is a file", lambda: (a := ada.get("download", file)).status == 200 and a, 60).body == self.sent

    def users(self, server):
        tenant = Tenant(self.issuer, server.origin("gateway"), contract("gateway"), "/v1", self.name)
        return tenant.user("ada"), tenant.user("bob")

    def after_cursor(self, server):
        _, bob = self.users(server)
        page = bob.get("conversations", self.room, "messages", limit=10, cursor=self.cursor, expect=200).json
        return [(item["id"], item["seq"], item["content"], item["created_at"], item["version"]) for item in page["items"]]

    def seen(self, server):
        """Everything that a member sees, in one piece."""
        _, bob = self.users(server)
        messages = bob.all("conversations", self.room, "messages")
        for message in messages:
            message.pop("position", None)
        first = self.first.json["id"]
        return {
            "messages": messages,
            "history": bob.get("messages", first, "history", expect=200).json,
            "replies": [m["id"] for m in bob.all("messages", first, "replies")],
            "members": bob.all("conversations", self.room, "members"),
            "rooms": bob.all("conversations"),
            "me": bob.get("users", "bob", expect=200).json,
        }

    def replayed(self, server):
        """The first message, sent again with its key."""
        ada, _ = self.users(server)
        return ada.post("messages", body={"conversation_id": self.room, "content": self.original},
                        headers={"Idempotency-Key": self.key}, expect=200).json["id"]  # fmt: skip


def test_there_and_back_with_everything_that_was_there(start_server, issuer, engines, tmp_path):
    common = {"CHUNK_SIZE_MB": 1, "SIGNING_KEYS": f"k:{secrets.token_hex(20)}"}
    old = start_server(**common)
    talk = Talk(old, issuer)
    done(migrate(engines, old.data), "messaging: copied: 1 conversations, 1 of them new or changed", "media: copied: 2 files")
    done(migrate(engines, old.data), "0 of them new or changed", "media: copied: 0 files")
    late, _ = talk.users(old)
    late.send(talk.room)
    seen, behind, files = talk.seen(old), talk.after_cursor(old), talk.files_seen(old)
    refused(migrate(engines, old.data, "--cut-over"), "is in use by another server")
    unfinished = run_cli("serve", "--data", tmp_path / "early", "--role", "messaging", ENGINE_WAIT_SECONDS=1,
                         JWT_PUBLIC_KEY=issuer.public_keys, MESSAGING_PORT=0, **engines.settings)  # fmt: skip
    refused(unfinished, "being filled by parley migrate")
    old.stop()

    there = done(migrate(engines, old.data, "--cut-over"), "1 of them new or changed", "Moved.")
    here, moved = checksums(there)
    assert here == moved
    done(migrate(engines, old.data, "--cut-over"), "nothing has changed since")
    refused(migrate(engines, old.data), "moved there already")
    assert "equal" in done(migrate(engines, old.data, "--verify"))

    new = start_server(**engines.settings, **common)
    assert talk.seen(new) == seen
    assert talk.files_seen(new) == files
    assert talk.after_cursor(new) == behind
    assert talk.replayed(new) == talk.first.json["id"]
    done(run_cli("check", "--data", new.data, SEARCH_PORT=new.ports["search"], timeout=300, **engines.settings), "ok")
    ada, bob = talk.users(new)
    more = ada.send(talk.room)
    assert more["seq"] == seen["messages"][0]["seq"] + 1
    answer = bob.get("search", "messages", q=more["content"].split()[0], min_position=more["position"], expect=200)
    assert [hit["id"] for hit in answer.json["items"]] == [more["id"]]
    old_words = next(m for m in seen["messages"] if m["seq"] == 9)["content"].split()[0]
    answer = bob.get("search", "messages", q=old_words, min_position=more["position"], expect=200)
    assert len(answer.json["items"]) == 1, "what was moved is in the index"
    seen, behind, files = talk.seen(new), talk.after_cursor(new), talk.files_seen(new)

    back = tmp_path / "back"
    done(migrate(engines, back, there=False))
    new.stop()
    here, moved = checksums(done(migrate(engines, back, "--cut-over", there=False), "Moved."))
    assert here == moved
    done(run_cli("check", "--data", back), "messaging: 1 conversations", "ok")
    third = start_server(launch=False, **common)
    third.data = back
    third.start()
    assert talk.seen(third) == seen
    assert talk.after_cursor(third) == behind
    assert talk.replayed(third) == talk.first.json["id"]
    assert talk.files_seen(third) == files
    talk.finish_uploads(third)


def test_a_target_that_is_in_use_and_a_source_that_is_none_are_refused(start_server, issuer, engines, tmp_path):
    run = migrate(engines, tmp_path / "nothing")
    refused(run, "holds no store")
    refused(migrate(engines, tmp_path / "nothing", there=False), "holds no store")
    used = start_server(CHUNK_SIZE_MB=1)
    Talk(used, issuer)
    other = start_server(CHUNK_SIZE_MB=1)
    Talk(other, issuer)
    done(migrate(engines, used.data))
    refused(migrate(engines, tmp_path / "none", "--verify", there=False), "holds no messaging store")
    assert not (tmp_path / "none").exists(), "--verify makes nothing"
    refused(migrate(engines, other.data), "filled from another store")
    used.stop()
    done(migrate(engines, used.data, "--cut-over"))
    other.stop()
    refused(migrate(engines, other.data, there=False), "holds something already")
    start_server(CHUNK_SIZE_MB=1, **engines.settings)
    refused(migrate(engines, tmp_path / "back", "--cut-over", there=False), "A server runs on the database")
    refused(migrate(engines, used.data), "A server runs on the database")


def test_files_without_bytes_stand_in_the_way_until_they_are_accepted(start_server, issuer, engines, tmp_path):
    old = start_server()
    tenant = Tenant(issuer, old.origin("gateway"), contract("gateway"), "/v1", unique("lost"))
    lost, kept = add_files(old, issuer, tenant, 2, MIB)
    old.stop()
    (pathlib.Path(old.data) / "media" / "objects" / lost[-2:] / lost).unlink()
    text = refused(migrate(engines, old.data, "--cut-over"), lost, "neither side has its bytes", "stays closed")
    assert kept not in text
    done(migrate(engines, old.data, "--cut-over", "--accept-lost"), lost, "Moved.")
    nowhere = migrate(engines, tmp_path / "back", "--cut-over", "--accept-lost", there=False)
    done(nowhere, lost)
    refused(migrate(engines, tmp_path / "back", "--verify", there=False), "neither side has its bytes", "not equal")
    without = {name: value for name, value in engines.settings.items() if not name.startswith("S3_")}
    empty = tmp_path / "empty"
    sides = ["--from", "engines", "--to", "embedded", "--data", empty, "--cut-over"]
    refused(run_cli("migrate", *sides, timeout=100, **without), kept, "S3_ENDPOINT is not set")


def write_logs(folder, files, lines):
    folder.mkdir()
    for number in range(files):
        text = [f"[{(10 + n // 60) % 24:02}:{n % 60:02}] <nick{n % 7}> line {n} of log {number}" for n in range(lines)]
        (folder / f"2010-03-{number + 1:02}.room{number}.txt").write_text("\n".join(text) + "\n")
    return folder


def load(server, issuer, logs):
    tenant = Tenant(issuer, server.origin("gateway"), contract("gateway"), "/v1", unique("moving"))
    run = run_cli("import", logs, "--format", "irc", "--url", server.url("gateway"), timeout=1800,
                  PARLEY_TOKEN=tenant.user("boss", "admin").token)  # fmt: skip
    assert run.returncode == 0, run.stderr
    return tenant


def add_files(server, issuer, tenant, count, largest):
    """Their ids, and what they hold."""
    client = Tenant(issuer, server.origin("gateway"), contract("gateway"), "/v1/media", tenant.name).user("boss", "admin")
    contents = [some_bytes(1 + number * largest // count, seed=number) for number in range(count)]
    return {upload(client, data, f"file-{n}.bin", expect=201).json["id"]: sha256(data) for n, data in enumerate(contents)}


def kill_until_done(engines, data, there, first):
    """Begins the last pass again and again, and kills it a little later each time; how often it took."""
    sides = ["--from", "embedded", "--to", "engines"] if there else ["--from", "engines", "--to", "embedded"]
    pause, kills = first, 0
    while True:
        process = subprocess.Popen([str(binary()), "migrate", *sides, "--data", str(data), "--cut-over"],
                                   env=environment(**engines.settings), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        try:
            output, _ = process.communicate(timeout=pause)
            assert process.returncode == 0, output
            return kills, output.decode()
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills, pause = kills + 1, pause * 1.6


def test_a_move_that_is_killed_is_just_run_again(start_server, issuer, engines, tmp_path):
    old = start_server()
    tenant = load(old, issuer, write_logs(tmp_path / "logs", files=12, lines=300))
    add_files(old, issuer, tenant, 20, 400_000)
    old.stop()
    kills, output = kill_until_done(engines, old.data, True, 0.4)
    assert kills >= 2
    here, moved = checksums(output)
    assert here == moved
    back = tmp_path / "back"
    kills, output = kill_until_done(engines, back, False, 0.4)
    assert kills >= 1
    assert checksums(output) == [here, here]
    done(run_cli("check", "--data", back), "messaging: 12 conversations, 3600 messages", "ok")


@pytest.mark.skipif(not CORPUS, reason="PARLEY_IRC_CORPUS names no folder")
def test_a_whole_corpus_there_and_back(start_server, issuer, engines, tmp_path):
    old = start_server()
    tenant = load(old, issuer, pathlib.Path(CORPUS))
    files = add_files(old, issuer, tenant, 200, 2 * MIB)
    began = time.monotonic()
    print("\n" + done(migrate(engines, old.data, timeout=3000)), f"first pass: {time.monotonic() - began:.1f} s")
    old.stop()
    began = time.monotonic()
    there = done(migrate(engines, old.data, "--cut-over", timeout=3000))
    print(there, f"cut-over: {time.monotonic() - began:.1f} s")
    here, moved = checksums(there)
    assert here == moved
    back = tmp_path / "back"
    began = time.monotonic()
    output = done(migrate(engines, back, "--cut-over", there=False, timeout=3000))
    print(output, f"back: {time.monotonic() - began:.1f} s")
    assert checksums(output) == [here, here]
    done(run_cli("check", "--data", back, "--deep", timeout=600), "ok")
    third = start_server(launch=False)
    third.data = back
    third.start()
    client = Tenant(issuer, third.origin("gateway"), contract("gateway"), "/v1/media", tenant.name).user("boss", "admin")
    assert {file: sha256(download(client, file)) for file in files} == files
