"""What the README promises a newcomer, end to end: from an empty folder to a conversation."""

import json
import urllib.request

import pytest

from harness.client import Client
from harness.contract import contract
from harness.server import ROLES, run_cli


def curl(url, token, method="GET", body=None):
    """As the README's lines do it: nothing of the tests' own client."""
    request = urllib.request.Request(url, method=method, data=json.dumps(body).encode() if body else None)
    request.add_header("Authorization", f"Bearer {token}")
    if body:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.mark.smoke
def test_from_an_empty_folder_to_a_message(start_server):
    server = start_server(JWT_PUBLIC_KEY="")
    for role in ROLES:
        assert server.health(role)["status"] == "ok"
    made = run_cli("token", "--data", server.data, "--tenant", "demo", "--user", "me")
    assert made.returncode == 0 and made.stderr == b"", made.stderr
    token = made.stdout.decode().strip()
    assert made.stdout.decode() == token + "\n" and token.count(".") == 2, "it prints a token and nothing else"
    gateway = server.url("gateway")
    message = {"conversation_id": "123", "content": "Test message"}
    status, problem = curl(f"{gateway}/v1/messages", token, "POST", message)
    assert status == 404 and problem["code"] == "not_found"
    status, made = curl(f"{gateway}/v1/conversations", token, "POST", {"id": "123", "type": "group", "name": "First conversation"})
    assert status == 201 and made["id"] == "123"
    status, sent = curl(f"{gateway}/v1/messages", token, "POST", message)
    assert status == 201 and sent["seq"] == 1 and sent["content"] == "Test message"
    status, page = curl(f"{gateway}/v1/messages/conversations/123", token)
    assert status == 200 and [m["id"] for m in page["items"]] == [sent["id"]]
    base = f"{gateway}/v1/messages/{sent['id']}"
    assert curl(base, token, "PUT", {"content": "Edited"})[1]["version"] == 2
    assert curl(f"{base}/reactions", token, "POST", {"reaction": "👍"})[0] == 201
    assert [v["content"] for v in curl(f"{base}/history", token)[1]["items"]] == ["Edited", "Test message"]
    assert curl(base, token, "DELETE")[0] == 204
    assert curl(base, token)[1]["content"] is None


def test_both_ways_to_list_messages_give_the_same(start_server, tenant_at):
    server = start_server()
    ada = tenant_at(server).user("ada")
    ada.group("a/b")
    for _ in range(7):
        ada.send("a/b")
    one = ada.get("conversations", "a/b", "messages", limit=3, order="asc", expect=200).json
    other = ada.get("messages", "conversations", "a/b", limit=3, order="asc", expect=200).json
    assert one == other
    assert ada.get("messages", "conversations", "a/b", around=4, limit=3).json == ada.get(
        "conversations", "a/b", "messages", around=4, limit=3
    ).json
    rest = ada.get("messages", "conversations", "a/b", limit=50, order="asc", cursor=one["next_cursor"], expect=200).json
    assert [m["seq"] for m in rest["items"]] == [4, 5, 6, 7]
    ada.get("messages", "conversations", "unknown").refused(404, "not_found")


def test_everything_is_there_after_a_restart(start_server, tenant_at):
    server = start_server()
    ada = tenant_at(server).user("ada", name="Ada")
    ada.group("room", members=["ben"], topic="t")
    message = ada.send("room")
    server.stop()
    server.start()
    assert ada.read(message["id"])["content"] == message["content"]
    assert ada.get("conversations", "room", expect=200).json["topic"] == "t"
    assert ada.get("users", "me", expect=200).json["name"] == "Ada"
    assert ada.send("room")["seq"] == 2


def test_the_development_key_stays_over_a_restart_and_serves_every_role(start_server):
    server = start_server(JWT_PUBLIC_KEY="")
    token = run_cli("token", "--data", server.data, "--tenant", "t", "--user", "u").stdout.decode().strip()
    server.stop()
    server.start()
    for role, prefix in (("gateway", "/v1"), ("messaging", "")):
        Client(server.origin(role), contract(role), prefix, token).get("users", "me", expect=200)
