"""Conversations: groups, direct ones, their fields, their end."""

import pytest

from harness.client import unique, words


@pytest.fixture
def ada(tenant):
    return tenant.user("ada", name="Ada")


@pytest.fixture
def ben(tenant):
    return tenant.user("ben")


@pytest.mark.smoke
def test_a_new_group_belongs_to_its_maker(ada, ben):
    body = {"id": unique("c"), "name": "general", "topic": "all", "metadata": {"k": [1]}, "members": ["ben", "ada"]}
    answer = ada.post("conversations", body=body, expect=201)
    made = answer.json
    assert answer.headers["Location"] == f"conversations/{body['id']}" and answer.headers["ETag"] == '"1"'
    assert {name: made[name] for name in ("id", "name", "topic", "metadata")} == {
        name: body[name] for name in ("id", "name", "topic", "metadata")
    }
    assert made["type"] == "group" and made["created_by"] == "ada" and made["my_role"] == "owner"
    assert made["member_count"] == 2 and made["last_seq"] == 0 and made["last_message"] is None
    assert not made["archived"] and not made["imported"] and made["unread_count"] == 0 and made["read_seq"] == 0
    assert made["last_activity_at"] == made["created_at"]
    seen = ben.get("conversations", body["id"], expect=200).json
    assert seen["my_role"] == "member"
    members = ada.all("conversations", body["id"], "members")
    assert [(m["user_id"], m["role"], m["name"]) for m in sorted(members, key=lambda m: m["user_id"])] == [
        ("ada", "owner", "Ada"), ("ben", "member", None),
    ]  # fmt: skip


def test_without_an_id_the_server_chooses_one(ada):
    made = ada.post("conversations", body={}, expect=201).json
    assert len(made["id"]) == 36 and made["name"] is None and made["topic"] is None
    ada.send(made["id"])


@pytest.mark.parametrize("name", ["a/b", "ü ö", "100%", "?x=1&y#z", "...", "me", "x" * 128, "é" * 64, "+", "%2F", "messages"])
def test_an_id_may_be_any_text_and_is_percent_encoded_in_paths(ada, ben, name):
    ada.post("conversations", body={"id": name, "members": ["ben"]}, expect=201)
    message = ben.send(name)
    assert ada.get("conversations", name, expect=200).json["id"] == name
    assert [m["id"] for m in ada.all("conversations", name, "messages")] == [message["id"]]
    ada.put("conversations", name, body={"topic": "t"}, expect=200)
    ada.delete("conversations", name, "members", "ben", expect=204)
    ada.delete("conversations", name, expect=204)


@pytest.mark.parametrize("user", ["a/b", "ü ö", "%", "irc:nick", "x" * 128])
def test_user_ids_may_be_any_text_too(ada, tenant, user):
    conversation = ada.group()["id"]
    ada.add(conversation, user, "moderator")
    stranger = tenant.user(user, name="N")
    assert stranger.get("users", "me", expect=200).json["id"] == user
    assert ada.get("users", user, expect=200).json["name"] == "N"
    ada.put("conversations", conversation, "members", user, "role", body={"role": "admin"}, expect=200)
    stranger.send(conversation)
    ada.delete("conversations", conversation, "members", user, expect=204)


def test_fields_given_are_changed_and_others_stay(ada):
    conversation = ada.group(name="n", topic="t", metadata={"a": 1})["id"]
    changed = ada.put("conversations", conversation, body={"topic": "new"}, expect=200)
    assert changed.json["topic"] == "new" and changed.json["name"] == "n" and changed.json["metadata"] == {"a": 1}
    assert changed.json["version"] == 2 and changed.headers["ETag"] == '"2"'
    cleared = ada.put("conversations", conversation, body={"name": None, "topic": None, "metadata": {}}, expect=200)
    assert cleared.json["name"] is None and cleared.json["topic"] is None and cleared.json["metadata"] == {}
    assert ada.put("conversations", conversation, body={}, expect=200).json["version"] == 3
    assert ada.put("conversations", conversation, body={"name": None}, expect=200).json["version"] == 3
    assert ada.put("conversations", conversation, body={"archived": True}, expect=200).json["archived"]
    assert ada.get("conversations", conversation, expect=200).json["version"] == 4


def test_messages_and_members_do_not_change_the_version(ada):
    conversation = ada.group()["id"]
    ada.send(conversation)
    ada.add(conversation, "ben")
    now = ada.get("conversations", conversation, expect=200)
    assert now.headers["ETag"] == '"1"' and now.json["member_count"] == 2 and now.json["last_seq"] == 1


def test_if_match_guards_update_and_delete(ada):
    conversation = ada.group()["id"]
    ada.put("conversations", conversation, body={"name": "a"}, headers={"If-Match": '"1"'}, expect=200)
    stale = ada.put("conversations", conversation, body={"name": "b"}, headers={"If-Match": '"1"'})
    assert stale.refused(412, "precondition_failed").headers["ETag"] == '"2"'
    ada.delete("conversations", conversation, headers={"If-Match": '"1"'}).refused(412, "precondition_failed")
    ada.delete("conversations", conversation, headers={"If-Match": '"2"'}, expect=204)


def test_a_deleted_conversation_is_gone_for_all_with_its_messages(ada, ben, tenant):
    conversation = ada.group(members=["ben"])["id"]
    message = ben.send(conversation)["id"]
    ada.delete("conversations", conversation, expect=204)
    ada.delete("conversations", conversation).refused(404, "not_found")
    admin = tenant.user("root", "admin")
    for user in (ada, ben, admin):
        user.get("conversations", conversation).refused(404, "not_found")
        user.get("conversations", conversation, "messages").refused(404, "not_found")
        user.get("messages", message).refused(404, "not_found")
        user.get("messages", message, "history").refused(404, "not_found")
        user.put("messages", message, body={"content": "x"}).refused(404, "not_found")
        user.delete("messages", message).refused(404, "not_found")
        user.post("messages", body={"conversation_id": conversation, "content": "x"}).refused(404, "not_found")
        assert user.all("conversations") == []


# Direct conversations


def test_a_pair_has_one_direct_conversation(ada, ben):
    first = ada.post("conversations", body={"type": "direct", "members": ["ben"]}, expect=201).json
    assert first["type"] == "direct" and first["member_count"] == 2 and first["my_role"] == "member"
    for user in (ada, ben):
        again = user.post("conversations", body={"type": "direct", "members": ["ada", "ben"]}, expect=200).json
        assert again["id"] == first["id"]
    chosen = ben.post("conversations", body={"type": "direct", "members": ["ada"], "id": unique("c")}, expect=200).json
    assert chosen["id"] == first["id"], "it answers under the id that it has"
    message = ben.send(first["id"])
    assert ada.read(message["id"])["content"] == message["content"]
    assert {m["user_id"] for m in ada.all("conversations", first["id"], "members")} == {"ada", "ben"}


@pytest.mark.parametrize("members", [[], ["ada"], ["ben", "eve"], ["ada", "ben", "eve"]])
def test_a_direct_conversation_is_for_the_caller_and_one_other(ada, members):
    ada.post("conversations", body={"type": "direct", "members": members}).refused(400, "validation_failed", "/members")


def test_a_direct_conversation_keeps_its_pair(ada, ben, tenant):
    admin = tenant.user("root", "admin")
    direct = ada.post("conversations", body={"type": "direct", "members": ["ben"]}, expect=201).json["id"]
    code = "direct_conversation"
    ada.post("conversations", direct, "members", body={"user_id": "eve"}).refused(409, code)
    ada.delete("conversations", direct, "members", "ben").refused(409, code)
    ben.delete("conversations", direct, "members", "ben").refused(409, code)
    ada.put("conversations", direct, "members", "ben", "role", body={"role": "owner"}).refused(409, code)
    for body in ({"name": "n"}, {"topic": "t"}, {"archived": True}, {"metadata": {}, "name": "n"}):
        ada.put("conversations", direct, body=body).refused(409, code)
    ben.put("conversations", direct, body={"metadata": {"a": 1}}, expect=200)
    ada.delete("conversations", direct).refused(403, "forbidden")
    message = ben.send(direct)["id"]
    ada.delete("messages", message).refused(403, "forbidden")
    for answer in (admin.get("conversations", direct), admin.get("conversations", direct, "members"),
                   admin.get("messages", message), admin.put("conversations", direct, body={"metadata": {}}),
                   admin.post("conversations", direct, "members", body={"user_id": "root"})):  # fmt: skip
        answer.refused(404, "not_found")
    admin.delete("messages", message, expect=204)
    admin.delete("conversations", direct, expect=204)
    ada.get("conversations", direct).refused(404, "not_found")


# The list


def test_the_list_goes_by_last_activity_and_carries_the_last_message(ada, ben):
    rooms = [ada.group(members=["ben"], name=f"room {n}")["id"] for n in range(5)]
    assert [c["id"] for c in ben.all("conversations", limit=2)] == rooms[::-1]
    message = ben.send(rooms[1])
    listed = ada.all("conversations", limit=2)
    assert [c["id"] for c in listed] == [rooms[1], rooms[4], rooms[3], rooms[2], rooms[0]]
    assert listed[0]["last_message"]["id"] == message["id"] and listed[0]["last_activity_at"] == message["created_at"]
    assert listed[0]["unread_count"] == 1 and listed[1]["last_message"] is None
    ada.delete("conversations", rooms[4], "members", "ben", expect=204)
    assert rooms[4] not in [c["id"] for c in ben.all("conversations")]


def test_one_that_becomes_active_while_the_list_is_paged_is_not_repeated(ada):
    rooms = [ada.group()["id"] for _ in range(6)]
    first = ada.get("conversations", limit=2, expect=200).json
    ada.send(rooms[0])
    ada.send(rooms[5])
    rest = ada.all("conversations", limit=2, cursor=first["next_cursor"])
    seen = [c["id"] for c in first["items"] + rest]
    assert len(seen) == len(set(seen))
    assert set(rooms) - set(seen) <= {rooms[0]}, "only the one that moved to the top may be missing"
    assert rooms[0] in [c["id"] for c in ada.get("conversations", limit=2, expect=200).json["items"]]


# Members


def test_adding_a_member_twice(ada):
    conversation = ada.group()["id"]
    added = ada.add(conversation, "ben", "moderator")
    assert added["role"] == "moderator" and added["name"] is None
    members = ("conversations", conversation, "members")
    assert ada.post(*members, body={"user_id": "ben"}, expect=200).json["role"] == "moderator"
    assert ada.post(*members, body={"user_id": "ben", "role": "moderator"}, expect=200).json["role"] == "moderator"
    ada.post(*members, body={"user_id": "ben", "role": "admin"}).refused(409, "member_exists")
    assert ada.get("conversations", conversation, expect=200).json["member_count"] == 2


def test_members_are_listed_by_the_time_they_joined(ada):
    conversation = ada.group()["id"]
    users = [f"u{9 - number}" for number in range(8)]
    for user in users:
        ada.add(conversation, user)
    members = ada.all("conversations", conversation, "members", limit=3)
    assert {m["user_id"] for m in members} == {"ada", *users} and len(members) == 9
    assert members == sorted(members, key=lambda m: (m["joined_at"], m["user_id"])), "by id within a millisecond"


def test_removing_who_is_no_member_is_404(ada):
    conversation = ada.group(members=["ben"])["id"]
    ada.delete("conversations", conversation, "members", "ben", expect=204)
    ada.delete("conversations", conversation, "members", "ben").refused(404, "not_found")
    ada.put("conversations", conversation, "members", "ben", "role", body={"role": "admin"}).refused(404, "not_found")


def test_the_last_owner_stays_until_there_is_another(ada, ben, tenant):
    admin = tenant.user("root", "admin")
    conversation = ada.group(members=["ben"])["id"]
    role = ("conversations", conversation, "members", "ada", "role")
    for user in (ada, admin):
        user.delete("conversations", conversation, "members", "ada").refused(409, "last_owner")
        user.put(*role, body={"role": "member"}).refused(409, "last_owner")
        user.put(*role, body={"role": "owner"}, expect=200)
    ada.put("conversations", conversation, "members", "ben", "role", body={"role": "owner"}, expect=200)
    ada.put(*role, body={"role": "member"}, expect=200)
    ben.delete("conversations", conversation, "members", "ben").refused(409, "last_owner")
    ada.delete("conversations", conversation, "members", "ada", expect=204)
    ada.get("conversations", conversation).refused(404, "not_found")


def test_who_left_reads_nothing_and_who_comes_back_reads_all(ada, ben):
    conversation = ada.group(members=["ben"])["id"]
    said = [ada.send(conversation)["id"] for _ in range(3)]
    ben.delete("conversations", conversation, "members", "ben", expect=204)
    ben.get("conversations", conversation, "messages").refused(404, "not_found")
    ben.get("messages", said[0]).refused(404, "not_found")
    assert ben.all("conversations") == []
    ada.add(conversation, "ben")
    assert [m["id"] for m in ben.all("conversations", conversation, "messages", order="asc")] == said
    assert ben.get("conversations", conversation, expect=200).json["unread_count"] == 0


def test_a_group_starts_with_up_to_a_hundred_members(ada):
    users = [f"u{number}" for number in range(100)]
    conversation = ada.group(members=users)
    assert conversation["member_count"] == 101
    assert len(ada.all("conversations", conversation["id"], "members", limit=100)) == 101
    ada.post("conversations", body={"members": [*users, "one more"]}).refused(400, "validation_failed", "/members")


def test_a_stranger_learns_of_a_chosen_id_only_that_it_is_taken(ada, tenant):
    conversation = ada.group(name=words())["id"]
    answer = tenant.user("eve").post("conversations", body={"id": conversation}).refused(409, "conversation_exists")
    assert b"Plaintext" not in answer.body


def test_a_group_has_as_many_members_as_the_operator_allows(start_server, tenant_at):
    tenant = tenant_at(start_server(MAX_CONVERSATION_MEMBERS=3))
    ada = tenant.user("ada")
    ada.post("conversations", body={"members": ["b", "c", "d"]}).refused(409, "too_many_members")
    room = ada.group(members=["b", "c"])["id"]
    for boss in (ada, tenant.user("boss", "admin")):
        boss.post("conversations", room, "members", body={"user_id": "d"}).refused(409, "too_many_members")
    ada.post("conversations", room, "members", body={"user_id": "b"}, expect=200)
    ada.delete("conversations", room, "members", "b", expect=204)
    ada.post("conversations", room, "members", body={"user_id": "d"}, expect=201)
