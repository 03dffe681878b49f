"""As loop.go, by hvac with the pool of its session.

Usage: loop.py hvac URL CA_FILE SERVER_NAME NAME, with the token in BENCH_TOKEN; ends when standard input does.
"""
import json
import os
import pathlib
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "tests/real")]

from house.web import Tls  # noqa: E402


class Hvac:
    def __init__(self, url, tls, name, token):
        import requests
        from clients import HvacClient
        import hvac.exceptions
        self._errors = (hvac.exceptions.VaultError, requests.RequestException)
        self._kv = HvacClient(url, tls, token)._client.secrets.kv.v2
        self._name = name

    def _call(self, what):
        try:
            return 200, "", what()
        except self._errors as error:
            # hvac tells a status by the class of its exception.
            return (0 if "requests" in type(error).__module__ else 500), f"{type(error).__name__} {error}", None

    def write(self, number):
        status, said, _ = self._call(lambda: self._kv.create_or_update_secret(
            path=self._name, secret={"number": number}, mount_point="secret"))
        return status, said

    def read(self):
        status, said, found = self._call(lambda: self._kv.read_secret_version(
            path=self._name, mount_point="secret"))
        return status, said, found["data"]["data"]["number"] if found else 0


def main():
    _, url, ca_file, server_name, name = sys.argv[1:]
    client = Hvac(url, Tls(ca_file, server_name), name, os.environ["BENCH_TOKEN"])
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()

    def tell(op, number, begun, status, said):
        print(json.dumps({"op": op, "number": number, "begun": begun, "ended": time.time(), "status": status,
                          "said": said if status != 200 else ""}), flush=True)

    acknowledged = 0
    while not ended.is_set():
        number, begun = acknowledged + 1, time.time()
        status, said = client.write(number)
        if status == 200:
            acknowledged = number
        tell("write", number, begun, status, said)
        begun = time.time()
        status, said, found = client.read()
        tell("read", found, begun, status, said)


main()
