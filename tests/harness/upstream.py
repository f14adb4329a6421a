"""A service that misbehaves on demand, to stand behind a gateway."""

import socket
import threading

HEALTH = b'{"status":"ok","dependencies":{}}'


def answer(status=200, body=b"{}", headers=(), length=None):
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\n".encode()
    for name, value in headers:
        head += f"{name}: {value}\r\n".encode()
    return head + b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length) + body


def fields_of(text):
    return {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in text.split("\r\n")[1:])}


def pieces(text, stream, size=65536):
    """The body behind a head, as it comes. Less than it should be when the connection ends."""
    fields = fields_of(text)
    if fields.get("transfer-encoding") == "chunked":
        while length := int(stream.readline() or b"0", 16):
            yield stream.read(length)
            stream.readline()
        stream.readline()
        return
    left = int(fields.get("content-length", 0))
    while left and (piece := stream.read1(min(size, left))):
        left -= len(piece)
        yield piece


class FakeUpstream:
    """Answers health by itself, and everything else by `behave(connection, head, body)` on a thread of its own.

    `behave` sends what it likes; returning False closes the connection.
    """

    def __init__(self, behave):
        self.behave = behave
        self.requests = []  # (head as text, body) of all that arrived, but for health
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.connections, self.closing = [], False
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closing = True
        for one in [self.listener, *self.connections]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def _accept(self):
        while not self.closing:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection, connection.makefile("rb") as stream:
                while True:
                    head = b""
                    while not head.endswith(b"\r\n\r\n"):
                        line = stream.readline()
                        if not line:
                            return
                        head += line
                    text = head.decode("latin-1")
                    if text.startswith("GET /health"):
                        connection.sendall(answer(body=HEALTH))
                    elif self._serve_one(connection, text, stream) is False:
                        return
        except OSError:
            pass

    def _serve_one(self, connection, text, stream):
        body = b"".join(pieces(text, stream))
        self.requests.append((text, body))
        return self.behave(connection, text, body)

    def header(self, index, name):
        for line in self.requests[index][0].split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None


class StreamingUpstream(FakeUpstream):
    """The same, but `behave(connection, head, stream)` reads the body itself, as far as it likes: see pieces()."""

    def _serve_one(self, connection, text, stream):
        self.requests.append((text, None))
        return self.behave(connection, text, stream)
