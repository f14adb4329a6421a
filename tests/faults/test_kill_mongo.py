"""Two instances of messaging on one MongoDB: one is killed with -9 while both write the same conversations, and the other writes
each of them on within 15 s. PARLEY_KILL_ROUNDS says how often (3 unless given)."""

import http.client
import os
import secrets
import threading
import time

import pytest

from harness.client import unique
from harness.server import run_cli

MONGODB = os.environ.get("PARLEY_TEST_MONGODB_URI", "")
ROUNDS = int(os.environ.get("PARLEY_KILL_ROUNDS", "3"))
ROOMS, WRITERS = 3, 6
pytestmark = [pytest.mark.live, pytest.mark.skipif(not MONGODB, reason="PARLEY_TEST_MONGODB_URI is not set")]


class Writing:
    """Threads that send to each room by one instance, until they are stopped or it is gone."""

    def __init__(self, tenant, rooms):
        self.tenant, self.rooms, self.stop = tenant, rooms, threading.Event()
        self.answered = {room: [] for room in rooms}  # when, by the monotonic clock
        self.codes = set()
        self.threads = [threading.Thread(target=self.write, args=(n,)) for n in range(WRITERS)]
        for thread in self.threads:
            thread.start()

    def write(self, number):
        client, count = self.tenant.user(f"w{number}"), number
        while not self.stop.is_set():
            count += 1
            room = self.rooms[count % len(self.rooms)]
            try:
                answer = client.post("messages", body={"conversation_id": room, "content": f"{number} {count}"})
            except (http.client.HTTPException, OSError):
                return
            self.codes.add(answer.status)
            if answer.status == 201:
                self.answered[room].append(time.monotonic())

    def wait_for(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            self.stop.wait(0.02)
        assert condition(), (self.codes, {room: len(times) for room, times in self.answered.items()})

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def test_what_a_killed_instance_was_writing_another_writes_on(start_server, tenant_at):
    settings = {"MONGODB_URI": MONGODB, "MONGODB_DATABASE": f"parley_test_{secrets.token_hex(6)}"}
    one, other = (start_server(["messaging"], **settings) for _ in range(2))
    here, there = tenant_at(one, name="acme"), tenant_at(other, name="acme")
    rooms = [unique("room") for _ in range(ROOMS)]
    for room in rooms:
        here.user("owner").group(room, members=[f"w{n}" for n in range(WRITERS)])
    longest = 0
    for _ in range(ROUNDS):
        killed, living = Writing(here, rooms), Writing(there, rooms)
        for writing in (killed, living):
            writing.wait_for(lambda w=writing: all(w.answered.values()), 60)
        one.kill()
        at = time.monotonic()
        living.wait_for(lambda a=at, w=living: all(times[-1] > a for times in w.answered.values()), 15)
        longest = max(longest, *(next(t for t in times if t > at) - at for times in living.answered.values()))
        for writing in (killed, living):
            writing.end()
        assert living.codes <= {201, 503, 504}, living.codes
        one.start()
    print(f"{ROUNDS} kills; a conversation was written again after {longest:.1f} s at most")
    checked = run_cli("check", "--data", one.data, **one.settings)
    assert b"problem: " not in checked.stdout and b"conversations" in checked.stdout, checked
