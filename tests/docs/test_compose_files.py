"""The compose files agree with themselves, with the image and with the settings. No container engine is asked."""

import ipaddress
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from harness.server import run_cli

ROOT = Path(__file__).resolve().parents[2]
FILES = ["compose.yaml", "compose.embedded.yaml", "deploy/compose.scale.yaml"]
SETTINGS = re.findall(r"^\| `([A-Z0-9_]+)`(, or file)?", (ROOT / "docs/configuration.md").read_text(), re.MULTILINE)
KNOWN = {name for name, _ in SETTINGS} | {f"{name}_FILE" for name, or_file in SETTINGS if or_file}
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()


class Override(yaml.SafeLoader):
    """`!override`, which Compose knows and YAML does not, leaves what it stands before."""


Override.add_constructor("!override", lambda loader, node: (
    loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else loader.construct_sequence(node, deep=True)
))  # fmt: skip


def filled_in(text, dotenv):
    """As Compose fills in variables that `dotenv` sets, or not: with a colon an empty one is none."""
    return re.sub(r"\$\{(\w+)(:?)-([^}]*)\}", lambda found: (dotenv.get(found[1], found[3]) or found[2] and found[3]), text)


def load(name, dotenv=None):
    return yaml.load(filled_in((ROOT / name).read_text(), dotenv or {}), Override)


def services(name, dotenv=None):
    """Of a file as it runs: the one for scaling lies over compose.yaml."""
    file = load(name, dotenv)["services"]
    if name != "deploy/compose.scale.yaml":
        return file
    base = load("compose.yaml", dotenv)["services"]
    merged = {key: dict(value) for key, value in base.items()}
    for key, change in file.items():
        over = dict(base[change["extends"]["service"]] if "extends" in change else merged[key])
        environment = over.get("environment", {}) | change.get("environment", {})
        merged[key] = over | {k: v for k, v in change.items() if k != "extends"} | {"environment": environment}
    return merged


def ours(name, dotenv=None):
    """The services that play roles."""
    return {key: one for key, one in services(name, dotenv).items() if one["image"] == "parley:local" and key != "keys"}


every_file = pytest.mark.parametrize("name", FILES)


@every_file
def test_every_variable_is_a_setting(name):
    for one in ours(name).values():
        assert set(one["environment"]) <= KNOWN


@every_file
def test_what_a_user_may_set_is_in_the_example(name):
    for variable in re.findall(r"\$\{(\w+)", (ROOT / name).read_text()):
        assert f"\n#{variable}=" in EXAMPLE or f"\n#{variable.removesuffix('_FILE')}=" in EXAMPLE, variable


@every_file
def test_addresses_and_ports_are_nobody_elses(name):
    network = load("compose.yaml")["networks"]["caas-network"]["ipam"]["config"][0]
    taken, ports = [], []
    for one in services(name).values():
        ports += one.get("ports", [])
        fixed = one.get("networks", {}).get("caas-network", {}).get("ipv4_address")
        taken += [ipaddress.ip_address(fixed)] if fixed else []
    assert len(taken) == len(set(taken)) and len(ports) == len(set(ports))
    assert all(port.startswith("127.0.0.1:") for port in ports), "from this host alone, until somebody decides otherwise"
    for address in taken:
        assert address in ipaddress.ip_network(network["subnet"])
        assert address not in ipaddress.ip_network(network["ip_range"]), "given to whoever has none"


@every_file
def test_who_waits_for_whom_can_come_true(name):
    all_of_them = services(name)
    for key, one in all_of_them.items():
        for other, how in one.get("depends_on", {}).items():
            needed = all_of_them[other]
            if how["condition"] == "service_completed_successfully":
                assert needed["restart"] == "no", f"{key} waits for the end of {other}"
            else:
                assert how["condition"] == "service_healthy"
                assert "healthcheck" in needed or needed["image"] == "parley:local", f"{key} waits for the health of {other}"
    done = set()
    while len(done) < len(all_of_them):
        ready = {key for key, one in all_of_them.items() if set(one.get("depends_on", {})) <= done}
        assert ready > done, f"a circle among {set(all_of_them) - done}"
        done = ready


def listens_at(name, key):
    """The ports at which others reach a service, as its own file says."""
    one = services(name)[key]
    if one["image"] == "parley:local":
        return {"gateway": 3000, "messaging": 3004, "media": 3005, "search": 3006}[one["environment"]["ROLES"]]
    if key == "kafka-1":
        return int(re.search(r"NETWORK://kafka-1:(\d+)", one["environment"]["KAFKA_ADVERTISED_LISTENERS"])[1])
    return {"mongodb": 27017, "redis": 6379, "minio": 9000, "elasticsearch": 9200}[key]


@pytest.mark.parametrize("name", ["compose.yaml", "deploy/compose.scale.yaml"])
def test_every_address_that_a_role_is_given_is_a_service(name):
    for one in ours(name).values():
        for variable, value in one["environment"].items():
            if not variable.endswith(("_URL", "_URI", "_ENDPOINT", "_BROKERS")) or variable == "PUBLIC_URL":
                continue
            for address in value.split(","):
                host, port = re.search(r"([\w-]+):(\d+)", address.split("://")[-1]).groups()
                assert listens_at(name, host) == int(port), f"{variable}={value}"


@every_file
def test_the_binary_takes_what_every_role_is_given(name, tmp_path, parley):
    keys = tmp_path / "keys"
    keys.mkdir()
    (command,) = [one["command"] for key, one in services(name).items() if key == "keys"]
    assert run_cli(command[0], "--data", keys).returncode == 0
    image = dict(pair.split("=") for pair in re.search(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE)[1].split())
    for key, one in ours(name).items():
        environment = {k: re.sub("^/(keys|data)/", f"{keys}/", str(v)) for k, v in (image | one["environment"]).items()}
        done = run_cli("config", **environment)
        assert done.returncode == 0, f"{key}: {done.stderr.decode()}"
        if "ROLES" in one["environment"]:
            role, port = re.search(r"Ports in force: (\w+) (\d+)\n", done.stdout.decode()).groups()
            assert (role, int(port)) == (one["environment"]["ROLES"], listens_at(name, key))
        for shared in ("JWT_PUBLIC_KEY_FILE", "INTERNAL_KEY_FILE", "SIGNING_KEYS_FILE"):
            assert shared not in environment or Path(environment[shared]).is_file(), f"`parley keys` makes no {shared}"


@every_file
@pytest.mark.parametrize("dotenv", [
    {}, {"S3_SECRET_KEY": "one-of-your-own"}, {"S3_ACCESS_KEY": "me", "S3_SECRET_KEY": "one-of-your-own"},
    {"INTERNAL_KEY": "0" * 64, "INTERNAL_KEY_FILE": ""}, {"SIGNING_KEYS": f"a:{'0' * 32}", "SIGNING_KEYS_FILE": ""},
    {"KAFKA_TOPIC_PREFIX": "x.", "MONGODB_DATABASE": "x", "THREADS": "2"},
], ids=" ".join)  # fmt: skip
def test_the_binary_takes_what_an_operator_sets_besides(name, dotenv, tmp_path, parley):
    keys = tmp_path / "keys"
    keys.mkdir()
    assert run_cli("keys", "--data", keys).returncode == 0
    for key, one in ours(name, dotenv).items():
        given = dotenv | {k: re.sub("^/(keys|data)/", f"{keys}/", str("" if v is None else v)) for k, v in one["environment"].items()}
        done = run_cli("config", BIND_ADDRESS="0.0.0.0", **given)
        assert done.returncode == 0, f"{key}: {done.stderr.decode()}"


@every_file
def test_roles_are_confined_bounded_and_come_back(name):
    for key, one in services(name).items():
        if one["restart"] == "no":
            continue
        assert one["restart"] == "unless-stopped", key
        assert set(one["deploy"]["resources"]["limits"]) == {"cpus", "memory"}, key
    for one in ours(name).values():
        assert one["read_only"] and one["cap_drop"] == ["ALL"] and "no-new-privileges:true" in one["security_opt"]
        grace = int(re.search(r"`SHUTDOWN_GRACE_MS`.*?`(\d+)` \|", (ROOT / "docs/configuration.md").read_text())[1])
        # docs/operations.md: where an engine is away it takes as long again.
        assert int(one["stop_grace_period"].removesuffix("s")) * 1000 > 2 * grace


def test_every_volume_is_declared():
    for name in FILES:
        declared = set(load(name).get("volumes", {})) | set(load("compose.yaml")["volumes"])
        used = {volume.split(":")[0] for one in services(name).values() for volume in one.get("volumes", []) if ":" in volume}
        assert {volume for volume in used if not volume.startswith((".", "/"))} <= declared


def test_the_image_has_each_library_that_the_binary_loads(parley):
    """By the packages of this machine, which is the image's Debian."""
    installed = set(re.search(r"install -y --no-install-recommends \\\n(.*?)&& rm", DOCKERFILE.split("bookworm-slim")[1], re.DOTALL)[1].split())
    dynamic = subprocess.run(["/usr/lib/llvm-19/bin/llvm-readelf", "--needed-libs", parley], capture_output=True, text=True, check=True).stdout
    for library in re.findall(r"^\s+(lib\S+)$", dynamic, re.MULTILINE):
        found = subprocess.run(["dpkg-query", "-S", f"*-linux-gnu/{library}"], capture_output=True, text=True, check=True).stdout
        packages = set(re.findall(r"^([^:]+):", found, re.MULTILINE))
        assert packages & (installed | {"libc6", "libstdc++6", "libgcc-s1"}), f"{library} is in {packages}, which the image does not install"
