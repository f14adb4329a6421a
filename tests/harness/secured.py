"""Engines of a test's own that speak TLS alone and ask who comes (tests/engines, PARLEY_ENGINES_SECURED)."""

import base64
import http.client
import http.server
import os
import secrets
import ssl
import subprocess
import threading
import urllib.parse

from harness import s3
from harness.certificates import make_certificate
from harness.engines import address_of
from harness.server import ROOT

NAMES = ("redis", "s3", "mongo", "kafka")
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class SearchFront(http.server.ThreadingHTTPServer):
    """HTTPS before the search engine that runs already, for who says one of `credentials` (Authorization), else 401: as its security
    plugin would, which is in no registry."""

    daemon_threads = True

    def __init__(self, certificate, behind, credentials):
        super().__init__(("127.0.0.1", 0), Relayed)
        self.behind, self.credentials = urllib.parse.urlsplit(behind).netloc, credentials
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        self.url = f"https://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def get_request(self):
        connection, client = super().get_request()
        return self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), client

    def handle_error(self, request, client_address):
        """A client that does not trust us, or goes."""


class Relayed(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def relay(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") not in self.server.credentials:
            return self.answer(401, {}, b"{}")
        fields = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP | {"authorization", "host"}}
        connection = http.client.HTTPConnection(self.server.behind, timeout=60)
        try:
            connection.request(self.command, self.path, body, fields)
            answer = connection.getresponse()
            return self.answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = relay

    def answer(self, status, fields, body):
        self.send_response(status)
        for name, value in fields.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class SecuredEngines:
    """One of each, with a user `parley`; `settings` is what reaches them all, `secrets` what no log may show."""

    def __init__(self, folder):
        self.certificate = make_certificate(folder)
        self.ca, self.password = self.certificate[0], secrets.token_hex(12)
        (folder / "password").write_text(self.password)
        port = 12000 + 20 * secrets.randbelow(350)  # below those of OwnKafka
        ports = {name: port + 10 * (name == "kafka") + at for at, name in enumerate(NAMES)}
        self.environment = os.environ | {"PARLEY_ENGINES_SECURED": str(folder)}
        self.environment |= {f"{name.upper()}_PORT": str(ports[name]) for name in NAMES}
        self.kafka_by_password, self.kafka_by_certificate = (f"127.0.0.1:{ports['kafka'] + more}" for more in (4, 5))
        self.mongo, self.redis = f"127.0.0.1:{ports['mongo']}", f"127.0.0.1:{ports['redis']}"
        self.s3 = f"https://127.0.0.1:{ports['s3']}"
        self.bucket, self.front = None, None

    def start(self):
        self._run("wipe")  # what a run that was killed left at these ports has another password
        self._run("up")
        self.bucket = s3.Bucket(self.s3, self.ca)
        self.api_key = base64.b64encode(f"id:{secrets.token_hex(16)}".encode()).decode()
        self.basic = base64.b64encode(f"parley:{self.password}".encode()).decode()
        self.front = SearchFront(self.certificate, address_of("opensearch"), {f"Basic {self.basic}", f"ApiKey {self.api_key}"})
        return self

    def settings(self):
        """With a place of a test's own in each."""
        name = "t" + secrets.token_hex(5)
        return {
            "MONGODB_URI": self.mongodb_uri(self.password), "MONGODB_CA_FILE": self.ca, "MONGODB_DATABASE": f"parley_{name}",
            "REDIS_URL": self.redis_url(self.password), "REDIS_CA_FILE": self.ca,
            "KAFKA_BROKERS": self.kafka_by_password, "KAFKA_SECURITY": "sasl_ssl", "KAFKA_USERNAME": "parley",
            "KAFKA_PASSWORD": self.password, "KAFKA_CA_FILE": self.ca, "KAFKA_TOPIC_PREFIX": f"{name}.", "KAFKA_PARTITIONS": 2,
            "KAFKA_REPLICATION": 1,
            "ELASTICSEARCH_URL": self.front.url, "ELASTICSEARCH_USERNAME": "parley", "ELASTICSEARCH_PASSWORD": self.password,
            "ELASTICSEARCH_CA_FILE": self.ca, "ELASTICSEARCH_INDEX_PREFIX": f"parley-{name}", "S3_CA_FILE": self.ca,
        } | self.bucket.settings()  # fmt: skip

    def mongodb_uri(self, password):
        return f"mongodb://parley:{password}@{self.mongo}/?authSource=admin&replicaSet=secantus&directConnection=true"

    def redis_url(self, password):
        return f"rediss://parley:{password}@{self.redis}/0"

    def secrets(self):
        return [self.password, self.basic, self.api_key, s3.SECRET_KEY]

    def _run(self, verb):
        subprocess.run([ROOT / "tests/engines/engines", verb, *NAMES], env=self.environment, check=True, timeout=240,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # fmt: skip

    def remove(self):
        if self.front:
            self.front.shutdown()
            self.front.server_close()
        self._run("wipe")
