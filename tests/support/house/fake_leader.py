#!/usr/bin/python3
"""One node that always says it is the active one, and echoes the bytes of who begins with ECHO.

Run as a program of its own, so that its memory and time are nobody else's; prints its port. For what the simulated
cluster is too polite for: thousands of idle connections, gigabytes both ways, abrupt ends.
"""

import json
import resource
import selectors
import socket
import threading

HEALTH = json.dumps({
    "initialized": True, "sealed": False, "standby": False, "replication_performance_mode": "primary",
    "replication_dr_mode": "disabled", "server_time_utc": 1795224000, "version": "2.6.2", "cluster_name": "fake",
    "cluster_id": "11111111-2222-3333-4444-555555555555"}).encode()
LEADER = json.dumps({"ha_enabled": True, "is_self": True, "leader_address": "", "leader_cluster_address": ""}).encode()


def answer(body):
    return (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)) + body


def echo(conn, first):
    buffer = bytearray(1 << 20)
    view = memoryview(buffer)
    try:
        conn.sendall(first)
        while count := conn.recv_into(view):
            conn.sendall(view[:count])
        conn.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    conn.close()


def serve(listener):
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                conn, _ = listener.accept()
                selector.register(conn, selectors.EVENT_READ)
                continue
            conn = key.fileobj
            try:
                data = conn.recv(65536)
            except OSError:
                data = b""
            if data.startswith(b"GET "):
                conn.sendall(answer(LEADER if b"/sys/leader" in data else HEALTH))
                continue
            selector.unregister(conn)
            if data:
                threading.Thread(target=echo, args=(conn, data), daemon=True).start()
            else:
                conn.close()


def main():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print("port", listener.getsockname()[1], flush=True)
    serve(listener)


if __name__ == "__main__":
    main()
