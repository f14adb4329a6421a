"""Signed addresses: they open one file, as whoever signed them, until their second, and in no other spelling."""

import datetime
import json
import time
import urllib.parse

import pytest

from harness.client import Client
from harness.files import MIB, some_bytes, upload
from harness.pictures import png
from harness.raw import RawConnection
from harness.server import run_cli
from harness.waiting import until

PARTS = ["tenant", "user", "disposition", "expires", "key", "signature"]  # in this order


class Signed:
    """A signed address, and requests that use it, with a token or without."""

    def __init__(self, client, file, expect=200, **query):
        answer = client.get("download", file["id"], "signed", expect=expect, **query)
        self.client, self.file = client, file["id"]
        self.nobody = Client(client.origin, client.contract, client.prefix)
        self.url, self.expires_at = answer.json["url"], answer.json["expires_at"]
        self.parts = urllib.parse.urlsplit(self.url)
        assert self.parts.path.endswith(f"/v1/media/download/{self.file}")
        assert answer.headers["Cache-Control"] == "no-store"

    @property
    def query(self):
        return self.parts.query

    @property
    def pairs(self):
        return [part.split("=", 1) for part in self.query.split("&")]

    def use(self, query=None, file=None, method="GET", headers=(), by=None, **options):
        target = self.client.target("download", file or self.file) + "?" + (self.query if query is None else query)
        return (by or self.nobody).call(method, target, headers=headers, **options)

    def refused(self, query=None, **options):
        """As one that was never signed, and with not a byte of the file."""
        answer = self.use(query, **options).refused(403, "invalid_signature")
        assert "ETag" not in answer.headers and "Content-Disposition" not in answer.headers
        return answer


def joined(pairs):
    return "&".join(f"{name}={value}" for name, value in pairs)


@pytest.fixture
def ada(storage):
    return storage.user("ada lovelace/ü+&=%")


@pytest.fixture
def content():
    return some_bytes(200_000)


@pytest.fixture
def file(ada, content):
    return upload(ada, content, "größe “1”.bin", expect=201).json


@pytest.mark.smoke
def test_an_address_opens_its_file_without_a_token(ada, file, content):
    signed = Signed(ada, file)
    answer = signed.use(expect=200)
    assert answer.body == content
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin", "a page elsewhere may show what it has the address of"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert [name for name, _ in signed.pairs] == PARTS
    assert file["filename"] not in urllib.parse.unquote(signed.url)
    by_token = ada.get("download", file["id"], expect=200)
    assert by_token.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_an_address_is_used_as_often_as_one_likes(ada, file, content):
    signed = Signed(ada, file)
    assert all(signed.use(expect=200).body == content for _ in range(5))
    assert Signed(ada, file).use(expect=200).body == content


def test_its_life_is_fifteen_minutes_or_what_was_asked_for(ada, file):
    def life(**query):
        before = time.time()
        signed = Signed(ada, file, **query)
        end = datetime.datetime.fromisoformat(signed.expires_at.replace("Z", "+00:00")).timestamp()
        assert str(int(end)) == dict(signed.pairs)["expires"]
        return end - before

    for asked, seconds in (({}, 900), ({"expires_in": 1}, 1), ({"expires_in": 86_400}, 86_400)):
        assert seconds <= life(**asked) < seconds + 6, asked


@pytest.mark.parametrize("expires_in", ["0", "-1", "86401", "1.5", "1e3", "soon", "", " 60", "9" * 40, "0x10"])
def test_a_life_that_is_none_is_400(ada, file, expires_in):
    answer = ada.get("download", file["id"], "signed", expires_in=expires_in)
    answer.refused(400, "validation_failed", "query.expires_in")


@pytest.mark.parametrize(("name", "value"), [("disposition", "both"), ("disposition", ""), ("user", "ben"), ("expires", "9999999999")])
def test_nothing_else_is_asked_for(ada, file, name, value):
    ada.get("download", file["id"], "signed", **{name: value}).refused(400, "validation_failed", f"query.{name}")


def test_an_address_ends_at_its_second(ada, file):
    signed = Signed(ada, file, expires_in=2)
    end = int(dict(signed.pairs)["expires"])
    first = signed.use()
    assert first.status == 200 or time.time() >= end, first
    until("it has ended", lambda: signed.use().status == 403)
    assert time.time() >= end, "not before its time"
    signed.refused()
    signed.refused(method="GET", headers={"Range": "bytes=0-1"})


# What the answer is like


def test_ranges_and_validators_work_as_with_a_token(ada, file, content):
    signed = Signed(ada, file)
    head = signed.use(method="HEAD", expect=200)
    assert head.headers["Content-Length"] == str(len(content)) and head.headers["Accept-Ranges"] == "bytes"
    part = signed.use(headers={"Range": "bytes=100-299"}, expect=206)
    assert part.body == content[100:300] and part.headers["Content-Range"] == f"bytes 100-299/{len(content)}"
    assert signed.use(headers={"Range": "bytes=-5"}, expect=206).body == content[-5:]
    several = signed.use(headers={"Range": "bytes=0-0,1000-1009"}, expect=206)
    assert several.headers["Content-Type"].startswith("multipart/byteranges") and content[1000:1010] in several.body
    signed.use(headers={"Range": f"bytes={len(content)}-"}).refused(416, "range_not_satisfiable")
    signed.use(headers={"If-None-Match": head.headers["ETag"]}, expect=304)
    assert signed.use(headers={"Range": "bytes=0-9", "If-Range": '"another"'}, expect=200).body == content
    assert signed.use(headers={"Range": "bytes=0-9", "If-Range": head.headers["ETag"]}, expect=206).body == content[:10]


def test_a_large_file_comes_whole(ada):
    content = some_bytes(3 * MIB + 17)
    assert Signed(ada, upload(ada, content, "film.bin", expect=201).json).use(expect=200).body == content


def test_inline_is_for_what_a_browser_cannot_run(ada):
    picture = upload(ada, png(8, 8), "a.png", expect=201).json
    page = upload(ada, b"<!doctype html><script>alert(1)</script>", "a.html", expect=201).json
    assert Signed(ada, picture, disposition="inline").use(expect=200).headers["Content-Disposition"].startswith("inline;")
    assert Signed(ada, picture, disposition="attachment").use(expect=200).headers["Content-Disposition"].startswith("attachment;")
    for disposition in ("inline", "attachment"):
        answer = Signed(ada, page, disposition=disposition).use(expect=200)
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert "sandbox" in answer.headers["Content-Security-Policy"]


# What was changed


def test_every_changed_character_is_refused(ada, file):
    signed = Signed(ada, file)
    for at, character in enumerate(signed.query):
        changed = signed.query[:at] + ("a" if character != "a" else "b") + signed.query[at + 1 :]
        if "signature" in [part.split("=")[0] for part in changed.split("&")]:
            signed.refused(changed)
        else:  # then nothing says that it is signed
            assert signed.use(changed).status == 401


@pytest.mark.parametrize("part", PARTS)
def test_each_part_is_needed_once_in_its_place_and_as_it_was(ada, file, part):
    signed = Signed(ada, file)
    pairs, at = signed.pairs, PARTS.index(part)
    name, value = pairs[at]
    others = {"tenant": "another", "user": "ben", "disposition": "inline", "expires": str(int(dict(pairs)["expires"]) + 1), "key": "other",
              "signature": ("A" if value[0] != "A" else "B") + value[1:]}  # fmt: skip
    changed = [pairs[:at] + [[name, other]] + pairs[at + 1 :] for other in (others[part], "", value + "0", value[:-1], value.swapcase() + "x")]
    changed += [pairs + [pairs[at]], pairs[:at] + [pairs[at]] + pairs[at:], pairs[at:] + pairs[:at] if at else pairs[::-1],
                pairs[:at] + [[name.upper(), value]] + pairs[at + 1 :] if part != "signature" else pairs[::-1],
                pairs[:at] + [["x", "1"]] + pairs[at:]]  # fmt: skip
    for each in changed:
        signed.refused(joined(each))
    left_out = pairs[:at] + pairs[at + 1 :]
    if part == "signature":
        assert signed.use(joined(left_out)).status == 401
    else:
        signed.refused(joined(left_out))


def test_another_spelling_of_the_same_is_refused(ada, file):
    signed = Signed(ada, file)
    query, user = signed.query, dict(signed.pairs)["user"]
    assert urllib.parse.unquote(user) == ada.id
    for spelling in (user.replace("%20", "+"), user.replace("%2F", "/"), user.replace("%C3", "%c3"), "%61" + user[1:], urllib.parse.quote(user, safe="")):
        assert spelling != user
        signed.refused(query.replace(user, spelling))
    for other in (query + "&", "&" + query, query + "&a=b", query + "=", query + "%3D", query.replace("&", "&&", 1), query + "?", query + "%00", query + "+"):
        signed.refused(other)
    for other in ("signature=", "signature", "&signature=" + dict(signed.pairs)["signature"]):
        signed.refused(other)


def test_an_address_opens_no_other_file(ada, file, content):
    signed = Signed(ada, file)
    other = upload(ada, content, "other.bin", expect=201).json
    for id_ in (other["id"], file["id"].upper(), file["id"] + "0", "0" * 36, "no-uuid", "x" * 128):
        if id_ != file["id"]:
            signed.refused(file=id_)


def test_an_address_is_for_downloading_alone(ada, file):
    signed = Signed(ada, file)
    for path in (("stream", file["id"]), ("files", file["id"]), ("files",), ("usage",), ("download", file["id"], "signed"),
                 ("files", file["id"], "thumbnails", "small")):  # fmt: skip
        assert signed.nobody.call("GET", ada.target(*path) + "?" + signed.query).status == 401
    assert signed.nobody.call("DELETE", ada.target("files", file["id"]) + "?" + signed.query).status == 401


# Who uses it, and who signed it


def test_where_there_is_a_token_it_counts_and_the_signature_does_not(storage, ada, file, content):
    signed = Signed(ada, file)
    assert signed.use(by=ada, expect=200).body == content
    name, value = signed.pairs[-1]
    wrong = joined(signed.pairs[:-1] + [[name, "x" + value[1:]]])
    assert signed.use(wrong, by=ada, expect=200).body == content
    for stranger in (storage.user("eve"), storage.user("boss", "admin"), storage.other().user(ada.id), storage.service("eve")):
        signed.use(by=stranger).refused(404, "not_found")
    for token in ("x", ada.token[:-4] + "AAAA", storage.issuer.token(storage.name, ada.id, ttl=-60)):
        assert signed.use(by=storage.nobody(token)).status == 401
    assert signed.use(headers={"Authorization": "Basic eDp5"}).status == 401


def test_only_who_may_read_a_file_signs_for_it(storage, file):
    for stranger in (storage.user("eve"), storage.user("boss", "admin"), storage.service("eve"), storage.service(), storage.other().user("ada lovelace/ü+&=%")):
        stranger.get("download", file["id"], "signed").refused(404, "not_found")
    storage.nobody().get("download", file["id"], "signed", expect=401)


def test_a_service_signs_as_the_user_it_acts_for(storage, ada, file, content):
    signed = Signed(storage.service(ada.id), file)
    assert dict(signed.pairs)["user"] == urllib.parse.quote(ada.id, safe="")
    assert signed.use(expect=200).body == content
    # Whom the user of an address names is whom it was signed for.
    assert signed.use(headers={"X-Parley-User": "eve"}, check=False).status in (200, 401, 403)


def test_a_file_that_is_deleted_is_opened_by_no_address(storage, ada, file):
    signed, by_part = Signed(ada, file), Signed(ada, file, expires_in=86_400)
    ada.delete("files", file["id"], expect=204)
    for each in (signed, by_part):
        each.use().refused(404, "not_found")
        each.use(headers={"Range": "bytes=0-1"}).refused(404, "not_found")
        each.use(headers={"If-None-Match": f'"{file["sha256"]}"'}).refused(404, "not_found")
    signed.refused(signed.query[:-1] + ("A" if signed.query[-1] != "A" else "B"))


# Where it leads, and with which keys


def roles_of_files(start_server, storage_at, **settings):
    server = start_server(["gateway", "messaging", "media"], **settings)
    return server, storage_at(server)


def test_an_address_begins_at_the_gateway_and_never_where_the_host_field_says(start_server, storage_at):
    server, storage = roles_of_files(start_server, storage_at)
    ada = storage.user("ada")
    file = upload(ada, b"bytes", "a.bin", expect=201).json
    target = ada.target("download", file["id"], "signed")
    for fields in ("Host: chat", "Host: evil.example", "Host: x\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\nForwarded: host=evil.example"):
        with RawConnection(server.origin("gateway")) as connection:
            connection.send(f"GET {target} HTTP/1.1\r\n{fields}\r\nAuthorization: Bearer {ada.token}\r\n\r\n".encode())
            url = json.loads(connection.read_answer().body)["url"]
        assert url.startswith(server.url("gateway") + "/v1/media/download/"), url
    server.stop()
    server.settings["PUBLIC_URL"] = "https://chat.example.com/parley/"
    server.start()
    signed = Signed(ada, file)
    assert signed.url.startswith("https://chat.example.com/parley/v1/media/download/")
    assert signed.use(expect=200).body == b"bytes"


def test_an_address_has_the_port_that_the_gateway_got(start_server, storage_at):
    server = start_server(["gateway", "messaging", "media"], launch=False, GATEWAY_PORT=0)
    server.launch()
    listening = until("all roles listen", lambda: all_listening(server), 30)
    server.ports["gateway"] = listening["gateway"]
    ada = storage_at(server).user("ada")
    file = upload(ada, b"bytes", "a.bin", expect=201).json
    signed = Signed(ada, file)
    assert signed.url.startswith(f"http://127.0.0.1:{listening['gateway']}/v1/")
    assert signed.use(expect=200).body == b"bytes"


def all_listening(server):
    lines = [json.loads(line) for line in server.log_text().splitlines() if line.endswith("}")]
    found = {line["role"]: line["port"] for line in lines if line.get("msg") == "listening"}
    return found if set(found) == set(server.roles) else None


def test_an_address_outlives_a_restart_and_its_key_only_as_long_as_it_is_listed(start_server, storage_at):
    server, storage = roles_of_files(start_server, storage_at)
    ada = storage.user("ada")
    file = upload(ada, b"bytes", "a.bin", expect=201).json
    local = Signed(ada, file)
    server.kill()
    server.start()
    assert local.use(expect=200).body == b"bytes"
    assert oct((server.data / "url-signing.key").stat().st_mode & 0o777) == "0o600"

    def restart(keys):
        server.stop()
        server.settings["SIGNING_KEYS"] = keys
        server.start()
        signed = Signed(ada, file)
        assert dict(signed.pairs)["key"] == keys.split(":")[0]
        assert signed.use(expect=200).body == b"bytes"
        return signed

    a, b = "a.1:the-first-of-the-keys", "b_2:the-second-of-the-keys"
    of_a = restart(a)
    local.refused()
    of_b = restart(f"{b},{a}")
    assert of_a.use(expect=200).body == b"bytes"
    restart(b)
    of_a.refused()
    assert of_b.use(expect=200).body == b"bytes"
    restart("b_2:another-key-of-that-name")
    of_b.refused()


def test_instances_with_the_same_keys_open_each_others_addresses(start_server, storage_at):
    keys = {"SIGNING_KEYS": "a:the-same-key-everywhere", "PUBLIC_URL": "https://chat.example.com"}
    server, storage = roles_of_files(start_server, storage_at, **keys)
    ada = storage.user("ada")
    file = upload(ada, b"bytes", "a.bin", expect=201).json
    gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=server.url("messaging"), MEDIA_SERVICE_URL=server.url("media"))
    signed = Signed(ada, file)
    elsewhere = Client(gateway.origin("gateway"), ada.contract, ada.prefix)
    assert signed.use(by=elsewhere, expect=200).body == b"bytes", "the gateway needs no keys"


@pytest.mark.parametrize("keys", ["hush", "a:hush", ":hush-hush-hush-hush", "a b:hush-hush-hush-hush", "a:hush-hush-hush-hush,", "a:hush-hush-hush-hush,a:hush-hush-again-hush"])
def test_keys_that_are_none_stop_the_start_and_are_not_shown(tmp_path, keys):
    done = run_cli("serve", "--role", "media", "--data", tmp_path, SIGNING_KEYS=keys, MEDIA_PORT=0)
    told = (done.stdout + done.stderr).decode()
    assert done.returncode not in (0, -6, -11) and "SIGNING_KEYS" in told and "hush" not in told, told
