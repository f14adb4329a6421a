"""What four processes leave in the engines, as others see it: pymongo the documents, kcat the topics, curl the index, boto3 the objects.

They find what docs/operations.md and the decisions it names say.
"""

import json
import subprocess

import boto3
import pymongo
import pytest

from harness.client import Client, words
from harness.engines import address_of, records
from harness.files import sha256, some_bytes, upload
from harness.search import SearchTenant
from harness.waiting import until

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def written(fleet):
    """A conversation of everything: sent, edited, deleted, reacted to, with a file."""
    tenant = SearchTenant(fleet.issuer, fleet.search_place("engines"))
    ada, ben = tenant.user("ada"), tenant.user("ben")
    ada.put("users", "me", body={"name": "Ada"}, expect=200)
    ada.group("room", members=["ben"])
    written = {name: ada.send("room", words(name)) for name in ("kept", "edited", "deleted")}
    ada.put("messages", written["edited"]["id"], body={"content": words("anew")}, expect=200)
    ada.delete("messages", written["deleted"]["id"], expect=204)
    ben.post("messages", written["kept"]["id"], "reactions", body={"reaction": "x"}, expect=201)
    written["bytes"] = some_bytes(100_000)
    media = Client(ada.origin, ada.contract, "/v1/media", ada.token)
    written["file"] = upload(media, written["bytes"], "a.bin", expect=201).json
    written["attached"] = ada.send("room", words("see"), attachments=[written["file"]["id"]])
    ada.settle()
    return written | {"tenant": tenant.name, "place": fleet.place.settings}


def test_pymongo_finds_each_collection_as_decided(written):
    database = pymongo.MongoClient(address_of("mongo"), uuidRepresentation="standard")[written["place"]["MONGODB_DATABASE"]]
    room = database.conversations.find_one({"tenant": written["tenant"], "id": "room"})
    assert (room["last_seq"], room["live"], room["member_count"]) == (4, 3, 2)
    messages = list(database.messages.find({"conversation": room["_id"]}).sort("seq"))
    assert [message["seq"] for message in messages] == [1, 2, 3, 4], "dense"
    assert [str(message["_id"]) for message in messages] == [written[name]["id"] for name in ("kept", "edited", "deleted", "attached")]
    assert messages[0]["content"] == written["kept"]["content"] and messages[1]["content"] != written["edited"]["content"]
    assert messages[1]["version"] == 2 and not messages[2].get("content"), "a tombstone says nothing"
    assert database.message_versions.count_documents({"message": messages[1]["_id"]}) >= 1, "history"
    assert database.reactions.count_documents({"message": messages[0]["_id"]}) == 1
    assert {member["user"] for member in database.members.find({"conversation": room["_id"]})} == {"ada", "ben"}
    numbers = [event["number"] for event in database.events.find({"tenant": written["tenant"], "key": "room"}).sort("_id")]
    assert numbers == list(range(1, room["event_number"] + 1)), "an event for each change, numbered in its conversation"
    assert database.messages.index_information()["by_seq"]["unique"] and database.conversations.index_information()["by_id"]["unique"]


def test_kcat_finds_cloudevents_keyed_by_tenant_and_conversation(written):
    seen = []
    for line in records(address_of("kafka"), written["place"]["KAFKA_TOPIC_PREFIX"] + "messaging.events"):
        key, headers, value = line.split("|", 2)
        event = json.loads(value)
        if event.get("tenantid") != written["tenant"]:
            continue
        fields = dict(field.split("=", 1) for field in headers.split(","))
        assert event["specversion"] == "1.0" and fields["ce_type"] == event["type"] and int(fields["parley-offset"]) > 0
        assert key == f"{written['tenant']}\x1f{event.get('conversationid') or event['userid']}"
        seen.append(event["type"])
    assert {"conversation.created", "message.created", "message.edited", "message.deleted", "reaction.added", "user.updated"} <= set(seen), seen
    assert seen.count("message.created") == 4
    assert records(address_of("kafka"), written["place"]["KAFKA_TOPIC_PREFIX"] + "messaging.events.dead_letters") == []

    def of_the_file():
        lines = records(address_of("kafka"), written["place"]["KAFKA_TOPIC_PREFIX"] + "media.events", "%s\n")
        return [event for event in map(json.loads, lines) if event.get("tenantid") == written["tenant"]]

    assert until("the file is told of", of_the_file)[0]["type"].startswith("file.")


def curl(url, body=None):
    data = [] if body is None else ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    done = subprocess.run(["curl", "-fsS", "--noproxy", "*", url, *data], capture_output=True, check=True, timeout=30)
    return json.loads(done.stdout)


def test_curl_finds_the_documents_of_the_index(written):
    base = f"{written['place']['ELASTICSEARCH_URL']}/{written['place']['ELASTICSEARCH_INDEX_PREFIX']}"
    curl(f"{base}-messages/_refresh")
    hits = curl(f"{base}-messages/_search", {"size": 100, "query": {"term": {"tenant": written["tenant"]}}})["hits"]["hits"]
    by_id = {hit["_source"]["message"]: hit["_source"] for hit in hits}
    assert len(by_id) == len(hits), "no message twice"
    kept, edited, deleted = (by_id[written[name]["id"]] for name in ("kept", "edited", "deleted"))
    assert kept["content"] == written["kept"]["content"] and kept["conversation"] == "room" and kept["live"] is True
    assert "anew" in edited["content"]
    assert deleted["live"] is False and "content" not in deleted, "what was deleted is a document that says nothing"
    state = curl(f"{base}-state/_search?q=kind:progress")["hits"]["total"]["value"]
    assert state > 0 and curl(f"{base}-state/_search?q=kind:letter")["hits"]["total"]["value"] == 0
    assert set(curl(f"{base}-messages/_alias")) == {f"{written['place']['ELASTICSEARCH_INDEX_PREFIX']}-messages-1"}


def test_boto3_finds_the_file_as_one_object_with_its_bytes(written):
    place = written["place"]
    s3 = boto3.client("s3", endpoint_url=place["S3_ENDPOINT"], aws_access_key_id=place["S3_ACCESS_KEY"],
                      aws_secret_access_key=place["S3_SECRET_KEY"], region_name=place["S3_REGION"])  # fmt: skip
    file = written["file"]["id"]
    got = s3.get_object(Bucket=place["S3_BUCKET"], Key=f"files/{file[-2:]}/{file}")["Body"].read()
    assert got == written["bytes"] and sha256(got) == written["file"]["sha256"]

    def pieces():
        return s3.list_objects_v2(Bucket=place["S3_BUCKET"], Prefix=f"uploads/{file[-2:]}/{file}/").get("Contents", [])

    until("its pieces are gone", lambda: not pieces())
