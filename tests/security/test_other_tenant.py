"""Promise 6: nothing crosses a tenant. Every route of the contract is walked with another tenant's token.

The routes come from the contract, so a new one without a line here fails.
"""

import pytest

from harness.client import words

# What the other tenant gets when it holds nothing of its own: a problem, an empty list, or a thing of its own.
GONE, EMPTY, NOTHING, SILENT, OWN = "404", "an empty list", "nothing by those ids", "nothing found", "its own"
EXPECTED = {
    "send_message": GONE, "list_messages": GONE, "get_message": GONE, "edit_message": GONE, "delete_message": GONE,
    "get_message_history": GONE, "list_replies": GONE, "add_reaction": GONE, "remove_reaction": GONE,
    "create_conversation": OWN, "list_conversations": EMPTY, "get_conversation": GONE, "update_conversation": GONE,
    "delete_conversation": GONE, "add_member": GONE, "list_members": GONE, "remove_member": GONE,
    "set_member_role": GONE, "set_read_mark": GONE, "import_messages": GONE, "get_own_profile": OWN,
    "update_own_profile": OWN, "get_user": GONE, "get_scope": NOTHING, "look_up": NOTHING,
    "search_messages": SILENT, "search_conversations": SILENT, "search_users": SILENT, "search_all": SILENT,
    "list_suggestions": SILENT, "list_recent_searches": OWN, "clear_recent_searches": OWN,
}  # fmt: skip
EXPECTED["list_messages_alias"] = EXPECTED["list_messages_by_conversation"] = GONE
IMPORT_LINE = b'{"external_id":"9","author":"irc:x","content":"x","created_at":"2004-11-15T10:02:00Z"}\n'


class World:
    """A tenant with something behind every route, all of it marked, under ids that any tenant could choose."""

    def __init__(self, tenant):
        self.tenant, self.mark = tenant, words("of-" + tenant.name).split()[0]
        self.ada = tenant.user("ada", "admin", name=f"Ada {self.mark}")
        self.ada.put("users", "me", body={"metadata": {"m": self.mark}}, expect=200)
        self.ada.group("room", members=["ben"], name=self.mark, topic=self.mark, metadata={"m": self.mark}, imported=True)
        self.message = self.ada.send("room", self.mark, client_message_id="m1", metadata={"m": self.mark})["id"]
        self.ada.put("messages", self.message, body={"content": self.mark + " edited"}, expect=200)
        self.reply = self.ada.send("room", self.mark, reply_to=self.message)["id"]
        self.ada.post("messages", self.message, "reactions", body={"reaction": "👍"}, expect=201)
        tenant.user("ben", name=self.mark).get("users", "me", expect=200)
        if "search_messages" in {operation.id for operation in self.ada.contract.operations}:
            position = self.ada.put("users", "me", body={"metadata": {}}, expect=200).json["position"]
            found = self.ada.get("search", "messages", q=self.mark, min_position=position, wait_ms=5000, expect=200).json
            assert len(found["items"]) == 2, "there is something to be found"

    def snapshot(self):
        get = self.ada.get
        return [get("conversations").body, get("conversations", "room", "messages").body,
                get("messages", self.message, "history").body, get("conversations", "room", "members").body,
                get("users", "me").body, get("users", "ben").body]  # fmt: skip


def request_for(operation, world, key="k"):
    """(target segments, query, body, headers) of a request that would do something, were it in its own tenant."""
    names = {"conversation_id": "room", "message_id": world.message, "user_id": "ben", "reaction": "👍"}
    parts = [p for p in operation.path.strip("/").split("/") if p != "v1"]
    segments = [names[p[1:-1]] if p[0] == "{" else p for p in parts]
    body = {
        "send_message": {"conversation_id": "room", "content": "hi"}, "edit_message": {"content": "mine now"},
        "add_reaction": {"reaction": "x"}, "update_conversation": {"name": "mine now"}, "add_member": {"user_id": "eve"},
        "create_conversation": {"id": "made", "name": "mine"}, "set_member_role": {"role": "owner"},
        "set_read_mark": {"seq": 1}, "import_messages": IMPORT_LINE, "update_own_profile": {"name": "mine"},
        "look_up": {"messages": [world.message, world.reply], "conversations": ["room"], "users": ["ben"]},
    }.get(operation.id)  # fmt: skip
    headers = {"Idempotency-Key": key} if "Idempotency-Key" in operation.names("header") else {}
    if operation.id == "import_messages":
        headers["Content-Type"] = "application/x-ndjson"
    # The first part of every mark; the rest is what may not come back.
    query = {"q": "Plaintext"} if "q" in operation.names("query") else {}
    return segments, query, body, headers


OF_FILES = {"uploads", "tus", "files"}  # a walk of their own: what they are asked for is no JSON


def walk(client, world, key="k"):
    for operation in client.contract.operations:
        if operation.needs_token and not OF_FILES & set(operation.spec["tags"]):
            assert operation.id in EXPECTED, f"{operation} needs a line in EXPECTED"
            segments, query, body, headers = request_for(operation, world, key)
            yield operation, client.call(operation.method, client.target(*segments, **query), body, headers)


def holds(answer, mark):
    return mark.encode() in answer.body or any(mark in value for value in answer.headers.values())


@pytest.fixture
def world(tenant):
    return World(tenant)


STRANGERS = {"a user": (), "an admin": ("admin",), "a service": ("service",), "admin and service": ("admin", "service")}


@pytest.mark.smoke
@pytest.mark.parametrize("roles", STRANGERS.values(), ids=STRANGERS.keys())
def test_a_tenant_that_holds_nothing_finds_nothing(world, roles):
    before = world.snapshot()
    intruder = world.tenant.other().user("ada", *roles)
    for operation, answer in walk(intruder, world):
        assert not holds(answer, world.mark), f"{operation}: {answer}"
        expected = EXPECTED[operation.id]
        if expected == GONE:
            answer.refused(404, "not_found")
        elif expected == EMPTY:
            assert answer.status == 200 and answer.json["items"] in ([], [i for i in answer.json["items"] if i["id"] == "made"])
        elif expected == NOTHING:
            told = [item for name in answer.json if name != "complete" for item in answer.json[name]]
            assert answer.status == 200 and told in ([], ["made"]), f"{operation}: {answer}"
        elif expected == SILENT:
            groups = [answer.json] if "items" in answer.json else [group for group in answer.json.values() if isinstance(group, dict)]
            assert answer.status == 200 and groups and all(group["items"] == [] for group in groups), f"{operation}: {answer}"
        else:
            assert answer.status in (200, 201, 204), f"{operation}: {answer}"
    assert world.snapshot() == before


@pytest.mark.parametrize("roles", STRANGERS.values(), ids=STRANGERS.keys())
def test_a_tenant_with_the_same_ids_everywhere_gets_its_own(world, roles):
    other = World(world.tenant.other())
    before = world.snapshot()
    for client, stranger in ((other.tenant.user("ada", *roles), other), (other.tenant.user("ben", *roles), other)):
        for operation, answer in walk(client, world):  # message ids of the first tenant, all else is in both
            assert not holds(answer, world.mark), f"{operation}: {answer}"
            if "{message_id}" in operation.path:
                answer.refused(404, "not_found")
        for operation, answer in walk(client, stranger, key="k2"):
            assert not holds(answer, world.mark), f"{operation}: {answer}"
    assert world.snapshot() == before


def test_unknown_and_anothers_look_alike(world):
    intruder = world.tenant.other().user("ada", "admin")
    for path in (("messages", world.message), ("conversations", "room"), ("users", "ben")):
        theirs = intruder.get(*path).refused(404).json
        unknown = intruder.get(path[0], "nobody-knows-this").refused(404).json
        del theirs["request_id"], unknown["request_id"]
        assert theirs == unknown


def test_a_service_cannot_name_its_way_into_another_tenant(world):
    service = world.tenant.other().service("ada")
    service.get("conversations", "room").refused(404, "not_found")
    service.get("messages", world.message).refused(404, "not_found")
    assert service.all("conversations") == []


def test_a_cursor_of_another_tenant_is_none(world):
    other = World(world.tenant.other())
    for path in (("conversations", "room", "messages"), ("conversations", "room", "members")):
        cursor = world.ada.get(*path, limit=1, expect=200).json["next_cursor"]
        other.ada.get(*path, limit=1, cursor=cursor).refused(400, "invalid_cursor")


def test_keys_and_client_message_ids_do_not_meet_across_tenants(tenant):
    made = []
    for each in (tenant, tenant.other()):
        ada = each.user("ada")
        headers = {"Idempotency-Key": "same"}
        ada.post("conversations", body={"id": "room"}, headers=headers, expect=201)
        body = {"conversation_id": "room", "content": words(), "client_message_id": "same"}
        made.append(ada.post("messages", body=body, headers=headers, expect=201).json)
    assert made[0]["id"] != made[1]["id"] and [m["seq"] for m in made] == [1, 1]


def test_a_reply_cannot_reach_into_another_tenant(world):
    other = world.tenant.other().user("ada")
    other.group("room")
    answer = other.post("messages", body={"conversation_id": "room", "content": "x", "reply_to": world.message})
    answer.refused(400, "validation_failed", "/reply_to")


@pytest.mark.parametrize("name", ["a", "a/b", "A", "a ", "tenant:1", "é", "x" * 100])
def test_tenants_whose_names_are_near_stay_apart(tenant, name):
    base = tenant.name
    first, second = tenant.other(base + name), tenant.other(base + name + "b")
    first.user("ada").group("room", name="first")
    second.user("ada").group("room", name="second")
    assert first.user("ada").get("conversations", "room", expect=200).json["name"] == "first"
    assert second.user("ada").get("conversations", "room", expect=200).json["name"] == "second"
    assert tenant.other(base).user("ada").all("conversations") == []
