"""POST /messages: what may be said, and what comes back."""

import pytest

from harness.client import unique, words

TEXTS = {
    "emoji with joiners and skin": "👩🏽‍🚀👨‍👩‍👧‍👦 🇺🇦",
    "right to left": "שלום مرحبا ‮abc",
    "Han, Kana, Hangul, Thai, Hindi": "会議 かな 북경 สวัสดี नमस्ते",
    "combining marks": "e\u0301 \u0f77 " + "Z" + "\u0300" * 200,
    "control characters but NUL": "".join(map(chr, range(1, 32))) + "\x7f\x80\x9f",
    "line separators": "a\u2028b\u2029c\r\nd\ne",
    "non-characters and the end of Unicode": "\ufffe\uffff\ufdd0\U0001ffff\U0010ffff",
    "byte order mark and replacement": "\ufeffa\ufffdb",
    "what other layers might read": "'; DROP TABLE messages; -- <script>&amp;%00\\u0000 ${x} {{y}}",
    "white space alone": " \t\n",
    "one byte": "x",
}


@pytest.fixture
def ada(tenant):
    return tenant.user("ada")


@pytest.mark.smoke
def test_a_message_comes_back_as_it_was_sent(ada):
    ada.group("123", name="general")
    content = words("ünï 👍")
    answer = ada.post(
        "messages",
        body={
            "conversation_id": "123", "content": content, "type": "note", "mentions": ["ada", "never seen"],
            "metadata": {"a": [1, None, {"b": True}], "ü": "€", "big": 9007199254740993, "f": 0.5},
            "client_message_id": "mine-1", "attachments": [],
        },
        expect=201,
    )  # fmt: skip
    message = answer.json
    assert message["conversation_id"] == "123" and message["seq"] == 1 and message["sender_id"] == "ada"
    assert message["content"] == content and message["type"] == "note" and message["version"] == 1
    assert message["mentions"] == ["ada", "never seen"] and message["client_message_id"] == "mine-1"
    assert message["metadata"] == {"a": [1, None, {"b": True}], "ü": "€", "big": 9007199254740993, "f": 0.5}
    assert message["reactions"] == [] and message["attachments"] == [] and message["reply_count"] == 0
    assert message["edited_at"] is None and message["deleted_at"] is None
    assert answer.headers["ETag"] == '"1"' and answer.headers["Location"] == f"messages/{message['id']}"
    assert answer.headers["X-Parley-Position"] == message["position"]
    read = ada.read(message["id"])
    del message["position"]
    assert read == message
    assert ada.all("conversations", "123", "messages") == [read]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_any_unicode_text_is_kept_byte_for_byte(ada, text):
    conversation = ada.group()["id"]
    assert ada.send(conversation, text)["content"] == text
    assert ada.all("conversations", conversation, "messages")[0]["content"] == text


def test_escaped_and_plain_json_mean_the_same(ada):
    conversation = ada.group()["id"]
    body = f'{{"conversation_id":"{conversation}","content":"\\ud83d\\udc4d\\u00e9\\/\\n"}}'.encode()
    assert ada.post("messages", body=body, expect=201).json["content"] == "👍é/\n"


@pytest.mark.parametrize(("text", "status"), [("x" * 16384, 201), ("x" * 16385, 400), ("👍" * 4096, 201),
                                              ("👍" * 4096 + "x", 400), ("\x01" * 16384, 201)])  # fmt: skip
def test_content_may_have_16_kib_and_no_byte_more(ada, text, status):
    conversation = ada.group()["id"]
    answer = ada.post("messages", body={"conversation_id": conversation, "content": text})
    assert answer.status == status, answer
    if status == 201:
        assert answer.json["content"] == text
    else:
        answer.refused(400, "validation_failed", "/content")


def test_sixteen_kib_of_escapes_fit_the_body_limit(ada):
    """Six bytes of JSON for each byte of text: 96 KiB, below the route's 128 KiB."""
    conversation = ada.group()["id"]
    body = f'{{"conversation_id":"{conversation}","content":"'.encode() + b"\\u0078" * 16384 + b'"}'
    assert ada.post("messages", body=body, expect=201).json["content"] == "x" * 16384


@pytest.mark.parametrize("fields", [{}, {"content": ""}, {"content": "", "attachments": []}])
def test_a_message_without_text_and_attachments_is_refused(ada, fields):
    conversation = ada.group()["id"]
    ada.post("messages", body={"conversation_id": conversation, **fields}).refused(
        400, "validation_failed", "/content"
    )


def test_an_unknown_conversation_is_404_and_nothing_is_stored(ada):
    ada.post("messages", body={"conversation_id": unique("c"), "content": words()}).refused(404, "not_found")


def test_seqs_are_dense_from_one(ada, tenant):
    ben = tenant.user("ben")
    conversation = ada.group(members=["ben"])["id"]
    seqs = [(ada, ben)[n % 2].send(conversation)["seq"] for n in range(10)]
    assert seqs == list(range(1, 11))


# Threads


def test_a_reply_belongs_to_the_thread_of_its_root(ada):
    conversation = ada.group()["id"]
    root = ada.send(conversation)
    first = ada.send(conversation, reply_to=root["id"])
    second = ada.send(conversation, reply_to=first["id"])
    assert first["reply_to"] == root["id"] and first["thread_root"] == root["id"]
    assert second["reply_to"] == first["id"] and second["thread_root"] == root["id"], "threads have one level"
    now = ada.read(root["id"])
    assert now["reply_count"] == 2 and now["last_reply_at"] == second["created_at"] and now["version"] == 1
    assert ada.read(first["id"])["reply_count"] == 0
    replies = ada.all("messages", root["id"], "replies", order="asc")
    assert [reply["id"] for reply in replies] == [first["id"], second["id"]]
    newest_first = ada.all("messages", root["id"], "replies", limit=1)
    assert [reply["id"] for reply in newest_first] == [second["id"], first["id"]]
    assert ada.all("messages", first["id"], "replies") == []


def test_deleted_replies_are_not_counted_but_listed_as_tombstones(ada):
    conversation = ada.group()["id"]
    root = ada.send(conversation)
    replies = [ada.send(conversation, reply_to=root["id"]) for _ in range(3)]
    ada.delete("messages", replies[2]["id"], expect=204)
    now = ada.read(root["id"])
    assert now["reply_count"] == 2 and now["last_reply_at"] == replies[1]["created_at"]
    listed = ada.all("messages", root["id"], "replies", order="asc")
    assert [reply["seq"] for reply in listed] == [2, 3, 4]
    assert listed[2]["content"] is None and listed[2]["deleted_at"]


def test_a_tombstone_can_be_answered(ada):
    conversation = ada.group()["id"]
    root = ada.send(conversation)
    ada.delete("messages", root["id"], expect=204)
    reply = ada.send(conversation, reply_to=root["id"])
    assert reply["thread_root"] == root["id"]
    assert ada.read(root["id"])["reply_count"] == 1


def test_a_reply_to_nothing_or_to_another_conversation_is_refused(ada):
    here, there = ada.group()["id"], ada.group()["id"]
    elsewhere = ada.send(there)["id"]
    for target in ("no-such-message", elsewhere, here):
        body = {"conversation_id": here, "content": words(), "reply_to": target}
        ada.post("messages", body=body).refused(400, "validation_failed", "/reply_to")
    assert ada.all("conversations", here, "messages") == []


def test_an_archived_conversation_takes_no_message_edit_or_reaction_but_deletes(ada):
    conversation = ada.group()["id"]
    message = ada.send(conversation)["id"]
    ada.post("messages", message, "reactions", body={"reaction": "👍"}, expect=201)
    ada.put("conversations", conversation, body={"archived": True}, expect=200)
    code = "conversation_archived"
    ada.post("messages", body={"conversation_id": conversation, "content": words()}).refused(409, code)
    ada.put("messages", message, body={"content": words()}).refused(409, code)
    ada.post("messages", message, "reactions", body={"reaction": "x"}).refused(409, code)
    ada.delete("messages", message, "reactions", "👍").refused(409, code)
    ada.put("conversations", conversation, "read", body={"seq": 1}, expect=200)
    ada.post("conversations", conversation, "members", body={"user_id": "ben"}, expect=201)
    ada.delete("messages", message, expect=204)
    ada.put("conversations", conversation, body={"archived": False}, expect=200)
    ada.send(conversation)
