"""Promise 3: the same key by the same user gives the same thing, for good."""

import threading

import pytest

from harness.client import unique, words


@pytest.fixture
def ada(tenant):
    return tenant.user("ada")


def key(text):
    return {"Idempotency-Key": text}


@pytest.mark.smoke
def test_a_replay_answers_the_message_that_the_first_request_made(ada):
    conversation = ada.group()["id"]
    body = {"conversation_id": conversation, "content": words(), "metadata": {"a": 1, "b": 2}}
    first = ada.post("messages", body=body, headers=key("k1"), expect=201)
    again = ada.post("messages", body=body, headers=key("k1"), expect=200)
    assert again.json == first.json
    assert again.headers["ETag"] == first.headers["ETag"] and again.headers["Location"] == first.headers["Location"]
    assert len(ada.all("conversations", conversation, "messages")) == 1


def test_requests_are_compared_by_their_parsed_fields_with_defaults(ada):
    conversation = ada.group()["id"]
    ada.post("messages", body={"conversation_id": conversation, "content": "é"}, headers=key("k"), expect=201)
    spelt = f'{{ "type":"text", "metadata":{{}}, "mentions":[], "attachments":[],\n"content":"\\u00e9", "conversation_id":"{conversation}"}}'
    ada.post("messages", body=spelt.encode(), headers=key("k"), expect=200)


@pytest.mark.parametrize("change", [{"content": "other"}, {"type": "note"}, {"metadata": {"a": 2}}, {"mentions": ["u"]},
                                    {"client_message_id": "new"}])  # fmt: skip
def test_the_key_with_another_request_is_409_and_stores_nothing(ada, change):
    conversation = ada.group()["id"]
    body = {"conversation_id": conversation, "content": "one", "metadata": {"a": 1}}
    ada.post("messages", body=body, headers=key("k"), expect=201)
    ada.post("messages", body={**body, **change}, headers=key("k")).refused(409, "idempotency_mismatch")
    assert len(ada.all("conversations", conversation, "messages")) == 1


def test_the_key_with_another_conversation_is_409(ada):
    here, there = ada.group()["id"], ada.group()["id"]
    ada.post("messages", body={"conversation_id": here, "content": "x"}, headers=key("k"), expect=201)
    ada.post("messages", body={"conversation_id": there, "content": "x"}, headers=key("k")).refused(
        409, "idempotency_mismatch"
    )
    assert ada.all("conversations", there, "messages") == []


def test_keys_belong_to_a_user_and_a_route(ada, tenant):
    ben = tenant.user("ben")
    conversation = ada.group(members=["ben"])["id"]
    body = {"conversation_id": conversation, "content": "x"}
    mine = ada.post("messages", body=body, headers=key("k"), expect=201).json
    theirs = ben.post("messages", body=body, headers=key("k"), expect=201).json
    assert mine["id"] != theirs["id"]
    ada.post("conversations", body={"name": "n"}, headers=key("k"), expect=201)


def test_client_message_id_does_the_same_and_comes_back(ada):
    conversation = ada.group()["id"]
    body = {"conversation_id": conversation, "content": "x", "client_message_id": "m1"}
    first = ada.post("messages", body=body, expect=201).json
    assert ada.post("messages", body=body, expect=200).json == first
    ada.post("messages", body={**body, "content": "y"}).refused(409, "idempotency_mismatch")
    ada.post("messages", body=body, headers=key("another"), expect=200)


def test_key_and_client_message_id_that_name_different_messages_are_409(ada):
    conversation = ada.group()["id"]
    body = {"conversation_id": conversation, "content": "x"}
    ada.post("messages", body=body, headers=key("k"), expect=201)
    ada.post("messages", body={**body, "client_message_id": "m"}, expect=201)
    ada.post("messages", body={**body, "client_message_id": "m"}, headers=key("k")).refused(
        409, "idempotency_mismatch"
    )


def test_a_replay_answers_the_message_as_it_is_now(ada):
    conversation = ada.group()["id"]
    body = {"conversation_id": conversation, "content": "x"}
    message = ada.post("messages", body=body, headers=key("k"), expect=201).json["id"]
    ada.put("messages", message, body={"content": "edited"}, expect=200)
    now = ada.post("messages", body=body, headers=key("k"), expect=200)
    assert now.json["content"] == "edited" and now.headers["ETag"] == '"2"'
    ada.delete("messages", message, expect=204)
    tombstone = ada.post("messages", body=body, headers=key("k"), expect=200).json
    assert tombstone["content"] is None and tombstone["deleted_at"]


def test_rights_come_before_replays(ada, tenant):
    ben = tenant.user("ben")
    conversation = ada.group(members=["ben"])["id"]
    body = {"conversation_id": conversation, "content": "x", "client_message_id": "m"}
    ben.post("messages", body=body, headers=key("k"), expect=201)
    ada.put("conversations", conversation, body={"archived": True}, expect=200)
    ben.post("messages", body=body, headers=key("k"), expect=200)
    ada.delete("conversations", conversation, "members", "ben", expect=204)
    ben.post("messages", body=body, headers=key("k")).refused(404, "not_found")
    ada.add(conversation, "ben")
    ben.post("messages", body=body, headers=key("k"), expect=200)
    ada.delete("conversations", conversation, expect=204)
    ben.post("messages", body=body, headers=key("k")).refused(404, "not_found")


def test_many_at_once_with_one_key_make_one_message(ada):
    conversation = ada.group()["id"]
    body = {"conversation_id": conversation, "content": words(), "client_message_id": "m"}
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(ada.post("messages", body=body, headers=key("k"))))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers) == [200] * 11 + [201]
    assert len({answer.json["id"] for answer in answers}) == 1
    assert len(ada.all("conversations", conversation, "messages")) == 1


@pytest.mark.parametrize("text", ["k" * 255, "!~", "a:b/c?d=e&f"])
def test_a_key_is_up_to_255_visible_characters(ada, text):
    body = {"conversation_id": ada.group()["id"], "content": "x"}
    ada.post("messages", body=body, headers=key(text), expect=201)
    ada.post("messages", body=body, headers=key(text), expect=200)


@pytest.mark.parametrize("text", ["", "k" * 256, "a b", "ü", "a\tb"])
def test_other_keys_are_refused_and_named(ada, text):
    body = {"conversation_id": ada.group()["id"], "content": "x"}
    ada.post("messages", body=body, headers=key(text.encode())).refused(
        400, "validation_failed", "header.Idempotency-Key"
    )


# Conversations


def test_creating_a_conversation_honours_the_key(ada):
    body = {"name": "n", "members": ["ben"]}
    first = ada.post("conversations", body=body, headers=key("k"), expect=201).json
    again = ada.post("conversations", body=body, headers=key("k"), expect=200).json
    assert again["id"] == first["id"]
    ada.post("conversations", body={**body, "name": "other"}, headers=key("k")).refused(409, "idempotency_mismatch")
    assert len(ada.all("conversations")) == 1


def test_without_a_key_each_request_makes_its_own(ada):
    ids = {ada.post("conversations", body={"name": "n"}, expect=201).json["id"] for _ in range(2)}
    conversation = ids.pop()
    body = {"conversation_id": conversation, "content": "x"}
    assert ids and len({ada.post("messages", body=body, expect=201).json["id"] for _ in range(2)}) == 2


def test_a_chosen_id_makes_creation_repeatable(ada, tenant):
    body = {"id": unique("c"), "name": "n", "topic": "t", "metadata": {"a": 1}}
    ada.post("conversations", body=body, expect=201)
    ada.post("conversations", body={**body, "members": ["ben"]}, expect=200)
    for change in ({"name": "m"}, {"topic": None}, {"metadata": {}}, {"type": "direct", "members": ["ben"]}):
        refused = {**body, **change}
        if refused.get("type") == "direct":
            refused = {"id": body["id"], "type": "direct", "members": ["ben"]}
        ada.post("conversations", body=refused).refused(409, "conversation_exists")
    tenant.user("eve").post("conversations", body=body).refused(409, "conversation_exists")
    ada.delete("conversations", body["id"], expect=204)
    ada.post("conversations", body=body).refused(409, "conversation_exists")
    tenant.user("eve").get("conversations", body["id"]).refused(404, "not_found")
