"""Who has no good token gets 401 on every route, whatever else the request holds."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from harness.client import Tenant
from harness.raw import raw_exchange
from harness.tokens import public_pem
from harness.waiting import until

NO_TOKENS = {
    "no header": {}, "another scheme": {"Authorization": "Basic dTpw"}, "an empty token": {"Authorization": "Bearer "},
    "the scheme alone": {"Authorization": "Bearer"}, "an empty header": {"Authorization": ""},
    "no token at all": {"Authorization": "Bearer x"}, "two words": {"Authorization": "Bearer a b"},
}  # fmt: skip


def targets(client):
    for operation in client.contract.operations:
        if operation.needs_token:
            parts = [p for p in operation.path.strip("/").split("/") if p != "v1"]
            yield operation, client.target(*["x" if p[0] == "{" else p for p in parts])


def check_refused(client, operation, target, headers, code="unauthorized"):
    body = None if operation.method in ("GET", "HEAD", "DELETE") else {}
    answer = client.call(operation.method, target, body, headers)
    assert answer.status == 401 and (operation.method == "HEAD" or answer.code == code), answer
    assert answer.headers["WWW-Authenticate"].startswith("Bearer"), answer.headers


@pytest.mark.smoke
@pytest.mark.parametrize("headers", NO_TOKENS.values(), ids=NO_TOKENS.keys())
def test_without_a_token_every_route_is_401(tenant, headers):
    client = tenant.nobody()
    for operation, target in targets(client):
        check_refused(client, operation, target, headers)


@pytest.mark.smoke
def test_every_kind_of_bad_token_is_401_on_every_route(tenant, issuer):
    bad = list(issuer.bad_tokens(tenant.name, "ada"))
    assert len(bad) > 15
    for what, token in bad:
        client = tenant.nobody(token)
        for operation, target in targets(client):
            code = "token_expired" if what == "expired" else "unauthorized"
            try:
                check_refused(client, operation, target, {}, code)
            except AssertionError as fault:
                raise AssertionError(f"a token {what}: {fault}") from None


def test_media_verifies_tokens_for_itself(fleet, issuer):
    media = Tenant(issuer, *fleet.storage_entrance("direct"))
    bad = [(token, "token_expired" if what == "expired" else "unauthorized") for what, token in issuer.bad_tokens(media.name, "ada")]
    for token, code in [(None, "unauthorized"), *bad]:
        client = media.nobody(token)
        for operation, target in targets(client):
            check_refused(client, operation, target, {}, code)


def test_a_token_in_the_query_is_no_token(tenant, issuer):
    token = issuer.token(tenant.name, "ada")
    client = tenant.nobody()
    for name in ("access_token", "token", "jwt"):
        answer = client.call("GET", client.target("conversations") + f"?{name}={token}")
        assert answer.status == 401, answer


def test_a_refusal_comes_before_any_look_at_the_request(tenant):
    client = tenant.nobody()
    for body in (b"{", b"", b"x" * 140000):
        answer = client.call("POST", client.target("messages"), body)
        assert answer.status in (401, 413), answer
    assert client.call("GET", client.target("conversations") + "?limit=x").status == 401


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
def test_good_tokens_by_the_keys_own_types_are_taken(tenant, issuer, algorithm):
    token = issuer.token(tenant.name, "ada", algorithm=algorithm)
    assert tenant.nobody(token).get("users", "me", expect=200).json["id"] == "ada"


def test_the_scheme_is_read_without_regard_to_case(tenant, issuer):
    token = issuer.token(tenant.name, "ada")
    for scheme in ("bearer", "BEARER"):
        tenant.nobody().get("users", "me", headers={"Authorization": f"{scheme} {token}"}, expect=200)


def test_a_token_is_good_until_it_expires_even_when_it_is_remembered(start_server, tenant_at, issuer):
    server = start_server(JWT_LEEWAY_SECONDS=0)
    tenant = tenant_at(server)
    client = tenant.nobody(issuer.token(tenant.name, "ada", ttl=3))
    client.get("users", "me", expect=200)
    answer = until("the token expires", lambda: (a := client.get("users", "me")).status == 401 and a, 10, 0.1)
    assert answer.code == "token_expired"


def test_issuer_and_audience_are_checked_when_set(start_server, tenant_at, issuer):
    tenant = tenant_at(start_server(JWT_ISSUER="https://id.example.com/", JWT_AUDIENCE="parley"))
    right = {"iss": "https://id.example.com/", "aud": "parley"}
    for claims, status in ((right, 200), (right | {"aud": ["x", "parley"]}, 200), ({}, 401), ({"iss": right["iss"]}, 401),
                           (right | {"iss": "https://id.example.com"}, 401), (right | {"aud": ["x"]}, 401),
                           (right | {"aud": "PARLEY"}, 401)):  # fmt: skip
        client = tenant.nobody(issuer.token(tenant.name, "ada", **claims))
        assert client.get("users", "me").status == status, claims


@pytest.mark.parametrize("kind", ["P-256", "P-384", "P-521", "Ed25519"])
def test_other_kinds_of_keys(start_server, tenant_at, kind):
    curves = {"P-256": (ec.SECP256R1, "ES256"), "P-384": (ec.SECP384R1, "ES384"), "P-521": (ec.SECP521R1, "ES512")}
    if kind == "Ed25519":
        key, algorithm = ed25519.Ed25519PrivateKey.generate(), "EdDSA"
    else:
        curve, algorithm = curves[kind]
        key = ec.generate_private_key(curve())
    tenant = tenant_at(start_server(["messaging"], JWT_PUBLIC_KEY=public_pem(key)))
    claims = tenant.issuer.claims(tenant.name, "ada")
    tenant.nobody(jwt.encode(claims, key, algorithm=algorithm)).get("users", "me", expect=200)
    tenant.user("ada").get("users", "me").refused(401)  # signed by the tests' usual key


@pytest.mark.parametrize("roles", [["owner"], ["ADMIN"], ["admin "], [], ["user"], ["root", "superuser"]])
def test_unknown_roles_give_no_right(tenant, issuer, roles):
    tenant.user("ada").group("room")
    client = tenant.nobody(issuer.token(tenant.name, "eve", roles))
    answer = client.get("conversations", "room")
    assert answer.status in (404, 401), answer


@pytest.mark.parametrize("claims", [{"roles": "admin"}, {"roles": {"admin": True}}, {"roles": [1]}, {"sub": 7}, {"tenant_id": ["t"]},
                                    {"sub": ""}, {"sub": "x" * 129}, {"sub": "a\nb"}, {"tenant_id": "a\0"}, {"name": 7}])  # fmt: skip
def test_claims_of_another_shape_give_nothing(tenant, issuer, claims):
    tenant.user("ada").group("room")
    answer = tenant.nobody(issuer.token(tenant.name, "eve", **claims)).get("conversations", "room")
    assert answer.status in (401, 404), answer


def test_of_two_authorization_headers_none_is_believed(tenant, issuer):
    good = issuer.token(tenant.name, "ada")
    prefix = tenant.prefix
    request = (f"GET {prefix}/users/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
               f"Authorization: Bearer {good}\r\nAuthorization: Bearer {good}x\r\n\r\n")  # fmt: skip
    (answer,) = raw_exchange(tenant.origin, request.encode())
    assert answer.status in (400, 401), answer


def test_each_service_verifies_for_itself(fleet, issuer):
    """Not the gateway alone: the same bad tokens straight at messaging are refused (see `direct` above)."""
    gateway, messaging = fleet.gateway(), fleet.messaging()
    assert gateway.ports["gateway"] != messaging.ports["messaging"]
    assert "JWT_PUBLIC_KEY" in messaging.settings
