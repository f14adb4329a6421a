"""Messages in many scripts, identifiers, paths and URLs, found by what a person types: fixtures/search/scripts.json."""

import json
import pathlib

import pytest

from harness.search import SearchTenant, check_hits, ids_of

MESSAGES = json.loads((pathlib.Path(__file__).parents[1] / "fixtures/search/scripts.json").read_text("utf-8"))["messages"]
# Names of files come with the media service.
WRITTEN = [message for message in MESSAGES if "file_names" not in message]
by_message = pytest.mark.parametrize("message", WRITTEN, ids=lambda message: message["id"])


@pytest.fixture(scope="module")
def ada(issuer, search_place):
    ada = SearchTenant(issuer, search_place).user("ada")
    ada.group("room")
    ada.sent = {message["id"]: ada.send("room", message["content"])["id"] for message in WRITTEN}
    ada.settle()
    return ada


def test_at_least_twelve_scripts_are_asked_about():
    assert len(WRITTEN) >= 25
    for needed in ("chinese", "japanese", "korean", "thai", "arabic", "hebrew", "hindi", "russian", "greek", "turkish", "german", "vietnamese", "emoji"):
        assert any(message["id"] == needed for message in WRITTEN), needed


@pytest.mark.smoke
@by_message
def test_a_message_is_found_by_what_its_speaker_types(ada, message):
    for q in message["queries"]:
        for sort in ("relevance", "newest"):
            answer = check_hits(ada.search(q=q, sort=sort, limit=100))
            assert "did_you_mean" not in answer, q
            (hit,) = [hit for hit in answer["items"] if hit["id"] == ada.sent[message["id"]]] or [None]
            assert hit is not None, f"{q} does not find {message['content']}"
            assert "<em>" in hit["highlight"], f"{q} is not lit up in {hit['highlight']}"


@by_message
def test_and_not_by_something_else(ada, message):
    for q in message["misses"]:
        answer = ada.search(q=q, limit=100)
        assert "did_you_mean" in answer or ada.sent[message["id"]] not in ids_of(answer), q


IDENTIFIERS = {
    "sudo apt-get install linux-headers-$(uname -r)": "apt-get apt install linux-headers headers uname linux-headers-$(uname",
    "edit /etc/network/interfaces and /var/log/Xorg.0.log": "/etc/network/interfaces interfaces network/interfaces /var/log xorg.0.log Xorg xorg.0",
    "call getUserById() or parseHTTPResponse, not get_user_by_id": "getUserById getuserbyid user get_user_by_id by_id parseHTTPResponse parse http response",
    "std::vector<std::string> at 0x7fff5fbff8c0": "std::vector vector std::string 0x7fff5fbff8c0",
    "see https://wiki.example.org/Docs/Set_up?page=2&lang=de#top": "wiki.example.org example.org Docs/Set_up set_up https://wiki.example.org/Docs/Set_up?page=2&lang=de#top",
    "version 2.6.12-10-686 of kernel_2.6.12-10.deb": "2.6.12-10-686 2.6.12 686 kernel_2.6.12-10.deb deb",
    "mail ada.lovelace+chat@example.org or @ada in #general": "ada.lovelace+chat@example.org lovelace example.org @ada #general general",
    "at 192.168.0.1:8080 or fe80::1%eth0": "192.168.0.1 192.168 8080 192.168.0.1:8080 fe80::1 eth0",
    "C:\\Windows\\System32\\drivers on \\\\server\\share": "C:\\Windows system32 drivers \\\\server\\share share",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 fixes JIRA-1234": "9fceb02d0ae598e95dc970b74767f19372d61af8 JIRA-1234 1234 9fceb02*",
    "a C++ and C# and node.js and .NET question": "c++ c# node.js node .net net",
}  # fmt: skip


@pytest.fixture(scope="module")
def coder(issuer, search_place):
    coder = SearchTenant(issuer, search_place).user("coder")
    coder.group("room")
    coder.sent = {content: coder.send("room", content)["id"] for content in IDENTIFIERS}
    coder.settle()
    return coder


@pytest.mark.parametrize(("content", "queries"), IDENTIFIERS.items(), ids=range(len(IDENTIFIERS)))
def test_identifiers_paths_and_urls_are_found_whole_and_by_their_parts(coder, content, queries):
    for q in queries.split():
        answer = check_hits(coder.search(q=q, limit=100))
        assert coder.sent[content] in ids_of(answer) and "did_you_mean" not in answer, q
