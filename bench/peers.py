"""The gateways measured beside ours, and the service behind all of them."""

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

from servers import free_port

HERE = Path(__file__).resolve().parent / "peers"
CORES = len(os.sched_getaffinity(0))


def one_kib_of_json():
    """A user's profile that is exactly 1,024 bytes long."""
    head, tail = '{"id":"u1","name":"Ada","status":"ok","bio":"', '"}'
    return head + "x" * (1024 - len(head) - len(tail)) + tail


def fill_in(template, work, **values):
    """Writes peers/TEMPLATE to the work folder with its @NAMES@ replaced."""
    text = (HERE / template).read_text(encoding="utf-8")
    for name, value in {"WORK": work, "CORES": CORES, **values}.items():
        text = text.replace(f"@{name}@", str(value))
    path = Path(work) / template
    path.write_text(text, encoding="utf-8")
    return path


def nginx_command(configuration, work):
    return ["nginx", "-e", "stderr", "-p", work, "-c", configuration]


def start_upstream(servers, kib=1):
    port = free_port()
    body = one_kib_of_json() if kib == 1 else "$kib" * kib
    configuration = fill_in("upstream.conf", servers.work, PORT=port, KIB=one_kib_of_json(), BODY=body)
    server = servers.start("upstream", nginx_command(configuration, servers.work))
    servers.wait_until_answers(server, f"http://127.0.0.1:{port}/health")
    return port


def start_nginx(servers, upstream):
    port = free_port()
    configuration = fill_in("nginx.conf", servers.work, PORT=port, UPSTREAM=upstream)
    return servers.start("nginx", nginx_command(configuration, servers.work)), port


def start_haproxy(servers, upstream):
    port = free_port()
    configuration = fill_in("haproxy.cfg", servers.work, PORT=port, UPSTREAM=upstream)
    log = servers.work / "haproxy-access.log"
    return servers.start("haproxy", ["haproxy", "-db", "-f", configuration], log=log), port


def install_node_gateway(build):
    """The npm packages of peers/node, pinned by its lock file, into BUILD/node; again only when that file changes."""
    folder = Path(build) / "node"
    wanted = (HERE / "node/package-lock.json").read_bytes()
    installed = folder / "installed-lock.json"
    if not installed.exists() or installed.read_bytes() != wanted:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "node" / name, folder / name)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
        installed.write_bytes(wanted)
    shutil.copy(HERE / "node/gateway.js", folder / "gateway.js")
    return folder / "gateway.js"


def start_node(servers, upstream, script, key, processes):
    port = free_port()
    name = f"node-{processes}"
    command = ["node", script, port, upstream, key, processes]
    return servers.start(name, command, env={"NODE_ENV": "production"}, log=servers.work / f"{name}-access.log"), port


def versions():
    """What is measured with what, for the report."""
    def first_match(command, pattern):
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        found = re.search(pattern, run.stdout + run.stderr)
        return found.group(1) if found else "?"
    package = (HERE / "node/package.json").read_text(encoding="utf-8")
    return {
        "nginx": first_match(["nginx", "-v"], r"nginx/([\d.]+)"),
        "HAProxy": first_match(["haproxy", "-v"], r"version ([\d.]+)"),
        "Node": first_match(["node", "--version"], r"v([\d.]+)"),
        **{name.capitalize(): re.search(rf'"{name}": "([\d.]+)"', package).group(1)
           for name in ("fastify", "undici", "opossum", "prom-client")},
        "wrk": first_match(["wrk", "-v"], r"wrk \D*([\d.]+)"),
    }


def machine():
    model = "?"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = int(Path("/proc/meminfo").read_text(encoding="ascii").split()[1]) / 1024 / 1024
    return f"{CORES} cores of {model}, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"
