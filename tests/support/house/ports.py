"""Free loopback ports for servers that must be told theirs."""

import pathlib
import random
import socket

_LOWEST = 10240


def _beside_ephemeral():
    """Ports that the kernel gives to nobody: what asks for any port, or connects to somewhere, does not take one of them."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()[0])
    return range(_LOWEST, first) if first - _LOWEST > 1000 else range(_LOWEST, 65536)


def free_ports(count):
    """All held open until the last is known, so that they differ. Others that run beside this hold none of them later on,
    unless they draw the same number."""
    held = []
    try:
        for port in random.sample(_beside_ephemeral(), 1000):
            sock = socket.socket()
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                sock.close()
                continue
            held.append(sock)
            if len(held) == count:
                return [each.getsockname()[1] for each in held]
        raise AssertionError(f"no {count} ports are free")
    finally:
        for sock in held:
            sock.close()
