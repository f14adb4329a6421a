"""Messaging and search as processes of their own, with a real Kafka between them and nothing else."""

import json
import secrets

import pytest

from harness.client import words
from harness.contract import contract
from harness.engines import OwnKafka, address_of, records
from harness.search import Place, SearchTenant
from harness.server import sanitized
from harness.waiting import until

pytestmark = pytest.mark.live


class Split:
    """Messaging, search and a gateway, each in its own process and folder."""

    def __init__(self, start_server, issuer, brokers):
        self.prefix = f"test-{secrets.token_hex(4)}."
        shared = {"INTERNAL_KEY": secrets.token_hex(32), "KAFKA_BROKERS": brokers, "KAFKA_TOPIC_PREFIX": self.prefix,
                  "KAFKA_PARTITIONS": 4, "KAFKA_REPLICATION": 1}  # fmt: skip
        self.brokers, self.issuer = brokers, issuer
        self.messaging = start_server(["messaging"], **shared)
        self.search = start_server(["search"], MESSAGING_SERVICE_URL=self.messaging.url("messaging"), **shared)
        self.gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=self.messaging.url("messaging"),
                                    SEARCH_SERVICE_URL=self.search.url("search"), INTERNAL_KEY=shared["INTERNAL_KEY"])  # fmt: skip

    def tenant(self):
        service = (self.search.origin("search"), contract("search"), "")
        chat = (self.gateway.origin("gateway"), contract("gateway"), "/v1")
        return SearchTenant(self.issuer, Place(chat, chat, service))

    def topic(self, name, form="%k|%h|%s\n"):
        return records(self.brokers, self.prefix + name, form)


@pytest.fixture
def split(start_server, issuer):
    return Split(start_server, issuer, address_of("kafka"))


def say(user, room, text):
    return user.post("messages", body={"conversation_id": room, "content": text}, expect=201).json


def test_what_is_written_is_found_by_its_position_and_by_itself(split):
    tenant = split.tenant()
    ada = tenant.user("ada")
    ada.post("conversations", body={"id": "room"}, expect=201)
    said = say(ada, "room", words("walrus"))
    assert ada.found("walrus") == [said["id"]]
    other = say(ada, "room", words("porpoise"))
    ada.soon("it is found without a position", lambda: [hit["id"] for hit in ada.ask("messages", q="porpoise").json["items"]] == [other["id"]])
    ada.delete("messages", said["id"], expect=204)
    assert ada.found("walrus") == []
    assert tenant.other().user("ada").found("porpoise") == []


def test_the_health_of_each_shows_kafka(split):
    for server, role in ((split.messaging, "messaging"), (split.search, "search")):
        assert server.health(role)["dependencies"]["kafka"]["status"] == "ok"


def test_an_independent_client_reads_what_the_documents_say(split):
    tenant = split.tenant()
    ada = tenant.user("ada")
    ada.put("users", "me", body={"name": "Ada"}, expect=200)
    ada.post("conversations", body={"id": "room"}, expect=201)
    for number in range(20):
        say(ada, "room", words(str(number)))
    ada.settle()
    events = []
    for line in split.topic("messaging.events"):
        key, headers, value = line.split("|", 2)
        event = json.loads(value)
        fields = dict(field.split("=", 1) for field in headers.split(","))
        assert fields["ce_type"] == event["type"] and fields["ce_id"] == event["id"] and event["specversion"] == "1.0"
        if event["type"] == "log.watermark":
            assert key == "" and event["data"]["partitions"] == 4
            assert event["data"]["through"] == int(fields["parley-offset"])
            continue
        about = event.get("conversationid") or event["userid"]
        assert key == f"{event['tenantid']}\x1f{about}"
        events.append((int(fields["parley-offset"]), about, event["eventnumber"], event["type"]))
    assert sorted({offset for offset, *_ in events}) == list(range(1, len(events) + 1)), "every event once"
    of_room = [number for _, about, number, _ in events if about == "room"]
    assert of_room == sorted(of_room) and len(of_room) >= 22
    people = [json.loads(line.split("|", 2)[2]) for line in split.topic("user.events")]
    assert {event["type"] for event in people} == {"user.updated"}
    assert split.topic("messaging.events.dead_letters") == []


@pytest.mark.parametrize("victim", ["messaging", "search"])
def test_a_process_that_is_killed_loses_nothing(split, victim):
    tenant = split.tenant()
    ada = tenant.user("ada")
    ada.post("conversations", body={"id": "room"}, expect=201)
    ids = [say(ada, "room", words(f"walrus {number}"))["id"] for number in range(30)]
    server = getattr(split, victim)
    server.kill()
    server.start(60)
    until("the gateway sees it", lambda: ada.ask("messages", q="walrus").status == 200, 30)
    ids += [say(ada, "room", words(f"walrus {number}"))["id"] for number in range(30, 40)]
    assert sorted(ada.found("walrus")) == sorted(ids)


def test_an_index_that_is_lost_is_made_anew(split):
    tenant = split.tenant()
    ada = tenant.user("ada")
    ada.post("conversations", body={"id": "room"}, expect=201)
    ids = [say(ada, "room", words(f"walrus {number}"))["id"] for number in range(10)]
    ada.settle()
    split.search.stop()
    for file in (split.search.data / "search").glob("search.db*"):
        file.unlink()
    split.search.start(60)
    until("the gateway sees it", lambda: ada.ask("messages", q="walrus").status == 200, 30)
    assert sorted(ada.found("walrus")) == sorted(ids)


@pytest.fixture
def own_kafka():
    kafka = OwnKafka().start()
    yield kafka
    kafka.remove()


def test_while_kafka_is_away_sending_goes_on_and_afterwards_all_is_found(start_server, issuer, own_kafka):
    split = Split(start_server, issuer, own_kafka.brokers)
    tenant = split.tenant()
    ada = tenant.user("ada")
    ada.post("conversations", body={"id": "room"}, expect=201)
    ids = [say(ada, "room", words("walrus before"))["id"]]
    assert ada.found("walrus") == ids
    own_kafka.kill()
    try:
        until("messaging says so", lambda: split.messaging.health("messaging")["dependencies"]["kafka"]["status"] != "ok", 30)
        health = split.messaging.health("messaging")
        assert health["status"] == "degraded"
        ids += [say(ada, "room", words(f"walrus {number}"))["id"] for number in range(20)]
        assert len(ada.get("conversations", "room", "messages", expect=200).json["items"]) == 21
        assert ada.ask("messages", q="walrus", expect=200).json["items"], "what was found before still is"
        behind = ada.ask("messages", q="walrus", min_position=ada.written.position, wait_ms=100)
        behind.refused(503, "index_behind")
    finally:
        own_kafka.start()
    until("all is found", lambda: sorted(hit["id"] for hit in ada.ask("messages", q="walrus", limit=100).json["items"]) == sorted(ids),
          30 if sanitized() else 15)  # fmt: skip
