"""Bytes straight onto a socket, for requests that no well-behaved client would send."""

import re
import socket


class RawAnswer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


class RawConnection:
    def __init__(self, origin, timeout=10):
        self.socket = socket.create_connection(origin, timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False when the other side has closed already."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.buffer += data
        return bool(data)

    def read_answer(self, to_head=False):
        """The next answer, or None when the connection is closed before one begins."""
        while b"\r\n\r\n" not in self.buffer:
            if not self._more():
                assert self.buffer == b"", f"half an answer: {self.buffer!r}"
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3})(?: .*)?", lines[0])
        assert match, f"no status line: {lines[0]!r}"
        status = int(match.group(1))
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if status == 100:
            return RawAnswer(100, headers, b"")
        length = 0 if to_head or status == 204 else int(headers.get("content-length", "0"))
        assert "transfer-encoding" not in headers or to_head, "the answers here are short"
        while len(self.buffer) < length:
            assert self._more(), f"the body was cut: {self.buffer!r}"
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return RawAnswer(status, headers, body)

    def is_closed(self):
        """Waits for the end of the connection; False when something else comes or nothing within the timeout."""
        try:
            return self.buffer == b"" and not self._more()
        except TimeoutError:
            return False


def raw_exchange(origin, data, timeout=10):
    """Sends `data` and returns every answer until the server closes or falls silent."""
    answers = []
    with RawConnection(origin, timeout) as connection:
        connection.send(data)
        try:
            while (answer := connection.read_answer()) is not None:
                answers.append(answer)
        except TimeoutError:
            pass
    return answers
