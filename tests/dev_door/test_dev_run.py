"""./dev run around a server that only pretends: no compiler, so it takes a second, and it can misbehave at will."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROLES = ["GATEWAY", "MESSAGING", "MEDIA", "SEARCH"]
PATIENCE = 120  # seconds, of a machine that has other work

# Writes down how it was called and which signals it got.
SERVER = '''#!/usr/bin/python3
import http.server, os, pathlib, signal, sys, threading, time
if sys.argv[1] == "token":
    print("a.b.c"); sys.exit(0)
mode = os.environ.get("FAKE", "")
if mode == "dies": print("no good", flush=True); sys.exit(3)
data = pathlib.Path(sys.argv[sys.argv.index("--data") + 1])
def on_signal(number, frame):
    with open(data / "signals", "a") as f: f.write(signal.Signals(number).name + "\\n")
    threading.Thread(target=lambda: (time.sleep(0.3), os._exit(7))).start()
for number in (signal.SIGINT, signal.SIGTERM): signal.signal(number, on_signal)
class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(503 if mode == "sick" else 200); self.end_headers()
    def log_message(self, *a): pass
for role in ("GATEWAY", "MESSAGING", "MEDIA", "SEARCH"):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ[role + "_PORT"])), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
(data / "arguments").write_text(" ".join(sys.argv[1:]))
print('{"msg":"listening"}', flush=True)
while True: time.sleep(60)
'''

CMAKE = """cmake_minimum_required(VERSION 3.25)
project(fake LANGUAGES NONE)
add_custom_target(parley COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/server.py ${CMAKE_BINARY_DIR}/parley)
"""
PRESETS = """{"version": 6, "configurePresets": [
  {"name": "release", "generator": "Ninja", "binaryDir": "${sourceDir}/build/release"}]}"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def project(tmp_path):
    """A small project behind the real ./dev."""
    shutil.copy(ROOT / "dev", tmp_path / "dev")
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    (tmp_path / "CMakePresets.json").write_text(PRESETS)
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "server.py").chmod(0o755)
    (tmp_path / "env").mkdir()
    return tmp_path


@pytest.fixture
def start(project):
    """start(NAME=value…) runs ./dev run as a process of its own group; all is ended when the test ends."""
    started = []

    def run(*arguments, **environment):
        ports = dict(zip((f"{role}_PORT" for role in ROLES), map(str, free_ports(4))))
        env = {**os.environ, **ports, "DATA_DIR": str(project / "chat data"), **environment}
        process = subprocess.Popen(["./dev", "run", *arguments], cwd=project, env=env, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True, start_new_session=True)
        process.ports = ports
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def read_until(process, text):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"ended without saying {text!r}:\n" + "".join(lines))


def test_starts_all_roles_and_prints_a_token_and_curl_lines(start, project):
    process = start()
    said = read_until(process, "Ctrl-C stops")
    assert '{"msg":"listening"}' in said
    assert "TOKEN='a.b.c'" in said
    gateway = process.ports["GATEWAY_PORT"]
    for line in [f"curl -s http://127.0.0.1:{gateway}/health", f"POST http://127.0.0.1:{gateway}/v1/conversations",
                 f"POST http://127.0.0.1:{gateway}/v1/messages",
                 '{"conversation_id":"123","content":"Test message"}',
                 f"http://127.0.0.1:{gateway}/v1/messages/conversations/123"]:
        assert line in said
    assert (project / "chat data" / "arguments").read_text() == f"serve --data {project / 'chat data'}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_passes_a_signal_on_once_and_ends_with_the_servers_code(start, project, number):
    process = start()
    read_until(process, "Ctrl-C stops")
    os.killpg(process.pid, number)  # as a terminal does: the whole foreground group
    assert process.wait(PATIENCE) == 7
    assert (project / "chat data" / "signals").read_text().split() == [number.name]


def test_the_server_does_not_outlive_a_killed_script(start, project):
    process = start()
    read_until(process, "Ctrl-C stops")
    process.kill()
    process.wait(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while not (project / "chat data" / "signals").exists():
        assert time.monotonic() < deadline, "the server was not told to stop"
        time.sleep(0.05)


def test_says_which_port_is_taken_before_it_builds_anything(start, project):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(MEDIA_PORT=str(port))
        said = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 1
    assert re.search(rf"port {port} \(media\) is taken.*MEDIA_PORT=", said)
    assert not (project / "build").exists()


def test_says_so_when_the_server_ends_before_it_is_ready(start):
    process = start(FAKE="dies")
    said = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 1
    assert "no good" in said and "ended (exit code 3) before it was ready" in said


def test_gives_up_on_a_server_that_does_not_become_healthy(start, project):
    process = start(FAKE="sick", READY_SECONDS="1")
    said = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 1
    assert "gateway did not become healthy on port " in said
    assert (project / "chat data" / "signals").read_text() == "SIGTERM\n"


def test_takes_no_arguments(start):
    process = start("--fast")
    assert "takes no arguments" in process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 1
