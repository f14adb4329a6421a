"""Reading, editing and deleting messages; their history and reactions."""

import pytest

from harness.client import words


@pytest.fixture
def ada(tenant):
    return tenant.user("ada")


@pytest.fixture
def ben(tenant):
    return tenant.user("ben")


@pytest.fixture
def room(ada):
    return ada.group(members=["ben"])["id"]


def test_an_edit_keeps_history(ada, ben, room):
    first, second, third = words("one"), words("two"), words("three")
    message = ada.send(room, first, metadata={"v": 1}, mentions=["ben"])
    edited = ada.put("messages", message["id"], body={"content": second}, expect=200)
    assert edited.json["version"] == 2 and edited.headers["ETag"] == '"2"' and edited.json["edited_at"]
    assert edited.json["metadata"] == {"v": 1} and edited.json["mentions"] == ["ben"], "fields not given stay"
    ada.put("messages", message["id"], body={"content": third, "metadata": {}, "mentions": []}, expect=200)
    now = ben.read(message["id"])
    assert now["content"] == third and now["version"] == 3 and now["metadata"] == {} and now["mentions"] == []
    assert now["seq"] == message["seq"] and now["created_at"] == message["created_at"]
    history = ben.all("messages", message["id"], "history", limit=1)
    assert [(v["version"], v["content"], v["metadata"]) for v in history] == [
        (3, third, {}), (2, second, {"v": 1}), (1, first, {"v": 1}),
    ]  # fmt: skip
    assert ben.all("messages", message["id"], "history") == history


@pytest.mark.parametrize("body", [{}, {"content": "same"}, {"content": "same", "metadata": {"a": 1}, "mentions": []}])
def test_an_edit_that_changes_nothing_is_no_edit(ada, room, body):
    message = ada.send(room, "same", metadata={"a": 1})
    answer = ada.put("messages", message["id"], body=body, expect=200).json
    assert answer["version"] == 1 and answer["edited_at"] is None
    assert len(ada.all("messages", message["id"], "history")) == 1


def test_an_edit_must_not_empty_a_message(ada, room):
    message = ada.send(room)
    ada.put("messages", message["id"], body={"content": ""}).refused(400, "validation_failed", "/content")


def test_only_the_sender_edits(ada, ben, room):
    message = ben.send(room)
    ada.put("messages", message["id"], body={"content": "x"}).refused(403, "forbidden")


def test_a_deleted_message_leaves_a_tombstone_and_no_word_of_it(ada, ben, room):
    secret, draft = words("secret"), words("draft")
    message = ada.send(room, draft, metadata={"mark": draft}, mentions=["ben"], client_message_id=draft.split()[0])
    ada.put("messages", message["id"], body={"content": secret}, expect=200)
    ben.post("messages", message["id"], "reactions", body={"reaction": "👍"}, expect=201)
    reply = ben.send(room, reply_to=message["id"])
    ada.delete("messages", message["id"], expect=204)
    ada.delete("messages", message["id"], expect=204)
    tombstone = ben.read(message["id"])
    assert tombstone["content"] is None and tombstone["metadata"] == {} and tombstone["mentions"] == []
    assert tombstone["reactions"] == [] and tombstone["attachments"] == [] and "client_message_id" not in tombstone
    assert tombstone["id"] == message["id"] and tombstone["seq"] == message["seq"] and tombstone["deleted_at"]
    assert tombstone["sender_id"] == "ada" and tombstone["reply_count"] == 1 and tombstone["version"] == 3
    assert ben.all("messages", message["id"], "history") == []
    answers = [
        ada.get("messages", message["id"]), ada.get("messages", message["id"], "history"),
        ada.get("messages", message["id"], "replies"), ada.get("conversations", room, "messages"),
        ada.get("conversations", room, "messages", around=1), ada.get("conversations", room), ada.get("conversations"),
        ada.get("messages", reply["id"]),
    ]  # fmt: skip
    for answer in answers:
        assert answer.status == 200 and secret.encode() not in answer.body and draft.encode() not in answer.body
    ada.put("messages", message["id"], body={"content": "again"}).refused(409, "message_deleted")
    ben.post("messages", message["id"], "reactions", body={"reaction": "x"}).refused(409, "message_deleted")


def test_a_deleted_last_message_shows_as_a_tombstone_in_the_conversation(ada, room):
    message = ada.send(room)
    ada.delete("messages", message["id"], expect=204)
    conversation = ada.get("conversations", room, expect=200).json
    assert conversation["last_message"]["content"] is None and conversation["last_seq"] == 1


# If-Match


@pytest.mark.parametrize("tag", ['"1"', '"7", "1"', "*", '"1","2"'])
def test_a_matching_tag_lets_an_edit_through(ada, room, tag):
    message = ada.send(room)["id"]
    ada.put("messages", message, body={"content": "x"}, headers={"If-Match": tag}, expect=200)


@pytest.mark.parametrize("tag", ['"2"', 'W/"1"', '"2", W/"1"', '"01"', '"x"'])
def test_another_or_a_weak_tag_stops_edit_and_delete(ada, room, tag):
    message = ada.send(room, "first")["id"]
    edit = ada.put("messages", message, body={"content": "x"}, headers={"If-Match": tag})
    assert edit.refused(412, "precondition_failed").headers["ETag"] == '"1"'
    ada.delete("messages", message, headers={"If-Match": tag}).refused(412, "precondition_failed")
    assert ada.read(message)["content"] == "first"


@pytest.mark.parametrize("tag", ["1", '"1', "x" * 256, '"1" "2"', ""])
def test_a_malformed_tag_is_400(ada, room, tag):
    message = ada.send(room)["id"]
    ada.put("messages", message, body={"content": "x"}, headers={"If-Match": tag}).refused(
        400, "validation_failed", "header.If-Match"
    )


def test_of_two_editors_with_the_same_tag_one_loses(ada, room):
    message = ada.send(room)["id"]
    tag = {"If-Match": '"1"'}
    ada.put("messages", message, body={"content": "first"}, headers=tag, expect=200)
    ada.put("messages", message, body={"content": "second"}, headers=tag).refused(412, "precondition_failed")
    assert ada.read(message)["content"] == "first"


def test_reactions_and_replies_do_not_change_the_version(ada, ben, room):
    message = ada.send(room)["id"]
    ben.post("messages", message, "reactions", body={"reaction": "x"}, expect=201)
    ben.send(room, reply_to=message)
    assert ada.read(message)["version"] == 1


# Reactions


def test_reactions_tell_counts_who_and_whether_mine(ada, ben, room):
    message = ada.send(room)["id"]
    first = ada.post("messages", message, "reactions", body={"reaction": "👍"}, expect=201).json
    assert first["message_id"] == message and first["count"] == 1 and first["mine"] and first["users"] == ["ada"]
    again = ada.post("messages", message, "reactions", body={"reaction": "👍"}, expect=200).json
    assert again["count"] == 1
    second = ben.post("messages", message, "reactions", body={"reaction": "👍"}, expect=201).json
    assert second["count"] == 2 and second["users"] == ["ada", "ben"]
    ben.post("messages", message, "reactions", body={"reaction": "party parrot"}, expect=201)
    seen = {r["reaction"]: r for r in ada.read(message)["reactions"]}
    assert seen["👍"] == {"reaction": "👍", "count": 2, "users": ["ada", "ben"], "mine": True}
    assert seen["party parrot"] == {"reaction": "party parrot", "count": 1, "users": ["ben"], "mine": False}
    ada.delete("messages", message, "reactions", "👍", expect=204)
    ada.delete("messages", message, "reactions", "👍", expect=204)
    ada.delete("messages", message, "reactions", "party parrot", expect=204)  # it is not hers: nothing happens
    seen = {r["reaction"]: r["count"] for r in ada.read(message)["reactions"]}
    assert seen == {"👍": 1, "party parrot": 1}
    ben.delete("messages", message, "reactions", "👍", expect=204)
    assert [r["reaction"] for r in ada.read(message)["reactions"]] == ["party parrot"]


@pytest.mark.parametrize("name", ["a/b", "100%", "?#&=", "...", "👩🏽‍🚀", "x" * 64, ":+1:", "é", " "])
def test_a_reaction_may_have_any_name_also_in_the_path(ada, room, name):
    message = ada.send(room)["id"]
    assert ada.post("messages", message, "reactions", body={"reaction": name}, expect=201).json["reaction"] == name
    ada.delete("messages", message, "reactions", name, expect=204)
    assert ada.read(message)["reactions"] == []


def test_a_message_takes_fifty_different_reactions(ada, ben, room):
    message = ada.send(room)["id"]
    for number in range(50):
        ada.post("messages", message, "reactions", body={"reaction": f"r{number}"}, expect=201)
    ben.post("messages", message, "reactions", body={"reaction": "one more"}).refused(409, "too_many_reactions")
    ben.post("messages", message, "reactions", body={"reaction": "r7"}, expect=201)
    assert len(ada.read(message)["reactions"]) == 50


def test_only_the_first_twenty_users_of_a_reaction_are_named(ada, tenant, room):
    message = ada.send(room)["id"]
    users = [f"u{number:02}" for number in range(22)]
    for user in users:
        ada.add(room, user)
        tenant.user(user).post("messages", message, "reactions", body={"reaction": "x"}, expect=201)
    (reaction,) = ada.read(message)["reactions"]
    assert reaction["count"] == 22 and reaction["users"] == users[:20] and not reaction["mine"]
    assert tenant.user("u21").read(message)["reactions"][0]["mine"]
