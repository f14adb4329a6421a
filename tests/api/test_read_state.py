"""Read marks and unread counts."""

import pytest

from harness.client import words


@pytest.fixture
def ada(tenant):
    return tenant.user("ada")


@pytest.fixture
def ben(tenant):
    return tenant.user("ben")


def unread(user, conversation):
    one = user.get("conversations", conversation, expect=200).json
    (listed,) = (c for c in user.all("conversations") if c["id"] == conversation)
    assert one["unread_count"] == listed["unread_count"] and one["read_seq"] == listed["read_seq"]
    return one["unread_count"]


@pytest.mark.smoke
def test_unread_are_messages_of_others_above_the_mark(ada, ben):
    conversation = ada.group(members=["ben"])["id"]
    for _ in range(3):
        ada.send(conversation)
    ben.send(conversation)
    ada.send(conversation)
    assert unread(ben, conversation) == 4 and unread(ada, conversation) == 1
    state = ben.put("conversations", conversation, "read", body={"seq": 2}, expect=200).json
    del state["position"]
    assert state == {"conversation_id": conversation, "user_id": "ben", "read_seq": 2, "last_seq": 5, "unread_count": 2}
    assert unread(ben, conversation) == 2 and unread(ada, conversation) == 1


def test_the_mark_never_goes_back(ada, ben):
    conversation = ada.group(members=["ben"])["id"]
    for _ in range(5):
        ada.send(conversation)
    ben.put("conversations", conversation, "read", body={"seq": 4}, expect=200)
    for lower in (3, 0, 4):
        state = ben.put("conversations", conversation, "read", body={"seq": lower}, expect=200).json
        assert state["read_seq"] == 4 and state["unread_count"] == 1


@pytest.mark.parametrize("seq", [3, 4, 2**53 - 1])
def test_a_mark_above_the_last_seq_is_400(ada, seq):
    conversation = ada.group()["id"]
    ada.send(conversation), ada.send(conversation)
    ada.put("conversations", conversation, "read", body={"seq": seq}).refused(400, "validation_failed", "/seq")
    ada.put("conversations", conversation, "read", body={"seq": 2}, expect=200)


def test_deleting_an_unread_message_lowers_the_count_and_a_read_one_does_not(ada, ben):
    conversation = ada.group(members=["ben"])["id"]
    messages = [ada.send(conversation)["id"] for _ in range(4)]
    ben.put("conversations", conversation, "read", body={"seq": 2}, expect=200)
    ada.delete("messages", messages[0], expect=204)
    assert unread(ben, conversation) == 2
    ada.delete("messages", messages[3], expect=204)
    assert unread(ben, conversation) == 1
    ada.delete("messages", messages[3], expect=204)
    assert unread(ben, conversation) == 1, "the second delete counts nothing"


def test_marks_start_at_zero_for_the_first_and_at_the_end_for_those_who_join(ada, ben):
    conversation = ada.group()["id"]
    for _ in range(3):
        ada.send(conversation)
    assert ada.add(conversation, "ben")["read_seq"] == 3
    assert unread(ben, conversation) == 0
    ada.send(conversation)
    assert unread(ben, conversation) == 1


def test_members_see_each_others_marks(ada, ben):
    conversation = ada.group(members=["ben"])["id"]
    ada.send(conversation)
    ben.put("conversations", conversation, "read", body={"seq": 1}, expect=200)
    marks = {m["user_id"]: m["read_seq"] for m in ada.all("conversations", conversation, "members")}
    assert marks == {"ada": 0, "ben": 1}


def test_an_edit_makes_nothing_unread(ada, ben):
    conversation = ada.group(members=["ben"])["id"]
    message = ada.send(conversation)["id"]
    ben.put("conversations", conversation, "read", body={"seq": 1}, expect=200)
    ada.put("messages", message, body={"content": words()}, expect=200)
    assert unread(ben, conversation) == 0
