"""POST /conversations/:id/import: batches of lines from elsewhere, whole or not at all."""

import json
import time

import pytest

from harness.client import words

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def boss(tenant):
    return tenant.user("boss", "admin")


@pytest.fixture
def room(boss):
    return boss.group(imported=True, name="#ubuntu")["id"]


def line(number=1, **fields):
    base = {"external_id": f"log:{number}", "author": "irc:alice", "content": words(str(number)),
            "created_at": f"2004-11-15T10:{number // 60:02}:{number % 60:02}.000Z"}  # fmt: skip
    return {name: value for name, value in (base | fields).items() if value is not ...}


def post(client, room, lines, **options):
    body = lines if isinstance(lines, bytes) else b"".join(json.dumps(one).encode() + b"\n" for one in lines)
    return client.post("conversations", room, "import", body=body, headers=NDJSON, **options)


@pytest.mark.smoke
def test_a_batch_is_stored_with_its_own_authors_and_times(boss, room):
    lines = [line(n) for n in range(1, 6)]
    lines[3]["reply_to_external_id"] = "log:1"
    lines[0]["reactions"] = [{"reaction": "👍", "users": ["irc:bob", "irc:eve"]}]
    result = post(boss, room, lines, expect=200).json
    assert (result["created"], result["existing"], result["last_seq"]) == (5, 0, 5)
    messages = boss.all("conversations", room, "messages", order="asc")
    assert [m["seq"] for m in messages] == [1, 2, 3, 4, 5]
    for sent, got in zip(lines, messages, strict=True):
        assert got["content"] == sent["content"] and got["created_at"] == sent["created_at"]
        assert got["sender_id"] == "irc:alice" and got["imported"] is True
    assert messages[3]["reply_to"] == messages[0]["id"] == messages[3]["thread_root"]
    assert messages[0]["reply_count"] == 1
    assert messages[0]["reactions"] == [{"reaction": "👍", "count": 2, "users": ["irc:bob", "irc:eve"], "mine": False}]
    assert [m["user_id"] for m in boss.all("conversations", room, "members")] == ["boss"], "authors are no members"


def test_a_second_import_adds_nothing(boss, room):
    lines = [line(n) for n in range(1, 11)]
    post(boss, room, lines[:7], expect=200)
    result = post(boss, room, lines, expect=200).json
    assert (result["created"], result["existing"], result["last_seq"]) == (3, 7, 10)
    result = post(boss, room, [{**one, "content": "changed"} for one in lines], expect=200).json
    assert (result["created"], result["existing"]) == (0, 10), "a line that is held is not compared"
    contents = [m["content"] for m in boss.all("conversations", room, "messages", order="asc")]
    assert contents == [one["content"] for one in lines]


def test_the_same_external_id_twice_in_a_batch_is_one_message(boss, room):
    answer = post(boss, room, [line(1), line(1, content="again")])
    if answer.status == 200:
        assert (answer.json["created"], answer.json["existing"]) == (1, 1)
    else:
        answer.refused(400, "validation_failed", "/1/external_id")
    assert len(boss.all("conversations", room, "messages")) <= 1


def test_external_ids_belong_to_their_conversation(boss, room):
    other = boss.group(imported=True)["id"]
    post(boss, room, [line(1)], expect=200)
    assert post(boss, other, [line(1)], expect=200).json["created"] == 1


def test_empty_lines_and_a_missing_last_line_end_are_fine(boss, room):
    body = b"\n" + json.dumps(line(1)).encode() + b"\n\n\r\n" + json.dumps(line(2)).encode()
    assert post(boss, room, body, expect=200).json["created"] == 2


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"external_id": ...}, "external_id"), ({"external_id": ""}, "external_id"), ({"external_id": 7}, "external_id"),
        ({"external_id": "x" * 256}, "external_id"), ({"external_id": "a\nb"}, "external_id"),
        ({"author": ...}, "author"), ({"author": "alice"}, "author"), ({"author": ":alice"}, "author"),
        ({"author": "irc:"}, "author"), ({"author": "irc:" + "x" * 125}, "author"), ({"author": "a\0:b"}, "author"),
        ({"content": ...}, "content"), ({"content": ""}, "content"), ({"content": "a\0"}, "content"),
        ({"content": "x" * 16385}, "content"), ({"content": None}, "content"),
        ({"created_at": ...}, "created_at"), ({"created_at": "yesterday"}, "created_at"),
        ({"created_at": "2004-13-15T10:02:00Z"}, "created_at"), ({"created_at": "2004-11-15 10:02:00"}, "created_at"),
        ({"created_at": "2004-11-15T10:02:00"}, "created_at"), ({"created_at": "2004-02-30T10:02:00Z"}, "created_at"),
        ({"created_at": 1100512920}, "created_at"), ({"created_at": "2999-01-01T00:00:00Z"}, "created_at"),
        ({"reply_to_external_id": "no such"}, "reply_to_external_id"), ({"reply_to_external_id": "log:9"}, "reply_to_external_id"),
        ({"reactions": [{"reaction": "x", "users": []}]}, "reactions/0/users"), ({"reactions": "x"}, "reactions"),
        ({"reactions": [{"users": ["irc:a"]}]}, "reactions/0/reaction"), ({"seq": 1}, "seq"), ({"sender_id": "a"}, "sender_id"),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_one_bad_line_refuses_the_batch_and_is_named(boss, room, change, path):
    answer = post(boss, room, [line(1), line(2), line(9, **({"external_id": "nine"} | change))])
    answer.refused(400, "validation_failed", f"/2/{path}")
    assert boss.all("conversations", room, "messages") == []


@pytest.mark.parametrize("text", [b"no json", b'{"external_id":', b"[1]", b'"text"', b"null", b'{"a":"\xff"}'])
def test_a_line_that_is_no_object_refuses_the_batch(boss, room, text):
    body = json.dumps(line(1)).encode() + b"\n" + text + b"\n"
    answer = post(boss, room, body)
    answer.refused(400)
    assert answer.code in ("invalid_json", "validation_failed")
    assert any(path.startswith("/1") for path in answer.faulty), answer
    assert boss.all("conversations", room, "messages") == []


@pytest.mark.parametrize("body", [b"", b"\n\n", b"  \n"])
def test_a_batch_of_no_lines_is_400(boss, room, body):
    post(boss, room, body).refused(400)


def test_a_batch_has_at_most_1000_lines_and_1_mib(boss, room):
    lines = [line(n, content="x") for n in range(1001)]
    post(boss, room, lines).refused(400)
    assert post(boss, room, lines[:1000], expect=200).json["created"] == 1000
    big = [line(n, content="x" * 16384) for n in range(2000, 2064)]
    post(boss, room, big).refused(413, "payload_too_large")


def test_the_operator_may_allow_smaller_batches(start_server, tenant_at):
    boss = tenant_at(start_server(HTTP_MAX_BODY_BYTES=32768)).user("boss", "admin")
    room = boss.group(imported=True)["id"]
    post(boss, room, [line(1, content="x" * 16384)], expect=200)
    post(boss, room, [line(n, content="x" * 16384) for n in (2, 3)]).refused(413, "payload_too_large")


def test_times_keep_their_offset_and_order_does_not_matter(boss, room):
    times = ["2010-01-01T12:00:00+02:00", "2009-12-31T23:59:59.999999Z", "2010-01-01T00:00:00-11:30", "1999-12-31T23:59:60Z"]
    for number, when in enumerate(times[:3]):
        post(boss, room, [line(number, created_at=when)], expect=200)
    got = [m["created_at"] for m in boss.all("conversations", room, "messages", order="asc")]
    assert got[0] == "2010-01-01T10:00:00.000Z" and got[2] == "2010-01-01T11:30:00.000Z"
    assert got[1].startswith("2009-12-31T23:59:59.999")


def test_an_import_puts_no_words_into_the_mouth_of_one_who_signed_in(tenant, boss, room):
    tenant.user("irc:alice").get("users", "me", expect=200)
    post(boss, room, [line(1)]).refused(400, "validation_failed", "/0/author")
    assert post(boss, room, [line(1, author="irc:bob")], expect=200).json["created"] == 1


def test_an_import_is_outside_the_message_limit_and_touches_no_mark(tenant, boss, room):
    boss.add(room, "ben")
    post(boss, room, [line(n) for n in range(200)], expect=200)
    ben = tenant.user("ben")
    conversation = ben.get("conversations", room, expect=200).json
    assert conversation["last_seq"] == 200 and conversation["imported"]
    state = ben.put("conversations", room, "read", body={"seq": 200}, expect=200).json
    assert state["unread_count"] == 0


def test_what_a_member_wrote_elsewhere_is_not_unread_to_it(tenant, boss, room):
    boss.add(room, "irc:alice")
    post(boss, room, [line(1), line(2, author="irc:bob"), line(3)], expect=200)
    assert tenant.user("irc:alice").get("conversations", room, expect=200).json["unread_count"] == 1


def test_live_messages_go_on_after_an_import(tenant, boss, room):
    post(boss, room, [line(n) for n in range(3)], expect=200)
    assert boss.send(room)["seq"] == 4
    post(boss, room, [line(n) for n in range(5)], expect=200)
    messages = boss.all("conversations", room, "messages", order="asc")
    assert [m["seq"] for m in messages] == [1, 2, 3, 4, 5, 6]
    assert [m.get("imported", False) for m in messages] == [True, True, True, False, True, True]


def test_an_archived_conversation_takes_imports(boss, room):
    boss.put("conversations", room, body={"archived": True}, expect=200)
    post(boss, room, [line(1)], expect=200)


def test_an_import_is_never_from_the_future(boss, room):
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    post(boss, room, [line(1, created_at=soon)]).refused(400, "validation_failed", "/0/created_at")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "", "application/ndjson"])
def test_other_content_types_are_415(boss, room, content_type):
    body = json.dumps(line(1)).encode()
    boss.post("conversations", room, "import", body=body, headers={"Content-Type": content_type}).refused(415)
