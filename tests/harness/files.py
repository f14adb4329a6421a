"""What tests of files share: forms, checksums, uploads in chunks and by tus, server-sent events."""

import base64
import hashlib
import json
import random
import secrets
import urllib.parse

KIB, MIB = 1024, 1024 * 1024

# What clients call files, and what they are called here.
NAMES = {
    "cat.png": "cat.png",
    'with "quotes" and \\.txt': None,
    "two\nlines\r\n.txt": None,
    "../../etc/passwd": "passwd",
    "C:\\windows\\notes.txt": "notes.txt",
    "🐈‍⬛ schwarze Katze.jpeg": "🐈‍⬛ schwarze Katze.jpeg",
    "x" * 1000 + ".tar.gz": None,
    "ночь.txt": "ночь.txt",
    "a;b=c, d%41&e+f.txt": "a;b=c, d%41&e+f.txt",
    "   ": "file",
    "..": "file",
    "CON": None,
}


def is_safe_name(name):
    return 0 < len(name.encode()) <= 255 and not any(ord(c) < 32 or c in "/\x7f" for c in name) and name not in (".", "..")


def some_bytes(size, seed=None):
    return random.Random(secrets.randbits(64) if seed is None else seed).randbytes(size)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def base64_of(algorithm, data):
    return base64.b64encode(hashlib.new(algorithm, data).digest()).decode()


def form(*parts, boundary=None):
    """(body, headers) of a form; a part is (name, filename or None, bytes) and perhaps a dict of more fields."""
    boundary = boundary or "b-" + secrets.token_hex(8)
    body = b""
    for name, filename, data, *more in parts:
        disposition = f'form-data; name="{name}"'
        if filename is not None:  # as browsers write it
            quoted = filename.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
            disposition += f'; filename="{quoted}"'
        fields = {"Content-Disposition": disposition} | (more[0] if more else {})
        head = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
        body += b"--" + boundary.encode() + b"\r\n" + head.encode() + b"\r\n" + data + b"\r\n"
    body += b"--" + boundary.encode() + b"--\r\n"
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def upload(client, data, filename=None, headers=(), **options):
    """POST /upload with the bytes as they are."""
    query = {} if filename is None else {"filename": filename}
    return client.call("POST", client.target("upload", **query), data,
                       {"Content-Type": "application/octet-stream", **dict(headers)}, **options)  # fmt: skip


def upload_form(client, *parts, headers=(), **options):
    body, fields = form(*parts)
    return client.call("POST", client.target("upload"), body, {**fields, **dict(headers)}, **options)


def chunked(client, data_pieces, target, headers=()):
    """POST with a body of unknown length; the answer, held against the contract."""
    sent = {"Authorization": f"Bearer {client.token}", "Transfer-Encoding": "chunked",
            "Content-Type": "application/octet-stream", **dict(headers)}  # fmt: skip
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in data_pieces) + b"0\r\n\r\n"
    answer = client.exchange("POST", target, body, sent)
    client.contract.check("POST", target, answer)
    return answer


def download(client, file):
    return client.get("download", file, expect=200).body


class ChunkedUpload:
    """An upload in chunks, begun."""

    def __init__(self, client, data, filename="a.bin", **fields):
        self.client, self.data = client, data
        answer = client.post("upload", "chunk", body={"filename": filename, "size": len(data), **fields}, expect=201)
        self.id, self.chunk_size = answer.json["upload_id"], answer.json["chunk_size"]
        assert answer.headers["Location"] == f"chunk/{self.id}"
        self.count = -(-len(data) // self.chunk_size)

    def chunk(self, index):
        return self.data[index * self.chunk_size : (index + 1) * self.chunk_size]

    def put(self, index, data=None, headers=(), client=None, **options):
        client = client or self.client
        return client.call("POST", client.target("upload", "chunk", self.id, index=index),
                           self.chunk(index) if data is None else data,
                           {"Content-Type": "application/octet-stream", **dict(headers)}, **options)  # fmt: skip

    def complete(self, client=None, **options):
        return (client or self.client).post("upload", "complete", self.id, **options)

    def progress(self, **options):
        return self.client.get("upload", self.id, "progress", **options)

    def abort(self, **options):
        return self.client.delete("upload", self.id, **options)


class Tus:
    """Requests of tus by one client."""

    def __init__(self, client):
        self.client = client

    def call(self, method, target, body=None, headers=(), **options):
        sent = {"Tus-Resumable": "1.0.0"}
        if body is not None:
            sent |= {"Content-Type": "application/offset+octet-stream", "Content-Length": str(len(body))}
        return self.client.call(method, target, body, {**sent, **dict(headers)}, **options)

    def create(self, length=None, body=None, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if length is not None:
            named["Upload-Length"] = str(length)
        return self.call("POST", self.client.target("tus"), body, named)

    def place(self, length, **headers):
        """The target of a new upload."""
        created = self.create(length, **headers)
        assert created.status == 201, created
        return urllib.parse.urljoin(self.client.target("tus"), created.headers["Location"])

    def head(self, place):
        return self.call("HEAD", place)

    def patch(self, place, offset, data, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("PATCH", place, data, {"Upload-Offset": str(offset), **named})


def metadata(**values):
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in values.items())


def events_of(response):
    """(event, data) of a stream of server-sent events, as they come."""
    event, data = None, None
    for line in response:
        line = line.decode().rstrip("\n")
        if line.startswith("event: "):
            event = line[7:]
        elif line.startswith("data: "):
            data = json.loads(line[6:])
        elif not line and event:
            yield event, data
            event, data = None, None
