"""Packets on loopback that get lost, by a table of our own in nftables. Needs root."""

import os
import re
import shutil
import subprocess

HOW_TO_GET_ONE = "needs root and nftables (Debian: apt-get install nftables)"


def is_possible():
    return os.geteuid() == 0 and shutil.which("nft") is not None and _nft("list tables", check=False).returncode == 0


def _nft(script, check=True):
    done = subprocess.run(["nft", "-f", "-"], input=script + "\n", capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"nft: {done.stderr}\n{script}"
    return done


class Firewall:
    """`client`: an address on loopback that is ours alone, for who shall be kept away from a port.

    What it dropped is silent, as a network that fails is: nobody is told. end() it, else its rules stay in the kernel."""

    def __init__(self):
        self._table = f"bellwether_rounds_{os.getpid()}"
        self.client = f"127.{64 + (os.getpid() >> 14) % 64}.{(os.getpid() >> 6) % 256}.{os.getpid() % 64 + 1}"

    def start(self):
        _nft(f"table ip {self._table} {{\n chain out {{\n type filter hook output priority 0\n }}\n}}")
        return self

    def end(self):
        _nft(f"delete table ip {self._table}")

    def drop(self, *matches):
        """Each is a match of nftables."""
        _nft("\n".join(f"add rule ip {self._table} out {match} counter drop" for match in matches))

    def hide_from_client(self, port):
        """Both ways."""
        self.drop(f"ip saddr {self.client} tcp dport {port}", f"ip daddr {self.client} tcp sport {port}")

    def lose_for_client(self, port, share):
        """Both ways, and so much of it by chance, more than 0 and less than 1: who sends again gets through, late."""
        lost = f"numgen random mod 1000 < {round(share * 1000)}"
        self.drop(f"ip saddr {self.client} tcp dport {port} {lost}", f"ip daddr {self.client} tcp sport {port} {lost}")

    def dropped(self):
        """How many packets, by the rules that there are now."""
        listed = subprocess.run(["nft", "list", "table", "ip", self._table], capture_output=True, text=True, check=True)
        return sum(map(int, re.findall(r"counter packets (\d+)", listed.stdout)))

    def clear(self):
        _nft(f"flush chain ip {self._table} out")
