"""Engines as operators have them: over TLS, with users and passwords, keys or certificates; and what is said when those are wrong."""

import re

import pytest

from harness.client import Client, words
from harness.contract import contract
from harness.engines import Roles
from harness.files import download, some_bytes, upload
from harness.search import Place, SearchTenant
from harness.secured import SecuredEngines
from harness.server import CRASHES, Server
from harness.waiting import until

pytestmark = pytest.mark.live
SCRAM = {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512"}


@pytest.fixture(scope="module")
def secured(parley, tmp_path_factory):
    engines = SecuredEngines(tmp_path_factory.mktemp("secured"))
    try:
        yield engines.start()
    finally:
        engines.remove()


@pytest.fixture
def roles(secured, issuer, tmp_path):
    """roles(SETTING=value…) starts four processes on the secured engines."""
    made = []

    def start(**settings):
        made.append(Roles(tmp_path, JWT_PUBLIC_KEY=issuer.public_keys, **secured.settings() | settings))
        return made[-1].start()

    yield start
    for one in made:
        one.stop()
        for server in one.all():
            assert not told_secrets(secured, server), f"{server.folder.name} logged a secret"


def told_secrets(secured, server):
    log = server.log_path.read_text(errors="replace")
    return [secret for secret in secured.secrets() if secret in log]


def works_through(roles, issuer):
    """A message is written, found, and has a file; every engine is up in /health."""
    gateway = (roles.one("gateway").origin("gateway"), contract("gateway"), "/v1")
    tenant = SearchTenant(issuer, Place(gateway, gateway, (roles.one("search").origin("search"), contract("search"), "")))
    ada = tenant.user("ada")
    ada.post("conversations", body={"id": "room"}, expect=201)
    said = ada.post("messages", body={"conversation_id": "room", "content": words("walrus")}, expect=201).json
    assert ada.found("walrus") == [said["id"]]
    files = Client(gateway[0], gateway[1], "/v1/media", ada.token)
    data = some_bytes(200_000)
    stored = upload(files, data, "a.bin")
    assert stored.status == 201, stored
    assert download(files, stored.json["id"]) == data
    for role in ("gateway", "messaging", "media", "search"):
        # A gateway asks now and then how the others are.
        until(f"{role} is well", lambda role=role: roles.one(role).health(role)["status"] == "ok", 30)


def test_every_engine_is_reached_over_tls_by_a_user_with_a_password(roles, issuer):
    works_through(roles(), issuer)


def test_kafka_by_a_certificate_and_search_by_a_key(roles, secured, issuer):
    works_through(roles(KAFKA_BROKERS=secured.kafka_by_certificate, KAFKA_SECURITY="ssl", KAFKA_USERNAME="", KAFKA_PASSWORD="",
                        KAFKA_CERT_FILE=secured.certificate[0], KAFKA_KEY_FILE=secured.certificate[1], ELASTICSEARCH_USERNAME="",
                        ELASTICSEARCH_PASSWORD="", ELASTICSEARCH_API_KEY=secured.api_key), issuer)  # fmt: skip


def start_in_vain(secured, issuer, tmp_path, role, **settings):
    """What a role says that cannot start; it shows no secret."""
    server = Server(tmp_path / role, [role], JWT_PUBLIC_KEY=issuer.public_keys, INTERNAL_KEY="0" * 64, ENGINE_WAIT_SECONDS=2,
                    MESSAGING_SERVICE_URL="http://127.0.0.1:9", **secured.settings() | settings)  # fmt: skip
    server.launch()
    assert server.wait(60) == 1
    assert not told_secrets(secured, server) and not CRASHES.search(server.log_path.read_bytes())
    return server.log_text().splitlines()[-1]


@pytest.mark.parametrize("role, wrong, said", [
    ("messaging", lambda s: {"MONGODB_URI": s.mongodb_uri("wrong")}, "MongoDB refuses the user or the password of MONGODB_URI"),
    ("messaging", lambda s: {"MONGODB_CA_FILE": ""}, "MongoDB at MONGODB_URI cannot be reached"),
    ("messaging", lambda s: {"KAFKA_PASSWORD": "wrong"}, "Kafka refuses KAFKA_USERNAME, KAFKA_PASSWORD or KAFKA_SASL_MECHANISM"),
    ("messaging", lambda s: {"KAFKA_CA_FILE": ""}, "Kafka .*certificate"),
    ("messaging", lambda s: {"KAFKA_SECURITY": "ssl", "KAFKA_BROKERS": s.kafka_by_certificate}, "Kafka .*(certificate required|Disconnected|reset)"),
    ("media", lambda s: {"S3_SECRET_KEY": "wrong"}, "S3.*S3_SECRET_KEY"),
    ("media", lambda s: {"S3_CA_FILE": ""}, "S3_ENDPOINT.*TLS: certificate verify failed"),
    ("search", lambda s: {"ELASTICSEARCH_PASSWORD": "wrong"}, "ELASTICSEARCH_USERNAME"),
    ("search", lambda s: {"ELASTICSEARCH_CA_FILE": ""}, "ELASTICSEARCH_URL.*TLS: certificate verify failed"),
])  # fmt: skip
def test_what_an_engine_refuses_is_said_by_name(secured, issuer, tmp_path, role, wrong, said):
    assert re.search(said, start_in_vain(secured, issuer, tmp_path, role, **wrong(secured)))


def test_a_redis_that_refuses_us_is_said_and_done_without(roles, secured, issuer):
    started = roles(REDIS_URL=secured.redis_url("wrong"))
    assert re.search("redis is lost.*it refuses with WRONGPASS", started.one("gateway").log_text())
    health = started.one("gateway").health("gateway")
    assert health["status"] == "degraded", health


def test_scram_works_or_says_why_not(secured, issuer, tmp_path):
    """Kafka 4 and librdkafka before 2.6.1 do not understand each other (docs/operations.md)."""
    server = Server(tmp_path / "messaging", ["messaging"], JWT_PUBLIC_KEY=issuer.public_keys, INTERNAL_KEY="0" * 64,
                    ENGINE_WAIT_SECONDS=3, **secured.settings() | SCRAM)  # fmt: skip
    server.launch()

    def serves_or_ended():
        try:
            return server.answers("messaging")
        except AssertionError:
            return server.process.poll() is not None

    try:
        until("it serves, or ends", serves_or_ended, 60)
    except AssertionError:
        server.kill()
        raise
    if server.process.poll() is None:
        server.stop()
        return
    assert server.wait() == 1 and not CRASHES.search(server.log_path.read_bytes())
    assert re.search(r"Kafka 4 refuses SCRAM of librdkafka before 2\.6\.1, whatever the password, and this one is", server.log_text())
