"""Where the real engines are (tests/engines), and a place in each that nobody else uses."""

import importlib
import os
import pathlib
import secrets
import signal
import subprocess

import pytest
import requests

from harness import s3
from harness.server import ROOT, Server
from harness.waiting import until

VARIABLES = {"mongo": "PARLEY_TEST_MONGODB_URI", "kafka": "PARLEY_TEST_KAFKA_BROKERS", "redis": "PARLEY_TEST_REDIS_URL",
             "s3": "PARLEY_TEST_S3_ENDPOINT", "opensearch": "PARLEY_TEST_OPENSEARCH_URL",
             "toxiproxy": "PARLEY_TEST_TOXIPROXY_URL"}  # fmt: skip


def address_of(engine):
    """Fails the test where the engine does not run: who asks for live tests wants to know."""
    address = os.environ.get(VARIABLES[engine])
    if not address:
        pytest.fail(f"{engine} does not run: ./dev engines up, and eval its env")
    return address


class EnginePlace:
    """A database, topics, a bucket, indexes and a Redis database of a test's own, and the settings that name them."""

    def __init__(self):
        self.name = "t" + secrets.token_hex(5)
        self.bucket = s3.Bucket()
        self.settings = {
            "MONGODB_URI": address_of("mongo"), "MONGODB_DATABASE": f"parley_{self.name}",
            "KAFKA_BROKERS": address_of("kafka"), "KAFKA_TOPIC_PREFIX": f"{self.name}.", "KAFKA_PARTITIONS": 3,
            "KAFKA_REPLICATION": 1, "REDIS_URL": address_of("redis").rsplit("/", 1)[0] + f"/{1 + secrets.randbelow(15)}",
            "ELASTICSEARCH_URL": address_of("opensearch"), "ELASTICSEARCH_INDEX_PREFIX": f"parley-{self.name}",
        } | self.bucket.settings()  # fmt: skip

    def remove(self):
        """Once nothing of ours runs on it. Topics stay until the engines are wiped."""
        pymongo = importlib.import_module("pymongo")  # which is there where engines are (./dev), and nowhere else
        with pymongo.MongoClient(self.settings["MONGODB_URI"]) as client:
            client.drop_database(self.settings["MONGODB_DATABASE"])
        indexes = f"{self.settings['ELASTICSEARCH_URL']}/{self.settings['ELASTICSEARCH_INDEX_PREFIX']}*"
        requests.delete(indexes, timeout=60).raise_for_status()
        self.bucket.remove()


class Roles:
    """A process for each role, or several where `counts` says so, each with a folder of its own, on engines that all share."""

    def __init__(self, folder, **settings):
        self.folder = pathlib.Path(folder)
        self.settings = {"INTERNAL_KEY": secrets.token_hex(32), "SIGNING_KEYS": f"k1:{secrets.token_hex(16)}"} | settings
        self.servers = {}

    def start(self, **counts):
        names = ("messaging", "media", "search", "gateway")
        self.servers = {name: [self._made(name, number) for number in range(counts.get(name, 1))] for name in names}
        urls = {f"{name.upper()}_SERVICE_URL": ",".join(one.url(name) for one in self.servers[name]) for name in names[:3]}
        for one in self.all():
            one.settings |= urls
            one.launch()
        for name, instances in self.servers.items():
            for one in instances:
                until(f"{name} is up", lambda one=one, name=name: one.answers(name), 60)
        return self

    def _made(self, name, number):
        return Server(self.folder / f"{name}-{number}", [name], **self.settings)

    def all(self):
        return [one for instances in self.servers.values() for one in instances]

    def one(self, role, number=0):
        return self.servers[role][number]

    def stop(self):
        """The gateways first, since they ask the others."""
        faults = []
        for one in reversed(self.all()):
            try:
                one.stop()
            except AssertionError as fault:
                faults.append(f"{one.folder.name}: {fault}")
            finally:
                if one.process is not None:
                    one.kill()
        assert not faults, "\n".join(faults)


class OwnKafka:
    """A Kafka of a test's own, to be killed and started again; `proxied` is where it is reached through a proxy at `proxy_port`."""

    def __init__(self):
        port = 20000 + 10 * secrets.randbelow(700)
        self.proxy_port = port + 3
        self.brokers, self.proxied = f"127.0.0.1:{port}", f"127.0.0.1:{port + 2}"
        self.environment = os.environ | {"KAFKA_PORT": str(port), "KAFKA_PROXIED_PORT": str(self.proxy_port)}

    def _run(self, verb):
        subprocess.run([ROOT / "tests/engines/engines", verb, "kafka"], env=self.environment, check=True, timeout=180,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # fmt: skip

    def start(self):
        self._run("up")
        return self

    def kill(self):
        """kill -9 of the one that `start` started."""
        home = pathlib.Path(os.environ.get("PARLEY_ENGINES_DIR") or pathlib.Path.home() / ".cache/parley-engines")
        noted = home / f"run/kafka-{self.environment['KAFKA_PORT']}/pid"
        pid = int(noted.read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        until("it is gone", lambda: not pathlib.Path(f"/proc/{pid}/stat").exists(), 20)
        noted.unlink()

    def remove(self):
        self._run("wipe")


def records(brokers, topic, form="%k|%h|%s\n"):
    """What an independent client reads of a topic: lines."""
    done = subprocess.run(["kcat", "-b", brokers, "-C", "-q", "-e", "-o", "beginning", "-t", topic, "-f", form],
                          capture_output=True, check=True, timeout=120)  # fmt: skip
    return done.stdout.decode().splitlines()
