"""Promise 1: a message answered 2xx survives kill -9 of any process at any moment.

PARLEY_KILL_ROUNDS says how often the server is killed (3 unless given); PARLEY_KILL_SEED repeats a run.
"""

import http.client
import os
import random
import threading

import pytest

from harness.client import unique, words
from harness.store import check_events
from harness.waiting import until

ROUNDS = int(os.environ.get("PARLEY_KILL_ROUNDS", "3"))
WRITERS, ROOMS = 8, 3
LOST = (http.client.HTTPException, OSError)


class Load:
    """Writers that note every 201, and keep what got no answer to ask again with the same key."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.rooms = [unique("room") for _ in range(ROOMS)]
        owner = tenant.user("owner")
        for room in self.rooms:
            owner.group(room, members=[f"w{n}" for n in range(WRITERS)])
        self.owner = owner
        self.answered = {}  # key: the message as it was answered
        self.asked = {}  # key: (writer, body)
        self.lock = threading.Lock()

    def write(self, number, stop, limit=None):
        client = self.tenant.user(f"w{number}")
        count = 0
        while not stop.is_set() and (limit is None or count < limit):
            count += 1
            key = unique("k")
            body = {"conversation_id": self.rooms[count % ROOMS], "content": words(f"{number} {count}")}
            with self.lock:
                self.asked[key] = (number, body)
            try:
                answer = client.post("messages", body=body, headers={"Idempotency-Key": key})
            except LOST:
                client.close()
                return
            if answer.status in (503, 504):
                continue
            assert answer.status == 201, answer
            with self.lock:
                self.answered[key] = answer.json

    def run_until(self, done, seconds=30):
        """Writes from many threads until `done()`, then calls nothing more."""
        stop = threading.Event()
        threads = [threading.Thread(target=self.write, args=(n, stop)) for n in range(WRITERS)]
        for thread in threads:
            thread.start()
        try:
            until("the writers have written", done, seconds, 0.002)
        finally:
            stop.set()
        return threads

    def ask_again(self):
        """What got no answer is asked again: it may have happened or not, and is there once after that."""
        open_keys = [key for key in self.asked if key not in self.answered]
        for key in open_keys:
            number, body = self.asked[key]
            answer = self.tenant.user(f"w{number}").post("messages", body=body, headers={"Idempotency-Key": key})
            assert answer.status in (200, 201), answer
            self.answered[key] = answer.json
        return len(open_keys)

    def verify(self):
        """Every answered message is there as it was answered; seqs are dense; nothing is there that nobody asked."""
        held = {}
        for room in self.rooms:
            messages = self.owner.all("conversations", room, "messages", order="asc", limit=100)
            assert [m["seq"] for m in messages] == list(range(1, len(messages) + 1)), "seqs are dense"
            held |= {m["id"]: m for m in messages}
        for message in self.answered.values():
            there = held.get(message["id"])
            assert there, f"lost: {message}"
            assert all(there[name] == message[name] for name in ("seq", "content", "sender_id", "conversation_id")), there
        asked = sorted(body["content"] for _, body in self.asked.values())
        contents = sorted(m["content"] for m in held.values())
        assert len(contents) == len(set(contents)), "a message stands twice"
        assert set(contents) <= set(asked)
        return len(held)


def kill_rounds(load, kill, restart, check_store):
    seed = int(os.environ.get("PARLEY_KILL_SEED", random.randrange(2**32)))
    print("seed", seed)
    dice = random.Random(seed)
    for _ in range(ROUNDS):
        goal = len(load.answered) + dice.randrange(20, 200)
        threads = load.run_until(lambda goal=goal: len(load.answered) >= goal)
        kill()
        for thread in threads:
            thread.join()
        restart()
        load.verify()
        load.ask_again()
        there = load.verify()
        assert there == len(load.asked), "each thing asked is there once"
        assert check_store() == there


@pytest.mark.smoke
def test_what_was_answered_survives_kill_9_of_everything(start_server, tenant_at):
    server = start_server()
    load = Load(tenant_at(server))
    kill_rounds(load, server.kill, server.start, lambda: check_events(server.data))


def test_what_was_answered_survives_kill_9_of_messaging_behind_a_gateway(start_server, tenant_at):
    messaging = start_server(["messaging"])
    gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=messaging.url("messaging"), BREAKER_OPEN_MS=200)
    load = Load(tenant_at(gateway))

    def restart():
        messaging.start()
        until("the gateway serves again", lambda: load.owner.get("conversations").status == 200)

    kill_rounds(load, messaging.kill, restart, lambda: check_events(messaging.data))


def test_what_was_answered_survives_kill_9_of_the_gateway(start_server, tenant_at):
    messaging = start_server(["messaging"])
    gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=messaging.url("messaging"))
    load = Load(tenant_at(gateway))
    kill_rounds(load, gateway.kill, gateway.start, lambda: check_events(messaging.data))


def test_edits_deletes_and_reactions_survive_too(start_server, tenant_at):
    server = start_server()
    ada = tenant_at(server).user("ada")
    ada.group("room", members=["ben"])
    texts, gone = {}, []
    for number in range(30):
        message = ada.send("room")["id"]
        if number % 3 == 0:
            texts[message] = words("edited")
            ada.put("messages", message, body={"content": texts[message]}, expect=200)
        elif number % 3 == 1:
            ada.delete("messages", message, expect=204)
            gone.append(message)
        ada.put("conversations", "room", "read", body={"seq": number + 1}, expect=200)
    reacted = next(iter(texts))
    ada.post("messages", reacted, "reactions", body={"reaction": "x"}, expect=201)
    server.kill()
    server.start()
    for message, text in texts.items():
        assert ada.read(message)["content"] == text and len(ada.all("messages", message, "history")) == 2
    for message in gone:
        assert ada.read(message)["content"] is None
    assert ada.read(reacted)["reactions"][0]["users"] == ["ada"]
    assert ada.get("conversations", "room", expect=200).json["read_seq"] == 30
    check_events(server.data)


def test_keys_are_remembered_over_a_restart(start_server, tenant_at):
    server = start_server()
    ada = tenant_at(server).user("ada")
    ada.group("room")
    body, headers = {"conversation_id": "room", "content": words(), "client_message_id": "m"}, {"Idempotency-Key": "k"}
    first = ada.post("messages", body=body, headers=headers, expect=201).json
    ada.send("room")
    cursor = ada.get("conversations", "room", "messages", limit=1, expect=200).json["next_cursor"]
    server.stop()
    server.start()
    assert ada.post("messages", body=body, headers=headers, expect=200).json["id"] == first["id"]
    page = ada.get("conversations", "room", "messages", cursor=cursor, expect=200).json
    assert [m["seq"] for m in page["items"]] == [1], "a cursor does not expire"


def test_a_server_that_is_killed_while_it_starts_starts_the_next_time(start_server, tenant_at):
    server = start_server(launch=False)
    dice = random.Random(7)
    for _ in range(6):
        server.launch()
        until("some moments pass", lambda: dice.random() < 0.15, pause=0.01)
        server.kill()
    server.start()
    ada = tenant_at(server).user("ada")
    ada.group("room")
    ada.send("room")
    assert server.health("messaging")["status"] == "ok"
