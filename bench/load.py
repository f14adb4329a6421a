"""One run of wrk against one server, and what it and the server cost."""

import json
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent / "wrk"
CONNECTIONS = 64


@dataclass
class Round:
    """Figures of one run; latencies in milliseconds."""
    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int  # answers of status 400 and above
    server_cpu_seconds: float
    wrk_cpu_share: float  # of one core

    @property
    def per_second(self):
        return self.requests / self.seconds

    @property
    def cpu_per_10k(self):
        return self.server_cpu_seconds * 10_000 / self.requests


def run_wrk(server, url, seconds, token=None, script="plain.lua", arguments=(), threads=1):
    """Raises when a connection broke; refused answers are counted, for the caller to judge."""
    command = ["wrk", f"-t{threads}", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "20s", "-s", str(SCRIPTS / script)]
    if token:
        command += ["-H", f"Authorization: Bearer {token}"]
    command += [url, "--", *[str(argument) for argument in arguments]]
    own_before, server_before = children_cpu_seconds(), server.cpu_seconds()
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    server_cpu, own_cpu = server.cpu_seconds() - server_before, children_cpu_seconds() - own_before
    line = next((line for line in run.stdout.splitlines() if line.startswith("FIGURES ")), None)
    if run.returncode != 0 or line is None:
        raise RuntimeError(f"wrk failed against {server.name}: {run.stdout}{run.stderr}")
    got = json.loads(line.removeprefix("FIGURES "))
    if got["requests"] == 0 or got["broken"]:
        raise RuntimeError(f"{server.name}: {got['requests']} answers, {got['broken']} connections broke or timed out")
    duration = got["microseconds"] / 1e6
    return Round(got["requests"], duration, got["p50"] / 1e3, got["p99"] / 1e3, got["refused"], server_cpu,
                 own_cpu / duration / threads)


def children_cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
