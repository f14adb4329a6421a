"""Servers for the black-box tests. Each test has a tenant of its own, so tests share servers and never data.

`tenant` runs a test against three ways in: the gateway with all roles in one process, a gateway that reaches
the services over HTTP, and the services themselves. With the mark `live` (./dev test --live) there is a fourth: four
processes, one for each role, on real engines. PARLEY_BINARY (or PARLEY_BIN) names the binary.
"""

import itertools
import secrets

import pytest

from harness.client import Tenant
from harness.contract import contract
from harness.engines import EnginePlace, Roles
from harness.search import Place, SearchTenant
from harness.server import ROLES, Server, binary
from harness.tokens import Issuer

TOPOLOGIES = ["all_in_one", "split", "direct", pytest.param("engines", marks=pytest.mark.live)]
INTERNAL_KEY = secrets.token_hex(32)
# What these ask is answered before any engine is asked, so once is enough.
BEFORE_ENGINES = {"test_invalid_bodies.py", "test_parameters.py", "test_search_parameters.py", "test_http_surface.py", "test_rights.py",
                  "test_tokens.py", "test_internal_routes.py", "test_search_scripts.py", "test_tus_clients.py"}  # fmt: skip


def pytest_collection_modifyitems(config, items):
    """Without what needs engines, unless -m names the mark `live`, and without what the engines have no part in."""
    wanted = "live" in config.option.markexpr
    left_out = [item for item in items
                if ("[engines" in item.name and item.path.name in BEFORE_ENGINES)
                or (not wanted and item.get_closest_marker("live"))]  # fmt: skip
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@pytest.fixture(scope="session")
def parley():
    """The path of the binary."""
    path = binary()
    if not path.exists():
        pytest.fail(f"there is no {path}: build it, or name one by PARLEY_BINARY")
    return path


@pytest.fixture(scope="session")
def issuer():
    return Issuer()


class Fleet:
    """The long-lived servers, started when first asked for."""

    made = None

    def __init__(self, folder, issuer):
        Fleet.made = self
        self.folder, self.issuer = folder, issuer
        self.servers, self.started = {}, []
        self.four = self.place = None
        self.tests_on_engines = 0

    def _made(self, name, roles, **settings):
        if name not in self.servers:
            self.servers[name] = Server(self.folder / name, roles, JWT_PUBLIC_KEY=self.issuer.public_keys, **settings)
        return self.servers[name]

    def _server(self, name, roles, **settings):
        return self._started(self._made(name, roles, **settings))

    def _started(self, server):
        if server not in self.started:
            self.started.append(server)
            server.start()
        return server

    def all_in_one(self):
        return self._server("all-in-one", ROLES, CHUNK_SIZE_MB=1, MAX_UPLOADS_PER_USER=0)

    def _services(self):
        """Messaging asks media for the files that a message attaches, and media messaging who may read a file."""
        messaging = self._made("messaging", ["messaging", "search"], INTERNAL_KEY=INTERNAL_KEY)
        media = self._made("media", ["media"], INTERNAL_KEY=INTERNAL_KEY, CHUNK_SIZE_MB=1, MAX_UPLOADS_PER_USER=0)
        messaging.settings["MEDIA_SERVICE_URL"] = media.url("media")
        media.settings["MESSAGING_SERVICE_URL"] = messaging.url("messaging")
        return self._started(messaging), media

    def messaging(self):
        """The services: search reads messaging's event log, so the two share a process."""
        return self._services()[0]

    def media(self):
        return self._started(self._services()[1])

    def small_media(self):
        """With quotas, and files of 3 MiB at most."""
        return self._server("small-media", ["gateway", "messaging", "media"], MAX_FILE_SIZE_MB=3, CHUNK_SIZE_MB=1,
                            QUOTA_PER_USER_MB=10, QUOTA_PER_TENANT_MB=16)  # fmt: skip

    def gateway(self):
        services = self.messaging()
        return self._server("gateway", ["gateway"], MESSAGING_SERVICE_URL=services.url("messaging"),
                            SEARCH_SERVICE_URL=services.url("search"), MEDIA_SERVICE_URL=self.media().url("media"),
                            INTERNAL_KEY=INTERNAL_KEY)  # fmt: skip

    def on_engines(self, role):
        """One of four processes, each with one role, on the engines that run."""
        if self.four is None:
            self.place = EnginePlace()
            self.four = Roles(self.folder / self.place.name, JWT_PUBLIC_KEY=self.issuer.public_keys, CHUNK_SIZE_MB=1,
                              MAX_UPLOADS_PER_USER=0, **self.place.settings).start()  # fmt: skip
        return self.four.one(role)

    def entrance(self, topology):
        """(origin, contract, prefix of the paths) of one way in."""
        if topology == "engines":
            return self.on_engines("gateway").origin("gateway"), contract("gateway"), "/v1"
        if topology == "direct":
            return self.messaging().origin("messaging"), contract("messaging"), ""
        server = self.all_in_one() if topology == "all_in_one" else self.gateway()
        return server.origin("gateway"), contract("gateway"), "/v1"

    def storage_entrance(self, topology):
        """The same for files."""
        if topology == "direct":
            return self.media().origin("media"), contract("media"), ""
        return self.entrance(topology)[0], contract("gateway"), "/v1/media"

    def search_place(self, topology):
        if topology == "engines":
            server = self.on_engines("search")
        else:
            server = self.all_in_one() if topology == "all_in_one" else self.messaging()
        service = (server.origin("search"), contract("search"), "")
        chat = self.entrance(topology)
        return Place(chat, service if topology == "direct" else chat, service)

    def begin_test_on_engines(self):
        """The stand-in for MongoDB looks at every document for each question, so they are empty again after a few tests."""
        if self.tests_on_engines >= 8:
            self.leave_engines()
        self.tests_on_engines += 1

    def running(self):
        return self.started + (self.four.all() if self.four else [])

    def leave_engines(self):
        self.tests_on_engines = 0
        if self.four is not None:
            four, self.four = self.four, None
            try:
                four.stop()
            finally:
                self.place.remove()

    def stop(self):
        faults = []
        for server in reversed(self.started):  # the gateway before what it calls
            try:
                server.stop()
            except AssertionError as fault:
                faults.append(f"{server.folder.name}: {fault}")
        assert not faults, "\n".join(faults)


@pytest.fixture(scope="session")
def fleet(parley, issuer, tmp_path_factory):
    fleet = Fleet(tmp_path_factory.mktemp("fleet"), issuer)
    yield fleet
    fleet.stop()


@pytest.fixture(scope="module", autouse=True)
def engines_anew():
    """Each file begins with empty engines. Asks for no server: many files need none."""
    yield
    if Fleet.made is not None:
        Fleet.made.leave_engines()


@pytest.fixture(params=TOPOLOGIES)
def topology(request, fleet):
    if request.param == "engines":
        fleet.begin_test_on_engines()
    return request.param


@pytest.fixture
def tenant(fleet, topology):
    """A new tenant at one of the three ways in."""
    return Tenant(fleet.issuer, *fleet.entrance(topology))


@pytest.fixture
def storage(fleet, topology):
    """A new tenant, whose users store files, at one of the three ways in."""
    return Tenant(fleet.issuer, *fleet.storage_entrance(topology))


@pytest.fixture(scope="module", params=TOPOLOGIES[:3])
def search_place(request, fleet):
    """One of the three ways in, for what a file writes once and its tests search."""
    return fleet.search_place(request.param)


@pytest.fixture
def seekers(fleet, topology):
    """A new tenant, whose users search, at one of the three ways in."""
    return SearchTenant(fleet.issuer, fleet.search_place(topology))


@pytest.fixture
def start_server(parley, issuer, tmp_path):
    """start_server(roles, SETTING=value…) starts a server for this test alone, and stops and checks it at its end."""
    servers, numbers = [], itertools.count()

    def start(roles=ROLES, launch=True, **settings):
        settings = {"JWT_PUBLIC_KEY": issuer.public_keys} | settings
        server = Server(tmp_path / f"server-{next(numbers)}", roles, **settings)
        servers.append(server)
        if launch:
            server.start()
        return server

    yield start
    faults = []
    for server in reversed(servers):
        try:
            server.stop()
        except AssertionError as fault:
            faults.append(str(fault))
        finally:
            if server.process is not None:
                server.kill()
    assert not faults, "\n".join(faults)


@pytest.fixture
def tenant_at(issuer):
    """tenant_at(server) is a new tenant at a server's gateway, or at its messaging role when it has no gateway."""

    def at(server, role=None, name=None):
        role = role or ("gateway" if "gateway" in server.roles else "messaging")
        return Tenant(issuer, server.origin(role), contract(role), "/v1" if role == "gateway" else "", name)

    return at


@pytest.fixture
def storage_at(issuer):
    """storage_at(server) is a new tenant, whose users store files, at a server's gateway or at its media role."""

    def at(server, name=None):
        role = "gateway" if "gateway" in server.roles else "media"
        return Tenant(issuer, server.origin(role), contract(role), "/v1/media" if role == "gateway" else "", name)

    return at
