"""Our own server as the benchmark runs it: release build, 127.0.0.1, no message limit, log to a file."""

import json
import subprocess
import time
from pathlib import Path

from servers import fetch, free_port

ROLES = ("gateway", "messaging", "media", "search")
TENANT = "bench"
# Settings of whoever calls us must not change what is measured.
NOT_SET = ("ROLES", "PORT", "JWT_PUBLIC_KEY", "JWT_PUBLIC_KEY_FILE", "JWKS_FILE", "JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE",
           "TLS_CERT_FILE", "TLS_KEY_FILE", "MESSAGING_SERVICE_URL", "MEDIA_SERVICE_URL", "SEARCH_SERVICE_URL",
           "MONGODB_URI", "KAFKA_BROKERS", "REDIS_URL", "THREADS")


class Parley:
    """A data folder, and at most one server on it."""

    def __init__(self, servers, binary, data):
        self.servers = servers
        self.binary = Path(binary)
        self.data = Path(data)
        self.server = None
        self.ports = {}
        self.seconds_to_healthy = None

    def token(self, user, *roles, ttl="6h"):
        command = [self.binary, "token", "--data", self.data, "--tenant", TENANT, "--user", user, "--ttl", ttl]
        for role in roles:
            command += ["--role", role]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def start(self, name="parley", roles=ROLES, **settings):
        """Returns once every role is healthy."""
        self.ports = {role: free_port() for role in roles}
        environment = dict.fromkeys(NOT_SET, "")
        environment |= {f"{role.upper()}_PORT": str(port) for role, port in self.ports.items()}
        environment |= {"BIND_ADDRESS": "127.0.0.1", "RATE_LIMIT_MESSAGES_PER_MINUTE": "0", "LOG_LEVEL": "info",
                        "LOG_FORMAT": "json", **settings}
        command = [self.binary, "serve", "--data", self.data]
        for role in roles:
            command += ["--role", role]
        began = time.monotonic()
        self.server = self.servers.start(name, command, environment, log=self.servers.work / f"{name}-access.log")
        for role in roles:
            self.servers.wait_until_answers(self.server, f"{self.url(role)}/health", step=0.005)
        self.seconds_to_healthy = time.monotonic() - began
        return self.server

    def url(self, role="gateway"):
        return f"http://127.0.0.1:{self.ports[role]}"

    def stop(self):
        self.servers.stop(self.server)

    def ask(self, method, path, token, body=None):
        """The JSON answer of the gateway; raises on any status but 2xx."""
        sent = None if body is None else json.dumps(body).encode()
        status, answer = fetch(self.url() + path, token, sent, method)
        if not 200 <= status < 300:
            raise RuntimeError(f"{method} {path} answered {status}: {answer[:500]!r}")
        return json.loads(answer)

    def make_conversations(self, count, users, owner_token):
        """Group conversations with all users in them; returns their ids."""
        ids = []
        for _ in range(count):
            body = {"type": "group", "name": "bench", "members": users}
            ids.append(self.ask("POST", "/v1/conversations", owner_token, body)["id"])
        return ids

    def import_irc(self, corpus, token):
        """Seconds it took."""
        return self.import_from(corpus, "irc", token)

    def import_from(self, path, form, token, jobs=4):
        """Seconds it took."""
        began = time.monotonic()
        run = subprocess.run([self.binary, "import", path, "--format", form, "--url", self.url(), "--token", token,
                              "--jobs", str(jobs)], capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise RuntimeError(f"parley import failed: {run.stdout[-500:]}{run.stderr[-1500:]}")
        return time.monotonic() - began

    def conversations(self, token):
        """All of the caller's conversations."""
        found, cursor = [], None
        while True:
            page = self.ask("GET", "/v1/conversations?limit=100" + (f"&cursor={cursor}" if cursor else ""), token)
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found
