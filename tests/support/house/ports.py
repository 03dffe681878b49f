"""Free loopback ports for servers that must be told theirs."""

import socket


def free_ports(count):
    """All held open until the last is known, so that they differ."""
    held = []
    try:
        for _ in range(count):
            sock = socket.socket()
            sock.bind(("127.0.0.1", 0))
            held.append(sock)
        return [sock.getsockname()[1] for sock in held]
    finally:
        for sock in held:
            sock.close()
