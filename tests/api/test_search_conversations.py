"""GET /search/conversations: the caller's own, by name and topic."""

import pytest

from harness.client import unique
from harness.search import check_highlight, ids_of


@pytest.fixture
def ada(seekers):
    return seekers.user("ada")


@pytest.mark.smoke
def test_conversations_are_found_by_the_words_of_their_names_as_they_are_typed(ada):
    ada.group("general", name="General Chat")
    ada.group("random", name="Random")
    for q in ("g", "gen", "general", "GENERAL", "chat", "chat gen", "general ch", "#general", "  general  ", "généra"):
        assert ada.found(q, "conversations") == ["general"], q
    for q in ("eneral", "generals", "general x", "zebra", "?", "*", '"'):
        assert ada.found(q, "conversations") == [], q


def test_a_topic_is_found_too_after_the_names(ada):
    ada.group("topic", name="Lounge", topic="about design")
    ada.group("word", name="The design room")
    ada.group("begins", name="Designers")
    ada.group("exact", name="Design")
    assert ada.found("design", "conversations") == ["exact", "begins", "word", "topic"]


def test_a_hit_is_the_conversation_as_messaging_shows_it(ada):
    ada.group("room", members=["ben"], name="Boot & <b>grub</b>", topic="kernel", metadata={"a": 1})
    ada.send("room", "hello")
    (hit,) = ada.search("conversations", q="grub")["items"]
    assert {name: value for name, value in hit.items() if name != "highlight"} == ada.get("conversations", "room", expect=200).json
    assert check_highlight(hit["highlight"], "Boot & <b>grub</b>") == ["grub"]


def test_the_name_of_now_is_found_and_the_old_one_is_not(ada):
    ada.group("room", name="Zeppelin")
    assert ada.found("zeppelin", "conversations") == ["room"]
    ada.put("conversations", "room", body={"name": "Airship"}, expect=200)
    assert ada.found("zeppelin", "conversations") == [] and ada.found("airship", "conversations") == ["room"]
    ada.put("conversations", "room", body={"name": None, "topic": "Balloon"}, expect=200)
    assert ada.found("airship", "conversations") == [] and ada.found("balloon", "conversations") == ["room"]
    ada.put("conversations", "room", body={"archived": True}, expect=200)
    assert ada.found("balloon", "conversations") == ["room"], "archived ones are still one's own"
    ada.delete("conversations", "room", expect=204)
    assert ada.found("balloon", "conversations") == []


def test_only_the_own_ones_are_found_and_counted(seekers, ada):
    ada.group("one", members=["ben"], name="Design")
    ada.group("two", name="Design secrets")
    ben = seekers.user("ben")
    answer = ben.search("conversations", q="design")
    assert ids_of(answer) == ["one"] and answer["total"] == {"value": 1, "relation": "eq"}
    assert ben.found("secrets", "conversations") == []
    ben.delete("conversations", "one", "members", "ben", expect=204)
    assert ids_of(ben.ask("conversations", q="design", min_position=seekers.written.position, expect=200).json) == []
    ada.add("two", "ben")
    assert ben.found("design", "conversations") == ["two"]


def test_pages_hold_each_once(ada):
    made = {ada.group(unique("room"), name=f"Design {n:02}")["id"] for n in range(23)}
    seen = []
    for page in ada.walk("conversations", q="design", limit=5):
        assert page["total"] == {"value": 23, "relation": "eq"} and len(page["items"]) <= 5
        seen += ids_of(page)
    assert len(seen) == 23 and set(seen) == made


@pytest.mark.parametrize(("name", "q"), [
    ("东京会议室", "会议"), ("開発プログラム", "プログ"), ("북경에서", "북경"), ("ห้องประชุม", "ประชุม"), ("Новости", "новос"), ("Ελλάδα", "ελλαδα"),
    ("İstanbul", "istanbul"), ("Straße", "STRASSE"), ("Đà Nẵng", "da nang"), ("مكتبة", "مكت"), ("שלום", "שלו"), ("नमस्ते", "नमस्"), ("release-2.0_final", "final"),
])  # fmt: skip
def test_names_of_many_scripts_are_found_by_what_their_speakers_type(ada, name, q):
    ada.group("room", name=name)
    ada.group("other", name="something else")
    assert ada.found(q, "conversations") == ["room"]
