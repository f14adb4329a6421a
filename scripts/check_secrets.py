"""Checks that no committed file holds a private key, token or password, nor a path of one machine.

Keys for tests are made at run time. A line that must show something of the kind (a published test vector) says
`not-a-secret: WHY` on that line.
"""

import argparse
import re
import sys
from pathlib import Path

from repo_files import read_text, repo_files

ALLOWED = "not-a-secret:"
QUOTED_FOLDER = "samples/"  # what people wrote elsewhere
PLACEHOLDER = re.compile(r"example|placeholder|change.?me|dummy|your[_-]|redacted|\*\*\*|xxx|\.\.\.|…|[<>${}%]", re.IGNORECASE)
PLAIN_PASSWORDS = {"password", "pass", "secret", "pw", "p", "pwd", "user"}

KEY_BLOCK = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:\\n|\\r|[\s\"'`+,])*[A-Za-z0-9+/=]{32,}")
WHOLE_TOKENS = [
    ("a JSON web token", re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{20,}")),
    ("the private part of a JWK", re.compile(r"[\"']d[\"']\s*:\s*[\"'][A-Za-z0-9_-]{40,}[\"']")),
    ("a cloud access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a forge token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{40,}|glpat-[\w-]{20,})")),
    ("a registry token", re.compile(r"\b(?:npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,})|//[^\s:]+/:_authToken=\S{8,}")),
    ("a service token", re.compile(r"\b(?:xox[abprs]-[\w-]{10,}|AIza[\w-]{35}|sk-(?:[a-z]+-)?[A-Za-z0-9_-]{32,})")),
]
# name = "value": a value of 16 and more characters without a space, with letters and digits.
ASSIGNED = re.compile(r"(?i)[\w.-]*(?:passw(?:or)?d|secret|token|api_?key|access_?key|signing_?key|internal_?key|private_?key)"
                      r"[\w.-]*[\"']?\s*[:=]\s*[\"']([^\"'\s]{16,})[\"']")
URL_PASSWORD = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'<>]+:([^\s/@\"'<>]+)@")
KEY_FILE = re.compile(r"(?:^|/)(?:[^/]*\.(?:key|p12|pfx|jks|keystore|ppk)|id_(?:rsa|dsa|ecdsa|ed25519)|\.env(?:\.[^/]*)?|"
                      r"\.npmrc|\.netrc|\.pgpass)$")
# Written in two parts, so that this file passes itself.
MACHINE_PATH = re.compile(r"(?<![\w.$}/-])(?:/wor" r"k/|/roo" r"t/|/tmp/w" r"t\b|/home/(?!user\b|\$)[a-z]\w*/)")
OTHER_REGISTRY = re.compile(r"(?:\bextra-index-url|\bindex-url|\bfind-links|^registry)\s*[= ]\s*\S+|"
                            r"\"resolved\":\s*\"https?://(?!registry\.npmjs\.org/)", re.MULTILINE)


def line_of(text, position):
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    return text[start:end if end >= 0 else len(text)], text.count("\n", 0, position) + 1


def looks_random(value):
    if PLACEHOLDER.search(value):
        return False
    return bool(re.search(r"\d", value) and re.search(r"[A-Za-z]", value) and len(set(value)) >= 10)


def findings(text, quoted=False):
    """Yields (position, what) for each thing that should not be there. In quoted text, others speak of their machines."""
    for match in KEY_BLOCK.finditer(text):
        yield match.start(), "a private key"
    for what, pattern in WHOLE_TOKENS:
        for match in pattern.finditer(text):
            if not PLACEHOLDER.search(match.group(0)):
                yield match.start(), what
    for match in ASSIGNED.finditer(text):
        if looks_random(match.group(1)):
            yield match.start(1), "what looks like a password or token"
    for match in URL_PASSWORD.finditer(text):
        if match.group(1).lower() not in PLAIN_PASSWORDS and not PLACEHOLDER.search(match.group(1)):
            yield match.start(1), "a password in a URL"
    for match in () if quoted else MACHINE_PATH.finditer(text):
        yield match.start(), f"a path of one machine ({match.group(0)})"
    for match in OTHER_REGISTRY.finditer(text):
        yield match.start(), "the address of a private package registry"


def check_file(path, text):
    problems = []
    if KEY_FILE.search(path) and not path.endswith((".example", ".sample")):
        problems.append(f"{path}: a file of this name holds secrets and is not committed")
    for position, what in findings(text or "", quoted=path.startswith(QUOTED_FOLDER)):
        line, number = line_of(text, position)
        if ALLOWED not in line:
            problems.append(f"{path}:{number}: {what}")
    return problems


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", default=str(Path(__file__).resolve().parent.parent))
    root = Path(parser.parse_args(arguments).root)
    problems = []
    for path in repo_files(root):
        problems += check_file(path, read_text(root / path))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
