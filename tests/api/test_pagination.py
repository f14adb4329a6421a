"""Pages of messages: each once, in order, both ways, whatever is written meanwhile; and jumps."""

import threading

import pytest

from harness.client import words


@pytest.fixture
def ada(tenant):
    return tenant.user("ada")


@pytest.fixture
def room(ada):
    """A conversation of 25 messages."""
    conversation = ada.group()["id"]
    for number in range(25):
        ada.send(conversation, words(str(number)))
    return conversation


def seqs(messages):
    return [message["seq"] for message in messages]


@pytest.mark.smoke
@pytest.mark.parametrize("limit", [1, 7, 24, 25, 26, 100])
def test_both_ways_give_each_message_once_in_order(ada, room, limit):
    path = ("conversations", room, "messages")
    assert seqs(ada.all(*path, limit=limit)) == list(range(25, 0, -1))
    assert seqs(ada.all(*path, limit=limit, order="desc")) == list(range(25, 0, -1))
    assert seqs(ada.all(*path, limit=limit, order="asc")) == list(range(1, 26))


def test_without_a_limit_a_page_has_fifty(ada):
    conversation = ada.group()["id"]
    for _ in range(52):
        ada.send(conversation, "x")
    page = ada.get("conversations", conversation, "messages", expect=200).json
    assert len(page["items"]) == 50 and page["next_cursor"] and "prev_cursor" not in page
    assert seqs(ada.get("conversations", conversation, "messages", cursor=page["next_cursor"]).json["items"]) == [2, 1]


def test_an_empty_conversation_has_one_empty_page(ada):
    page = ada.get("conversations", ada.group()["id"], "messages", expect=200).json
    assert page == {"items": [], "next_cursor": None}


def test_the_limit_may_change_from_page_to_page(ada, room):
    path = ("conversations", room, "messages")
    first = ada.get(*path, limit=3).json
    second = ada.get(*path, limit=10, cursor=first["next_cursor"]).json
    third = ada.get(*path, limit=2, cursor=second["next_cursor"]).json
    assert seqs(first["items"] + second["items"] + third["items"]) == list(range(25, 10, -1))
    assert ada.get(*path, limit=10, cursor=first["next_cursor"]).json == second, "a cursor does not expire"


def test_pages_stay_put_while_others_write(ada, tenant, room):
    """Newest first: what comes during the paging does not shift it. Oldest first: it is met at the end."""
    ada.add(room, "ben")
    ben, stop = tenant.user("ben"), threading.Event()

    def write():
        while not stop.is_set():
            ben.send(room, "meanwhile")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(3):
            down = seqs(ada.all("conversations", room, "messages", limit=2))
            assert down == list(range(down[0], 0, -1)) and down[0] >= 25
        first = ada.get("conversations", room, "messages", order="asc", limit=5, expect=200).json
        seen, cursor = seqs(first["items"]), first["next_cursor"]
        while cursor and len(seen) < 60:
            page = ada.get("conversations", room, "messages", order="asc", limit=5, cursor=cursor, expect=200).json
            seen, cursor = seen + seqs(page["items"]), page["next_cursor"]
        assert seen == list(range(1, len(seen) + 1))
    finally:
        stop.set()
        thread.join()


def test_deleting_while_paging_leaves_tombstones_in_place(ada, room):
    first = ada.get("conversations", room, "messages", limit=10).json
    for message in first["items"][-2:]:
        ada.delete("messages", message["id"], expect=204)
    rest = ada.all("conversations", room, "messages", limit=10, cursor=first["next_cursor"])
    assert seqs(rest) == list(range(15, 0, -1))
    again = ada.all("conversations", room, "messages")
    assert seqs(again) == list(range(25, 0, -1)) and [m["seq"] for m in again if m["content"] is None] == [17, 16]


def test_writers_at_once_get_dense_seqs_that_all_readers_see_alike(ada, tenant):
    users = [f"u{number}" for number in range(8)]
    conversation = ada.group(members=users)["id"]
    sent = []

    def write(user):
        client = tenant.user(user)
        sent.extend(client.send(conversation) for _ in range(15))

    threads = [threading.Thread(target=write, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seqs(sent)) == list(range(1, 121))
    by_seq = {message["seq"]: message["id"] for message in sent}
    for user in (ada, tenant.user("u3")):
        listed = user.all("conversations", conversation, "messages", order="asc", limit=100)
        assert {message["seq"]: message["id"] for message in listed} == by_seq
        assert seqs(listed) == list(range(1, 121))
    for user in users:
        own = [m["seq"] for m in sent if m["sender_id"] == user]
        assert own == sorted(own), "a sender's own messages keep their order"


# around


@pytest.mark.parametrize("order", ["desc", "asc"])
@pytest.mark.parametrize("seq", [1, 2, 12, 24, 25])
@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_a_jump_lands_on_its_message_and_leads_on_both_ways(ada, room, order, seq, limit):
    path = ("conversations", room, "messages")
    page = ada.get(*path, around=seq, limit=limit, order=order, expect=200).json
    middle = seqs(page["items"])
    assert seq in middle and len(middle) <= limit
    everything = list(range(1, 26)) if order == "asc" else list(range(25, 0, -1))
    before, after = [], []
    cursor = page["prev_cursor"]
    while cursor:
        step = ada.get(*path, limit=limit, order=order, cursor=cursor, expect=200).json
        assert step["items"] and "next_cursor" in step
        before, cursor = seqs(step["items"]) + before, step["prev_cursor"]
    cursor = page["next_cursor"]
    while cursor:
        step = ada.get(*path, limit=limit, order=order, cursor=cursor, expect=200).json
        assert step["items"] and "prev_cursor" in step
        after, cursor = after + seqs(step["items"]), step["next_cursor"]
    assert before + middle + after == everything


def test_a_jump_shows_as_much_on_either_side(ada, room):
    page = ada.get("conversations", room, "messages", around=13, limit=5, expect=200).json
    assert seqs(page["items"]) == [15, 14, 13, 12, 11]


@pytest.mark.parametrize("seq", [26, 1000, 2**53 - 1])
def test_a_jump_past_the_end_answers_the_nearest_page(ada, room, seq):
    page = ada.get("conversations", room, "messages", around=seq, limit=5, expect=200).json
    items = seqs(page["items"])
    assert items[0] == 25 and items == list(range(25, 25 - len(items), -1)) and page["prev_cursor"] is None


def test_a_jump_within_an_empty_conversation(ada):
    page = ada.get("conversations", ada.group()["id"], "messages", around=1, expect=200).json
    assert page == {"items": [], "next_cursor": None, "prev_cursor": None}


def test_a_jump_and_a_cursor_exclude_each_other(ada, room):
    cursor = ada.get("conversations", room, "messages", limit=3).json["next_cursor"]
    answer = ada.get("conversations", room, "messages", around=3, cursor=cursor)
    assert answer.refused(400).code in ("validation_failed", "invalid_cursor")


# Cursors belong to their query


def tampered(cursor):
    yield cursor[:-1]
    yield cursor + "A"
    yield cursor[1:]
    yield ("B" if cursor[0] != "B" else "C") + cursor[1:]
    middle = len(cursor) // 2
    yield cursor[:middle] + ("x" if cursor[middle] != "x" else "y") + cursor[middle + 1 :]
    yield cursor.swapcase()
    yield cursor * 2
    yield "AAAA"
    yield "1"
    yield "-1"
    yield "x" * 512


def test_a_cursor_that_was_tampered_with_is_refused(ada, room):
    for path in (("conversations", room, "messages"), ("conversations", room, "members"), ("conversations",)):
        if path[-1] == "members":
            ada.add(room, "ben")
        if path == ("conversations",):
            ada.group()
        cursor = ada.get(*path, limit=1, expect=200).json["next_cursor"]
        for wrong in tampered(cursor):
            ada.get(*path, limit=1, cursor=wrong).refused(400, "invalid_cursor")


def test_a_cursor_with_another_path_order_or_user_is_refused(ada, tenant, room):
    ben, other = tenant.user("ben"), ada.group(members=["ben"])["id"]
    ada.add(room, "ben")
    for _ in range(3):
        ada.send(other, "x")
    cursor = ada.get("conversations", room, "messages", limit=1).json["next_cursor"]
    ada.get("conversations", other, "messages", cursor=cursor).refused(400, "invalid_cursor")
    ada.get("conversations", room, "messages", cursor=cursor, order="asc").refused(400, "invalid_cursor")
    ada.get("conversations", room, "members", cursor=cursor).refused(400, "invalid_cursor")
    ada.get("conversations", cursor=cursor).refused(400, "invalid_cursor")
    ben.get("conversations", room, "messages", cursor=cursor).refused(400, "invalid_cursor")
    message = ada.get("conversations", room, "messages", limit=1).json["items"][0]["id"]
    ada.get("messages", message, "replies", cursor=cursor).refused(400, "invalid_cursor")
    ada.get("messages", message, "history", cursor=cursor).refused(400, "invalid_cursor")
