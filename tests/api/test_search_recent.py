"""GET and DELETE /search/recent: a user's own last searches."""

import pytest

from harness.client import unique
from harness.waiting import until


@pytest.fixture
def ada(seekers):
    ada = seekers.user("ada")
    ada.group("room")
    ada.send("room", "grub")
    ada.settle()
    ada.finder.delete("search", "recent", expect=204)
    return ada


def recent(client):
    return [item["query"] for item in client.ask("recent", expect=200).json["items"]]


def search(client, q, *kind, **query):
    return client.ask(*(kind or ("messages",)), q=q, expect=200, **query)


@pytest.mark.smoke
def test_the_newest_comes_first_and_each_once(ada):
    assert recent(ada) == []
    for q in ("grub", "kernel", "boot"):
        search(ada, q)
    assert recent(ada) == ["boot", "kernel", "grub"]

    search(ada, "grub")
    until("grub is the newest, though a cache may answer and tells of it behind its answer", lambda: recent(ada) == ["grub", "boot", "kernel"], 2)
    times = [item["searched_at"] for item in ada.ask("recent", expect=200).json["items"]]
    assert times == sorted(times, reverse=True)


def test_what_differs_in_case_accents_or_spaces_is_the_same_as_last_typed(ada):
    for q in ("cafe", "Café", "  CAFÉ  "):
        search(ada, q)
    assert recent(ada) == ["CAFÉ"]
    search(ada, "   ")
    assert recent(ada) == ["CAFÉ"], "nothing is no search"


def test_searches_of_every_kind_are_kept_and_suggestions_are_not(ada):
    for kind in ("messages", "conversations", "users"):
        search(ada, f"in {kind}", kind)
    ada.finder.get("search", q="in all", expect=200)
    search(ada, "sugg", "suggestions")
    ada.ask("messages", expect=200, **{"from": "me"})
    assert recent(ada) == ["in all", "in users", "in conversations", "in messages"]


def test_a_further_page_and_a_refused_search_are_not_kept(ada):
    for n in range(3):
        ada.send("room", f"grub {n}")
    cursor = ada.search(q="grub", limit=1)["next_cursor"]
    search(ada, "kernel")
    search(ada, "grub", limit=1, cursor=cursor)
    ada.ask("messages", q="refused", limit=0).refused(400)
    ada.ask("messages", q="refused", min_position="x").refused(400)
    assert recent(ada) == ["kernel", "grub"]


def test_the_last_fifty_are_kept(ada):
    for n in range(60):
        search(ada, f"query {n}")
    assert recent(ada) == [f"query {n}" for n in range(59, 9, -1)]


def test_they_can_be_deleted_and_begin_anew(ada):
    search(ada, "grub")
    ada.finder.delete("search", "recent", expect=204)
    assert recent(ada) == []
    ada.finder.delete("search", "recent", expect=204)
    search(ada, "kernel")
    assert recent(ada) == ["kernel"]


def test_they_are_the_users_own(seekers, ada):
    search(ada, "secret plan")
    for other in (seekers.user("ben"), seekers.other().user("ada"), seekers.user("boss", "admin"), seekers.user("Ada")):
        assert recent(other) == []
        other.finder.delete("search", "recent", expect=204)
    assert recent(ada) == ["secret plan"]
    acting = seekers.service("ada")
    assert recent(acting) == ["secret plan"] and recent(seekers.service("ben")) == []


def test_whatever_was_typed_comes_back_as_it_was(ada):
    for q in ('"quoted', "会議 🚀", "<b>&amp;", "from:ada has:link", "a" * 1024, "\u202eגרוב", unique("x") + "\\ \" '"):
        search(ada, q)
        assert recent(ada)[0] == q


def test_they_take_no_parameter(ada):
    ada.finder.get("search", "recent", limit=10).refused(400, "validation_failed", "query.limit")


def test_quick_repeats_move_up_whoever_answers_them(ada):
    words = ["grub", "kernel", "boot"]
    for q in words * 5 + words[::-1]:
        search(ada, q)
    until("the last asked comes first", lambda: recent(ada) == words, 2)
