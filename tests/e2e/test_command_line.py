"""The commands of the binary: what they print, what they refuse, how loudly."""

import json
import os
import pathlib
import signal
import subprocess
import time

import jwt
import pytest

from harness.client import Client
from harness.contract import contract
from harness.server import Server, binary, environment, free_ports, run_cli
from harness.waiting import until


@pytest.fixture(autouse=True)
def _needs_binary(parley):
    pass


def refused(done, *needles):
    """Failed with a sentence for people: on stderr, without a trace, naming what is wrong."""
    text = (done.stderr + done.stdout).decode("utf-8", "replace")
    assert done.returncode not in (0, -6, -11), text
    for needle in needles:
        assert needle.lower() in text.lower(), text
    assert "terminate called" not in text and "what():" not in text and "Sanitizer" not in text, text
    return text


@pytest.mark.smoke
def test_help_names_every_command():
    done = run_cli("--help")
    assert done.returncode == 0
    for command in ("serve", "token", "keys", "health", "import", "config", "check", "reindex", "backup", "migrate"):
        assert command in done.stdout.decode(), done.stdout
        one = run_cli(command, "--help")
        assert one.returncode == 0 and one.stdout, command


def test_a_version_is_told():
    done = run_cli("--version")
    assert done.returncode == 0 and any(c.isdigit() for c in done.stdout.decode())


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["serve", "--nonsense"],
        ["serve", "--role", "king"],
        ["serve", "--port"],
        ["token"],
        ["token", "--tenant", "t", "--user", "u", "--role", "king"],
        ["import"],
        ["import", "file", "--format", "irc", "--jobs", "many"],
        ["health", "--timeout", "0"],
        ["check", "file"],
        ["check", "--deep=perhaps"],
        ["backup"],
        [],
    ],
)
def test_wrong_arguments_are_refused_with_exit_code_2(arguments, tmp_path):
    done = run_cli(*arguments, DATA_DIR=tmp_path / "data")
    refused(done)
    assert done.returncode == 2, done


def test_a_command_that_there_is_not_is_named():
    done = run_cli("versoin")
    assert done.returncode == 2
    refused(done, "no command versoin", "--help")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "--from"),
        (["--from", "embedded"], "--to"),
        (["--from", "embedded", "--to", "elsewhere"], "elsewhere"),
        (["--from", "embedded", "--to", "embedded"], "the same"),
        (["--from", "embedded", "--to", "engines"], "MONGODB_URI"),
        (["--from", "embedded", "--to", "engines", "--cut-over", "--verify"], "--verify"),
    ],
)
def test_a_move_needs_two_places(arguments, named, tmp_path):
    refused(run_cli("migrate", *arguments, "--data", tmp_path / "data"), named)
    assert not (tmp_path / "data").exists()


# keys, health


def test_keys_are_made_once_and_open_a_server_to_other_hosts(start_server, tmp_path):
    folder = tmp_path / "keys"
    assert run_cli("keys", "--data", folder).returncode == 0
    made = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(made) == {"dev_key.pem", "dev_key.pub.pem", "internal.key", "url-signing.key", "signing-keys"}
    assert b"PRIVATE" not in made["dev_key.pub.pem"]
    again = run_cli("keys", "--data", folder)
    assert again.returncode == 0 and not again.stdout and not again.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == made
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}

    server = start_server(JWT_PUBLIC_KEY="", JWT_PUBLIC_KEY_FILE=folder / "dev_key.pub.pem", BIND_ADDRESS="0.0.0.0",
                          INTERNAL_KEY_FILE=folder / "internal.key", SIGNING_KEYS_FILE=folder / "signing-keys")  # fmt: skip
    token = run_cli("token", "--data", folder, "--tenant", "acme", "--user", "ada").stdout.decode().strip()
    client = Client(server.origin("gateway"), contract("gateway"), token=token, prefix="/v1")
    client.get("conversations", expect=200)


def test_a_public_half_of_another_pair_is_named(tmp_path):
    assert run_cli("keys", "--data", tmp_path / "a").returncode == 0
    (tmp_path / "a" / "dev_key.pem").unlink()
    refused(run_cli("keys", "--data", tmp_path / "a"), "dev_key.pub.pem", "another key")


def test_health_tells_whether_the_server_of_this_environment_lives(start_server):
    server = start_server(["messaging"])
    alive = run_cli("health", ROLES="messaging", MESSAGING_PORT=server.ports["messaging"])
    assert alive.returncode == 0 and not alive.stdout and not alive.stderr
    assert run_cli("health", "--url", server.url("messaging")).returncode == 0
    gone = run_cli("health", ROLES="messaging,media", MESSAGING_PORT=server.ports["messaging"], MEDIA_PORT=free_ports(1)[0])
    assert gone.returncode == 1
    refused(gone, "cannot be reached")
    assert run_cli("health", ROLES="king").returncode == 2
    assert run_cli("health", "--url", "nonsense").returncode == 1


# token


@pytest.fixture
def key_folder(start_server):
    return start_server(JWT_PUBLIC_KEY="").data


def token(folder, *arguments, **settings):
    return run_cli("token", "--data", folder, "--tenant", "acme", "--user", "u1", *arguments, **settings)


def test_a_token_holds_what_was_asked_for(key_folder):
    done = token(key_folder, "--role", "admin", "--ttl", "1h")
    assert done.returncode == 0, done.stderr
    claims = jwt.decode(done.stdout.decode().strip(), options={"verify_signature": False})
    assert claims["sub"] == "u1" and claims["tenant_id"] == "acme" and claims["roles"] == ["admin"]
    assert 3500 < claims["exp"] - time.time() < 3700
    assert jwt.get_unverified_header(done.stdout.decode().strip())["alg"] == "ES256"


def test_a_token_has_several_roles_and_a_short_life(key_folder):
    done = token(key_folder, "--role", "admin", "--role", "service", "--ttl", "90s")
    claims = jwt.decode(done.stdout.decode().strip(), options={"verify_signature": False})
    assert set(claims["roles"]) == {"admin", "service"} and claims["exp"] - time.time() < 95


@pytest.mark.parametrize("arguments", [["--role", "king"], ["--ttl", "soon"], ["--ttl", "0"], ["--ttl", "-1h"], ["--user", ""],
                                       ["--user", "x" * 129], ["--user", ".."], ["--tenant", ""], ["--user", "a\nb"]])  # fmt: skip
def test_a_token_that_could_not_be_used_is_not_made(key_folder, arguments):
    done = run_cli("token", "--data", key_folder, *(["--tenant", "acme"] if "--tenant" not in arguments else []),
                   *(["--user", "u1"] if "--user" not in arguments else []), *arguments)  # fmt: skip
    refused(done)
    assert b"eyJ" not in done.stdout


def test_with_a_real_key_no_development_token_is_made(key_folder, issuer):
    done = token(key_folder, JWT_PUBLIC_KEY=issuer.public_keys)
    refused(done, "JWT_PUBLIC_KEY")
    assert b"eyJ" not in done.stdout


def test_with_a_real_key_the_development_key_is_not_believed(key_folder, start_server, issuer):
    made = token(key_folder).stdout.decode().strip()
    server = start_server(launch=False)
    server.data = key_folder.parent / "copy"
    server.data.mkdir()
    for path in key_folder.glob("*key*"):
        (server.data / path.name).write_bytes(path.read_bytes())
        (server.data / path.name).chmod(0o600)
    server.start()
    Client(server.origin("gateway"), contract("gateway"), "/v1", made).get("users", "me").refused(401)


def test_a_key_made_for_a_token_is_told(tmp_path):
    first = token(tmp_path / "elsewhere")
    assert first.returncode == 0 and f"new development key in {tmp_path / 'elsewhere'}" in first.stderr.decode()
    assert token(tmp_path / "elsewhere").stderr == b""


# config


def test_config_explains_every_setting_and_hides_secrets(tmp_path):
    done = run_cli("config", "--explain", DATA_DIR=tmp_path, METRICS_TOKEN="not-to-be-seen-at-all", LOG_LEVEL="debug")
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    docs = (pathlib.Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text("utf-8")
    for line in docs.splitlines():
        if line.startswith("| `"):
            assert line.split("`")[1] in text, f"{line.split('`')[1]} is in the docs and not explained"
    assert "debug" in text and "not-to-be-seen" not in text


@pytest.mark.parametrize(("name", "value"), [("MESSAGING_PORT", "65536"), ("MESSAGING_PORT", "x"), ("LOG_LEVEL", "loud"),
                                             ("HTTP_MAX_HEADER_BYTES", "1"), ("RATE_LIMIT_MESSAGES_PER_MINUTE", "-1"),
                                             ("JWT_PUBLIC_KEY", "no key"), ("MESSAGING_SERVICE_URL", "ftp://x"),
                                             ("THREADS", "1.5"), ("BREAKER_ERROR_PERCENT", "0"), ("BIND_ADDRESS", "nowhere")])  # fmt: skip
def test_a_wrong_setting_stops_the_start_and_is_named(tmp_path, name, value):
    settings = {"DATA_DIR": tmp_path / "data", name: value}
    if name not in ("MESSAGING_PORT", "MESSAGING_SERVICE_URL"):
        settings["MESSAGING_PORT"] = free_ports(1)[0]
    role = ["--role", "gateway"] if name == "MESSAGING_SERVICE_URL" else ["--role", "messaging"]
    refused(run_cli("serve", *role, **settings), name)


def test_a_flag_that_is_unknown_is_named(tmp_path):
    refused(run_cli("serve", "--no-such-thing", "1", DATA_DIR=tmp_path / "data"), "no-such-thing")


# refusals of serve


def test_a_second_server_on_the_same_folder_fails_loudly(start_server):
    first = start_server(["messaging"])
    done = run_cli("serve", "--role", "messaging", "--data", first.data, MESSAGING_PORT=free_ports(1)[0],
                   JWT_PUBLIC_KEY=first.settings["JWT_PUBLIC_KEY"])  # fmt: skip
    refused(done)
    assert first.answers("messaging")


def test_a_second_server_on_the_same_port_fails_loudly(start_server, tmp_path):
    first = start_server(["messaging"])
    done = run_cli("serve", "--role", "messaging", "--data", tmp_path / "other", MESSAGING_PORT=first.ports["messaging"],
                   JWT_PUBLIC_KEY=first.settings["JWT_PUBLIC_KEY"])  # fmt: skip
    refused(done, str(first.ports["messaging"]))
    assert first.answers("messaging")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_hosts_need_a_real_key(tmp_path, address):
    done = run_cli("serve", "--role", "messaging", "--data", tmp_path / "data", MESSAGING_PORT=free_ports(1)[0], BIND_ADDRESS=address)
    refused(done, "BIND_ADDRESS", "JWT_PUBLIC_KEY")


@pytest.mark.parametrize(("roles", "needle"), [(["gateway"], "MESSAGING_SERVICE_URL"), (["search"], "KAFKA_BROKERS")])
def test_roles_that_cannot_work_alone_say_what_they_need(tmp_path, roles, needle):
    arguments = [part for role in roles for part in ("--role", role)]
    refused(run_cli("serve", *arguments, "--data", tmp_path / "data", PORT=free_ports(1)[0]), needle)


@pytest.mark.skipif(os.geteuid() == 0 and not os.access("/proc/self/ns", os.R_OK), reason="needs a folder that is not ours")
def test_a_data_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    refused(run_cli("serve", "--role", "messaging", "--data", tmp_path / "file" / "data", PORT=free_ports(1)[0]), "data")


def test_a_store_that_is_none_is_refused_and_left_as_it_is(start_server):
    server = start_server(["messaging"])
    server.stop()
    (path,) = [p for p in (server.data / "messaging").iterdir() if p.is_file() and p.read_bytes()[:6] == b"SQLite"]
    path.write_bytes(b"this is no database" * 1000)
    before = path.read_bytes()
    done = run_cli("serve", "--role", "messaging", "--data", server.data, PORT=free_ports(1)[0],
                   JWT_PUBLIC_KEY=server.settings["JWT_PUBLIC_KEY"])  # fmt: skip
    refused(done)
    assert path.read_bytes() == before


def test_it_prints_nothing_on_stdout_but_its_log(start_server):
    server = start_server()
    server.stop()  # whose check reads every line as JSON
    assert server.log_lines()


def test_a_role_alone_takes_port(start_server, tmp_path, issuer):
    (port,) = free_ports(1)
    server = Server(tmp_path / "alone", ["messaging"], JWT_PUBLIC_KEY=issuer.public_keys, PORT=port, MESSAGING_PORT=1)
    server.ports["messaging"] = port
    server.start()
    server.stop()


def test_a_log_on_a_closed_pipe_does_not_kill_the_server(tmp_path, issuer):
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [str(binary()), "serve", "--role", "messaging", "--data", str(tmp_path / "data")], stdin=subprocess.DEVNULL,
        env=environment(PORT=port, JWT_PUBLIC_KEY=issuer.public_keys), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        client = Client(("127.0.0.1", port), contract("messaging"))

        def lives():
            try:
                return client.get("health", "live").status == 200
            except OSError:
                return False

        until("it is up", lives, 30)
        process.stdout.close()
        for _ in range(50):
            client.get("health", expect=200)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


# check and backup


def test_check_finds_nothing_wrong_with_a_good_store(start_server, tenant_at):
    server = start_server()
    ada = tenant_at(server).user("ada")
    ada.group("room")
    for _ in range(20):
        ada.send("room")
    beside = run_cli("check", "--data", server.data)
    server.stop()
    after = run_cli("check", "--data", server.data)
    assert after.returncode == 0, (after.stdout, after.stderr)
    assert beside.returncode == 0 or beside.stderr, "beside a server it works, or says why not"


def test_check_and_backup_take_no_old_folder_for_what_is_in_mongodb(start_server, tenant_at, tmp_path):
    server = start_server(["messaging"])
    tenant_at(server).user("ada").group("room")
    server.stop()
    elsewhere = {"MONGODB_URI": "mongodb://127.0.0.1:1"}
    checked = run_cli("check", "--data", server.data, **elsewhere)
    assert checked.returncode == 1 and b"1 conversations" not in checked.stdout and b"not ok" in checked.stdout, checked
    refused(run_cli("backup", "--data", server.data, tmp_path / "copy", **elsewhere), "MONGODB_URI", "mongodump")
    assert not (tmp_path / "copy").exists()


def test_check_finds_a_broken_store(start_server, tenant_at):
    server = start_server()
    ada = tenant_at(server).user("ada")
    ada.group("room")
    for _ in range(200):
        ada.send("room")
    server.stop()
    (path,) = [p for p in (server.data / "messaging").iterdir() if p.is_file() and p.read_bytes()[:6] == b"SQLite"]
    data = bytearray(path.read_bytes())
    for at in range(8192, min(len(data), 60000), 1024):
        data[at : at + 64] = b"\xff" * 64
    path.write_bytes(data)
    done = run_cli("check", "--data", server.data)
    assert done.returncode != 0 and "Sanitizer" not in done.stderr.decode("utf-8", "replace")


def test_a_backup_beside_a_running_server_holds_what_was_acknowledged(start_server, tenant_at, tmp_path):
    server = start_server()
    tenant = tenant_at(server)
    ada = tenant.user("ada")
    ada.group("room")
    messages = {m["id"]: m["content"] for m in (ada.send("room") for _ in range(30))}
    target = tmp_path / "backup"
    done = run_cli("backup", "--data", server.data, target)
    assert done.returncode == 0, (done.stdout, done.stderr)
    ada.send("room")
    restored = start_server(launch=False)
    restored.data = target
    restored.start()
    there = tenant_at(restored, name=tenant.name).user("ada").all("conversations", "room", "messages")
    assert {m["id"]: m["content"] for m in there} == messages
    again = run_cli("backup", "--data", server.data, target)
    assert again.returncode != 0, "a backup does not write over another"


@pytest.mark.parametrize("command", ["check", "backup"])
def test_a_folder_without_a_store_is_named(command, tmp_path):
    target = [tmp_path / "target"] if command == "backup" else []
    refused(run_cli(command, "--data", tmp_path / "nothing", *target), f"no messaging store in {tmp_path / 'nothing'}")
    assert list(tmp_path.iterdir()) == []


def test_logs_are_pretty_only_on_request(start_server):
    server = start_server(["messaging"], LOG_FORMAT="auto")
    server.stop()
    assert all(isinstance(json.loads(line), dict) for line in server.log_text().splitlines())
