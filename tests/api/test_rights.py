"""The table of rights in docs/api.md, cell by cell. A row that is added there without a case here fails."""

import pathlib
import re

import pytest

from harness.client import words

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs" / "api.md"
RANKS = ["owner", "admin", "moderator", "member"]
CALLERS = [*RANKS, "tenant admin", "outsider"]
NOT = 404


class Cast:
    """A group with two of each rank, someone of the tenant's administration outside it, and a stranger."""

    def __init__(self, tenant, **fields):
        self.tenant = tenant
        self.founder = tenant.user("founder", "admin")
        self.group = self.founder.group(**fields)["id"]
        for rank in RANKS:
            for number in (1, 2):
                self.founder.add(self.group, f"{rank}{number}", rank)

    def caller(self, who):
        if who == "tenant admin":
            return self.tenant.user("boss", "admin")
        if who == "outsider":
            return self.tenant.user("outsider")
        return self.tenant.user(f"{who}1")


def ok(answer):
    return answer.status if answer.status >= 400 else "yes"


def read_message(cast, caller):
    message = cast.founder.send(cast.group)["id"]
    results = {ok(caller.get("messages", message)), ok(caller.get("messages", message, "history")),
               ok(caller.get("messages", message, "replies")), ok(caller.get("conversations", cast.group, "messages"))}  # fmt: skip
    assert len(results) == 1, results
    return results.pop()


def read_conversation(cast, caller):
    cast.founder.send(cast.group)
    answer = caller.get("conversations", cast.group)
    members = caller.get("conversations", cast.group, "members", limit=2)
    assert ok(answer) == ok(members)
    if answer.status == 200:
        inside = answer.json["my_role"] is not None
        assert (answer.json["last_message"] is not None) == inside
        assert all(("read_seq" in member) == inside for member in members.json["items"])
        assert inside or (answer.json["unread_count"] == 0 and answer.json["read_seq"] == 0)
    return ok(answer)


def send(cast, caller):
    return ok(caller.post("messages", body={"conversation_id": cast.group, "content": words()}))


def reply(cast, caller):
    root = cast.founder.send(cast.group)["id"]
    return ok(caller.post("messages", body={"conversation_id": cast.group, "content": words(), "reply_to": root}))


def react(cast, caller):
    message = cast.founder.send(cast.group)["id"]
    added = ok(caller.post("messages", message, "reactions", body={"reaction": "x"}))
    assert ok(caller.delete("messages", message, "reactions", "x")) == added
    return added


def move_read_mark(cast, caller):
    cast.founder.send(cast.group)
    return ok(caller.put("conversations", cast.group, "read", body={"seq": 1}))


def edit_own(cast, caller):
    return ok(caller.put("messages", caller.send(cast.group)["id"], body={"content": words()}))


def edit_other(cast, caller):
    return ok(caller.put("messages", cast.founder.send(cast.group)["id"], body={"content": words()}))


def delete_own(cast, caller):
    return ok(caller.delete("messages", caller.send(cast.group)["id"]))


def delete_other(cast, caller):
    return ok(caller.delete("messages", cast.founder.send(cast.group)["id"]))


def change_fields(cast, caller):
    results = {ok(caller.put("conversations", cast.group, body=body))
               for body in ({"name": "n"}, {"topic": "t"}, {"metadata": {"a": 1}}, {"archived": True}, {"archived": False})}  # fmt: skip
    assert len(results) == 1, results
    return results.pop()


def add_with_role(rank):
    def act(cast, caller):
        return ok(caller.post("conversations", cast.group, "members", body={"user_id": "newcomer", "role": rank}))

    return act


def remove_one(rank):
    return lambda cast, caller: ok(caller.delete("conversations", cast.group, "members", f"{rank}2"))


def leave(cast, caller):
    return ok(caller.delete("conversations", cast.group, "members", caller.id))


def change_role(old, new):
    return lambda cast, caller: ok(
        caller.put("conversations", cast.group, "members", f"{old}2", "role", body={"role": new})
    )


def delete_conversation(cast, caller):
    return ok(caller.delete("conversations", cast.group))


Y = "yes"
# The columns are CALLERS: owner, admin, moderator, member, tenant admin outside, anyone else.
TABLE = {
    "read messages": (read_message, [Y, Y, Y, Y, NOT, NOT]),
    "read the conversation and its members": (read_conversation, [Y, Y, Y, Y, Y, NOT]),
    "send": (send, [Y, Y, Y, Y, NOT, NOT]),
    "reply": (reply, [Y, Y, Y, Y, NOT, NOT]),
    "react and take it back": (react, [Y, Y, Y, Y, NOT, NOT]),
    "move the own read mark": (move_read_mark, [Y, Y, Y, Y, NOT, NOT]),
    "edit an own message": (edit_own, [Y, Y, Y, Y, None, None]),
    "edit another's message": (edit_other, [403, 403, 403, 403, NOT, NOT]),
    "delete an own message": (delete_own, [Y, Y, Y, Y, None, None]),
    "delete another's message": (delete_other, [Y, Y, Y, 403, Y, NOT]),
    "change name, topic, metadata, archived": (change_fields, [Y, Y, 403, 403, Y, NOT]),
    "add an owner": (add_with_role("owner"), [Y, 403, 403, 403, Y, NOT]),
    "add an admin": (add_with_role("admin"), [Y, 403, 403, 403, Y, NOT]),
    "add a moderator": (add_with_role("moderator"), [Y, Y, 403, 403, Y, NOT]),
    "add a member": (add_with_role("member"), [Y, Y, Y, 403, Y, NOT]),
    "remove an owner": (remove_one("owner"), [Y, 403, 403, 403, Y, NOT]),
    "remove an admin": (remove_one("admin"), [Y, 403, 403, 403, Y, NOT]),
    "remove a moderator": (remove_one("moderator"), [Y, Y, 403, 403, Y, NOT]),
    "remove a member": (remove_one("member"), [Y, Y, Y, 403, Y, NOT]),
    "leave": (leave, [Y, Y, Y, Y, None, NOT]),
    "delete the conversation": (delete_conversation, [Y, 403, 403, 403, Y, NOT]),
}
for old in RANKS:
    for new in RANKS:
        low = old in ("moderator", "member") and new in ("moderator", "member")
        TABLE[f"make {old} {new}"] = (change_role(old, new), [Y, Y if low else 403, 403, 403, Y, NOT])

CELLS = [(action, who) for action, (_, row) in TABLE.items() for who, cell in zip(CALLERS, row, strict=True) if cell]


@pytest.mark.parametrize(("action", "who"), CELLS, ids=[f"{who}: {action}" for action, who in CELLS])
def test_a_cell_of_the_table_of_rights(tenant, action, who):
    act, row = TABLE[action]
    cast = Cast(tenant)
    assert act(cast, cast.caller(who)) == row[CALLERS.index(who)]


def test_the_table_here_covers_the_table_in_the_docs():
    text = DOCS.read_text("utf-8").split("## Rights")[1].split("## Requests")[0]
    rows = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    assert rows == [
        "read messages, history, replies, read marks",
        "read name, topic, metadata, counts; list members",
        "send, reply, react, remove own reaction, move own read mark",
        "edit a message",
        "delete a message",
        "change name, topic, metadata; archive, unarchive",
        "add a member",
        "remove a member",
        "leave",
        "change a role",
        "delete the conversation",
        "import into it (only where `imported`)",
        "*in a direct conversation*",
    ]


@pytest.mark.parametrize("rank", RANKS)
@pytest.mark.parametrize("roles", [[], ["admin"], ["service"], ["admin", "service"]], ids=lambda r: "+".join(r) or "user")
@pytest.mark.parametrize("imported", [True, False])
def test_import_needs_a_tenant_role_and_a_rank(tenant, rank, roles, imported):
    cast = Cast(tenant, imported=imported)
    caller = tenant.user(f"{rank}1", *roles)
    line = b'{"external_id":"1","author":"irc:x","content":"x","created_at":"2004-11-15T10:02:00Z"}\n'
    answer = caller.post(
        "conversations", cast.group, "import", body=line, headers={"Content-Type": "application/x-ndjson"}
    )
    if rank in ("owner", "admin") and roles:
        assert answer.status == 200 if imported else answer.refused(409, "conversation_not_imported")
    else:
        answer.refused(403, "forbidden")


@pytest.mark.parametrize("roles", [["admin"], ["service"], []])
def test_import_by_one_who_is_not_a_member_is_404(tenant, roles):
    cast = Cast(tenant, imported=True)
    line = b'{"external_id":"1","author":"irc:x","content":"x","created_at":"2004-11-15T10:02:00Z"}\n'
    headers = {"Content-Type": "application/x-ndjson"}
    tenant.user("else", *roles).post("conversations", cast.group, "import", body=line, headers=headers).refused(404)


def test_imported_conversations_are_made_by_admins_and_services_alone(tenant):
    tenant.user("ada").post("conversations", body={"imported": True}).refused(403, "forbidden")
    tenant.user("boss", "admin").post("conversations", body={"imported": True}, expect=201)
    tenant.service("ada").post("conversations", body={"imported": True}, expect=201)


def test_a_tenant_admin_who_is_a_plain_member_may_still_manage(tenant):
    cast = Cast(tenant)
    boss = tenant.user("member1", "admin")
    boss.post("conversations", cast.group, "members", body={"user_id": "new", "role": "owner"}, expect=201)
    boss.put("conversations", cast.group, body={"name": "n"}, expect=200)
    boss.delete("messages", cast.founder.send(cast.group)["id"], expect=204)
    boss.put("messages", cast.founder.send(cast.group)["id"], body={"content": "x"}).refused(403, "forbidden")
    boss.delete("conversations", cast.group, "members", "owner2", expect=204)
    boss.delete("conversations", cast.group, expect=204)


def test_a_tenant_admin_may_add_itself_and_all_see_it(tenant):
    cast = Cast(tenant)
    boss = tenant.user("boss", "admin")
    boss.get("conversations", cast.group, "messages").refused(404)
    boss.add(cast.group, "boss")
    assert boss.all("conversations", cast.group, "messages") == []
    assert "boss" in [m["user_id"] for m in cast.founder.all("conversations", cast.group, "members")]


# Services


def test_a_service_acts_with_the_rights_of_its_user_and_no_more(tenant):
    cast = Cast(tenant)
    message = tenant.service("member1").send(cast.group)
    assert message["sender_id"] == "member1"
    assert tenant.user("member1").read(message["id"])["content"] == message["content"]
    tenant.service("member1").delete("conversations", cast.group).refused(403, "forbidden")
    tenant.service("outsider").get("conversations", cast.group).refused(404)
    tenant.service().get("conversations", cast.group).refused(404)
    assert tenant.service().get("users", "me", expect=200).json["id"] == "robot"


def test_the_acting_user_is_percent_encoded(tenant):
    service = tenant.service("üser/1 %")
    assert service.headers["X-Parley-User"] == "%C3%BCser%2F1%20%25"
    assert service.get("users", "me", expect=200).json["id"] == "üser/1 %"


@pytest.mark.parametrize("value", ["", "%zz", "%00", "%ff", ".", "%2E%2e", "a b", "x" * 129, "x" * 385, "a%0Ab", "%"])
def test_an_acting_user_that_is_no_id_is_400(tenant, value):
    answer = tenant.service().get("users", "me", headers={"X-Parley-User": value})
    answer.refused(400, "validation_failed", "header.X-Parley-User")


@pytest.mark.parametrize("roles", [[], ["user"], ["admin"]])
def test_only_a_service_names_a_user(tenant, roles):
    ada = tenant.user("ada", *roles)
    for user in ("ada", "ben"):
        ada.get("conversations", headers={"X-Parley-User": user}).refused(403, "forbidden")
        ada.post("conversations", body={}, headers={"X-Parley-User": user}).refused(403, "forbidden")


def test_admin_and_service_in_one_token_stay_with_the_token(tenant):
    cast = Cast(tenant)
    both = tenant.user("robot", "admin", "service")
    both.headers["X-Parley-User"] = "outsider"
    both.put("conversations", cast.group, body={"name": "by both"}, expect=200)
    both.get("conversations", cast.group, "messages").refused(404)
    boss_behind_service = tenant.service("boss")  # a tenant admin's rights come from its own token only
    boss_behind_service.get("conversations", cast.group).refused(404)
