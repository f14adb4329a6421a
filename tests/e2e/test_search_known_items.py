"""Known items: messages of real chat that somebody remembers, looked for as one would, and found among the first ten.

Run on the project's sample; on a whole corpus of the same chat when PARLEY_IRC_CORPUS names its folder.
"""

import json
import os
import pathlib
import re

import pytest

from harness.contract import contract
from harness.search import Place, SearchTenant, check_hits
from harness.server import ROOT, run_cli

ITEMS = json.loads((pathlib.Path(__file__).parents[1] / "fixtures/search/known_items.json").read_text("utf-8"))["items"]
MESSAGE = re.compile(rb"\[\d\d:\d\d\] <[^>]+> .*\S")


def import_and_ask(server, issuer, folder):
    gateway = (server.origin("gateway"), contract("gateway"), "/v1")
    boss = SearchTenant(issuer, Place(gateway, gateway, (server.origin("search"), contract("search"), ""))).user("boss", "admin")
    done = run_cli("import", folder, "--format", "irc", "--url", server.url("gateway"), timeout=900, PARLEY_TOKEN=boss.token)
    assert done.returncode == 0, done.stderr
    messages = sum(1 for path in folder.glob("*.txt") for line in path.read_bytes().splitlines() if MESSAGE.match(line))

    # Every message is in the index: it takes a minute or so for a whole corpus, and check waits for it.
    checked = run_cli("check", timeout=900, DATA_DIR=server.data, SEARCH_PORT=server.ports["search"])
    text = checked.stdout.decode()
    assert checked.returncode == 0 and text.splitlines()[-1] == "ok", checked
    numbers = re.search(r"search: (\d+) conversations, (\d+) messages in the store, (\d+) in the index, 0 dead letters", text)
    assert numbers and int(numbers[2]) == int(numbers[3]) == messages, text

    missed, places = [], []
    for q, says in ITEMS:
        answer = check_hits(boss.search(q=q, limit=10))
        at = [place for place, hit in enumerate(answer["items"], 1) if says in hit["content"]]
        places.append(at[0] if at else None)
        if not at or "did_you_mean" in answer:
            missed.append((q, says, answer["total"], answer.get("did_you_mean"), [hit["content"] for hit in answer["items"]]))
    found = [place for place in places if place]
    print(f"{messages} messages: {len(found)} of {len(ITEMS)} known items in the first 10, {found.count(1)} of them first")
    assert not missed, missed


def test_forty_known_items_or_more_are_asked_for():
    assert len(ITEMS) >= 40 and len({q for q, _ in ITEMS}) == len(ITEMS)


@pytest.mark.smoke
def test_known_items_of_the_sample(start_server, issuer):
    import_and_ask(start_server(), issuer, ROOT / "samples" / "irc")


@pytest.mark.timeout(1800)
@pytest.mark.skipif("PARLEY_IRC_CORPUS" not in os.environ, reason="PARLEY_IRC_CORPUS names no folder of logs")
def test_known_items_of_a_whole_corpus(start_server, issuer):
    """By hand."""
    import_and_ask(start_server(), issuer, pathlib.Path(os.environ["PARLEY_IRC_CORPUS"]))
