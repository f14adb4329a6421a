"""Server processes of a benchmark run: started in groups of their own, measured, and always ended.

Every process listens on 127.0.0.1 only. Whatever happens, `Servers` ends each group it started, by its number.
"""

import atexit
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
# No proxy of the machine's stands between us and 127.0.0.1.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fetch(url, token=None, body=None, method=None, timeout=10):
    """Status and body of one request; HTTP errors are answers too."""
    request = urllib.request.Request(url, data=body, method=method)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    if body is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with OPENER.open(request, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class Server:
    """One process group."""

    def __init__(self, name, process):
        self.name = name
        self.process = process
        self.group = process.pid

    def cpu_seconds(self):
        """User and system time of all processes of the group so far."""
        ticks = 0
        for stat in stats_of_all_processes():
            if int(stat[2]) == self.group:
                ticks += int(stat[11]) + int(stat[12])
        return ticks / CLOCK_TICKS

    def rss_mib(self):
        """Resident memory of the leading process."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"{self.name} has no VmRSS")

    def stop(self, seconds=15):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.group, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def stats_of_all_processes():
    """The fields of /proc/PID/stat from the third on: state, parent, group, …"""
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            text = Path(f"/proc/{entry.name}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has ended
            continue
        yield text[text.rindex(")") + 2:].split()


class Servers:
    """Starts servers and ends what still runs when the program ends."""

    def __init__(self, work):
        self.work = Path(work)
        self.running = []
        atexit.register(self.stop_all)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: raise_interrupt())

    def start(self, name, command, env=None, log=None):
        """`log`: where its standard output goes (appended to a file); its errors go to WORK/NAME.err."""
        errors = self.work / f"{name}.err"
        with open(log or os.devnull, "ab") as out, open(errors, "wb") as err:
            process = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                       env={**os.environ, **(env or {})}, start_new_session=True)
        server = Server(name, process)
        self.running.append(server)
        return server

    def stop(self, server):
        server.stop()
        self.running.remove(server)

    def stop_all(self):
        while self.running:
            self.running.pop().stop(seconds=5)

    def wait_until_answers(self, server, url, token=None, seconds=20, step=0.05, status=200):
        deadline = time.monotonic() + seconds
        while True:
            try:
                got = fetch(url, token, timeout=2)[0]
                if got == status:
                    return
                trouble = f"status {got}"
            except OSError as error:
                trouble = str(error)
            if server.process.poll() is not None:
                raise RuntimeError(f"{server.name} ended with {server.process.returncode}: {self.errors_of(server)}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{server.name} does not answer {url}: {trouble}. {self.errors_of(server)}")
            time.sleep(step)

    def errors_of(self, server):
        return (self.work / f"{server.name}.err").read_text(encoding="utf-8", errors="replace")[-2000:]


def raise_interrupt():
    raise KeyboardInterrupt
