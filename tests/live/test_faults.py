"""Each engine in turn is down, slow or resetting, and comes back, under load; processes and Kafka are killed with -9.

Nothing acknowledged is lost, nothing stands twice in the index, the order holds, refusals are 503 with Retry-After (or 504) and only where
that engine is needed, and within 15 s of its return all is as before. PARLEY_FAULT_ROUNDS says how often each fault comes (1 unless given).
All engines and services share one machine here, with whatever else it does: what is promised is given besides a few calls' time, as long
as the longest that was seen while no fault was on.
"""

import collections
import http.client
import json
import os
import re
import threading
import time
import urllib.request

import pytest

from harness.client import Client, unique, words
from harness.contract import contract
from harness.engines import EnginePlace, OwnKafka, Roles, address_of, records
from harness.files import KIB, download, sha256, some_bytes, upload
from harness.search import Place, SearchTenant
from harness.server import sanitized
from harness.toxiproxy import Proxy
from harness.waiting import until

pytestmark = pytest.mark.live
ROUNDS = int(os.environ.get("PARLEY_FAULT_ROUNDS", "1"))
RECOVERY = 30 if sanitized() else 15
FAULT_SECONDS = 4
ENGINES = ("mongo", "kafka", "redis", "s3", "opensearch")
# Who is needed for what: anything else goes on as if nothing had been.
NEEDED = {"mongo": {"send", "upload", "search"}, "kafka": set(), "redis": set(), "s3": {"upload"}, "opensearch": {"search"},
          "messaging": {"send", "search"}, "media": {"upload"}, "search": {"search"}}  # fmt: skip
SETTING = {"mongo": "MONGODB_URI", "redis": "REDIS_URL", "s3": "S3_ENDPOINT", "opensearch": "ELASTICSEARCH_URL"}
LOST = (http.client.HTTPException, OSError)


class Deployment:
    """Four processes that reach each engine through a proxy of ours."""

    def __init__(self, folder, issuer):
        self.issuer, self.place, self.kafka = issuer, EnginePlace(), OwnKafka().start()
        control = address_of("toxiproxy")
        settings = dict(self.place.settings)
        self.proxies = {"kafka": Proxy(control, self.kafka.proxied, f"127.0.0.1:{self.kafka.proxy_port}")}
        settings["KAFKA_BROKERS"] = f"127.0.0.1:{self.kafka.proxy_port}"
        for engine, variable in SETTING.items():
            behind = re.search(r"[\w.]+:\d+", settings[variable])[0]
            self.proxies[engine] = Proxy(control, behind)
            settings[variable] = settings[variable].replace(behind, self.proxies[engine].address)
        # Limits that nobody reaches, so that Redis is asked. The engines share this machine with us: what they are slow at is no fault.
        self.roles = Roles(folder, JWT_PUBLIC_KEY=issuer.public_keys, RATE_LIMIT_MESSAGES_PER_MINUTE=1000000,
                           RATE_LIMIT_SEARCHES_PER_MINUTE=1000000, CHUNK_SIZE_MB=1, UPSTREAM_DEADLINE_MS=10000, **settings).start()  # fmt: skip

    def tenant(self):
        gateway = (self.roles.one("gateway").origin("gateway"), contract("gateway"), "/v1")
        service = (self.roles.one("search").origin("search"), contract("search"), "")
        return SearchTenant(self.issuer, Place(gateway, gateway, service))

    def end(self):
        try:
            self.roles.stop()
        finally:
            for proxy in self.proxies.values():
                proxy.remove()
            self.kafka.remove()
            self.place.remove()


@pytest.fixture
def deployment(parley, issuer, tmp_path):
    """Anew for each fault: none finds what another left, and the stand-in for MongoDB slows down with what it holds."""
    deployment = Deployment(tmp_path, issuer)
    yield deployment
    deployment.end()


Try = collections.namedtuple("Try", "kind began took status answer")


class Load:
    """Senders, uploaders and a searcher, who note every answer until they are told to stop."""

    SENDERS, UPLOADERS, ROOMS = 3, 1, 3

    def __init__(self, deployment):
        self.deployment, self.tenant = deployment, deployment.tenant()
        self.mark = unique("walrus").replace("-", "")
        self.rooms = [unique("room") for _ in range(self.ROOMS)]
        self.owner = self.tenant.user("owner")
        for room in self.rooms:
            self.owner.group(room, members=[f"w{number}" for number in range(self.SENDERS)])
        self.sent, self.asked, self.again, self.files, self.tries, self.failures = {}, {}, {}, {}, [], []
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._work, args=(work, number)) for work, count in
                        ((self._send, self.SENDERS), (self._upload, self.UPLOADERS), (self._search, 1))
                        for number in range(count)]  # fmt: skip

    def _work(self, work, number):
        client = self.tenant.user(f"w{number}")
        files = Client(client.origin, client.contract, "/v1/media", client.token, timeout=60)
        count = 0
        while not self.stopped.is_set():
            count += 1
            began = time.monotonic()
            try:
                kind, answer = work(files if work == self._upload else client, number, count)
            except LOST as lost:
                self.failures.append(f"the gateway gave no answer: {lost!r}")
                return
            except AssertionError as failure:  # of the contract
                self.failures.append(failure)
                return
            took = time.monotonic() - began
            self.tries.append(Try(kind, began, took, answer.status, answer))
            # As long as the answer took: where that is long, load that takes all there is would leave nothing to come back with.
            self.stopped.wait(max(0.05 if answer.status < 300 else 0.2, min(2, took)))

    def _send(self, client, number, count):
        fresh = unique("k"), {"conversation_id": self.rooms[count % self.ROOMS], "content": words(self.mark)}
        key, body = self.again.pop(number, fresh)
        self.asked[key] = (f"w{number}", body)
        answer = client.post("messages", body=body, headers={"Idempotency-Key": key})
        if answer.status in (200, 201):
            self.sent[key] = answer.json
        else:
            self.again[number] = key, body  # as clients do: the same, until it is taken
        return "send", answer

    def _upload(self, client, number, count):
        data = some_bytes(64 * KIB)
        answer = upload(client, data, "a.bin")
        if answer.status == 201:
            assert answer.json["sha256"] == sha256(data)
            self.files[answer.json["id"]] = (client, sha256(data))
        return "upload", answer

    def _search(self, client, number, count):
        return "search", client.ask("messages", q=unique("nothing"))

    def probe(self):
        """Sends a message with a word of its own, the same one each time it is called; the message, or None. A circuit that is half
        open lets a few through and refuses the others: that one was answered does not say that the next is."""
        key, body = unique("k"), {"conversation_id": self.rooms[0], "content": words(f"{self.mark} {unique('probe').replace('-', '')}")}
        self.asked[key] = ("owner", body)

        def sent():
            answer = self.owner.post("messages", body=body, headers={"Idempotency-Key": key})
            if answer.status in (200, 201):
                self.sent[key] = answer.json
            return self.sent.get(key)

        return sent

    def succeeded(self, kind, since):
        return any(one.kind == kind and one.began > since and one.status < 300 for one in list(self.tries))

    def patience(self, seconds, since):
        """`seconds` on a machine that has time for us: three calls one after the other, as slow as they are here, come on top."""
        self.all_succeed(since, 60)
        return seconds + 3 * max(one.took for one in list(self.tries) if one.began > since and one.status < 300)

    def all_succeed(self, since, seconds):
        for kind in ("send", "upload", "search"):
            try:
                until(f"{kind} succeeds", lambda kind=kind: self.failures or self.succeeded(kind, since), seconds)
            except AssertionError as vain:
                raise AssertionError(f"{vain}; last {[one for one in self.tries if one.kind == kind][-1:]}") from None
        assert not self.failures, self.failures[0]

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        """However the test ends: load that goes on would be the next test's."""
        self.stopped.set()
        for thread in self.threads:
            thread.join(70)
        assert not any(thread.is_alive() for thread in self.threads), "a request has no end"

    def refusals_are_clear(self, needed, felt):
        """Only where the engine was needed, while it was away or coming back, soon, and saying when to come again."""
        for one in self.tries:
            if one.status < 300:
                continue
            assert one.kind in needed, f"{one.kind} was refused after {one.took} s: {one.answer}"
            assert one.status in (503, 504), one.answer
            assert any(began < one.began + one.took and one.began < ended for began, ended in felt), \
                f"refused while all was well: {one.answer}"
            assert one.status == 504 or int(one.answer.headers["Retry-After"]) >= 1, one.answer
            assert one.took < 30, f"{one.kind} took {one.took} s"

    def ask_again(self):
        for key, (user, body) in self.asked.items():
            if key not in self.sent:
                answer = self.tenant.user(user).post("messages", body=body, headers={"Idempotency-Key": key})
                assert answer.status in (200, 201), answer
                self.sent[key] = answer.json

    def verify(self):
        """Store, index, files and topic agree with what was answered."""
        held = {}
        for room in self.rooms:
            messages = self.owner.all("conversations", room, "messages", order="asc", limit=100)
            assert [message["seq"] for message in messages] == list(range(1, len(messages) + 1)), "seqs are dense"
            held |= {message["id"]: message for message in messages}
        for message in self.sent.values():
            there = held.get(message["id"])
            assert there and all(there[name] == message[name] for name in ("seq", "content", "sender_id")), f"lost: {message}"
        assert len(held) == len(self.asked), "each thing asked is there once"
        until("all of it is indexed", lambda: self.owner.ask("messages", q=self.mark, min_position=self.owner.written.position,
                                                             wait_ms=1000, limit=1).status == 200, 60)  # fmt: skip
        found = self.found()
        assert sorted(found) == sorted(held), "the index says what the store says, each once"
        assert sorted(self.documents()) == sorted(held), "and so does the engine by itself"
        for file, (client, digest) in self.files.items():
            assert sha256(download(client, file)) == digest, f"{file} was answered and is not whole"
        self.verify_topic(held)
        return len(held)

    def found(self):
        """The ids of all that a search finds, by small pages, each asked for until it comes: how fast it comes was asked before."""
        ids, cursor = [], {}
        while cursor is not None:
            page = until("a page comes", lambda cursor=cursor: (answer := self.owner.ask("messages", q=self.mark, limit=20, **cursor))
                         .status == 200 and answer.json, 60)  # fmt: skip
            ids += [hit["id"] for hit in page["items"]]
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
        return ids

    def documents(self):
        """The ids of the tenant's messages, as the engine itself has them, not through us."""
        url, prefix = (self.deployment.place.settings[name] for name in ("ELASTICSEARCH_URL", "ELASTICSEARCH_INDEX_PREFIX"))
        query = {"size": 10000, "_source": ["message"], "query": {"bool": {"filter": [
            {"term": {"tenant": self.tenant.name}}, {"term": {"live": True}}]}}}  # fmt: skip
        request = urllib.request.Request(f"{url}/{prefix}-messages/_search", json.dumps(query).encode(), {"Content-Type": "application/json"})
        urllib.request.urlopen(urllib.request.Request(f"{url}/{prefix}-messages/_refresh", method="POST"), timeout=30).close()
        with urllib.request.urlopen(request, timeout=30) as answer:
            return [hit["_source"]["message"] for hit in json.load(answer)["hits"]["hits"]]

    def verify_topic(self, held):
        """Of each conversation every event is there, and a number comes before its successor."""
        topic = self.deployment.place.settings["KAFKA_TOPIC_PREFIX"] + "messaging.events"
        seen = {room: [] for room in self.rooms}
        for line in records(self.deployment.kafka.brokers, topic, "%s\n"):
            event = json.loads(line)
            if event.get("conversationid") in seen and event["tenantid"] == self.tenant.name:
                numbers = seen[event["conversationid"]]
                if event["eventnumber"] not in numbers:  # at least once: what comes again says nothing new
                    numbers.append(event["eventnumber"])
        for numbers in seen.values():
            assert numbers == list(range(1, len(numbers) + 1)), "the order of the conversation"
        assert sum(map(len, seen.values())) >= len(held)


def under_load(deployment, part, strike, mend, say):
    load = Load(deployment)
    try:
        load.start()
        figures, felt = fault_rounds(load, part, strike, mend)
    finally:
        load.stop()
    assert not load.failures, load.failures[0]
    load.refusals_are_clear(NEEDED[part], felt)
    load.ask_again()
    held = load.verify()
    refused = collections.Counter((one.kind, one.status) for one in load.tries if one.status >= 300)
    say(f"{part}: {ROUNDS} rounds, back within {sorted(round(figure, 1) for figure in figures)} s, {held} messages, "
        f"{len(load.files)} files, refused {dict(refused)}, longest {max(one.took for one in load.tries):.1f} s")  # fmt: skip


def fault_rounds(load, part, strike, mend):
    """How long each return took, and from when until when each fault may be felt."""
    figures, felt = [], []
    for _ in range(ROUNDS):
        patience = load.patience(RECOVERY, time.monotonic())
        began = time.monotonic()
        strike()
        until("the fault has lasted", lambda began=began: load.failures or time.monotonic() > began + FAULT_SECONDS, 60)
        for kind in {"send", "upload", "search"} - NEEDED[part]:
            until(f"{kind} goes on without {part}", lambda kind=kind, began=began: load.failures or load.succeeded(kind, began + 1),
                  patience)  # fmt: skip
        mend()
        back = time.monotonic()
        load.all_succeed(back, patience)
        probe = until("a probe is sent", load.probe(), max(1, back + patience - time.monotonic()))
        until("what was written is found", lambda probe=probe: [hit["id"] for hit in load.owner.ask("messages", q=probe["content"]
              .split()[-1]).json.get("items", [])] == [probe["id"]], max(1, back + patience - time.monotonic()))  # fmt: skip
        figures.append(time.monotonic() - back)
        felt.append((began, back + patience))
    return figures, felt


@pytest.mark.parametrize("fault", ["down", "slow", "reset"])
@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_fails_and_comes_back(deployment, engine, fault, record_property):
    proxy = deployment.proxies[engine]
    try:
        under_load(deployment, engine, getattr(proxy, fault), proxy.mend, lambda text: report(record_property, f"{fault} {text}"))
    finally:
        proxy.mend()


@pytest.mark.parametrize("role", ["messaging", "media", "search"])
def test_a_process_is_killed_and_started_again(deployment, role, record_property):
    server = deployment.roles.one(role)
    under_load(deployment, role, server.kill, server.start, lambda text: report(record_property, f"killed {text}"))


def test_kafka_is_killed_and_started_again(deployment, record_property):
    try:
        under_load(deployment, "kafka", deployment.kafka.kill, deployment.kafka.start,
                   lambda text: report(record_property, f"killed {text}"))  # fmt: skip
    finally:
        deployment.kafka.start()


def report(record_property, text):
    record_property("figures", text)
    print(text)
