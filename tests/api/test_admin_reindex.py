"""POST /admin/reindex and GET /admin/reindex/:id, of the search service itself."""

import threading

import pytest

from harness.client import Client, words
from harness.contract import contract
from harness.search import Place, SearchTenant
from harness.tokens import internal_token
from harness.waiting import until


@pytest.fixture
def boss(seekers):
    boss = seekers.user("boss", "admin")
    boss.group("room", members=["ada"])
    boss.send("room", words())
    return boss


def done(client, reindex):
    return until("it is done", lambda: (state := client.service.get("admin", "reindex", reindex, expect=200).json)["state"] != "running" and state, 30)


@pytest.mark.smoke
def test_an_admin_builds_the_own_tenants_index_anew(seekers, boss):
    seekers.other().user("ada").group("elsewhere")
    message = boss.send("room", "grub")
    started = boss.service.post("admin", "reindex", expect=202).json
    assert started["tenant"] == seekers.name and started["state"] in ("running", "done")
    state = done(boss, started["id"])
    assert state["state"] == "done" and state["messages"] == 2 and state["conversations"] == 1 and state["progress"] == 1
    assert state["tenants_done"] == state["tenants"] and state["finished_at"] >= state["started_at"]
    assert seekers.user("ada").found("grub") == [message["id"]]


def test_one_after_the_other_is_welcome_and_finds_the_same(seekers, boss):
    ada = seekers.user("ada")
    for n in range(5):
        boss.send("room", f"grub {n}")
        assert done(boss, boss.service.post("admin", "reindex", expect=202).json["id"])["state"] == "done"
        assert len(ada.found("grub")) == n + 1


def test_of_many_at_once_the_first_runs_and_the_others_are_told_its_id(boss):
    answers = []

    def start():
        answers.append(boss.service.post("admin", "reindex"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    begun = {answer.json["id"] for answer in answers if answer.status == 202}
    told = {answer.json["reindex_id"] for answer in answers if answer.status == 409}
    assert len(answers) == 8 and begun and told <= begun, answers
    for answer in answers:
        assert answer.status == 202 or answer.code == "reindex_running", answer
    for one in begun:
        assert done(boss, one)["state"] == "done"


def test_who_is_no_admin_is_refused(seekers, boss):
    started = boss.service.post("admin", "reindex", expect=202).json["id"]
    for client in (seekers.user("ada"), seekers.user("ada", "user"), seekers.service(), seekers.service("boss")):
        client.service.post("admin", "reindex").refused(403, "forbidden")
        client.service.get("admin", "reindex", started).refused(403, "forbidden")
    done(boss, started)


def test_one_of_another_tenant_is_unknown(seekers, boss):
    started = boss.service.post("admin", "reindex", expect=202).json["id"]
    stranger = seekers.other().user("boss", "admin")
    theirs = stranger.service.get("admin", "reindex", started).refused(404, "not_found").json
    unknown = stranger.service.get("admin", "reindex", "nobody-knows-this").refused(404, "not_found").json
    assert {**theirs, "request_id": ""} == {**unknown, "request_id": ""}
    done(boss, started)


@pytest.fixture
def alone(start_server, issuer):
    """A server of its own, with a tenant, and what `parley reindex` asks of it."""
    server = start_server(["messaging", "search"])
    chat, search = ((server.origin(role), contract(role), "") for role in ("messaging", "search"))
    return SearchTenant(issuer, Place(chat, search, search)), Client(*search, internal_token(server.internal_key, "search"))


def test_of_a_reindex_of_all_an_admin_sees_the_own_tenants_part(alone):
    tenant, host = alone
    boss, stranger = tenant.user("boss", "admin"), tenant.other().user("boss", "admin")
    for admin in (boss, stranger):
        admin.group("room")
    boss.send("room", "grub")
    for _ in range(20):
        boss.settle(), stranger.settle()
        started = host.post("internal", "reindex", body={}, expect=202).json
        assert started["tenant"] is None and started["tenants"] == 2
        told = boss.service.post("admin", "reindex")
        if told.status == 409:
            assert told.json["reindex_id"] == started["id"]
        for admin, messages in ((boss, 1), (stranger, 0)):
            part = done(admin, started["id"])
            assert part["id"] == started["id"] and part["state"] == "done" and part["tenants"] == part["tenants_done"] == 1
            assert part["messages"] == messages and part["conversations"] == 1 and part["users"] == 1
            assert part["tenant"] == (tenant.name if admin is boss else part["tenant"])
        tenant.other().user("boss", "admin").service.get("admin", "reindex", started["id"]).refused(404, "not_found")
        if told.status == 409:
            return
        done(boss, told.json["id"])
    pytest.fail("of twenty that began while all were built anew, none was told so")


def test_a_tenant_that_nobody_knows_is_not_reindexed(alone):
    tenant, host = alone
    boss = tenant.user("boss", "admin")
    boss.group("room")
    host.post("internal", "reindex", body={"tenant": tenant.name + "x"}).refused(404, "not_found")
    assert host.post("internal", "reindex", body={"tenant": tenant.name}, expect=202).json["tenant"] == tenant.name


@pytest.mark.parametrize("bad", ["x" * 129, "%00", "a%0Ab", "%ff", "%C3", "0", "null", "..%2F..", "' OR 1=1 --"])
def test_an_id_that_is_none_is_400_or_404(boss, bad):
    assert boss.service.call("GET", f"/admin/reindex/{bad.replace(' ', '%20')}").status in (400, 404)


def test_its_body_is_nothing_or_an_empty_object(boss):
    done(boss, boss.service.post("admin", "reindex", body={}, expect=202).json["id"])
    for body in ({"tenant": "other"}, {"all": True}, [], None, "x", 7):
        raw = b"null" if body is None else body
        boss.service.post("admin", "reindex", body=raw).refused(400)
    boss.service.post("admin", "reindex", body=b"{", headers={"Content-Type": "application/json"}).refused(400, "invalid_json")
    boss.service.post("admin", "reindex", body=b"x", headers={"Content-Type": "text/plain"}).refused(415)
    boss.service.post("admin", "reindex", body=b" " * 2000 + b"{}").refused(413)
    boss.service.call("GET", "/admin/reindex", check=False).refused(405)


def test_the_gateway_has_no_such_route(fleet, boss):
    for server in (fleet.all_in_one(), fleet.gateway()):
        for path in ("/v1/admin/reindex", "/admin/reindex"):
            Client(server.origin("gateway"), None, "", boss.token).call("POST", path, check=False).refused(404, "route_not_found")
