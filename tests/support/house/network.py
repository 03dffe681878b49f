"""A network of the test's own: this process moves into it, and hosts with an address each are joined to it by a bridge.

It needs root and a kernel that allows it: why_not() says. Nothing of the machine's own network is touched."""

import contextlib
import ctypes
import os
import subprocess

from .processes import Process
from .waiting import wait_until

_CLONE_NEWNET = 0x40000000
OWN_ADDRESS = "10.82.0.1"


def _run(*words):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, f"{' '.join(map(str, words))}: {done.stderr}"
    return done.stdout


def why_not():
    """Why there can be no such network here; empty: there can."""
    if os.geteuid() != 0:
        return "needs root"
    tried = subprocess.run(["unshare", "-n", "sh", "-ec", "ip link add name bridge type bridge; ip link add name here type veth peer name there"],
                           capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"network namespaces, bridges and veth pairs are impossible here: {tried.stderr.strip()}"


def _libc(function, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, function)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{function}: {os.strerror(ctypes.get_errno())}")


@contextlib.contextmanager
def own_network():
    """What this thread starts within is in a network of its own, with OWN_ADDRESS on a bridge."""
    with open("/proc/thread-self/ns/net", "rb") as before:
        _libc("unshare", _CLONE_NEWNET)
        try:
            _run("ip", "link", "set", "lo", "up")
            _run("ip", "link", "add", "name", "bridge", "type", "bridge")
            _run("ip", "address", "add", f"{OWN_ADDRESS}/24", "dev", "bridge")
            _run("ip", "link", "set", "bridge", "up")
            yield
        finally:
            _libc("setns", before.fileno(), _CLONE_NEWNET)


class Host:
    """A namespace with one interface, eth0, on the bridge. Whoever makes it calls end(), after its processes have ended."""

    def __init__(self, folder, name, address):
        self.name, self.address = name, address
        self._holder = Process(name, ["unshare", "-n", "sleep", "infinity"], folder / f"{name}.log")
        own = os.readlink("/proc/thread-self/ns/net")
        wait_until(lambda: os.readlink(f"/proc/{self._holder.pid}/ns/net") != own, 10, f"the namespace of {name}")
        _run("ip", "link", "add", "name", name, "type", "veth", "peer", "name", "eth0", "netns", self._holder.pid)
        _run("ip", "link", "set", name, "master", "bridge", "up")
        for words in (["link", "set", "lo", "up"], ["address", "add", f"{address}/24", "dev", "eth0"], ["link", "set", "eth0", "up"]):
            _run(*self.words(), "ip", *words)

    def end(self):
        self._holder.end()

    def words(self):
        """What a command is to be put behind."""
        return ["nsenter", "-t", str(self._holder.pid), "-n"]

    def has(self, address):
        return f" {address}/" in _run(*self.words(), "ip", "-4", "-o", "address", "show", "dev", "eth0")

    def unplug(self):
        _run("ip", "link", "set", self.name, "down")
