"""The engine of the search index is away or says nothing: searches say so soon, nothing else stops, and what was written meanwhile is found
when it is back."""

import os
import time
import urllib.error
import urllib.request

import pytest

from harness.client import unique, words
from harness.relay import Relay
from harness.server import run_cli
from harness.waiting import until

URL = os.environ.get("PARLEY_TEST_OPENSEARCH_URL")
pytestmark = [pytest.mark.live, pytest.mark.skipif(not URL, reason="PARLEY_TEST_OPENSEARCH_URL names no engine")]


@pytest.fixture
def engine():
    relay, prefix = Relay(URL), unique("test")
    relay.settings = {"ELASTICSEARCH_URL": relay.url, "ELASTICSEARCH_INDEX_PREFIX": prefix, "ELASTICSEARCH_TIMEOUT_MS": 1000}
    yield relay
    relay.cut()
    for name in (f"{prefix}-{kind}" for kind in ("messages", "directory", "state")):
        for path in (f"/{name}-1", f"/_index_template/{name}"):
            try:
                urllib.request.urlopen(urllib.request.Request(URL + path, method="DELETE"), timeout=60).close()
            except urllib.error.HTTPError as missing:
                assert missing.code == 404


def found(client, message):
    answer = client.get("search", "messages", q=message["content"].split()[0])
    return answer.status == 200 and [hit["id"] for hit in answer.json["items"]] == [message["id"]]


@pytest.mark.parametrize("fault", ["cut", "freeze"])
def test_without_its_engine_search_alone_stops_and_catches_up(start_server, tenant_at, engine, fault):
    server = start_server(**engine.settings)
    ada = tenant_at(server).user("ada")
    ada.group("room")
    before = ada.send("room", words())
    until("it is found", lambda: found(ada, before))
    assert server.health("search")["dependencies"]["elasticsearch"]["status"] == "ok"

    getattr(engine, fault)()
    began = time.monotonic()
    answer = ada.get("search", "messages", q=words())
    assert answer.status in (503, 504) and int(answer.headers["Retry-After"]) >= 1, answer
    assert time.monotonic() - began < 8  # the gateway asks again for as long as its deadline lets it
    meanwhile = [ada.send("room", words()) for _ in range(20)]
    assert [message["seq"] for message in meanwhile] == list(range(2, 22))

    engine.mend()
    for message in meanwhile:
        until(f"{message['seq']} is found", lambda message=message: found(ada, message), 15)
    done = run_cli("check", timeout=120, SEARCH_PORT=server.ports["search"], DATA_DIR=server.data, **engine.settings)
    assert done.returncode == 0, done


def test_a_start_without_the_engine_ends_and_names_it(tmp_path, engine):
    engine.cut()
    done = run_cli("serve", "--data", tmp_path / "data", ENGINE_WAIT_SECONDS=1, GATEWAY_PORT=0, MESSAGING_PORT=0, MEDIA_PORT=0, SEARCH_PORT=0,
                   **engine.settings)  # fmt: skip
    assert done.returncode == 1 and b"ELASTICSEARCH_URL" in done.stdout + done.stderr, done
