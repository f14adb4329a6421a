"""GET /search/users: the people of the tenant, by name and id."""

import pytest

from harness.search import check_highlight, ids_of


class People:
    def __init__(self, seekers):
        self.tenant = seekers

    def person(self, user, name=None, **fields):
        client = self.tenant.user(user, name=name)
        client.get("users", "me", expect=200)
        # The profile that a token brings has no position of its own in its answer; a change has.
        client.put("users", "me", body={"metadata": {"seen": True}, **fields}, expect=200)
        return client


@pytest.fixture
def people(seekers):
    return People(seekers)


@pytest.mark.smoke
def test_people_are_found_by_name_and_id_as_they_are_typed(people):
    ada = people.person("u-17", "Ada Lovelace")
    people.person("irc:nick")
    people.person("u-18", "José Núñez")
    for q in ("ada", "ADA", "lovel", "love a", "ada love", "u-17", "17", "@ada"):
        assert ada.found(q, "users") == ["u-17"], q
    for q in ("nick", "irc:ni", "IRC"):
        assert ada.found(q, "users") == ["irc:nick"], q
    for q in ("jose", "nunez", "NÚÑEZ"):
        assert ada.found(q, "users") == ["u-18"], q
    for q in ("velace", "adam", "ada x", "zebra", "?", "*", '"', "%", "_"):
        assert ada.found(q, "users") == [], q


def test_a_hit_is_the_profile_as_messaging_shows_it(people):
    ada = people.person("ada", "Ada <b>& co</b>", avatar_url="https://example.org/a.png")
    (hit,) = ada.search("users", q="ada")["items"]
    assert {name: value for name, value in hit.items() if name != "highlight"} == ada.get("users", "ada", expect=200).json
    assert check_highlight(hit["highlight"], "Ada <b>& co</b>") == ["Ada"]


def test_exact_names_come_first_then_beginnings_then_words(people):
    people.person("u4", "Maria Anna")
    people.person("u3", "Annabel")
    people.person("u2", "Anna Berg")
    ada = people.person("u1", "Anna")
    assert ada.found("anna", "users") == ["u1", "u2", "u3", "u4"]


def test_the_name_of_now_is_found_and_the_old_one_is_not(people):
    ada = people.person("u1", "Zeppelin")
    assert ada.found("zeppelin", "users") == ["u1"]
    ada.put("users", "me", body={"name": "Airship"}, expect=200)
    assert ada.found("zeppelin", "users") == [] and ada.found("airship", "users") == ["u1"]


def test_people_of_another_tenant_are_not_found(people):
    ada = people.person("ada", "Ada")
    stranger = People(people.tenant.other()).person("eve", "Adamant")
    assert ada.found("ada", "users") == ["ada"] and stranger.found("ada", "users") == ["eve"]
    assert stranger.search("users", q="ada")["total"] == {"value": 1, "relation": "eq"}


def test_pages_hold_each_once(people):
    made = {people.person(f"p{n:02}", f"Desi {n:02}").id for n in range(13)}
    ada = people.person("ada")
    seen = []
    for page in ada.walk("users", q="desi", limit=4):
        assert page["total"] == {"value": 13, "relation": "eq"}
        seen += ids_of(page)
    assert len(seen) == 13 and set(seen) == made
