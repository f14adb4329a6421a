"""A toxiproxy that runs already (PARLEY_TEST_TOXIPROXY_URL): stands between Parley and an engine, and makes it slow, away or broken."""

import json
import secrets
import urllib.request

SLOW_MS = 2000


class Proxy:
    """One way through to `upstream`, a host:port."""

    def __init__(self, control, upstream, listen="127.0.0.1:0"):
        self.control, self.name = control, "t" + secrets.token_hex(6)
        made = self._call("POST", "/proxies", {"name": self.name, "listen": listen, "upstream": upstream, "enabled": True})
        self.address = made["listen"]

    def _call(self, method, path, body=None):
        request = urllib.request.Request(self.control + path, None if body is None else json.dumps(body).encode(), method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def _add(self, kind, **attributes):
        self._call("POST", f"/proxies/{self.name}/toxics", {"name": kind, "type": kind, "stream": "downstream", "attributes": attributes})

    def down(self):
        """Connections end, and new ones are refused."""
        self._call("POST", f"/proxies/{self.name}", {"enabled": False})

    def slow(self):
        """Every answer comes two seconds late."""
        self._add("latency", latency=SLOW_MS)

    def reset(self):
        """Connections are taken, and reset as soon as anything is said."""
        self._add("reset_peer", timeout=0)

    def mend(self):
        for toxic in self._call("GET", f"/proxies/{self.name}/toxics"):
            self._call("DELETE", f"/proxies/{self.name}/toxics/{toxic['name']}")
        self._call("POST", f"/proxies/{self.name}", {"enabled": True})

    def remove(self):
        self._call("DELETE", f"/proxies/{self.name}")
