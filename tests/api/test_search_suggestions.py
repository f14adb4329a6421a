"""GET /search/suggestions: while it is typed, from what the caller may see."""

import pytest


@pytest.fixture
def ada(seekers):
    ada = seekers.user("ada", name="Desiree")
    ada.get("users", "me", expect=200)
    ada.put("users", "me", body={"metadata": {"seen": True}}, expect=200)
    ada.group("room", name="Design Team", members=["ben"])
    ada.send("room", "designer design design")
    return ada


@pytest.mark.smoke
def test_words_conversations_and_people_are_suggested(ada):
    assert ada.suggestions("desi") == [("word", "design"), ("word", "designer"), ("conversation", "Design Team"), ("user", "Desiree")]
    items = ada.ask("suggestions", q="desi", expect=200).json["items"]
    assert [item.get("id") for item in items] == [None, None, "room", "ada"]


@pytest.mark.parametrize(("q", "texts"), [
    ("design", "design designer"), ("DESI", "design designer"), ("dési", "design designer"), ("designe", "designer"), ("zz", ""), ("*", ""), ("%", ""), (" ", ""),
    ("-desi", "design designer"), ('"desi', "design designer"), ("esign", ""),
])  # fmt: skip
def test_a_word_goes_on_as_it_begins(ada, q, texts):
    assert [text for kind, text in ada.suggestions(q) if kind == "word"] == texts.split()


def test_of_several_words_the_last_is_completed_beside_the_others(ada):
    ada.send("room", "grub rescue, and a rescue disk")
    ada.send("room", "kernel resize")
    assert ada.suggestions("grub res") == [("word", "grub rescue")]
    assert ada.suggestions("kernel res ") == [("word", "kernel resize")]
    assert ada.suggestions("grub kernel res") == [] and ada.suggestions("nothing res") == []
    assert ("conversation", "Design Team") in ada.suggestions("design te")
    for kind, text in ada.suggestions("grub res"):
        assert ada.found(text), kind


def test_the_most_used_come_first_and_no_more_than_asked_for(ada):
    ada.send("room", " ".join(f"desi{n:02}" for n in range(30)))
    assert ada.suggestions("desi", 1)[0] == ("word", "design")
    for limit in (1, 3, 10):
        assert len(ada.suggestions("desi", limit)) == limit
    assert len(ada.ask("suggestions", q="desi", expect=200).json["items"]) == 10, "unless told otherwise"


@pytest.mark.parametrize(("content", "typed", "text"), [
    ("北京会议室", "会议", "会议"), ("会議は明日です", "会", "会議"), ("북경에서 만나요", "북경에", "북경에서"), ("Новости дня", "нов", "новости"), ("Grüße aus München", "munc", "munchen"),
])  # fmt: skip
def test_other_scripts_go_on_too(ada, content, typed, text):
    ada.send("room", content)
    assert ("word", text) in ada.suggestions(typed)


def test_what_is_suggested_is_found(ada):
    ada.send("room", "see /etc/fstab and getUserById; don't panic about apt-get")
    for typed in ("fst", "getu", "pani", "apt", "don"):
        words = [text for kind, text in ada.suggestions(typed) if kind == "word"]
        assert words, typed
        for word in words:
            assert ada.found(word), word


def test_edited_and_deleted_words_are_not_suggested(ada):
    message = ada.send("room", "zeppelin")
    assert ada.suggestions("zepp") == [("word", "zeppelin")]
    ada.put("messages", message["id"], body={"content": "airship"}, expect=200)
    assert ada.suggestions("zepp") == [] and ada.suggestions("airs") == [("word", "airship")]
    ada.delete("messages", message["id"], expect=204)
    assert ada.suggestions("airs") == []


def test_leaving_takes_the_words_along_at_once(seekers, ada):
    ben = seekers.user("ben")
    assert ("word", "design") in ben.suggestions("desi") and ("conversation", "Design Team") in ben.suggestions("desi")
    ben.delete("conversations", "room", "members", "ben", expect=204)
    items = ben.ask("suggestions", q="desi", expect=200).json["items"]
    assert [item["kind"] for item in items] == ["user"]


def test_html_in_a_name_is_the_text_it_is(ada):
    ada.group("odd", name="<b>Desi</b>")
    assert ("conversation", "<b>Desi</b>") in ada.suggestions("desi")
