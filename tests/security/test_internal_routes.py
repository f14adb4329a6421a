"""What roles ask of each other: no user gets in, no role gets further than its token says, and no gateway passes it on."""

import stat

import jwt
import pytest

from harness.client import Client, unique, words
from harness.contract import contract
from harness.raw import raw_exchange
from harness.server import run_cli
from harness.tokens import base64url, internal_token
from harness.waiting import until

MESSAGING = contract("messaging")
FOR_ROLES = [op for op in MESSAGING.operations if op.for_roles]
QUERIES = {"read_log": {}, "scan_tenants": {}, "scan_conversations": {"tenant": "t"}, "scan_users": {"tenant": "t"},
           "scan_messages": {"tenant": "t", "conversation_id": "room"}}  # fmt: skip
BODIES = {"check_attachment": {"tenant": "t", "user": "ada", "file": "f"}, "forget_files": {"tenant": "t", "files": ["f"]}}


@pytest.fixture
def server(fleet):
    return fleet.messaging()


@pytest.fixture
def role(server):
    """role(token) asks messaging itself; without one, with a good token."""

    def client(token=None):
        return Client(server.origin("messaging"), MESSAGING, "", token or internal_token(server.internal_key))

    return client


def ask(client, operation, tenant="t"):
    query, body = (
        fields and {name: tenant if name == "tenant" else value for name, value in fields.items()}
        for fields in (QUERIES.get(operation.id, {}), BODIES.get(operation.id))
    )
    return client.call(operation.method, client.target(*operation.path.strip("/").split("/"), **query), body)


def pages(client, *path, place="after", **query):
    while True:
        page = client.get(*path, expect=200, **query).json
        yield from page["items"]
        if page["next"] is None:
            return
        query[place] = page["next"]


def bad_tokens(key):
    good = internal_token(key)
    prefix, payload, mac = good.split(".")
    later = base64url(b'{"aud":"messaging","exp":99999999999}')
    yield "expired", internal_token(key, ttl=-1)
    yield "of another role", internal_token(key, "search")
    yield "of the gateway", internal_token(key, "gateway")
    yield "of no role", internal_token(key, "")
    yield "of several roles", internal_token(key, ["messaging"])
    yield "without an audience", internal_token(key, ...)
    yield "good for a day", internal_token(key, ttl=86400)
    yield "without an end", internal_token(key, exp=...)
    yield "with an end as text", internal_token(key, exp="99999999999")
    yield "with a user", internal_token(key, sub="ada", tenant_id="t")
    yield "of another key", internal_token(key + "x")
    yield "of an empty key", internal_token("")
    yield "of another version", internal_token(key, prefix="parley2")
    yield "changed", f"{prefix}.{later}.{mac}"
    yield "with another's MAC", f"{prefix}.{payload}.{internal_token(key, ttl=30).split('.')[2]}"
    yield "cut", good[:-1]
    yield "without its MAC", f"{prefix}.{payload}."
    yield "in two parts", f"{prefix}.{payload}"
    yield "in four parts", f"{good}.{mac}"
    yield "without its prefix", f"{payload}.{mac}"
    yield "longer", good + "A"
    yield "padded", good + "="
    yield "as a JWT of HS256", jwt.encode({"aud": "messaging", "exp": 99999999999, "sub": "a", "tenant_id": "t"}, key, "HS256")
    yield "as a JWT's parts", "eyJhbGciOiJIUzI1NiJ9." + good.split(".", 1)[1]


@pytest.mark.smoke
def test_there_are_internal_routes_of_both_kinds():
    assert {op.id for op in FOR_ROLES} == {*QUERIES, *BODIES}
    assert {op.id for op in MESSAGING.operations if op.internal and op.needs_token} == {"get_scope", "look_up"}


@pytest.mark.smoke
@pytest.mark.parametrize("roles", [(), ("admin",), ("service",), ("admin", "service")])
def test_no_users_token_opens_a_route_for_roles(tenant, role, issuer, roles):
    tenant.user("ada").group("room")
    for claims in ({}, {"aud": "messaging"}):
        client = role(issuer.token(tenant.name, "ada", list(roles), **claims))
        for operation in FOR_ROLES:
            ask(client, operation, tenant.name).refused(401, "unauthorized")


def test_no_bad_token_opens_a_route_for_roles(server, role, issuer):
    for what, token in [*bad_tokens(server.internal_key), *issuer.bad_tokens("t", "ada")]:
        for operation in FOR_ROLES:
            answer = ask(role(token), operation)
            assert answer.status == 401, f"a token {what}: {answer}"
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    for headers in ({}, {"Authorization": ""}, {"Authorization": "Bearer "}, {"Authorization": f"Basic {server.internal_key}"}):
        for operation in FOR_ROLES:
            client = Client(server.origin("messaging"), MESSAGING)
            client.call(operation.method, operation.path, BODIES.get(operation.id), headers).refused(401, "unauthorized")


def test_of_two_authorization_fields_none_is_believed(server):
    good = internal_token(server.internal_key)
    request = (f"GET /internal/tenants HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
               f"Authorization: Bearer {good}\r\nAuthorization: Bearer {good}\r\n\r\n")  # fmt: skip
    (answer,) = raw_exchange(server.origin("messaging"), request.encode())
    assert answer.status in (400, 401), answer


def test_a_refusal_comes_before_any_look_at_the_request(role, issuer):
    client = role(issuer.token("t", "ada"))
    client.call("GET", "/internal/scan/messages?limit=x").refused(401, "unauthorized")
    client.call("GET", "/internal/tenants?surprise=1").refused(401, "unauthorized")


def test_an_internal_token_is_no_users_token(server, role):
    client = role()
    for operation in MESSAGING.operations:
        if operation.needs_token:
            target = client.target(*["x" if part[0] == "{" else part for part in operation.path.strip("/").split("/")])
            body = None if operation.method in ("GET", "DELETE") else {}
            for headers in ({}, {"X-Parley-User": "ada"}):
                client.call(operation.method, target, body, headers).refused(401, "unauthorized")


def test_no_gateway_passes_an_internal_call_on(fleet, issuer):
    for gateway, messaging in ((fleet.all_in_one(), fleet.all_in_one()), (fleet.gateway(), fleet.messaging())):
        user, other = issuer.token("t", "ada", ["admin", "service"]), internal_token(messaging.internal_key)
        for token, status in ((user, 404), (other, 401), (internal_token(messaging.internal_key, "gateway"), 401)):
            client = Client(gateway.origin("gateway"), contract("gateway"), "", token)
            for operation in MESSAGING.operations:
                if not operation.internal:
                    continue
                for path in (operation.path, "/v1" + operation.path, "/v1/.." + operation.path,
                             "/v1/messages/.." + operation.path, "/v1" + operation.path.replace("/internal", "/%69nternal")):
                    answer = client.call(operation.method, path, check=False)
                    assert answer.status == status, f"{path}: {answer}"


def test_scans_read_a_tenant_whole_and_no_other(tenant, fleet, role, topology):
    if topology == "all_in_one":
        pytest.skip("the servers' messaging is the split one's")
    mark, other = words("of-the-other"), tenant.other()
    other.user("zoe", name=mark).group("room", name=mark)
    other.user("zoe").send("room", mark)
    ada = tenant.user("ada")
    ada.group("room", members=["ben"], name="r")
    ada.group("a/b ü")
    texts = [ada.send("room", words())["content"] for _ in range(7)]
    gone = ada.send("room", words())["id"]
    ada.delete("messages", gone, expect=204)
    tenant.user("ben").get("users", "me", expect=200)
    client = role()
    for limit in (1, 3, 1000):
        assert tenant.name in pages(client, "internal", "tenants", limit=limit if limit > 1 else 2)
        rooms = list(pages(client, "internal", "scan", "conversations", tenant=tenant.name, limit=limit))
        assert [(room["id"], sorted(room["members"])) for room in rooms] == [("a/b ü", ["ada"]), ("room", ["ada", "ben"])]
        messages = list(pages(client, "internal", "scan", "messages", place="after_seq", tenant=tenant.name,
                              conversation_id="room", limit=limit))  # fmt: skip
        assert [message["content"] for message in messages] == [*texts, None]
        assert [message["seq"] for message in messages] == list(range(1, 9))
        users = list(pages(client, "internal", "scan", "users", tenant=tenant.name, limit=limit))
        assert [user["id"] for user in users] == ["ada", "ben"]


def test_media_learns_of_no_file_that_no_message_attaches(tenant, role, topology):
    if topology == "all_in_one":
        pytest.skip("the servers' messaging is the split one's")
    tenant.user("ada").group("room")
    asked = {"tenant": tenant.name, "user": "ada", "file": "0198c5a2-7f00-7000-8000-0000000000f1"}
    assert role().post("internal", "attachment-access", body=asked, expect=200).json == {"readable": False}
    for field in asked:
        for bad in ("", 7, None, "x" * 129, "a\0b"):
            answer = role().post("internal", "attachment-access", body={**asked, field: bad})
            answer.refused(400, "validation_failed", f"/{field}")
        missing = {name: value for name, value in asked.items() if name != field}
        role().post("internal", "attachment-access", body=missing).refused(400, "validation_failed", f"/{field}")
    role().post("internal", "attachment-access", body=b"{").refused(400, "invalid_json")
    role().post("internal", "attachment-access", body=b"{}".ljust(16385)).refused(413)


def test_scope_and_lookup_follow_what_the_caller_may_see_at_once(tenant, topology):
    if topology != "direct":
        pytest.skip("internal routes are not behind the gateway")
    ada, ben = tenant.user("ada"), tenant.user("ben")
    room = ada.group(members=["ben"])["id"]
    message = ada.send(room)
    asked = {"messages": [message["id"]], "conversations": [room], "users": ["ada"]}
    assert ben.get("internal", "scope", expect=200).json == {"conversations": [room], "complete": True}
    found = ben.post("internal", "lookup", body=asked, expect=200).json
    assert found["messages"] == [ben.read(message["id"])]
    assert found["users"] == [ben.get("users", "ada").json]
    ben.delete("conversations", room, "members", "ben", expect=204)
    assert ben.get("internal", "scope", expect=200).json == {"conversations": [], "complete": True}
    left = ben.post("internal", "lookup", body=asked, expect=200).json
    assert left["messages"] == [] and left["conversations"] == []
    acting = tenant.service("ada")
    assert acting.get("internal", "scope", expect=200).json["conversations"] == [room]
    ada.delete("messages", message["id"], expect=204)
    assert acting.post("internal", "lookup", body=asked, expect=200).json["messages"] == []


@pytest.mark.parametrize("field", ["messages", "conversations", "users"])
def test_a_lookup_of_too_many_or_of_no_ids_is_400(tenant, topology, field):
    if topology != "direct":
        pytest.skip("internal routes are not behind the gateway")
    ada = tenant.user("ada")
    for bad in ([str(n) for n in range(101)], ["a", "a"], [""], [7], "a", None, ["x" * 129]):
        answer = ada.post("internal", "lookup", body={field: bad}).refused(400, "validation_failed")
        assert all(path.startswith(f"/{field}") for path in answer.faulty), answer
    ada.post("internal", "lookup", body=b"{").refused(400, "invalid_json")
    ada.post("internal", "lookup", body=b"{}".ljust(131073)).refused(413)


def test_a_token_is_good_until_it_expires(server, role):
    client = role(internal_token(server.internal_key, ttl=2))
    client.get("internal", "tenants", expect=200)
    answer = until("the token expires", lambda: (a := client.get("internal", "tenants")).status == 401 and a, 10, 0.1)
    assert answer.code == "token_expired"


def test_the_key_is_made_once_for_the_owner_and_kept(start_server):
    server = start_server()
    path = server.data / "internal.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = path.read_text()
    server.stop()
    server.start()
    assert path.read_text() == made
    client = Client(server.origin("messaging"), MESSAGING, "", internal_token(made.strip()))
    client.get("internal", "tenants", expect=200)
    server.stop()
    assert made.strip() not in server.log_text()


def test_a_key_that_others_may_read_is_refused(start_server):
    server = start_server()
    server.stop()
    (server.data / "internal.key").chmod(0o644)
    server.launch()
    assert server.wait() == 1
    assert "internal.key" in server.log_text()


def test_with_a_key_of_the_operator_no_file_is_made_and_none_is_believed(start_server):
    key = unique("k" * 40)
    server = start_server(["messaging"], INTERNAL_KEY=key)
    assert not (server.data / "internal.key").exists()
    Client(server.origin("messaging"), MESSAGING, "", internal_token(key)).get("internal", "tenants", expect=200)
    server.stop()
    assert key not in server.log_text()
    shown = run_cli("config", "--explain", INTERNAL_KEY=key)
    assert key.encode() not in shown.stdout and b"INTERNAL_KEY" in shown.stdout


def test_a_gateway_before_messaging_alone_makes_no_key(fleet):
    assert not (fleet.gateway().data / "internal.key").exists()
