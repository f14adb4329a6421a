"""Promise 7 against kill -9: what was answered 2xx is stored whole; what was not finished goes on where its progress says.

PARLEY_KILL_ROUNDS says how often the server is killed (3 unless given); PARLEY_KILL_SEED repeats a run.
"""

import http.client
import os
import random
import sqlite3
import threading
import time

import pytest

from harness.files import MIB, ChunkedUpload, Tus, download, form, sha256, some_bytes, upload
from harness.raw import RawConnection
from harness.server import run_cli
from harness.waiting import until

ROUNDS = int(os.environ.get("PARLEY_KILL_ROUNDS", "3"))
WORKERS = 8
LOST = (http.client.HTTPException, OSError)


class Chunks:
    """An upload in chunks, in random order; remembers which chunks were answered."""

    def __init__(self, client, rng):
        self.client, self.data = client, some_bytes(rng.randrange(4 * MIB), rng.random())
        self.upload = ChunkedUpload(client, self.data)
        self.answered = set()

    def go_on(self, rng):
        left = [n for n in range(self.upload.count) if n not in self.answered]
        rng.shuffle(left)
        for index in left:
            got = self.upload.put(index)
            assert got.status == 200, got
            self.answered.add(index)
        return until("it is complete", lambda: (a := self.upload.complete()).status in (200, 201) and a, 60).json

    def check_progress(self):
        progress = self.upload.progress(expect=200).json
        missing = {n for first, last in progress["chunks"]["missing"] for n in range(first, last + 1)}
        assert progress["state"] == "complete" or not missing & self.answered, (progress, self.answered)


class Pieces:
    """An upload by tus; remembers the offset that was answered."""

    def __init__(self, client, rng):
        self.client, self.data = client, some_bytes(rng.randrange(4 * MIB), rng.random())
        self.tus = Tus(client)
        self.place = self.tus.place(len(self.data))
        self.id = self.place.rsplit("/", 1)[1]
        self.offset = 0

    def go_on(self, rng):
        while self.offset < len(self.data):
            piece = self.data[self.offset : self.offset + rng.randrange(1, 2 * MIB)]
            got = self.tus.patch(self.place, self.offset, piece)
            assert got.status == 204, got
            self.offset = int(got.headers["Upload-Offset"])
        done = until("it is a file", lambda: (a := self.client.post("upload", "complete", self.id)).status in (200, 201) and a, 60)
        return done.json

    def check_progress(self):
        state = self.tus.head(self.place)
        assert state.status == 200 and int(state.headers["Upload-Offset"]) >= self.offset, (state, self.offset)
        self.offset = int(state.headers["Upload-Offset"])


class Whole:
    """An upload in one request, as a body or in a form: there is nothing to go on with."""

    def __init__(self, client, rng):
        self.client, self.data = client, some_bytes(rng.randrange(3 * MIB), rng.random())

    def go_on(self, rng):
        if rng.random() < 0.5:
            got = upload(self.client, self.data, "a")
        else:
            body, headers = form(("file", "a", self.data))
            got = self.client.call("POST", self.client.target("upload"), body, headers)
        assert got.status == 201, got
        return got.json


class Load:
    def __init__(self, tenant):
        self.tenant = tenant
        self.stored, self.open = {}, []  # file: sha256 of what was answered; uploads that have begun and are not files
        self.lock = threading.Lock()
        self.failures = []

    def work(self, number, rng):
        client = self.tenant.user(f"w{number}")
        try:
            while True:
                kind = rng.choice([Chunks, Pieces, Whole])
                one = kind(client, rng)
                if kind is not Whole:
                    with self.lock:
                        self.open.append(one)
                self.finish(one, rng)
        except LOST:
            client.close()
        except AssertionError as failure:
            self.failures.append(failure)

    def finish(self, one, rng):
        file = one.go_on(rng)
        assert (file["size"], file["sha256"]) == (len(one.data), sha256(one.data))
        with self.lock:
            self.stored[file["id"]] = (one, file["sha256"])
            if one in self.open:
                self.open.remove(one)

    def kill_amid(self, server, rng):
        threads = [threading.Thread(target=self.work, args=(n, random.Random(rng.random()))) for n in range(WORKERS)]
        before = len(self.stored)
        for thread in threads:
            thread.start()
        until("some are stored", lambda: self.failures or len(self.stored) >= before + WORKERS, 60)
        time.sleep(rng.random() * 0.3)
        server.kill()
        for thread in threads:
            thread.join(60)
        assert not self.failures, self.failures[0]

    def verify(self, rng):
        for file, (one, digest) in self.stored.items():
            assert sha256(download(one.client, file)) == digest, f"{file} was answered and is not whole"
        going_on = list(self.open)
        for one in going_on:
            one.check_progress()
        for one in going_on:
            self.finish(one, rng)
        for number in range(WORKERS):  # what got no answer is whole or not there
            client = self.tenant.user(f"w{number}")
            for file in client.all("files", limit=100):
                assert sha256(download(client, file["id"])) == file["sha256"]
        return len(going_on)


def whole_uploads(server):
    """Those that are no files: their requests have died with the server. (Others may wait for a client that never heard of them.)"""
    with sqlite3.connect(f"file:{server.data}/media/media.db?mode=ro", uri=True) as db:
        return db.execute("SELECT count(*) FROM uploads WHERE kind = 0 AND complete = 0").fetchone()[0]


@pytest.mark.timeout(120 + 60 * ROUNDS)
def test_uploads_survive_kill_9(start_server, storage_at):
    seed = int(os.environ.get("PARLEY_KILL_SEED", random.randrange(2**32)))
    print(f"PARLEY_KILL_SEED={seed}")
    rng = random.Random(seed)
    server = start_server(["gateway", "messaging", "media"], CHUNK_SIZE_MB=1, MAX_UPLOADS_PER_USER=0)
    gone_on = files = 0
    for _ in range(ROUNDS):
        load = Load(storage_at(server))
        load.kill_amid(server, rng)
        server.start()
        gone_on += load.verify(rng)
        files += len(load.stored)
        until("the sweeper has forgotten what nobody can go on with", lambda: whole_uploads(server) == 0, 30)
    print(f"{ROUNDS} kills, {files} files, {gone_on} uploads gone on with")
    assert gone_on > 0
    server.stop()
    done = run_cli("check", "--data", server.data)
    assert done.returncode == 0, done.stdout.decode()


def begin_request(client, method, target, length, data, **headers):
    connection = RawConnection(client.origin, timeout=30)
    fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    connection.send((f"{method} {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {client.token}\r\n{fields}"
                     f"Content-Length: {length}\r\n\r\n").encode() + data)  # fmt: skip
    return connection


def test_a_stop_amid_uploads_keeps_what_came_and_clears_the_rest_away(start_server, storage_at):
    server = start_server(["media"], CHUNK_SIZE_MB=1, SHUTDOWN_GRACE_MS=300)
    ada = storage_at(server).user("ada")
    data = some_bytes(MIB)
    tus, chunks = Tus(ada), ChunkedUpload(ada, data)
    place = tus.place(MIB)
    connections = [
        begin_request(ada, "PATCH", place, MIB, data[:300_000], Tus_Resumable="1.0.0", Upload_Offset=0,
                      Content_Type="application/offset+octet-stream"),
        begin_request(ada, "POST", ada.target("upload", "chunk", chunks.id, index=0), MIB, data[:200_000]),
        begin_request(ada, "POST", ada.target("upload", filename="whole"), MIB, data[:100_000]),
    ]  # fmt: skip
    for upload_id, came in ((place.rsplit("/", 1)[1], 300_000), (chunks.id, 200_000)):
        until("it has come", lambda u=upload_id, n=came: ada.get("upload", u, "progress").json["received"] == n)
    until("the whole one has begun", lambda: whole_uploads(server) == 1)
    server.stop()
    assert whole_uploads(server) == 0, "its request cleared it away"
    for connection in connections:
        connection.socket.close()
    server.start()
    assert tus.head(place).headers["Upload-Offset"] == "300000"
    assert chunks.progress().json["received"] == 200_000
    assert tus.patch(place, 300_000, data[300_000:]).status == 204
    chunks.put(0, expect=200)
    chunks.complete(expect=201)
    assert [file["sha256"] for file in ada.all("files")] == [sha256(data)] * 2
    assert ada.get("usage").json["user"]["reserved"] == 0
