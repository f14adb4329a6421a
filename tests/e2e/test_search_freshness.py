"""How soon what was written shows, while 500 messages a second come in through the gateway. By hand, for its figures:

    PARLEY_FRESHNESS_SECONDS=60 PARLEY_BINARY=build/release/parley /usr/bin/python3 -m pytest tests/e2e/test_search_freshness.py -s

PARLEY_FRESHNESS_RATE is the messages of a second. Some of them are looked for, without a position, until they are found;
then edited or deleted, and looked for until they are gone. A time is from the answer to the write to the first right
answer; the pauses between two questions are part of it.
"""

import multiprocessing
import os
import queue
import threading
import time

import pytest

from harness.client import Client, unique
from harness.contract import contract
from harness.search import Place, SearchTenant, ids_of

SECONDS = int(os.environ.get("PARLEY_FRESHNESS_SECONDS", "0"))
RATE = int(os.environ.get("PARLEY_FRESHNESS_RATE", "500"))
WATCHED = 20  # of a second
ROOMS = 50
PAUSE = 0.01
PROMISED = 1.0


def write(place, tokens, conversation, begin, share, shares, counted):
    """Sends every share-th message of the rate, each at its time; a process of its own."""
    def run(thread, threads):
        client = Client(*place.chat, tokens[thread % len(tokens)])
        number = share * threads + thread
        while (at := begin + number / RATE) < begin + SECONDS and time.time() < begin + SECONDS:
            if (ahead := at - time.time()) > 0:
                time.sleep(ahead)
            body = {"conversation_id": conversation(number), "content": f"the load of number {number} is as long as chat is, more or less"}
            answer = client.call("POST", client.target("messages"), body, check=False)
            with counted.get_lock():
                counted.value += answer.status == 201
            number += shares * threads

    workers = [threading.Thread(target=run, args=(thread, 4)) for thread in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def room_of(number):
    return f"room-{number % ROOMS}"


class Watch:
    """Follows messages from their writing to their showing, one after the other."""

    def __init__(self, ada, ben, times):
        self.ada, self.ben, self.times = ada, ben, times

    def until_found(self, what, q, expected):
        begin = time.monotonic()
        while True:
            answer = self.ben.finder.call("GET", self.ben.finder.target("search", "messages", q=f'"{q}"'), check=False)
            assert answer.status == 200, answer
            if ids_of(answer.json) == expected:
                break
            assert time.monotonic() - begin < 30, f"{what} does not show"
            time.sleep(PAUSE)
        self.times[what].append(time.monotonic() - begin)

    def follow(self, number):
        mark, other = unique("mark"), unique("mark")
        message = self.ada.send(room_of(number), f"a message with {mark} in it")["id"]
        self.until_found("posted", mark, [message])
        if number % 2:
            self.ada.put("messages", message, body={"content": f"now with {other} in it"}, expect=200)
            self.until_found("edited: the old is gone", mark, [])
            self.until_found("edited: the new is there", other, [message])
        else:
            self.ada.delete("messages", message, expect=204)
            self.until_found("deleted", mark, [])


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


@pytest.mark.timeout(SECONDS + 300)
@pytest.mark.skipif(not SECONDS, reason="PARLEY_FRESHNESS_SECONDS is not given")
def test_what_is_written_shows_within_a_second_under_load(start_server, issuer):
    server = start_server()
    gateway = (server.origin("gateway"), contract("gateway"), "/v1")
    place = Place(gateway, gateway, (server.origin("search"), contract("search"), ""))
    tenant = SearchTenant(issuer, place)
    ada, ben = tenant.user("ada"), tenant.user("ben")
    writers = [f"w{n}" for n in range(4)]
    for number in range(ROOMS):
        ada.group(room_of(number), members=["ben", *writers])
    ada.settle()

    times = {what: [] for what in ("posted", "edited: the old is gone", "edited: the new is there", "deleted")}
    counted = multiprocessing.Value("q", 0)
    begin = time.time() + 1
    tokens = [tenant.user(writer).token for writer in writers]
    shares = 2
    processes = [multiprocessing.Process(target=write, args=(place, tokens, room_of, begin, share, shares, counted)) for share in range(shares)]
    for process in processes:
        process.start()

    todo, faults = queue.SimpleQueue(), []

    def watch():
        while (number := todo.get()) is not None:
            try:
                Watch(ada, ben, times).follow(number)
            except BaseException as fault:  # noqa: BLE001 - told below
                faults.append(fault)

    watchers = [threading.Thread(target=watch) for _ in range(16)]
    for watcher in watchers:
        watcher.start()
    for number in range(SECONDS * WATCHED):
        if (ahead := begin + number / WATCHED - time.time()) > 0:
            time.sleep(ahead)
        todo.put(number)
    for _ in watchers:
        todo.put(None)
    for one in (*watchers, *processes):
        one.join()
    took = time.time() - begin
    print(f"\n{counted.value} messages in {took:.1f} s, {counted.value / max(took, SECONDS):.0f} a second, and {WATCHED} watched ones a second")
    for what, seen in times.items():
        print(f"{what}: {len(seen)} times, p50 {percentile(seen, 0.5) * 1000:.0f} ms, p99 {percentile(seen, 0.99) * 1000:.0f} ms, "
              f"at most {max(seen) * 1000:.0f} ms")  # fmt: skip
    assert not faults, faults[0]
    assert counted.value >= 0.97 * RATE * SECONDS, "the load was not what it should be"
    for what, seen in times.items():
        assert percentile(seen, 0.99) < PROMISED, what
