"""`parley import` over the API: count in = count out, in order, once; resumable after any kill."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from harness.client import Tenant, unique
from harness.contract import contract
from harness.server import binary, environment, run_cli
from harness.waiting import until

MESSAGE = re.compile(rb"\[\d\d:\d\d\] <[^>]+> .*\S")
SMALL = """\
=== alice [n=a@host] has joined #room
[09:58] <alice> good morning
[09:59] <bob> hi alice, caf\u00e9?
[09:59] * alice nods
[10:00] <bob> 
[10:00] -ChanServ:#room- be nice
[11:30] <carol[m]> \u4f1a\u8b70 \U0001f44d
=== bob is now known as bob_away
[01:05] <alice> after noon by a 12-hour clock
odd line without a time
"""


def write_logs(folder, files=6, lines=400):
    folder.mkdir()
    for number in range(files):
        text = [f"[{(10 + n // 60) % 24:02}:{n % 60:02}] <nick{n % 7}> line {n} of log {number}" for n in range(lines)]
        text[::50] = ["=== someone has joined #room"] * len(text[::50])
        (folder / f"2010-03-{number + 1:02}.room.txt").write_text("\n".join(text) + "\n")
    return folder


def count_messages(folder):
    """By file name, what is a message: counted by other means than the importer's."""
    return {
        path.name: sum(1 for line in path.read_bytes().splitlines() if MESSAGE.match(line))
        for path in sorted(pathlib.Path(folder).iterdir())
    }


class Importing:
    def __init__(self, server, issuer, folder, style="irc"):
        self.server, self.folder, self.style = server, folder, style
        self.tenant = Tenant(issuer, server.origin("gateway"), contract("gateway"), "/v1", unique("import"))
        self.boss = self.tenant.user("boss", "admin")
        self.arguments = ["import", str(folder), "--format", style, "--url", server.url("gateway")]

    def run(self, *more):
        return run_cli(*self.arguments, *more, timeout=280, PARLEY_TOKEN=self.boss.token)

    def launch(self, *more):
        return subprocess.Popen([str(binary()), *self.arguments, *more], env=environment(PARLEY_TOKEN=self.boss.token),
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip

    def stored(self):
        """Conversation: its messages in order, after paging both ways and comparing."""
        held = {}
        for conversation in self.boss.all("conversations", limit=100):
            name = conversation["id"]
            up = self.boss.all("conversations", name, "messages", order="asc", limit=100)
            down = self.boss.all("conversations", name, "messages", limit=93)
            assert [m["seq"] for m in up] == list(range(1, len(up) + 1))
            assert [m["id"] for m in down] == [m["id"] for m in reversed(up)] and len({m["id"] for m in up}) == len(up)
            held[name] = up
        return held

    def total(self):
        return sum(c["last_seq"] for c in self.boss.all("conversations", limit=100))

    def check_counts(self):
        held = self.stored()
        counts = count_messages(self.folder)
        assert len(held) == len([n for n in counts.values() if n])
        for file, count in counts.items():
            if count:
                (name,) = [name for name in held if file.startswith(name)]
                assert len(held[name]) == count, (file, len(held[name]), count)
        return held


@pytest.fixture
def importing(start_server, issuer):
    def make(folder, style="irc", **settings):
        return Importing(start_server(**settings), issuer, folder, style)

    return make


@pytest.mark.smoke
def test_a_small_log_becomes_a_conversation(importing, tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "2004-11-15.room.txt").write_bytes(SMALL.encode() + b"[01:06] <bob> windows caf\xe9\n")
    importer = importing(folder)
    done = importer.run()
    assert done.returncode == 0, (done.stdout, done.stderr)
    (messages,) = importer.check_counts().values()
    assert [(m["sender_id"], m["content"], m["created_at"]) for m in messages] == [
        ("irc:alice", "good morning", "2004-11-15T09:58:00.000Z"),
        ("irc:bob", "hi alice, café?", "2004-11-15T09:59:00.000Z"),
        ("irc:carol[m]", "会議 👍", "2004-11-15T11:30:00.000Z"),
        ("irc:alice", "after noon by a 12-hour clock", "2004-11-15T13:05:00.000Z"),
        ("irc:bob", "windows café", "2004-11-15T13:06:00.000Z"),
    ]
    assert all(m["imported"] for m in messages)
    text = done.stdout.decode()
    assert re.search(r"messages\s+5 ", text) and re.search(r"left out\s+6", text), text


def test_a_second_import_adds_nothing(importing, tmp_path):
    importer = importing(write_logs(tmp_path / "logs"))
    assert importer.run().returncode == 0
    before = importer.check_counts()
    again = importer.run()
    assert again.returncode == 0 and re.search(r"0 created", again.stdout.decode()), again
    assert importer.stored() == before
    assert importer.total() == sum(count_messages(importer.folder).values())


def test_the_one_who_imports_owns_what_it_made_and_no_author_is_a_member(importing, tmp_path):
    importer = importing(write_logs(tmp_path / "logs", 1, 10))
    assert importer.run().returncode == 0
    (conversation,) = importer.boss.all("conversations")
    assert conversation["my_role"] == "owner" and conversation["imported"] and conversation["member_count"] == 1


def test_an_importer_that_is_killed_is_run_again_and_completes(importing, tmp_path):
    importer = importing(write_logs(tmp_path / "logs", 20, 1500))
    expected = sum(count_messages(importer.folder).values())
    for part in (1, 2, 3):
        process = importer.launch()
        goal = expected * part // 5
        until("a part is there", lambda goal=goal, p=process: importer.total() >= goal or p.poll() is not None, 60, 0.005)
        process.kill()
        process.wait()
    assert importer.run().returncode == 0
    importer.check_counts()


def test_a_server_that_is_killed_meanwhile_loses_nothing(importing, tmp_path):
    """The importer waits for the server to come back, or says how to go on; a rerun completes it either way."""
    importer = importing(write_logs(tmp_path / "logs", 20, 1500))
    expected = sum(count_messages(importer.folder).values())
    process = importer.launch("--retry-for", "60")
    until("a part is there", lambda: importer.total() >= expected // 4 or process.poll() is not None, 60, 0.005)
    importer.server.kill()
    importer.server.start()
    process.wait(200)
    assert importer.run().returncode == 0
    importer.check_counts()


def test_an_import_needs_the_right_token(importing, tmp_path):
    importer = importing(write_logs(tmp_path / "logs", 1, 10))
    for token in ("", "nonsense", importer.tenant.user("ada").token, importer.tenant.user("boss", "admin", ttl=-60).token):
        done = run_cli(*importer.arguments, PARLEY_TOKEN=token, timeout=60)
        assert done.returncode in (1, 2), done
        assert not token or token.encode() not in done.stdout + done.stderr
    assert importer.boss.all("conversations") == []


def test_a_service_imports_for_a_user(importing, tmp_path):
    importer = importing(write_logs(tmp_path / "logs", 1, 10))
    service = importer.tenant.user("robot", "service")
    done = run_cli(*importer.arguments, "--as", "ada", PARLEY_TOKEN=service.token)
    assert done.returncode == 0, done.stderr
    (conversation,) = importer.tenant.user("ada").all("conversations")
    assert conversation["my_role"] == "owner"


@pytest.mark.parametrize("arguments", [["--format", "nonsense"], ["--url", "nowhere"], ["--jobs", "0"], ["--date", "yesterday"]])
def test_wrong_options_are_refused(importing, tmp_path, arguments):
    importer = importing(write_logs(tmp_path / "logs", 1, 5))
    assert importer.run(*arguments).returncode not in (0, 3)
    assert importer.boss.all("conversations") == []


def test_a_path_that_is_not_there_is_named(importing, tmp_path):
    importer = importing(tmp_path / "no-such-folder")
    done = importer.run()
    assert done.returncode not in (0, 3) and b"no-such-folder" in done.stderr


def test_a_server_that_is_not_there_is_told(tmp_path, parley):
    logs = write_logs(tmp_path / "logs", 1, 5)
    done = run_cli("import", logs, "--format", "irc", "--url", "http://127.0.0.1:1", "--retry-for", "1", PARLEY_TOKEN="a.b.c")
    first, *_, last = (line for line in done.stderr.decode().splitlines() if line)
    assert done.returncode == 1
    assert first == "The server at http://127.0.0.1:1 cannot be reached. Asking again, for 1 s at most (--retry-for)."
    assert "Gave up, having asked again for 1 s" in done.stderr.decode() and "run the same command again" in last


def test_a_dry_run_counts_and_sends_nothing(importing, tmp_path):
    importer = importing(write_logs(tmp_path / "logs", 2, 60))
    done = importer.run("--dry-run")
    assert done.returncode == 0
    expected = sum(count_messages(importer.folder).values())
    assert re.search(rf"messages\s+{expected} \(dry run", done.stdout.decode())
    assert importer.boss.all("conversations") == []


def test_json_lines_are_imported_with_threads_and_reactions(importing, tmp_path):
    folder = tmp_path / "lines"
    folder.mkdir()
    base = {"conversation": "room", "conversation_name": "The room", "author": "x:a", "created_at": "2020-01-01T00:00:00Z"}
    lines = [
        base | {"external_id": "1", "content": "root", "reactions": [{"reaction": "👍", "users": ["x:b"]}]},
        base | {"external_id": "2", "content": "reply", "reply_to": "1"},
        base | {"external_id": "3", "content": "elsewhere", "conversation": "other"},
    ]
    (folder / "a.jsonl").write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    importer = importing(folder, "jsonl")
    done = importer.run()
    assert done.returncode == 0, (done.stdout, done.stderr)
    held = importer.stored()
    assert {name: len(messages) for name, messages in held.items()} == {"room": 2, "other": 1}
    root, reply = held["room"]
    assert reply["reply_to"] == root["id"] and root["reply_count"] == 1 and root["reactions"][0]["users"] == ["x:b"]


def test_a_bad_json_line_is_told_with_its_place_and_the_rest_goes_on(importing, tmp_path):
    folder = tmp_path / "lines"
    folder.mkdir()
    good = {"conversation": "room", "author": "x:a", "created_at": "2020-01-01T00:00:00Z", "content": "c", "external_id": "1"}
    (folder / "a.jsonl").write_text(json.dumps(good) + "\nno json\n" + json.dumps(good | {"external_id": "2"}) + "\n")
    importer = importing(folder, "jsonl")
    done = importer.run()
    assert done.returncode == 3, done
    assert b"a.jsonl" in done.stderr and len(importer.stored()["room"]) == 2


def test_it_works_in_the_split_topology(start_server, issuer, tmp_path):
    messaging = start_server(["messaging"])
    gateway = start_server(["gateway"], MESSAGING_SERVICE_URL=messaging.url("messaging"))
    importer = Importing(gateway, issuer, write_logs(tmp_path / "logs", 3, 1200))
    assert importer.run().returncode == 0
    importer.check_counts()


@pytest.mark.skipif("PARLEY_IRC_CORPUS" not in os.environ, reason="PARLEY_IRC_CORPUS names no folder of logs")
def test_a_whole_corpus(importing):
    """By hand: a folder of IRC logs, counted in and out."""
    importer = importing(pathlib.Path(os.environ["PARLEY_IRC_CORPUS"]))
    done = importer.run()
    assert done.returncode == 0, done
    held = importer.check_counts()
    again = importer.run()
    assert again.returncode == 0 and importer.total() == sum(map(len, held.values()))
    print(done.stdout.decode(), again.stdout.decode(), len(held), sum(map(len, held.values())))
