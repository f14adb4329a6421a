"""Files, messages that attach them and searches that find them, in one process and in three: what one role knows of
what happens in another."""

import secrets

import pytest

from harness.client import Client, words
from harness.files import upload
from harness.waiting import until

SOON = 1.0  # seconds, within which what changed shows


class Place:
    """One way in, and the servers behind it."""

    def __init__(self, gateway, messaging, media, tenant):
        self.gateway, self.messaging, self.media, self.tenant = gateway, messaging, media, tenant

    def user(self, name, tenant=None):
        user = (tenant or self.tenant).user(name)
        user.files = Client(user.origin, user.contract, "/v1/media", user.token)
        return user


@pytest.fixture(params=["all_in_one", "split"])
def place(request, start_server, tenant_at):
    if request.param == "all_in_one":
        server = start_server()
        return Place(server, server, server, tenant_at(server))
    key = secrets.token_hex(32)
    media = start_server(["media"], launch=False, INTERNAL_KEY=key)
    messaging = start_server(["messaging", "search"], launch=False, INTERNAL_KEY=key, MEDIA_SERVICE_URL=media.url("media"))
    media.settings["MESSAGING_SERVICE_URL"] = messaging.url("messaging")
    gateway = start_server(["gateway"], launch=False, INTERNAL_KEY=key, MEDIA_SERVICE_URL=media.url("media"),
                           MESSAGING_SERVICE_URL=messaging.url("messaging"),
                           SEARCH_SERVICE_URL=messaging.url("search"))  # fmt: skip
    for server in (media, messaging, gateway):
        server.start()
    return Place(gateway, messaging, media, tenant_at(gateway))


def put(user, filename, data=b"%PDF-1.7 plan"):
    return upload(user.files, data, filename, expect=201).json["id"]


def attach(user, *files, **fields):
    return user.post("messages", body={"conversation_id": "room", "content": words(), "attachments": list(files)} | fields)


def shows(user, q, ids, seconds=SOON):
    def found():
        answer = user.get("search", "messages", q=q, expect=200).json
        return [] if "did_you_mean" in answer else [hit["id"] for hit in answer["items"]]

    until(f"{q} finds {ids}", lambda: found() == ids, seconds)


@pytest.mark.smoke
def test_a_file_is_sent_read_found_and_gone(place):
    ada, ben, eve = (place.user(name) for name in ("ada", "ben", "eve"))
    ada.group("room", members=["ben"])
    file = put(ada, "Zebra-plan.pdf")
    ben.files.get("files", file).refused(404)
    message = attach(ada, file, content="").json["id"]
    assert ben.files.get("files", file, expect=200).json["filename"] == "Zebra-plan.pdf"
    assert ben.files.get("download", file).body == b"%PDF-1.7 plan"
    eve.files.get("download", file).refused(404)
    shows(ben, "zebra plan", [message])
    shows(ben, "has:file", [message])
    shows(eve, "zebra", [])
    ben.files.delete("files", file).refused(403)

    ada.files.delete("files", file, expect=204)
    ben.files.get("download", file).refused(404)
    shows(ben, "zebra", [])
    shows(ada, "has:file", [])
    assert ben.read(message)["attachments"] == [file]
    attach(ada, file).refused(400, "validation_failed", "/attachments/0")


def test_only_what_the_sender_can_read_is_attached(place):
    ada, ben, eve = (place.user(name) for name in ("ada", "ben", "eve"))
    stranger = place.user("ada", place.tenant.other())
    ada.group("room", members=["ben"])
    bens, strangers, own, gone = put(ben, "b.pdf"), put(stranger, "s.pdf"), put(ada, "a.pdf"), put(ada, "g.pdf")
    ada.files.delete("files", gone, expect=204)
    refused = attach(ada, bens, strangers, own, gone, secrets.token_hex(16)).refused(400, "validation_failed")
    assert refused.faulty == [f"/attachments/{place}" for place in (0, 1, 3, 4)]
    assert len({error["message"] for error in refused.json["errors"]}) == 1
    assert ada.get("conversations", "room", "messages").json["items"] == []

    # What a message shows may be passed on, for as long as it shows it.
    shown = attach(ben, bens).json["id"]
    assert attach(ada, bens, own).status == 201
    eve.group("room-of-eve")
    attach(eve, bens, conversation_id="room-of-eve").refused(400, "validation_failed", "/attachments/0")
    ben.delete("messages", shown, expect=204)
    assert attach(ada, bens).status == 201, "by her own message she still sees it"


def test_membership_decides_at_each_use(place):
    ada, ben = place.user("ada"), place.user("ben")
    ada.group("room", members=["ben"])
    file = put(ada, "zebra.pdf")
    message = attach(ada, file).json["id"]
    ben.files.get("download", file, expect=200)
    ben.delete("conversations", "room", "members", "ben", expect=204)
    ben.files.get("download", file).refused(404)
    ada.add("room", "ben")
    ben.files.get("download", file, expect=200)
    ada.delete("messages", message, expect=204)
    ben.files.get("download", file).refused(404)
    ada.files.get("download", file, expect=200)
    attach(ada, file)
    ben.files.get("download", file, expect=200)
    ada.delete("conversations", "room", expect=204)
    ben.files.get("download", file).refused(404)


def test_a_replay_is_answered_after_the_file_was_deleted(place):
    ada = place.user("ada")
    ada.group("room")
    file, content = put(ada, "a.pdf"), words()
    fields = {"content": content, "client_message_id": "mine"}
    first = attach(ada, file, **fields)
    assert first.status == 201, first
    ada.files.delete("files", file, expect=204)
    again = attach(ada, file, **fields)
    assert again.status == 200 and again.json["id"] == first.json["id"]
    attach(ada, file, content=content, client_message_id="new").refused(400, "validation_failed")


def test_a_role_that_is_down_is_told_when_it_is_back(place):
    if place.media is place.messaging:
        pytest.skip("one process is up or down as a whole")
    ada = place.user("ada")
    ada.group("room")
    file = put(ada, "zebra.pdf")
    message = attach(ada, file).json["id"]
    shows(ada, "zebra", [message])

    place.media.kill()
    refused = attach(ada, file).refused(503)
    assert int(refused.headers["Retry-After"]) >= 1
    ada.send("room")
    place.media.start()
    until("media is asked again", lambda: attach(ada, file).status == 201, 20)

    place.messaging.kill()
    until("the file is deleted", lambda: ada.files.delete("files", file).status in (204, 404), 20)
    place.media.kill()
    place.messaging.start()
    place.media.start()
    until("it is found no more", lambda: ada.get("search", "messages", q="zebra").status == 200, 20)
    shows(ada, "zebra", [], 20)


def test_a_kill_of_all_loses_no_deletion(place):
    ada = place.user("ada")
    ada.group("room")
    files = [put(ada, f"zebra{n}.pdf") for n in range(5)]
    messages = [attach(ada, file).json["id"] for file in files]
    shows(ada, "zebra4", [messages[4]])
    for file in files[:4]:
        ada.files.delete("files", file, expect=204)
    for server in {place.media, place.messaging}:
        server.kill()
    for server in {place.media, place.messaging}:
        server.start()
    until("it serves again", lambda: ada.get("search", "messages", q="zebra").status == 200, 20)
    shows(ada, "has:file", [messages[4]], 20)
    for number in range(4):
        shows(ada, f"zebra{number}", [], 5)
