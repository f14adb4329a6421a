"""No room on the disk: 507 or 503, reads go on, nothing acknowledged is lost, and with room again it works."""

import contextlib
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
