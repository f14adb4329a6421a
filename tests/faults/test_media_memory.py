"""Many uploads and downloads at once, and a reader who hardly reads: memory stays what buffers hold.

The issue's figures: PARLEY_MEDIA_STREAMS=64 PARLEY_MEDIA_MIB=256 on a release build.
"""

import json
import os
import pathlib
import socket
import subprocess
import threading
import time

import pytest

from harness.server import sanitized
from harness.waiting import until

STREAMS = int(os.environ.get("PARLEY_MEDIA_STREAMS", "16"))
MIB = int(os.environ.get("PARLEY_MEDIA_MIB", "8"))
ALLOWED_MIB = 64

pytestmark = [
    pytest.mark.smoke,
    pytest.mark.timeout(60 + STREAMS * MIB // 20),
    pytest.mark.skipif(sanitized(), reason="a sanitizer's own memory would be measured; the release build runs it"),
]


def rss_mib(server):
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


class Watch:
    """The highest resident memory while it runs."""

    def __init__(self, server):
        self.server, self.highest, self.ended = server, rss_mib(server), threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.ended.wait(0.05):
            self.highest = max(self.highest, rss_mib(self.server))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def curl(*arguments):
    return subprocess.Popen(["curl", "-sS", "--fail-with-body", "--noproxy", "*", "-H", "Expect:", *map(str, arguments)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip


def finish(process):
    out, err = process.communicate()
    assert process.returncode == 0, (out[-500:], err[-500:])
    return out


@pytest.fixture
def server(start_server):
    return start_server(MAX_UPLOADS_PER_USER=0, THUMBNAILS="off")


@pytest.fixture
def ada(server, tenant_at):
    return tenant_at(server).user("ada")


def upload(server, ada, path, out):
    return curl("-H", f"Authorization: Bearer {ada.token}", "-H", "Content-Type: application/octet-stream", "-X", "POST",
                "-T", path, "-o", out, f"{server.url('gateway')}/v1/media/upload?filename=a.bin")  # fmt: skip


def file_of(path):
    return json.loads(pathlib.Path(path).read_text("utf-8"))


def test_many_transfers_at_once_take_no_more_memory_than_their_buffers(server, ada, tmp_path):
    big = tmp_path / "big"
    with open(big, "wb") as file:
        for _ in range(MIB):
            file.write(os.urandom(1024 * 1024))
    first = tmp_path / "first.json"
    finish(upload(server, ada, big, first))
    stored = file_of(first)
    before = rss_mib(server)
    with Watch(server) as watch:
        running = [upload(server, ada, big, tmp_path / f"{n}.json") for n in range(STREAMS)]
        running += [curl("-H", f"Authorization: Bearer {ada.token}", "-o", "/dev/null", "-w", "%{size_download}",
                         f"{server.url('gateway')}/v1/media/download/{stored['id']}") for _ in range(STREAMS)]  # fmt: skip
        answers = [finish(process) for process in running]
    assert all(file_of(tmp_path / f"{n}.json")["sha256"] == stored["sha256"] for n in range(STREAMS))
    assert all(int(got) == stored["size"] for got in answers[STREAMS:])
    grown = watch.highest - before
    print(f"{STREAMS} uploads and {STREAMS} downloads of {MIB} MiB: memory grew by {grown:.1f} MiB from {before:.1f}")
    assert grown < ALLOWED_MIB


def test_a_reader_who_hardly_reads_costs_no_more_than_its_buffers(server, ada, tmp_path):
    big = tmp_path / "big"
    big.write_bytes(b"\0" * (max(MIB, 8) * 1024 * 1024))
    first = tmp_path / "first.json"
    finish(upload(server, ada, big, first))
    target = f"/v1/media/download/{file_of(first)['id']}"
    before = rss_mib(server)
    readers = []
    with Watch(server) as watch:
        for _ in range(STREAMS):
            reader = socket.create_connection(server.origin("gateway"), timeout=10)
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
            reader.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ada.token}\r\n\r\n".encode())
            readers.append(reader)
        for _ in range(20):
            for reader in readers:
                assert reader.recv(1024)  # 10 KB/s each
            time.sleep(0.1)  # the reader's pace is what is tested
    for reader in readers:
        reader.close()
    grown = watch.highest - before
    print(f"{STREAMS} readers at 10 KB/s: memory grew by {grown:.1f} MiB from {before:.1f}")
    assert grown < ALLOWED_MIB / 2
    until("their connections are gone", lambda: server.metrics("gateway")['parley_http_open_connections{role="gateway"}'] <= 1)
