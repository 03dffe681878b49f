"""Debian's dnsmasq as the only name server of one program, on an address of its own."""

import random
import socket
import subprocess
import time

import pytest

from house.own_files import own_files


def free_address():
    """Of loopback, where nobody is a name server yet."""
    for _ in range(100):
        address = f"127.77.{random.randrange(100, 256)}.{random.randrange(1, 255)}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((address, 53))
                return address
            except PermissionError:
                pytest.skip("only root may be a name server here")
            except OSError:
                continue
    raise AssertionError("a hundred addresses are taken")


class NameServer:
    """`ttl` is in seconds. `search`: the domain that names without a dot are looked for in, as in a pod."""

    def __init__(self, folder, ttl=2, search=""):
        self._folder = folder
        self._address = free_address()
        self._ttl = ttl
        self._hosts = {}
        self._more = []
        self._process = None
        resolv = folder / "resolv.conf"
        options = "options timeout:1 attempts:2" + (" ndots:5" if search else "")
        resolv.write_text(f"nameserver {self._address}\n{options}\n" + (f"search {search}\n" if search else ""))
        switch = folder / "nsswitch.conf"
        switch.write_text("hosts: files dns\n")
        self.wrapper = own_files({"/etc/resolv.conf": resolv, "/etc/nsswitch.conf": switch})

    def lead(self, hosts):
        """Host: its addresses, from now on."""
        self._hosts = hosts
        self.begin()

    def say(self, *lines):
        """Further lines of the configuration: "srv-host=...", "cname=..."."""
        self._more = list(lines)
        self.begin()

    def begin(self):
        self.end()
        (self._folder / "names").write_text("".join(f"{address} {host}\n" for host, addresses in self._hosts.items()
                                                    for address in addresses))
        settings = self._folder / "dnsmasq.conf"
        settings.write_text("\n".join([
            "port=53", f"listen-address={self._address}", "bind-interfaces", "no-resolv", "no-hosts", "no-ping",
            f"addn-hosts={self._folder / 'names'}", f"local-ttl={self._ttl}", "local=/test/", "user=root",
            "no-negcache", *self._more, ""]))
        self._process = subprocess.Popen(["dnsmasq", "--keep-in-foreground", f"--conf-file={settings}", "--pid-file="],
                                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        until = time.monotonic() + 20
        while not self._answers():
            assert self._process.poll() is None, self._process.stderr.read()
            assert time.monotonic() < until, "dnsmasq does not answer"

    def _answers(self):
        # A question for the root's name servers, which it refuses: any answer will do.
        question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.1)
            try:
                asking.sendto(question, (self._address, 53))
                return bool(asking.recv(512))
            except OSError:
                return False

    def end(self):
        if self._process is None:
            return
        self._process.terminate()
        self._process.wait(10)
        self._process.stderr.close()
        self._process = None


class SilentNameServer:
    """It takes questions and answers none, for as long as the `with` lasts."""

    def __init__(self, folder):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        address = free_address()
        self._socket.bind((address, 53))
        resolv, switch = folder / "resolv.conf", folder / "nsswitch.conf"
        resolv.write_text(f"nameserver {address}\noptions timeout:5 attempts:3\n")
        switch.write_text("hosts: files dns\n")
        self.wrapper = own_files({"/etc/resolv.conf": resolv, "/etc/nsswitch.conf": switch})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
