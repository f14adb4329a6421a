"""GET /search: the best of each kind, in one answer."""

import pytest

from harness.search import check_hits, ids_of

GROUPS = ("messages", "conversations", "users")


@pytest.fixture
def ada(seekers):
    ada = seekers.user("ada", name="Ada Lovelace")
    ada.get("users", "me", expect=200)
    ada.put("users", "me", body={"name": "Ada Analytica"}, expect=200)
    ada.group("engines", name="Analytica engines")
    ada.group("boot", name="Boot")
    for n in range(8):
        ada.send("boot", f"analytica number {n}")
    return ada


def of(ada, q, **query):
    answer = ada.finder.get("search", q=q, min_position=ada.written.position, wait_ms=5000, expect=200, **query).json
    check_hits(answer["messages"])
    return answer


@pytest.mark.smoke
def test_each_kind_is_found_grouped(ada):
    answer = of(ada, "analytica")
    assert len(answer["messages"]["items"]) == 5 and answer["messages"]["total"] == {"value": 8, "relation": "eq"}
    assert ids_of(answer["conversations"]) == ["engines"] and ids_of(answer["users"]) == ["ada"]
    assert answer["indexed_through"] and answer["took_ms"] >= 0 and "next_cursor" not in answer
    for group in GROUPS:
        assert all("<em>" in hit["highlight"] for hit in answer[group]["items"]), group


def test_a_group_holds_what_the_route_of_its_kind_would(ada):
    answer = of(ada, "analytica", limit=100)
    for group in GROUPS:
        alone = ada.search(group, q="analytica", limit=100)
        assert answer[group] == {"items": alone["items"], "total": alone["total"]}, group


def test_the_limit_is_for_each_kind(ada):
    for limit in (1, 3, 100):
        answer = of(ada, "analytica", limit=limit)
        assert len(answer["messages"]["items"]) == min(limit, 8) and len(answer["users"]["items"]) == 1


def test_the_language_is_for_messages_and_its_words_for_the_names(ada):
    answer = of(ada, "analytica -number from:ada")
    assert answer["messages"]["items"] == [] and ids_of(answer["conversations"]) == ["engines"]
    answer = of(ada, "in:boot number")
    assert answer["messages"]["total"]["value"] == 8 and answer["conversations"]["items"] == [] == answer["users"]["items"]
    assert of(ada, "from:ada")["messages"]["total"]["value"] == 8, "a filter alone"


def test_near_words_are_of_the_messages(ada):
    answer = of(ada, "nubmer")
    assert answer["did_you_mean"] == "number" and answer["messages"]["total"]["value"] == 8
    assert "did_you_mean" not in of(ada, "number")


def test_nothing_found_is_an_empty_group_of_each(ada):
    answer = of(ada, "zebrafish")
    for group in GROUPS:
        assert answer[group] == {"items": [], "total": {"value": 0, "relation": "eq"}}
