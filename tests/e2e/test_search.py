"""Search as a whole, through the gateway: what was written is found, what was taken back is not, and the index is the
store, whatever happens to the server. Over the embedded index, and over an engine where PARLEY_TEST_OPENSEARCH_URL names
one.

PARLEY_KILL_ROUNDS says how often the server is killed (3 unless given); PARLEY_KILL_SEED repeats a run.
"""

import http.client
import json
import os
import random
import re
import sqlite3
import subprocess
import threading
import urllib.request

import pytest

from harness.client import Client, unique, words
from harness.contract import contract
from harness.server import binary, environment, run_cli
from harness.waiting import until

ROUNDS = int(os.environ.get("PARLEY_KILL_ROUNDS", "3"))
LOST = (http.client.HTTPException, OSError)
SOON = 1.0  # seconds, within which what changed shows


EMBEDDED = "embedded"
ENGINE = pytest.param("engine", marks=pytest.mark.live)
# Whoever changes the index by hand knows which one it is.
embedded_only = pytest.mark.parametrize("searching", [EMBEDDED], indirect=True)


@pytest.fixture(params=[EMBEDDED, ENGINE])
def searching(request, start_server, tenant_at):
    """A server whose users search as often as they like, and a tenant of it."""
    settings_of_index, prefixes = {}, []
    if request.param != EMBEDDED:
        url = os.environ.get("PARLEY_TEST_OPENSEARCH_URL")
        if not url:
            pytest.skip("PARLEY_TEST_OPENSEARCH_URL names no engine")
        settings_of_index = {"ELASTICSEARCH_URL": url}

    def make(**settings):
        if settings_of_index:
            prefixes.append(unique("test"))
            settings_of_index["ELASTICSEARCH_INDEX_PREFIX"] = prefixes[-1]
        server = start_server(**({"RATE_LIMIT_SEARCHES_PER_MINUTE": 0} | settings_of_index | settings))
        return server, tenant_at(server)

    yield make
    for name in [f"{prefix}-{kind}" for prefix in prefixes for kind in ("messages", "directory", "state")]:
        for path in (f"/{name}-1", f"/_index_template/{name}"):
            urllib.request.urlopen(urllib.request.Request(url + path, method="DELETE"), timeout=60).close()


def mark_of(content):
    return content.split()[0]


def search(client, q, **query):
    return client.get("search", "messages", q=q, expect=200, **query).json


def found(client, q, **query):
    return [hit["id"] for hit in search(client, q, **query)["items"]]


def shows(client, q, ids, seconds=SOON):
    """The answer to `q` is exactly these messages, within the time that is promised."""
    until(f"{q} finds {ids}", lambda: set(found(client, q)) == set(ids), seconds)


def cli_settings(server):
    engine = {name: value for name, value in server.settings.items() if name.startswith("ELASTICSEARCH_")}
    return {"SEARCH_PORT": server.ports["search"], "DATA_DIR": server.data} | engine


def check(server, *arguments):
    return run_cli("check", *arguments, timeout=120, **cli_settings(server))


def expect_index_is_store(server):
    done = check(server)
    assert done.returncode == 0 and done.stdout.decode().splitlines()[-1] == "ok", done
    (line,) = [line for line in done.stdout.decode().splitlines() if line.startswith("search:")]
    numbers = re.fullmatch(r"search: (\d+) conversations, (\d+) messages in the store, (\d+) in the index, 0 dead letters", line)
    assert numbers and numbers[2] == numbers[3], line
    return int(numbers[2])


# what was written


@pytest.mark.smoke
def test_what_was_posted_is_found_soon_and_with_its_position_at_once(searching):
    _, tenant = searching()
    ada = tenant.user("ada")
    ada.group("room", members=["ben"])
    ben = tenant.user("ben")
    message = ada.send("room", words("grub menu"))
    shows(ben, mark_of(message["content"]), [message["id"]])
    for _ in range(10):
        message = ada.send("room", words())
        answer = search(ben, mark_of(message["content"]), min_position=message["position"])
        assert [hit["id"] for hit in answer["items"]] == [message["id"]]
        assert answer["items"][0]["content"] == message["content"] and "<em>" in answer["items"][0]["highlight"]
        assert answer["total"] == {"value": 1, "relation": "eq"} and answer["indexed_through"]


def test_what_was_edited_says_the_new_and_not_the_old(searching):
    _, tenant = searching()
    ada = tenant.user("ada")
    ada.group("room")
    old, new = words(), words()
    message = ada.send("room", old)
    shows(ada, mark_of(old), [message["id"]])
    ada.put("messages", message["id"], body={"content": new}, expect=200)
    shows(ada, mark_of(old), [])
    shows(ada, mark_of(new), [message["id"]])


def test_what_was_deleted_is_gone(searching):
    _, tenant = searching()
    ada = tenant.user("ada")
    ada.group("room")
    message, other = ada.send("room"), ada.send("room")
    shows(ada, mark_of(message["content"]), [message["id"]])
    ada.delete("messages", message["id"], expect=204)
    shows(ada, mark_of(message["content"]), [])
    shows(ada, mark_of(other["content"]), [other["id"]])
    ada.delete("conversations", "room", expect=204)
    shows(ada, mark_of(other["content"]), [])


def test_who_left_finds_nothing_of_it_and_who_came_finds_all_of_it(searching):
    _, tenant = searching()
    ada, ben = tenant.user("ada"), tenant.user("ben")
    ada.group("room", members=["ben"])
    message = ada.send("room")
    shows(ben, mark_of(message["content"]), [message["id"]])
    ben.delete("conversations", "room", "members", "ben", expect=204)
    shows(ben, mark_of(message["content"]), [])
    shows(ada, mark_of(message["content"]), [message["id"]])
    ada.add("room", "ben")
    shows(ben, mark_of(message["content"]), [message["id"]])


def test_another_tenant_finds_nothing_though_all_names_are_the_same(searching):
    _, tenant = searching()
    ada, stranger = tenant.user("ada"), tenant.other().user("ada")
    for one in (ada, stranger):
        one.group("room")
    message = ada.send("room")
    shows(ada, mark_of(message["content"]), [message["id"]])
    assert search(stranger, mark_of(message["content"]))["total"]["value"] == 0
    answer = stranger.get("search", "messages", q="x", min_position=message["position"])
    answer.refused(400, path="query.min_position")


def test_people_and_conversations_are_found_by_name(searching):
    _, tenant = searching()
    ada = tenant.user("ada", name="Ada Lovelace")
    ada.group("room", name="Analytical engines")
    ada.get("users", "me", expect=200)

    def names(kind, q):
        return [hit["id"] for hit in ada.get("search", kind, q=q, expect=200).json["items"]]

    until("the room is found", lambda: names("conversations", "analytical") == ["room"], 5)
    until("she is found", lambda: names("users", "lovelace") == ["ada"], 5)


def test_everything_that_was_written_before_search_came_is_found(start_server, tenant_at):
    server = start_server(["gateway", "messaging"])
    ada = tenant_at(server).user("ada")
    ada.group("room")
    messages = [ada.send("room") for _ in range(30)]
    server.stop()
    whole = start_server(launch=False, RATE_LIMIT_SEARCHES_PER_MINUTE=0)
    whole.data = server.data
    whole.start()
    there = Client(whole.origin("gateway"), contract("gateway"), "/v1", ada.token)
    for message in messages:
        shows(there, mark_of(message["content"]), [message["id"]], 10)
    assert expect_index_is_store(whole) == 30


# check and repair


def spoil(server, statement):
    """Changes the index by hand, as nobody should."""
    with sqlite3.connect(server.data / "search" / "search.db") as index:
        assert index.execute(statement).rowcount == 1, statement
    index.close()


@embedded_only
@pytest.mark.parametrize("beside", [True, False], ids=["beside_a_server", "without_one"])
def test_check_finds_a_row_that_was_removed_by_hand_and_repairs_it(searching, beside):
    server, tenant = searching()
    ada = tenant.user("ada")
    for room in ("one", "two"):
        ada.group(room)
        messages = [ada.send(room) for _ in range(20)]
    shows(ada, mark_of(messages[-1]["content"]), [messages[-1]["id"]], 5)
    assert expect_index_is_store(server) == 40
    server.stop()
    spoil(server, "DELETE FROM documents WHERE id = (SELECT max(id) FROM documents)")
    if beside:
        server.start()
    done = check(server)
    text = done.stdout.decode()
    assert done.returncode == 1 and text.splitlines()[-1] == "not ok", done
    assert f"tenant {tenant.name}, conversation two: 20 messages in the store, 19 in the index; missing: {messages[-1]['id']}" in text
    assert "conversation one" not in text
    repaired = check(server, "--repair")
    assert repaired.returncode == 0 and repaired.stdout.decode().splitlines()[-1] == "ok", repaired
    if not beside:
        server.start()
    assert expect_index_is_store(server) == 40
    shows(ada, mark_of(messages[-1]["content"]), [messages[-1]["id"]], 5)


@embedded_only
def test_check_finds_a_row_that_says_something_else(searching):
    server, tenant = searching()
    ada = tenant.user("ada")
    ada.group("room")
    message = ada.send("room")
    shows(ada, mark_of(message["content"]), [message["id"]])
    server.stop()
    spoil(server, "UPDATE documents SET body = CAST('something else' AS BLOB)")
    done = check(server)
    assert done.returncode == 1 and f"different: {message['id']}" in done.stdout.decode(), done


# reindex


@pytest.fixture
def filled(searching, tmp_path):
    """A server with some thousand imported messages, in several conversations, and who may read them."""

    def make(messages=6000, **settings):
        server, tenant = searching(**settings)
        boss = tenant.user("boss", "admin")
        lines = [json.dumps({"conversation": f"room-{n % 12}", "author": f"irc:nick{n % 50}", "content": f"line {n} of the log, {n * n}",
                             "created_at": "2020-01-02T10:02:00Z"}) for n in range(messages)]  # fmt: skip
        path = tmp_path / "many.jsonl"
        path.write_text("\n".join(lines) + "\n")
        done = run_cli("import", path, "--format", "jsonl", "--url", server.url("gateway"), timeout=200, PARLEY_TOKEN=boss.token)
        assert done.returncode == 0, done.stderr
        return server, tenant, boss

    return make


@pytest.mark.parametrize("beside", [True, False], ids=["beside_a_server", "without_one"])
def test_a_reindex_builds_the_same_index(filled, beside):
    server, tenant, boss = filled(3000)
    assert expect_index_is_store(server) == 3000
    if not beside:
        server.stop()
    done = run_cli("reindex", "--tenant", tenant.name, timeout=120, **cli_settings(server))
    assert done.returncode == 0 and b"reindexed: 3000 messages, 12 conversations" in done.stdout, done
    done = run_cli("reindex", timeout=120, **cli_settings(server))
    assert done.returncode == 0 and b"reindexed: 3000 messages" in done.stdout, done
    if not beside:
        server.start()
    assert expect_index_is_store(server) == 3000
    assert len(found(boss, "line 17", limit=100)) >= 1


def test_a_reindex_of_nothing_and_of_nowhere(tmp_path, searching):
    done = run_cli("reindex", DATA_DIR=tmp_path / "nowhere")
    assert done.returncode == 1 and b"no messaging store" in done.stderr and not (tmp_path / "nowhere").exists()
    server, _ = searching()
    done = run_cli("reindex", "--tenant", "nobody", **cli_settings(server))
    assert done.returncode == 1 and b"there is no tenant nobody" in done.stderr and done.stdout == b"", done


def test_an_admin_reindexes_the_own_tenant_and_a_second_time_is_told_of_the_first(filled):
    server, tenant, boss = filled()
    expect_index_is_store(server)
    admin = Client(server.origin("search"), contract("search"), "", boss.token)
    first = admin.post("admin", "reindex", expect=202).json
    second = admin.post("admin", "reindex")
    if second.status == 409:  # else the first was quick
        assert second.json["reindex_id"] == first["id"]
    assert first["tenant"] == tenant.name

    def state(of):
        return admin.get("admin", "reindex", of, expect=200).json

    until("it is done", lambda: state(first["id"])["state"] == "done", 60)
    assert state(first["id"])["messages"] == 6000 and state(first["id"])["progress"] == 1
    reader = Client(server.origin("search"), contract("search"), "", tenant.user("ada").token)
    reader.post("admin", "reindex").refused(403)
    stranger = Client(server.origin("search"), contract("search"), "", tenant.other().user("boss", "admin").token)
    stranger.get("admin", "reindex", first["id"]).refused(404)


def test_what_is_written_during_a_reindex_is_found_as_soon_as_ever(filled):
    server, tenant, boss = filled()
    expect_index_is_store(server)
    boss.group("live")
    running = subprocess.Popen([str(binary()), "reindex"], env=environment(**cli_settings(server)), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    count = 0
    while running.poll() is None or count < 5:
        message = boss.send("live")
        shows(boss, mark_of(message["content"]), [message["id"]], 3 * SOON)
        count += 1
    assert running.wait() == 0
    assert expect_index_is_store(server) == 6000 + count


# kill -9


class Writers:
    """Post, edit, delete and react, as fast as they can, until told to stop."""

    def __init__(self, tenant, rooms=("a", "b", "c")):
        self.tenant, self.rooms = tenant, rooms
        self.writes = 0
        self.stop = threading.Event()
        owner = tenant.user("owner")
        for room in rooms:
            owner.group(room, members=[f"w{n}" for n in range(4)])
        self.threads = []

    def write(self, number, seed):
        client, dice, mine = self.tenant.user(f"w{number}"), random.Random(seed), []
        try:
            while not self.stop.is_set():
                what = dice.random()
                if what < 0.7 or not mine:
                    message = client.send(dice.choice(self.rooms))["id"]
                    mine.append(message)
                elif what < 0.8:
                    client.put("messages", dice.choice(mine), body={"content": words("edited")})
                elif what < 0.9:
                    client.delete("messages", mine.pop(dice.randrange(len(mine))))
                else:
                    client.post("messages", dice.choice(mine), "reactions", body={"reaction": "x"})
                self.writes += 1
        except LOST:
            client.close()

    def start(self, seed):
        self.stop.clear()
        self.threads = [threading.Thread(target=self.write, args=(n, f"{seed} {n}")) for n in range(4)]
        for thread in self.threads:
            thread.start()

    def join(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def dice_of_this_run():
    seed = int(os.environ.get("PARLEY_KILL_SEED", random.randrange(2**32)))
    print("seed", seed)
    return random.Random(seed)


@pytest.mark.smoke
def test_after_kill_9_during_indexing_the_index_is_the_store_again(searching):
    server, tenant = searching()
    writers, dice = Writers(tenant), dice_of_this_run()
    for round_ in range(ROUNDS):
        writers.start(round_)
        goal = writers.writes + dice.randrange(20, 400)
        until("they have written", lambda goal=goal: writers.writes >= goal, 60, 0.002)
        server.kill()
        writers.join()
        server.start()
        assert expect_index_is_store(server) > 0
    owner = tenant.user("owner")
    there = sum(len([m for m in owner.all("conversations", room, "messages", limit=100) if m["deleted_at"] is None])
                for room in writers.rooms)  # fmt: skip
    assert expect_index_is_store(server) == there


def test_after_kill_9_during_a_reindex_it_goes_on_and_the_index_is_the_store(filled):
    server, tenant, boss = filled()
    expect_index_is_store(server)
    writers, dice = Writers(tenant), dice_of_this_run()

    def is_reindexing():
        return server.metrics("search")['parley_search_reindexed_messages_total{role="search"}']

    for round_ in range(ROUNDS):
        writers.start(round_)
        before = is_reindexing()
        command = subprocess.Popen([str(binary()), "reindex"], env=environment(**cli_settings(server)), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        try:
            goal = dice.randrange(1, 5000)
            until("it has begun", lambda: command.poll() is not None or is_reindexing() >= before + goal, 60, 0.001)
            server.kill()
            writers.join()
            server.start()
            out, err = command.communicate(timeout=120)
        finally:
            command.kill()
        # It watched the reindex to its end, over the restart; or it ended just before it, which nobody remembers.
        assert command.returncode == 0 or b"ended while the server was restarted" in err, (command.returncode, out, err)
        until("none is under way", lambda: server.metrics("search")['parley_search_reindex_tenants{role="search"}'] == 0, 60)
        assert expect_index_is_store(server) >= 6000
