"""The schemas of events by themselves: sound, of one envelope, at one with the API. No server runs here."""

import copy
import json
import pathlib
import re

import pytest
import yaml
from jsonschema import Draft7Validator

API = pathlib.Path(__file__).resolve().parents[2] / "api"
EVENT_FILES = sorted((API / "events").glob("*.json"))


@pytest.mark.parametrize("file", EVENT_FILES, ids=lambda file: file.stem)
def test_an_event_schema_is_sound_and_its_example_fits(file):
    schema = json.loads(file.read_text(encoding="utf-8"))
    Draft7Validator.check_schema(schema)
    validator = Draft7Validator(schema, format_checker=Draft7Validator.FORMAT_CHECKER)
    assert schema["title"] == schema["properties"]["type"]["const"] == file.stem
    assert schema["examples"]
    for example in schema["examples"]:
        validator.validate(example)
        assert len(json.dumps(example)) < 65536
        for name in schema["required"]:
            assert not validator.is_valid({key: value for key, value in example.items() if key != name}), name
        assert not validator.is_valid({**example, "type": "other"})
        assert not validator.is_valid({**example, "eventnumber": 0})
        assert not validator.is_valid({**example, "time": "2026-11-24T08:00:00Z"}), "times have milliseconds"
        assert not validator.is_valid({**example, "data": {**example["data"], "stray": 1}})


def test_all_events_share_one_envelope():
    envelopes = []
    for file in EVENT_FILES:
        schema = json.loads(file.read_text(encoding="utf-8"))
        envelope = copy.deepcopy(schema["properties"])
        del envelope["type"], envelope["data"]
        of_media = file.stem.startswith("file.")
        assert envelope.pop("source") == {"const": "/parley/media" if of_media else "/parley/messaging"}
        scope = "userid" if of_media or file.stem.startswith("user.") else "conversationid"
        assert scope in schema["required"] and envelope.pop(scope)
        del envelope["eventnumber"]["description"]
        assert all(re.fullmatch(r"[a-z]{1,20}", name) for name in envelope), "names as CloudEvents has them"
        envelopes.append(envelope)
    assert all(envelope == envelopes[0] for envelope in envelopes)


def test_there_is_an_event_for_each_kind_of_change():
    assert [file.stem for file in EVENT_FILES] == [
        "conversation.created", "conversation.deleted", "conversation.updated",
        "file.deleted", "file.uploaded",
        "member.added", "member.removed", "member.role_changed",
        "message.created", "message.deleted", "message.edited", "message.files_changed",
        "reaction.added", "reaction.removed", "read.updated", "user.updated",
    ]  # fmt: skip


def test_a_deletion_carries_nothing_of_what_was_deleted():
    told = {
        "id", "conversation_id", "owner_id", "seq", "sender_id", "thread_root", "deleted_at", "deleted_by", "version"
    }  # fmt: skip
    for name in ("message.deleted", "conversation.deleted", "file.deleted"):
        schema = json.loads((API / "events" / f"{name}.json").read_text(encoding="utf-8"))
        assert set(schema["properties"]["data"]["properties"]) <= told


def test_events_name_things_as_the_api_does():
    schemas = yaml.safe_load((API / "messaging.yaml").read_text(encoding="utf-8"))["components"]["schemas"]
    for event, entity in (
        ("message.created", "ScannedMessage"),
        ("message.edited", "ScannedMessage"),
        ("message.files_changed", "ScannedMessage"),
        ("conversation.created", "Conversation"),
        ("conversation.updated", "Conversation"),
        ("user.updated", "User"),
    ):
        schema = json.loads((API / "events" / f"{event}.json").read_text(encoding="utf-8"))
        assert set(schema["properties"]["data"]["properties"]) <= set(schemas[entity]["properties"]), event
