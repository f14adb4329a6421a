"""Messages are found by the names of what they attach, for as long as the files are there. Media is a fake here."""

import pytest

from harness.client import Client, unique, words
from harness.contract import contract
from harness.media import FakeMedia
from harness.server import run_cli
from harness.tokens import internal_token
from harness.waiting import until

SOON = 1.0  # seconds, within which what changed shows


class Place:
    def __init__(self, server, tenant, media):
        self.server, self.tenant, self.media = server, tenant, media
        self.role = Client(server.origin("messaging"), contract("messaging"), "", internal_token(server.internal_key, ttl=110))

    def attach(self, client, *names, room="room", **fields):
        """A message with new files of these names: its id, and theirs."""
        files = [self.media.give(self.tenant.name, client.id, name) for name in names]
        return client.send(room, attachments=files, **fields)["id"], files

    def delete(self, *files):
        for file in files:
            self.media.forget(file)
        body = {"tenant": self.tenant.name, "files": list(files)}
        return self.role.post("internal", "deleted-files", body=body, expect=200).json["messages"]

    def reindex(self):
        ran = run_cli("reindex", "--tenant", self.tenant.name, SEARCH_PORT=self.server.ports["search"], DATA_DIR=self.server.data)
        assert ran.returncode == 0, ran

    def check(self):
        checked = run_cli("check", SEARCH_PORT=self.server.ports["search"], DATA_DIR=self.server.data)
        assert checked.returncode == 0, checked


@pytest.fixture
def media():
    with FakeMedia() as fake:
        yield fake


@pytest.fixture
def place(start_server, tenant_at, media):
    server = start_server(["gateway", "messaging", "search"], MEDIA_SERVICE_URL=media.url)
    place = Place(server, tenant_at(server), media)
    place.tenant.user("ada").group("room", members=["ben"])
    return place


def found(client, q, **query):
    answer = client.get("search", "messages", q=q, expect=200, **query).json
    return [] if "did_you_mean" in answer else [hit["id"] for hit in answer["items"]]


def shows(client, q, ids, seconds=SOON):
    until(f"{q} finds {ids}", lambda: found(client, q) == ids, seconds)


@pytest.mark.smoke
def test_a_message_is_found_by_the_names_of_its_files(place):
    ada, ben = place.tenant.user("ada"), place.tenant.user("ben")
    message, _ = place.attach(ada, "Quarterly_Report-v2.final.pdf", "会議の資料.xlsx", content="")
    other, _ = place.attach(ada, "holiday.png", content=words("grub"))
    plain = ada.send("room", words("report"))["id"]
    shows(ben, "report", [plain, message])
    for q in ("Quarterly_Report-v2.final.pdf", '"quarterly report"', "v2.final", "会議", "資料", "quart*"):
        assert found(ben, q) == [message], q
    assert found(ben, "has:file", sort="newest") == [other, message]
    assert found(ben, "has:file report") == [message]
    assert found(ben, "grub holiday") == [other], "a text and a name are one"
    assert found(place.tenant.user("eve"), "report") == []
    assert found(place.tenant.other().user("ada"), "report") == []


def test_what_matched_in_a_name_is_lit_up_and_is_text(place):
    ada = place.tenant.user("ada")
    place.attach(ada, "<b>plan</b> & more.txt", content="")
    edited, _ = place.attach(ada, "outline.txt", content=words())
    ada.put("messages", edited, body={"content": "edited"}, expect=200)

    def lit(q):
        items = ada.get("search", "messages", q=q, expect=200).json["items"]
        return items and items[0]["highlight"]

    until("the name is found", lambda: lit("plan"), SOON)
    assert lit("plan") == "&lt;b&gt;<em>plan</em>&lt;/b&gt; &amp; more.txt"
    until("the edit is found", lambda: lit("outline"), SOON)
    assert lit("outline") == "edited\n<em>outline</em>.txt", "of an edited message too"
    assert "files" not in ada.get("search", "messages", q="plan", expect=200).json["items"][0]


def test_names_are_suggested_to_those_who_may_see_them(place):
    ada, eve = place.tenant.user("ada"), place.tenant.user("eve")
    place.attach(ada, "zephyrplan.pdf")

    def suggested(client):
        return [item["text"] for item in client.get("search", "suggestions", q="zeph", expect=200).json["items"]]

    until("it is suggested", lambda: suggested(ada) == ["zephyrplan"], SOON)
    assert suggested(eve) == []


def test_a_deleted_files_name_is_found_no_more_and_the_others_are(place):
    ada, ben = place.tenant.user("ada"), place.tenant.user("ben")
    message, (plan, photo) = place.attach(ada, "zebraplan.pdf", "zebraphoto.png", content=words("zebratext"))
    again = ben.group()["id"]
    place.media.files[place.tenant.name, "ben"] = dict(place.media.files[place.tenant.name, "ada"])
    second = ben.send(again, words(), attachments=[plan])["id"]
    shows(ben, "zebraplan", [second, message])
    version = ada.read(message)["version"]
    assert place.delete(plan) == 2
    shows(ben, "zebraplan", [])
    assert found(ada, "zebraphoto") == [message] and found(ada, "zebratext has:file") == [message]
    assert found(ben, "has:file") == [message], "a message whose only file is gone has none"
    assert ada.read(message)["attachments"] == [plan, photo] and ada.read(message)["version"] == version
    assert place.delete(plan) == 0, "told again it changes nothing"
    place.delete(photo)
    shows(ada, "zebraphoto", [])
    assert found(ada, "zebratext") == [message] and found(ada, "zebratext has:file") == []


def test_an_index_made_anew_has_the_names_that_there_are(place):
    ada, ben = place.tenant.user("ada"), place.tenant.user("ben")
    message, (kept, gone) = place.attach(ada, "zebrakept.pdf", "zebragone.pdf", content="")
    removed, _ = place.attach(ada, "zebraremoved.pdf")
    edited, _ = place.attach(ada, "zebraedited.pdf")
    ada.put("messages", edited, body={"content": words("zebratext")}, expect=200)
    ada.delete("messages", removed, expect=204)
    place.delete(gone)
    for _ in range(2):
        shows(ben, "zebra*", [edited, message])
        assert found(ben, "zebrakept") == [message] and found(ben, "zebraedited") == [edited]
        for name in ("zebragone", "zebraremoved"):
            assert found(ben, name) == []
        place.check()
        place.reindex()
    place.delete(kept)
    shows(ben, "zebrakept", [])
    place.check()


def test_a_name_goes_with_its_message_its_conversation_and_the_membership(place):
    ada, ben = place.tenant.user("ada"), place.tenant.user("ben")
    mark = unique("zebra").replace("-", "")
    message, _ = place.attach(ada, f"{mark}.pdf")
    shows(ben, mark, [message])
    ben.delete("conversations", "room", "members", "ben", expect=204)
    shows(ben, mark, [], 0.1)
    ada.add("room", "ben")
    shows(ben, mark, [message])
    ada.delete("messages", message, expect=204)
    shows(ben, mark, [])
    message, _ = place.attach(ada, f"{mark}.pdf")
    shows(ben, mark, [message])
    ada.delete("conversations", "room", expect=204)
    shows(ben, mark, [])
    shows(ada, mark, [])


def test_a_kill_loses_no_name_and_brings_none_back(place):
    ada = place.tenant.user("ada")
    message, (plan, photo) = place.attach(ada, "zebraplan.pdf", "zebraphoto.png")
    place.delete(plan)
    place.server.kill()
    place.server.start()
    shows(ada, "zebraphoto", [message], 10)
    shows(ada, "zebraplan", [], 10)
    place.check()
