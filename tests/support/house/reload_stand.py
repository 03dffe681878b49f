"""A proxy with a configuration file that is written anew and reloaded."""

import json

from .bellwether import Bellwether
from .web import request


class Stand:
    """A proxy with a configuration file before a simulated cluster."""

    def __init__(self, folder, sim, command, **options):
        self.sim, self._command = sim, command
        self.file, self.socket = folder / "bellwether.json", folder / "control.sock"
        self._always = {"listen": "127.0.0.1:0", "mode": "http", "admin": "127.0.0.1:0", "nodes": sim.urls,
                        "log_requests": True, **options}
        self.write()
        self.proxy = Bellwether(folder, ["-f", self.file, "--control", self.socket], env={"BELLWETHER_CONTROL": ""})
        self.proxy.wait_ready()

    def write(self, **options):
        self.file.write_text(json.dumps({**self._always, **options}, indent=1))

    def use(self, **options):
        self.write(**options)
        done = self._command("reload", "--control", self.socket)
        assert done.returncode == 0 and "needs a restart" not in done.stdout, done
        return done.stdout

    def order(self, *words):
        return self._command(*words, "--control", self.socket)

    def refused(self, **options):
        """What is said of a file that cannot be used, which must change nothing."""
        self.write(**options)
        done = self._command("reload", "--control", self.socket)
        assert done.returncode == 1 and done.stdout == "", done
        self.write()
        return done.stderr

    def ask_client(self, address=None, tls=None):
        scheme = "https" if tls else "http"
        return request(f"{scheme}://{address or self.proxy.address}/v1/secret/data/none", tls=tls, timeout=40).status
