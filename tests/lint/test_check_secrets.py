"""Every sample is put together at run time, so that this file passes the check it tests."""

import subprocess

import check_secrets
import pytest

B64 = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7" + "VJTUt9Us8cKj"
KEY = "-----BEGIN " + "PRIVATE KEY-----"
MIXED = "q7Zp2Lk9" + "Xw4Rt8Vn1Bm6"


def samples():
    yield "pem", f"{KEY}\n{B64}\n"
    yield "pem of another kind", KEY.replace("PRIVATE", "EC PRIVATE") + f"\n{B64}\n"
    yield "pem in a string", f'const char* k = "{KEY}\\n"\n    "{B64}"'
    yield "jwt", "Authorization: Bearer eyJhbGciOiJFZERTQSJ9." + "eyJzdWIiOiJ1MSIsImV4cCI6MX0." + "A" * 43
    yield "jwk", '{"kty":"OKP","x":"abc","d": "' + "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A" + '"}'
    yield "cloud key", "aws: AKIA" + "Q7ZP2LK9XW4RT8VN"
    yield "forge token", "ghp_" + MIXED * 2
    yield "registry token", "//registry/:_authToken=" + MIXED
    yield "service token", "xoxb-" + "123456789012-abcdef"
    yield "password in C++", f'const std::string db_password = "{MIXED}";'
    yield "secret in yaml", f"S3_SECRET_KEY: '{MIXED}'"
    yield "api key in json", f'"api_key": "{MIXED}"'
    yield "password in a url", "mongodb://chat:" + MIXED + "@db:27017/"
    yield "build machine path", "see /wor" + "k/main/README"
    yield "home of root", "cp a /roo" + "t/.config"
    yield "worktree path", "cd /tmp/w" + "t/x"
    yield "someone's home", "/ho" + "me/alice/src"
    yield "private index", "pip install --index-url" + " http://10.0.0.1/simple x"
    yield "private npm registry", '"resolved":' + ' "http://mirror.local/a.tgz"'


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in samples()])
def test_finds(text):
    problems = check_secrets.check_file("docs/a.md", f"first line\n{text}\n")
    assert problems and problems[0].startswith("docs/a.md:2:")


@pytest.mark.parametrize("path", ["deploy/tls.key", "id_ed25519", "tests/keys/a.p12", ".env", "deploy/.env.prod", ".npmrc"])
def test_finds_files_whose_name_promises_a_secret(path):
    assert check_secrets.check_file(path, "")


@pytest.mark.parametrize("text", [
    'return bad_request("invalid_token", "The token has no exp claim.");',
    "TOKEN='$token'",
    'token = "<a token signed by your own key>"',
    "S3_SECRET_KEY=change-me-1234567890",
    "mongodb://user:password@localhost:27017",
    "mongodb://$USER:$PASSWORD@localhost",
    "TOKEN=eyJhbGciOi…",
    'if (pem.contains("-----BEGIN ' + 'PRIVATE KEY-----")) refuse();',
    "-----BEGIN PUBLIC KEY-----\n" + B64,
    "https://example.com/work/item and framework/work/x",
    '"resolved": "https://registry.npmjs.org/a/-/a-1.0.0.tgz"',
    'settings.add("INTERNAL_KEY", "internal_key")',
    "AKIAIOSFODNN7EXAMPLE",
])
def test_lets_pass(text):
    assert check_secrets.check_file("docs/a.md", text) == []


@pytest.mark.parametrize("path", ["deploy/.env.example", "src/auth/key.h", "docs/keys.md"])
def test_lets_pass_files_that_only_sound_like_it(path):
    assert check_secrets.check_file(path, "") == []


def test_a_line_may_say_why_it_is_no_secret():
    token = ".".join(["eyJhbGciOiJFZERTQSJ9", "eyJzdWIiOiJ1MSIsImV4cCI6MX0", "A" * 43])
    assert check_secrets.check_file("a.py", f'T = "{token}"  # not-a-secret: RFC 8037 example\n') == []
    assert check_secrets.check_file("a.py", f'# not-a-secret: that line\nT = "{token}"\n')


def test_quoted_samples_may_speak_of_machines_but_hold_no_key():
    said = "[00:01] <ann> see /roo" + "t/.bashrc"
    assert check_secrets.check_file("samples/irc/a.txt", said) == []
    assert check_secrets.check_file("samples/irc/a.txt", f"{KEY}\n{B64}\n")


def test_a_binary_file_is_left_alone(tree):
    root = tree({})
    (root / "picture.png").write_bytes(b"\x89PNG\0\0" + KEY.encode() + b"\n" + B64.encode())
    assert check_secrets.main([str(root)]) == 0


def test_a_tree_with_a_key_fails(tree, capsys):
    root = tree({"docs/a.md": "fine\n"})
    assert check_secrets.main([str(root)]) == 0
    tree({"docs/b.md": f"{KEY}\n{B64}\n"})
    assert check_secrets.main([str(root)]) == 1
    assert "docs/b.md:1: a private key" in capsys.readouterr().out


def test_in_a_git_tree_ignored_files_are_left_out_and_new_ones_are_not(tree, capsys):
    root = tree({".gitignore": "/data/\n/other/\n", "other/a.md": f"{KEY}\n{B64}\n", "new.md": f"{KEY}\n{B64}\n"})
    try:
        subprocess.run(["git", "init", "-q", str(root)], check=True)
    except OSError:
        pytest.skip("no git here")
    assert check_secrets.main([str(root)]) == 1
    out = capsys.readouterr().out
    assert "new.md" in out and "other/a.md" not in out
