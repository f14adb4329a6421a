"""No token, no key and no word of a conversation stands in a log, at any level; and files with keys are closed."""

import stat

import pytest

from harness.client import Client, words
from harness.contract import contract
from harness.server import run_cli


@pytest.mark.parametrize("level", ["trace", "info"])
def test_a_log_at_any_level_holds_no_secret(start_server, tenant_at, level):
    server = start_server(LOG_LEVEL=level)
    tenant = tenant_at(server)
    ada = tenant.user("ada", "admin", name=words("name"))
    ada.group("room", name=words("name"), topic=words("topic"), metadata={"k": words()}, imported=True)
    message = ada.send("room", words(), metadata={"k": words()}, client_message_id="m")["id"]
    ada.put("messages", message, body={"content": words()}, expect=200)
    ada.get("conversations", "room", "messages", limit=1, expect=200)
    ada.put("users", "me", body={"metadata": {"k": words()}}, expect=200)
    ada.post("messages", body=b'{"content":"' + words().encode() + b'"').refused(400)
    ada.post("messages", body={"conversation_id": "room", "content": words(), "stray": words()}).refused(400)
    ada.get("conversations", stray=words()).refused(400)
    ada.delete("messages", message, expect=204)
    for _, token in tenant.issuer.bad_tokens(tenant.name, "ada"):
        tenant.nobody(token).get("users", "me").refused(401)
    ada.call("GET", f"{ada.prefix}/nowhere/{words()}".replace(" ", "%20"), check=False)
    server.stop()  # which looks through the log
    assert server.log_text().count('"request"') > 10


def test_the_development_key_and_its_tokens_stay_out_of_the_log(start_server):
    server = start_server(JWT_PUBLIC_KEY="", LOG_LEVEL="trace")
    made = run_cli("token", "--data", server.data, "--tenant", "acme", "--user", "u1")
    assert made.returncode == 0, made.stderr
    client = Client(server.origin("gateway"), contract("gateway"), "/v1", made.stdout.decode().strip())
    client.get("users", "me", expect=200)
    server.stop()


def test_keys_and_stores_are_closed_to_others(start_server):
    server = start_server(JWT_PUBLIC_KEY="")
    keys = [path for path in server.data.rglob("*key*") if path.is_file()]
    assert keys, "with no key configured, one is made in the data folder"
    for path in keys:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for path in server.data.rglob("*"):
        assert not path.stat().st_mode & stat.S_IWOTH, path
        if path.suffix in (".db", ".sqlite", ".sqlite3"):
            assert not path.stat().st_mode & stat.S_IROTH or not path.parent.stat().st_mode & stat.S_IXOTH, path


def test_the_version_and_the_system_are_not_told(fleet):
    answer = Client(fleet.all_in_one().origin("gateway"), contract("gateway")).get("health")
    assert "/" not in answer.headers.get("Server", "")
