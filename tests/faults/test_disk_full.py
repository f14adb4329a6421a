"""No room on the disk: 507 or 503, reads go on, nothing acknowledged is lost, and with room again it works."""

import contextlib
import hashlib
import os
import subprocess

import pytest

from harness.client import words
from harness.store import check_events
from harness.waiting import until


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = os.geteuid() == 0 and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m,mode=700", "tmpfs", str(folder)], capture_output=True, check=False
    ).returncode == 0
    if not mounted:
        pytest.skip("mounting a small tmpfs needs root and the right to mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_full_disk_refuses_writes_and_recovers(small_disk, start_server, tenant_at):
    server = start_server(launch=False)
    server.data = small_disk / "data"
    server.start()
    ada = tenant_at(server).user("ada")
    ada.group("room")
    kept, refused = [], None
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), open(ballast, "wb") as file:
        for _ in range(6):
            file.write(b"x" * 1024 * 1024)
    for _ in range(3000):
        got = ada.post("messages", body={"conversation_id": "room", "content": words("x" * 8000)})
        if got.status == 201:
            kept.append(got.json)
        else:
            refused = got
            break
    assert refused is not None, "the disk did not fill"
    assert refused.status in (503, 507), refused
    assert refused.code == ("storage_full" if refused.status == 507 else "unavailable"), refused
    for message in kept[-3:] + kept[:3]:
        assert ada.read(message["id"])["content"] == message["content"], "reads go on"
    assert server.answers("gateway")
    ballast.unlink()
    again = until("it takes writes again",
                  lambda: (a := ada.post("messages", body={"conversation_id": "room", "content": words()})).status == 201 and a, 20)  # fmt: skip
    kept.append(again.json)
    server.stop()
    server.start()
    held = {m["id"]: m["content"] for m in ada.all("conversations", "room", "messages", limit=100)}
    assert all(held.get(m["id"]) == m["content"] for m in kept)
    assert check_events(server.data) == len(held)
    server.stop()


def test_a_full_disk_refuses_uploads_and_keeps_nothing_of_them(small_disk, start_server, tenant_at):
    server = start_server(launch=False)
    server.data = small_disk / "data"
    server.start()
    ada = tenant_at(server).user("ada")
    raw = {"Content-Type": "application/octet-stream"}

    def upload(size, **headers):
        return ada.call("POST", ada.target("media", "upload", filename="a"), os.urandom(size), {**raw, **headers})

    kept = upload(1024 * 1024)
    assert kept.status == 201, kept
    before = ada.get("media", "usage", expect=200).json["user"]
    free = os.statvfs(small_disk)
    too_much = free.f_bavail * free.f_frsize + 2 * 1024 * 1024
    refused = upload(too_much)
    refused.refused(507, "storage_full")
    chunked = ada.post("media", "upload", "chunk", body={"filename": "b", "size": too_much})
    assert chunked.status in (201, 507), chunked
    if chunked.status == 201:
        assert ada.delete("media", "upload", chunked.json["upload_id"]).status == 204
    assert ada.get("media", "usage", expect=200).json["user"] == before, "nothing of it is counted"
    read = ada.call("GET", ada.target("media", "download", kept.json["id"]), check=False)
    assert read.status == 200 and hashlib.sha256(read.body).hexdigest() == kept.json["sha256"], "reads go on"
    again = until("it takes uploads again", lambda: (a := upload(1024 * 1024)).status == 201 and a, 20)
    files = {one["id"] for one in ada.all("media", "files")}
    assert files == {kept.json["id"], again.json["id"]}
    server.stop()
