"""The tus clients that people use, from the registries: put into build/clients once, and run as programs of their own."""

import fcntl
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from harness.server import ROOT

HERE = pathlib.Path(__file__).resolve().parent / "tus"
INSTALLED = ROOT / "build" / "clients"


def install(name, manifest, *command):
    """Runs `command` in a folder of its own unless that was done for this very manifest; None, or why it failed."""
    folder = INSTALLED / name
    folder.mkdir(parents=True, exist_ok=True)
    with open(INSTALLED / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = manifest.read_text()
        done = folder / "installed"
        if done.exists() and done.read_text() == wanted:
            return None
        try:
            run = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=300)
        except (OSError, subprocess.TimeoutExpired) as fault:
            return str(fault)
        if run.returncode != 0:
            return run.stderr.decode("utf-8", "replace")[-400:]
        done.write_text(wanted)
        return None


def usable(client):
    """The client, installed; skips the test where it cannot be had, and says why."""
    if fault := client.install():
        pytest.skip(f"{client.name} cannot be installed: {fault}")
    return client


class TusJsClient:
    name = "tus-js-client"

    def install(self):
        folder = INSTALLED / "node"
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(HERE / file, folder / file)
        return install("node", HERE / "package-lock.json", "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")

    def command(self, job):
        return ["node", str(HERE / "upload.mjs"), json.dumps(job)], {"NODE_CLIENTS": str(INSTALLED / "node")}


class Tuspy:
    name = "tuspy"

    def install(self):
        return install("python", HERE / "requirements.txt", "/usr/bin/python3", "-m", "pip", "install", "--quiet", "--target", ".",
                       "--only-binary", ":all:", "-r", str(HERE / "requirements.txt"))  # fmt: skip

    def command(self, job):
        return ["/usr/bin/python3", "-s", str(HERE / "upload.py"), json.dumps(job)], {"PYTHONPATH": str(INSTALLED / "python")}


def start(client, endpoint, token, path, **more):
    command, environment = client.command({"endpoint": endpoint, "token": token, "path": str(path), **more})
    proxies = {name for name in os.environ if name.lower().endswith("_proxy")}
    inherited = {name: value for name, value in os.environ.items() if name not in proxies}
    return subprocess.Popen(command, env={**inherited, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process, seconds=120):
    """The address of the upload."""
    out, error = process.communicate(timeout=seconds)
    assert process.returncode == 0, error.decode("utf-8", "replace")[-2000:]
    return json.loads(out)["url"]


def upload(client, endpoint, token, path, **more):
    return finish(start(client, endpoint, token, path, **more))
