"""What HTTP itself asks: methods, HEAD, unknown paths, request ids, the shape of every problem; and what needs no token."""

import http.client
import json
import re

import pytest

from harness.client import words
from harness.contract import contract

MESSAGING = contract("messaging")
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]


@pytest.fixture
def ada(tenant):
    return tenant.user("ada")


def sample(client, operation):
    return client.target(*[("x" if part[0] == "{" else part) for part in operation.path.strip("/").split("/")])


@pytest.mark.parametrize("path", sorted({op.path for op in MESSAGING.operations if op.needs_token and not op.internal}))
def test_other_methods_are_405_with_allow(ada, path):
    operation = next(op for op in MESSAGING.operations if op.path == path)
    target = sample(ada, operation)
    known = {op.method for op in MESSAGING.operations if op.path == path}
    for method in METHODS:
        if method in known:
            continue
        answer = ada.call(method, target, check=False)
        assert answer.status == 405 and answer.code == "method_not_allowed", answer
        ada.contract.check_problem(answer)
        allowed = {name.strip() for name in answer.headers["Allow"].split(",")}
        assert known <= allowed and method not in allowed, allowed
        assert ("GET" in known) == ("HEAD" in allowed), allowed


@pytest.mark.parametrize("method", ["BREW", "get", "PROPFIND", "X" * 30])
def test_methods_nobody_knows_are_refused(ada, method):
    answer = ada.call(method, ada.target("conversations"), check=False)
    assert answer.status in (400, 405, 501), answer
    ada.contract.check_problem(answer)


@pytest.mark.parametrize("path", ["nothing", "conversations/x/y", "messages//x", "messages/x/y/z", "conversations/x/messages/y",
                                  "internal/x", "Conversations", "users/me/x"])  # fmt: skip
def test_unknown_paths_are_404_route_not_found(ada, path):
    for method in METHODS:
        answer = ada.call(method, f"{ada.prefix}/{path}", check=False)
        assert answer.status == 404 and answer.code == "route_not_found", answer
        ada.contract.check_problem(answer)


def test_a_slash_at_the_end_is_another_path(ada):
    for path in ("conversations/", "messages/"):
        answer = ada.call("GET", f"{ada.prefix}/{path}", check=False)
        assert answer.status in (400, 404), answer


def test_the_root_and_the_docs_with_a_slash_need_no_token(ada):
    root = ada.exchange("GET", "/", None, {})
    assert root.status == 200 and root.json["docs"] == "docs", root
    docs = ada.exchange("GET", "/docs/", None, {})
    assert docs.status == 308 and docs.headers["Location"] == "../docs", docs


def test_odd_targets_are_404(ada):
    for target in ("//", "/v1", "/v1/", "/v2/conversations", "/..", "/./conversations", "/v1/../v1/conversations"):
        answer = ada.call("GET", target, check=False)
        assert answer.status == 404, answer
        ada.contract.check_problem(answer)


@pytest.mark.smoke
def test_head_answers_what_get_does_without_the_body(ada):
    room = ada.group()["id"]
    message = ada.send(room)["id"]
    for path in (("conversations",), ("conversations", room), ("conversations", room, "messages"), ("messages", message),
                 ("users", "me"), ("messages", "unknown")):  # fmt: skip
        get, head = ada.call("GET", ada.target(*path)), ada.call("HEAD", ada.target(*path))
        assert head.status == get.status and head.body == b""
        assert head.headers.get("ETag") == get.headers.get("ETag")
        assert head.headers["Content-Type"] == get.headers["Content-Type"]
        if "Content-Length" in head.headers:
            assert head.headers["Content-Length"] == str(len(get.body)) or get.status >= 400


def test_options_tells_what_a_path_takes(ada):
    answer = ada.call("OPTIONS", ada.target("conversations"), check=False)
    assert answer.status == 204 and answer.body == b""
    assert {"GET", "POST", "HEAD", "OPTIONS"} <= {m.strip() for m in answer.headers["Allow"].split(",")}
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_no_origin_may_call_unless_it_is_named(ada):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for method in ("GET", "OPTIONS"):
        answer = ada.call(method, ada.target("conversations"), headers=asked, check=False)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")], answer.headers


def test_the_log_names_the_client_behind_a_trusted_proxy_and_believes_no_other(start_server):
    chain = {"X-Forwarded-For": "6.6.6.6, 198.51.100.7, 127.0.0.1"}
    for settings, peer in (({"TRUSTED_PROXIES": "127.0.0.1,::1"}, "198.51.100.7"), ({}, "127.0.0.1")):
        server = start_server(**settings)
        for role in ("gateway", "messaging"):
            connection = http.client.HTTPConnection(*server.origin(role), timeout=10)
            connection.request("GET", "/openapi.yaml", headers=chain)
            assert connection.getresponse().read()
            connection.close()
        server.stop()
        seen = [line["peer"] for line in server.log_lines() if line.get("route") == "/openapi.yaml"]
        assert seen == [peer, peer]


def test_named_origins_may_call(start_server, tenant_at):
    server = start_server(CORS_ALLOWED_ORIGINS="https://chat.example.com,https://b.example.com")
    ada = tenant_at(server).user("ada")
    good, bad = "https://chat.example.com", "https://chat.example.com.evil.example"
    answer = ada.get("conversations", headers={"Origin": good})
    assert answer.headers["Access-Control-Allow-Origin"] == good and "Origin" in answer.headers["Vary"]
    refused = ada.get("conversations", headers={"Origin": bad})
    assert "Access-Control-Allow-Origin" not in refused.headers
    asked = {"Origin": good, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization,if-match"}
    nobody = tenant_at(server).nobody()
    preflight = nobody.call("OPTIONS", nobody.target("conversations", "x"), headers=asked, check=False)
    assert preflight.status in (200, 204) and preflight.headers["Access-Control-Allow-Origin"] == good
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"].lower()
    problem = ada.call("GET", ada.target("messages", "unknown"), headers={"Origin": good})
    assert problem.headers["Access-Control-Allow-Origin"] == good, "scripts must be able to read problems"


# Request ids


@pytest.mark.parametrize("given", ["abc", "x" * 128, "~!@#"])
def test_a_callers_request_id_comes_back(ada, given):
    answer = ada.get("conversations", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given
    assert ada.get("messages", "unknown", headers={"X-Request-Id": given}).json["request_id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "ü"])
def test_another_request_id_is_replaced(ada, given):
    answer = ada.get("conversations", headers={"X-Request-Id": given.encode("latin-1")})
    assert answer.status == 200 and answer.headers["X-Request-Id"] not in ("", given)


def test_each_request_has_its_own_id(ada):
    ids = {ada.get("conversations").headers["X-Request-Id"] for _ in range(20)}
    assert len(ids) == 20


# Problems


def test_problems_name_nothing_internal(ada):
    leaks = re.compile(rb"sqlite|\.cc\b|\.h\b|std::|boost|0x[0-9a-f]{6}|exception|/tmp|errno|SELECT|parley::", re.IGNORECASE)
    room = ada.group()["id"]
    answers = [
        ada.get("messages", "unknown"), ada.post("messages", body=b"{"), ada.post("messages", body={"a": 1}),
        ada.get("conversations", limit=0), ada.get("conversations", cursor="x"),
        ada.post("conversations", body={"id": room, "name": "other"}), ada.call("PATCH", ada.target("messages"), check=False),
        ada.call("GET", f"{ada.prefix}/nowhere", check=False), ada.post("messages", body=b"x" * 140000),
    ]  # fmt: skip
    for answer in answers:
        assert answer.status >= 400 and not leaks.search(answer.body), answer
        problem = answer.json
        assert problem["type"] == "about:blank" and problem["title"] and problem["detail"]


def test_a_problem_does_not_repeat_what_was_sent(ada):
    content = words("secret")
    room = ada.group()["id"]
    body = {"conversation_id": room, "content": content, "mentions": [content], "type": content * 3, "stray": content}
    assert content.encode() not in ada.post("messages", body=body).refused(400).body


def test_answers_are_not_cached_by_others(ada):
    room = ada.group()["id"]
    for answer in (ada.get("conversations", room), ada.get("conversations")):
        assert "public" not in answer.headers.get("Cache-Control", "")


def test_json_says_what_it_is_and_is_not_sniffed(ada):
    answer = ada.get("conversations")
    assert answer.headers["Content-Type"].split(";")[0] == "application/json"
    json.loads(answer.body.decode("utf-8"))
