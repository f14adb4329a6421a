"""Real clients of tus, from the registries: tus-js-client and tuspy upload, lose the connection, go on, run in parallel."""

import hashlib
import socket
import threading

import pytest

import tus_clients
from harness.files import MIB, some_bytes

CLIENTS = [tus_clients.TusJsClient(), tus_clients.Tuspy()]
JS, PY = CLIENTS
SIZES = [0, 1, 5 * MIB + 1]


@pytest.fixture(params=CLIENTS, ids=lambda client: client.name)
def client(request):
    return tus_clients.usable(request.param)


@pytest.fixture
def js():
    return tus_clients.usable(JS)


@pytest.fixture
def py():
    return tus_clients.usable(PY)


@pytest.fixture
def ada(storage):
    return storage.user("ada")


def endpoint_of(ada, port=None):
    host, own = ada.origin
    return f"http://{host}:{port or own}{ada.prefix}/tus"


@pytest.fixture
def content(tmp_path):
    def make(size):
        path = tmp_path / f"{size}.bin"
        path.write_bytes(some_bytes(size))
        return path

    return make


def check_stored(ada, url, path):
    file = ada.post("upload", "complete", url.rsplit("/", 1)[1], expect=200).json
    data = path.read_bytes()
    assert (file["size"], file["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert file["filename"] in ('a "b" ü.bin', "file")
    assert ada.get("download", file["id"], expect=200).body == data


@pytest.mark.parametrize("size", SIZES)
def test_a_file_in_one_piece(client, ada, content, size):
    path = content(size)
    check_stored(ada, tus_clients.upload(client, endpoint_of(ada), ada.token, path), path)


def test_a_file_in_pieces(js, py, ada, content):
    path = content(5 * MIB + 1)
    for client, options in ((js, {"chunkSize": MIB}), (py, {"chunk_size": MIB})):
        check_stored(ada, tus_clients.upload(client, endpoint_of(ada), ada.token, path, options=options), path)


JS_OPTIONS = {
    "parallel uploads, concatenated": {"parallelUploads": 4},
    "a length that is said later": {"chunkSize": MIB, "uploadLengthDeferred": True},
    "the first bytes with the creation": {"uploadDataDuringCreation": True},
    "POST in place of PATCH": {"chunkSize": 2 * MIB, "overridePatchMethod": True},
}


@pytest.mark.parametrize("options", JS_OPTIONS.values(), ids=JS_OPTIONS.keys())
def test_what_tus_js_client_can_do(js, ada, content, options):
    path = content(5 * MIB + 1)
    check_stored(ada, tus_clients.upload(js, endpoint_of(ada), ada.token, path, options=options), path)


def test_tuspys_checksums(py, ada, content):
    path = content(5 * MIB + 1)
    check_stored(ada, tus_clients.upload(py, endpoint_of(ada), ada.token, path, options={"chunk_size": MIB, "upload_checksum": True}), path)


class BadLine:
    """Passes connections on to `origin`; of the first ones each breaks once so many bytes have come from the client:
    cut (both ends hear of it) or silent (the server hears nothing more, as when a phone leaves its network)."""

    def __init__(self, origin, breaks, after, silent):
        self.origin, self.breaks, self.after, self.silent = origin, breaks, after, silent
        self.broken, self.kept = 0, []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.origin)
            self.kept += [client, server]
            threading.Thread(target=self._answers, args=(server, client), daemon=True).start()
            threading.Thread(target=self._bytes, args=(client, server), daemon=True).start()

    def _answers(self, server, client):
        self._pump(server, client)
        self._shut(client)

    def _bytes(self, client, server):
        if self._pump(client, server, self.after if self.broken < self.breaks else None):
            self._shut(server)
            return
        with self.lock:
            self.broken += 1
        client.shutdown(socket.SHUT_RDWR)
        if not self.silent:
            self._shut(server)

    def _pump(self, source, target, limit=None):
        """False when the limit was reached."""
        passed = 0
        try:
            while data := source.recv(65536):
                target.sendall(data)
                passed += len(data)
                if limit is not None and passed > limit:
                    return False
        except OSError:
            pass
        return True

    @staticmethod
    def _shut(one):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self):
        self.listener.close()
        for one in self.kept:
            one.close()


@pytest.mark.parametrize("silent", [False, True], ids=["cut", "silent"])
def test_a_line_that_breaks_is_gone_on_with(js, py, ada, content, silent):
    path = content(6 * MIB)
    for client, options in ((js, {}), (py, {"chunk_size": 4 * MIB})):
        line = BadLine(ada.origin, breaks=2, after=1_500_000, silent=silent)
        try:
            check_stored(ada, tus_clients.upload(client, endpoint_of(ada, line.port), ada.token, path, options=options), path)
            assert line.broken == 2
        finally:
            line.close()


def test_another_process_goes_on_with_what_stopped(py, storage, ada, content):
    path = content(5 * MIB)
    options = {"chunk_size": MIB}
    url = tus_clients.upload(py, endpoint_of(ada), ada.token, path, options=options, stop_at=2 * MIB)
    again = tus_clients.upload(py, endpoint_of(ada), storage.user("ada", ttl=60).token, path, options=options, url=url)
    assert again == url
    check_stored(ada, url, path)


def test_many_at_once(js, py, ada, content):
    path = content(3 * MIB)
    running = [tus_clients.start(client, endpoint_of(ada), ada.token, path) for client in (js, py) * 4]
    for process in running:
        check_stored(ada, tus_clients.finish(process), path)
