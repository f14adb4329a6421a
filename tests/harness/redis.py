"""A redis-server of a test's own, to be killed, frozen and started again. Its program is Debian's."""

import pathlib
import signal
import socket
import subprocess

from harness.server import free_ports
from harness.waiting import until

PROGRAM = pathlib.Path("/usr/bin/redis-server")


class Redis:
    def __init__(self, folder, password=None):
        self.folder, self.password = pathlib.Path(folder), password
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.port,) = free_ports(1)
        self.process = None

    @property
    def url(self):
        return f"redis://{f':{self.password}@' if self.password else ''}127.0.0.1:{self.port}/0"

    def start(self):
        arguments = [str(PROGRAM), "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no",
                     "--dir", str(self.folder), "--logfile", "redis.log"]  # fmt: skip
        if self.password:
            arguments += ["--requirepass", self.password]
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL)
        until("redis listens", self._listens)
        return self

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self):
        """It accepts connections and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)
