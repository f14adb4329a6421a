"""Starts the binary under test, stops it, kills it, and reads its log for what must not be there."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request

from harness.waiting import until

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROLES = ("gateway", "messaging", "media", "search")

# A sanitizer's report, a check of ours that failed, a stack trace, a crash.
CRASHES = re.compile(
    rb"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|ThreadSanitizer|runtime error:|"
    rb"CHECK failed|terminate called|Segmentation fault|\n\s*#\d+ 0x|std::exception|a handler threw|a connection was dropped"
)
# A token (they all begin so), the mark of every message text that tests send, a query string, a key.
SECRETS = re.compile(rb"eyJ[A-Za-z0-9_-]{12,}|Plaintext-[0-9a-f]|[?&](?:q|cursor|limit|order|around|signature)=|PRIVATE KEY")
PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS",
             "ASAN_SYMBOLIZER_PATH", "UBSAN_SYMBOLIZER_PATH", "TSAN_SYMBOLIZER_PATH")  # fmt: skip


def binary():
    named = os.environ.get("PARLEY_BINARY") or os.environ.get("PARLEY_BIN")
    if named:
        return pathlib.Path(named).resolve()
    for preset in ("dev", "release"):
        path = ROOT / "build" / preset / "parley"
        if path.exists():
            return path
    return ROOT / "build" / "dev" / "parley"


def sanitized():
    return b"__asan_init" in binary().read_bytes()


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def environment(**settings):
    base = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    base.setdefault("PATH", "/usr/bin:/bin")
    return base | {name: str(value) for name, value in settings.items()}


def run_cli(*arguments, timeout=60, **settings):
    """A command of the binary, run to its end."""
    return subprocess.run(
        [str(binary()), *map(str, arguments)], env=environment(**settings), capture_output=True, timeout=timeout,
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


class Server:
    """One process of the binary with some roles. It keeps its ports, data folder and log over restarts."""

    def __init__(self, folder, roles=ROLES, data=None, prefix=(), **settings):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.roles = tuple(roles)
        self.data = pathlib.Path(data or self.folder / "data")
        self.log_path = self.folder / "log"
        self.ports = dict(zip(self.roles, free_ports(len(self.roles)), strict=True))
        self.prefix = list(prefix)
        self.settings = {"LOG_FORMAT": "json", "RATE_LIMIT_MESSAGES_PER_MINUTE": 0, "RATE_LIMIT_SEARCHES_PER_MINUTE": 0,
                         "THREADS": 2}  # fmt: skip
        self.settings |= {f"{role.upper()}_PORT": port for role, port in self.ports.items()}
        self.settings |= settings
        self.process = None

    def origin(self, role):
        return ("127.0.0.1", self.ports[role])

    def url(self, role):
        return f"http://127.0.0.1:{self.ports[role]}"

    def launch(self):
        """Starts the process and returns at once."""
        assert self.process is None
        arguments = [*self.prefix, str(binary()), "serve", "--data", str(self.data)]
        for role in self.roles:
            arguments += ["--role", role]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                arguments, env=environment(**self.settings), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        return self

    def start(self, seconds=30):
        self.launch()
        for role in self.roles:
            until(f"{role} is up", lambda role=role: self.answers(role), seconds)
        return self

    def answers(self, role, path="/health/live"):
        assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.log_text()[-4000:]}"
        try:
            with urllib.request.urlopen(self.url(role) + path, timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    @property
    def internal_key(self):
        """What it signs internal calls with: the setting, or what it made in its folder."""
        return self.settings.get("INTERNAL_KEY") or (self.data / "internal.key").read_text().strip()

    def health(self, role):
        try:
            with urllib.request.urlopen(self.url(role) + "/health", timeout=10) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return json.loads(error.read())

    def metrics(self, role):
        """{'name{labels}': value} as the role shows them."""
        with urllib.request.urlopen(self.url(role) + "/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line and line[0] != "#"}

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """kill -9, and nothing is asked of the exit."""
        self.process.kill()
        self.process.wait()
        self.process = None

    def terminate(self, seconds=30):
        """SIGTERM; the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def wait(self, seconds=30):
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.process = None
            raise AssertionError(f"it did not end within {seconds} s:\n{self.log_text()[-4000:]}") from None
        self.process = None
        return code

    def stop(self):
        """The end of every good server: SIGTERM, exit code 0, a clean log."""
        if self.process is None:
            return
        running = self.process.poll() is None
        code = self.terminate() if running else self.wait()
        assert running, f"it had ended by itself with {code}:\n{self.log_text()[-6000:]}"
        assert code == 0, f"SIGTERM gave exit code {code}:\n{self.log_text()[-6000:]}"
        self.check_log()

    def log_text(self):
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""

    def log_lines(self):
        """The log as objects; every line must be one."""
        return [json.loads(line) for line in self.log_text().splitlines()]

    def check_log(self):
        log = self.log_path.read_bytes()
        for what, pattern in (("a crash", CRASHES), ("a secret", SECRETS)):
            found = pattern.search(log)
            around = log[max(0, found.start() - 300) : found.end() + 3000].decode("utf-8", "replace") if found else ""
            assert not found, f"{what} in the log of {self.roles}:\n{around}"
        for line in log.splitlines():
            try:
                assert isinstance(json.loads(line), dict)
            except ValueError:
                raise AssertionError(f"a line of the log is no JSON: {line!r}") from None
