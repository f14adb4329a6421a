"""Health, liveness, metrics, the contract itself and its page: without a token, on every role."""

import re
from urllib.parse import urljoin

import pytest
import yaml

from harness.client import Client
from harness.contract import API, contract
from harness.server import ROLES
from harness.waiting import until


@pytest.fixture(params=ROLES)
def role(request):
    return request.param


@pytest.fixture
def open_client(fleet, role):
    return Client(fleet.all_in_one().origin(role), contract(role))


@pytest.mark.smoke
def test_every_role_tells_its_health(open_client):
    health = open_client.get("health", expect=200).json
    assert health["status"] == "ok", health
    assert open_client.get("health", "live", expect=200).json == {"status": "ok"}


def test_messaging_and_the_gateway_name_what_they_depend_on(fleet):
    for server, role, needed in ((fleet.all_in_one(), "messaging", "store"), (fleet.all_in_one(), "gateway", "messaging"),
                                 (fleet.gateway(), "gateway", "messaging")):  # fmt: skip
        dependencies = server.health(role)["dependencies"]
        assert dependencies[needed]["status"] == "ok" and dependencies[needed]["latency_ms"] >= 0


def test_head_and_other_methods_on_health(open_client):
    assert open_client.call("HEAD", "/health").status == 200
    answer = open_client.call("POST", "/health", check=False)
    assert answer.status in (401, 405), "who has no token need not learn more"


def test_every_role_serves_its_contract(open_client, role):
    served = open_client.get("openapi.yaml", expect=200)
    assert yaml.safe_load(served.body) == yaml.safe_load((API / f"{role}.yaml").read_text("utf-8"))


def test_the_address_a_contract_names_is_the_one_it_was_read_from(open_client, role):
    """Whatever the port: the suite's servers are on none of the defaults."""
    host, port = open_client.origin
    servers = yaml.safe_load(open_client.get("openapi.yaml", expect=200).body)["servers"]
    assert servers
    for server in servers:
        assert urljoin(f"http://{host}:{port}/openapi.yaml", server["url"]) == f"http://{host}:{port}/"


def test_the_docs_page_loads_nothing_from_elsewhere(fleet):
    for role in ("gateway", "messaging"):
        client = Client(fleet.all_in_one().origin(role), contract(role))
        page = client.get("docs", expect=200).body.decode()
        for address in re.findall(r"(?:src|href)=[\"']([^\"']+)", page):
            assert not re.match(r"(?:https?:)?//", address), address


def test_metrics_tell_requests_by_route_and_status(fleet):
    for server, role in ((fleet.all_in_one(), "gateway"), (fleet.all_in_one(), "messaging"), (fleet.gateway(), "gateway")):
        client = Client(server.origin(role), contract(role))
        client.get("health", "live", expect=200)
        text = client.get("metrics", expect=200).body.decode()
        assert "# TYPE" in text and "status=\"200\"" in text and "_bucket{" in text and 'le="+Inf"' in text
        assert "unknown-tenant" not in text


def test_metrics_have_no_series_for_each_id(fleet, tenant):
    ada = tenant.user("ada")
    room = ada.group()["id"]
    ada.get("conversations", room)
    ada.call("GET", f"{ada.prefix}/nowhere-{room}", check=False)
    text = Client(ada.origin, ada.contract).call("GET", "/metrics").body.decode()
    assert room not in text and tenant.name not in text and "ada" not in text.split()


def test_metrics_of_messaging_show_the_store_at_work(fleet):
    names = {name.split("{")[0] for name in fleet.messaging().metrics("messaging")}
    for part in ("group_size", "commit_seconds", "queue"):
        assert any(part in name for name in names), sorted(names)


def test_metrics_of_the_gateway_show_the_circuit(fleet):
    names = {name.split("{")[0] for name in fleet.gateway().metrics("gateway")}
    assert any("circuit" in name for name in names), sorted(names)


def test_the_log_has_a_line_for_each_request(fleet, tenant):
    ada = tenant.user("ada")
    request_id = f"look-for-{tenant.name}"
    ada.get("conversations", headers={"X-Request-Id": request_id})

    def lines():
        return [line for server in fleet.running() for line in server.log_lines() if line.get("request_id") == request_id]

    found = until("the access log tells of the request", lines)
    line = found[-1]
    assert line["status"] == 200 and line["tenant"] == tenant.name and line["user"] == "ada", line
    assert any("duration" in name for name in line) and "route" in line, line
