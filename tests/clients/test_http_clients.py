"""The clients that people have: curl, Node's fetch with a stream, a Blob in a page of a real browser, tus clients of the
registries (more of these in test_tus_clients.py). The same bytes come back. PARLEY_LARGE_FILES=1 adds 5 GiB."""

import hashlib
import http.server
import json
import pathlib
import queue
import random
import shutil
import subprocess
import threading
import urllib.parse

import pytest

import tus_clients
from harness.content import BLOCK, sha256_of
from harness.files import MIB
from harness.server import Server

HERE = pathlib.Path(__file__).resolve().parent
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def gateway(parley, issuer, tmp_path_factory):
    page = PageServer()
    server = Server(tmp_path_factory.mktemp("clients"), JWT_PUBLIC_KEY=issuer.public_keys, MAX_FILE_SIZE_MB=6144,
                    MAX_UPLOADS_PER_USER=0, CORS_ALLOWED_ORIGINS=page.origin)  # fmt: skip
    server.page = page
    server.start()
    yield server
    server.stop()
    page.close()


@pytest.fixture
def ada(gateway, tenant_at):
    return tenant_at(gateway).user("ada")


def curl(ada, *arguments):
    run = subprocess.run(
        ["curl", "-sS", "--fail-with-body", "--noproxy", "*", "-H", f"Authorization: Bearer {ada.token}", *map(str, arguments)],
        capture_output=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, (run.stdout[-800:], run.stderr[-800:])
    return run.stdout


def is_stored(gateway, ada, file, content, tmp_path):
    """What the answer says, and what a download gives."""
    assert (file["size"], file["sha256"]) == (content.size, content.sha256)
    back = tmp_path / "back"
    curl(ada, "-o", back, f"{gateway.url('gateway')}/v1/media/download/{file['id']}")
    if content.size:
        assert sha256_of(back) == content.sha256
    else:
        assert not back.exists() or back.stat().st_size == 0
    back.unlink(missing_ok=True)


def test_curl_with_a_form(gateway, ada, content, tmp_path):
    got = curl(ada, "-F", "comment=before", "-F", f"file=@{content.path};filename=a.bin", "-F", "comment=after",
               f"{gateway.url('gateway')}/v1/media/upload")  # fmt: skip
    is_stored(gateway, ada, json.loads(got), content, tmp_path)


def test_curl_with_the_bytes_alone(gateway, ada, content, tmp_path):
    got = curl(ada, "-X", "POST", "-T", content.path, "-H", "Content-Type: application/octet-stream",
               "-H", f"X-Checksum-SHA256: {content.sha256}", f"{gateway.url('gateway')}/v1/media/upload?filename=a.bin")  # fmt: skip
    is_stored(gateway, ada, json.loads(got), content, tmp_path)


@pytest.mark.parametrize("client, options", [(tus_clients.TusJsClient(), {}), (tus_clients.Tuspy(), {"chunk_size": 64 * MIB})],
                         ids=["tus-js-client", "tuspy"])  # fmt: skip
def test_tus(gateway, ada, content, tmp_path, client, options):
    sent = tus_clients.start(tus_clients.usable(client), f"{gateway.url('gateway')}/v1/media/tus", ada.token, content.path, options=options)
    upload = tus_clients.finish(sent, seconds=600).rsplit("/", 1)[1]
    is_stored(gateway, ada, ada.post("media", "upload", "complete", upload, expect=200).json, content, tmp_path)


def test_chunks_out_of_order_and_twice(gateway, ada, content, tmp_path):
    begun = ada.post("media", "upload", "chunk", body={"filename": "a.bin", "size": content.size, "sha256": content.sha256},
                     expect=201).json  # fmt: skip
    step = begun["chunk_size"]
    indexes = list(range(-(-content.size // step)))
    indexes += indexes[:3]
    random.Random(7).shuffle(indexes)
    with open(content.path, "rb") as file:
        for index in indexes:
            file.seek(index * step)
            chunk = file.read(step)
            ada.call("POST", ada.target("media", "upload", "chunk", begun["upload_id"], index=index), chunk,
                     {"Content-Type": "application/octet-stream", "X-Checksum-SHA256": hashlib.sha256(chunk).hexdigest()},
                     expect=200)  # fmt: skip
    while (got := ada.post("media", "upload", "complete", begun["upload_id"])).status == 202:
        assert got.json["state"] == "verifying"
    assert got.status in (200, 201), got
    is_stored(gateway, ada, got.json, content, tmp_path)


def test_nodes_fetch_with_a_stream(gateway, ada, content):
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node")
    run = subprocess.run([node, HERE / "send_stream.mjs", gateway.url("gateway"), ada.token, str(content.size)], input=BLOCK,
                         capture_output=True, check=False)  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    got = json.loads(run.stdout)
    assert got["status"] == 200
    assert got["file"]["sha256"] == got["downloaded"] == content.sha256


class PageServer:
    """Serves the page and takes its report."""

    def __init__(self):
        self.reports = queue.Queue()
        page = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = urllib.parse.urlsplit(self.path).path
                body = BLOCK if name == "/block" else (HERE / "page.html").read_bytes()
                self.answer(body, "application/octet-stream" if name == "/block" else "text/html; charset=utf-8")

            def do_POST(self):
                page.reports.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.answer(b"", "text/plain")

            def answer(self, body, content_type):
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def test_a_blob_from_a_page_in_a_browser(gateway, ada, content, tmp_path):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("there is no chromium")
    query = urllib.parse.urlencode({"gateway": gateway.url("gateway"), "token": ada.token, "size": content.size})
    running = subprocess.Popen(
        [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--no-proxy-server", f"--user-data-dir={tmp_path}/profile", f"{gateway.page.origin}/?{query}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        report = gateway.page.reports.get(timeout=600)
    finally:
        running.terminate()
        running.wait(30)
    assert "error" not in report, report
    assert report["inForm"]["filename"] == 'räksmörgås "1".txt'
    assert report["inForm"]["sha256"] == report["raw"]["sha256"] == content.sha256
    assert report["status"] == 200
    assert report["downloaded"] == (content.sha256 if content.size <= 64 * 1024 * 1024 else content.size)
