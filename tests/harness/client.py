"""A client of the API for tests: keeps connections, and holds every answer against the contract."""

import http.client
import json
import secrets
import socket
import threading
import urllib.parse

NO_LENGTH = object()


def unique(prefix):
    return f"{prefix}-{secrets.token_hex(5)}"


def words(text="hello"):
    """A message text that no other has. Its mark must never stand in a log; see server.check_log."""
    return f"Plaintext-{secrets.token_hex(6)} {text}"


class Answer:
    def __init__(self, request, status, headers, body):
        self.request, self.status, self.headers, self.body = request, status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["code"]

    @property
    def faulty(self):
        """The paths that a 400 names."""
        return [error["path"] for error in self.json.get("errors", [])]

    def refused(self, status, code=None, path=None):
        assert self.status == status, self
        if code:
            assert self.code == code, self
        if path:
            assert path in self.faulty, self
        return self

    def __repr__(self):
        return f"{self.request} → {self.status} {self.body[:600]!r}"


class Client:
    """Speaks for one token to one origin. Threads may share it: each has its own connection."""

    def __init__(self, origin, contract, prefix="", token=None, headers=(), timeout=30):
        self.origin, self.contract, self.prefix, self.token = origin, contract, prefix, token
        self.headers, self.timeout = dict(headers), timeout
        self._local = threading.local()
        self.id = None  # of the user, when made by a Tenant

    def with_headers(self, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        other = Client(self.origin, self.contract, self.prefix, self.token, {**self.headers, **named}, self.timeout)
        other.id = self.id
        return other

    def target(self, *segments, **query):
        path = "/".join(urllib.parse.quote(str(segment), safe="") for segment in segments)
        text = f"{self.prefix}/{path}"
        return text + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")

    def exchange(self, method, target, body=None, headers=()):
        """One request and its answer, unchecked. A kept connection that the server closed is opened anew."""
        host, port = self.origin
        for attempt in (0, 1):
            connection = getattr(self._local, "connection", None)
            fresh = connection is None
            if fresh:
                connection = http.client.HTTPConnection(host, port, timeout=self.timeout)
                connection.connect()
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._local.connection = connection
            try:
                connection.putrequest(method, target, skip_accept_encoding=True)
                for name, value in {**self.headers, **dict(headers)}.items():
                    if value is not None:
                        connection.putheader(name, value)
                connection.endheaders(body)
                response = connection.getresponse()
                answer = Answer(f"{method} {target}", response.status, response.headers, response.read())
                if response.will_close:
                    self.close()
                return answer
            except (http.client.HTTPException, OSError):
                self.close()
                if fresh or attempt:
                    raise
        raise AssertionError("unreachable")

    def close(self):
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def call(self, method, target, body=None, headers=(), expect=None, check=True):
        """`body`: bytes as they are; anything else but None becomes JSON."""
        sent = {}
        if self.token is not None:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            if not isinstance(body, bytes):
                body = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
            sent["Content-Length"] = str(len(body))
        elif method in ("POST", "PUT"):
            sent["Content-Length"] = "0"
        sent.update(headers)
        answer = self.exchange(method, target, body, sent)
        if check:
            self.contract.check(method, target, answer)
        if expect is not None:
            assert answer.status == expect, answer
        return answer

    def get(self, *segments, expect=None, headers=(), **query):
        return self.call("GET", self.target(*segments, **query), headers=headers, expect=expect)

    def post(self, *segments, body=None, expect=None, headers=()):
        return self.call("POST", self.target(*segments), body, headers, expect)

    def put(self, *segments, body=None, expect=None, headers=()):
        return self.call("PUT", self.target(*segments), body, headers, expect)

    def delete(self, *segments, expect=None, headers=()):
        return self.call("DELETE", self.target(*segments), None, headers, expect)

    # What many tests begin with; each must succeed.

    def group(self, conversation=None, members=(), **fields):
        body = {"id": conversation or unique("c"), "members": list(members), **fields}
        return self.post("conversations", body=body, expect=201).json

    def send(self, conversation, content=None, **fields):
        body = {"conversation_id": conversation, "content": words() if content is None else content, **fields}
        return self.post("messages", body=body, expect=201).json

    def read(self, message):
        return self.get("messages", message, expect=200).json

    def add(self, conversation, user, role=None):
        body = {"user_id": user} | ({"role": role} if role else {})
        return self.post("conversations", conversation, "members", body=body, expect=201).json

    def pages(self, *segments, limit=50, **query):
        """Every page of a list, following next_cursor to the end."""
        seen = set()
        while True:
            page = self.get(*segments, expect=200, limit=limit, **query).json
            yield page
            if page["next_cursor"] is None:
                return
            assert page["items"], "an empty page that is not the last"
            assert page["next_cursor"] not in seen, "a cursor that leads round"
            seen.add(page["next_cursor"])
            query = {name: value for name, value in query.items() if name != "around"} | {"cursor": page["next_cursor"]}

    def all(self, *segments, **query):
        return [item for page in self.pages(*segments, **query) for item in page["items"]]


class Tenant:
    """One tenant at one place: hands out clients for its users."""

    def __init__(self, issuer, origin, contract, prefix, name=None):
        self.issuer, self.origin, self.contract, self.prefix = issuer, origin, contract, prefix
        self.name = name or unique("tenant")

    def user(self, user, *roles, **claims):
        token = self.issuer.token(self.name, user, list(roles) or None, **claims)
        client = Client(self.origin, self.contract, self.prefix, token)
        client.id = user
        return client

    def service(self, acting_for=None, user="robot"):
        client = self.user(user, "service")
        if acting_for is not None:
            client.headers["X-Parley-User"] = urllib.parse.quote(acting_for, safe="")
        return client

    def nobody(self, token=None):
        return Client(self.origin, self.contract, self.prefix, token)

    def other(self, name=None):
        return Tenant(self.issuer, self.origin, self.contract, self.prefix, name)
