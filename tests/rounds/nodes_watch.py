"""Asks the nodes themselves, past any proxy, when a new one leads: the clock that added delay is measured by.

In a process of its own: the clients that a new leader wakes up would delay it."""

import http.client
import json
import pathlib
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from house.waiting import wait_until  # noqa: E402
from house.web import Tls, connection, send  # noqa: E402


class NodesWatch:
    """From begin(): the moment at which each node first says 200 in answer to a request sent after that.

    The old leader's word counts only once it has said otherwise: it may be elected again, but until then it is the old."""

    def __init__(self, cluster, old, every=0.005):
        what = {"urls": {node.index: node.url for node in cluster.nodes}, "old": old, "every": every,
                "tls": [cluster.tls.ca_file, cluster.tls.server_name] if cluster.tls else None}
        self._lock = threading.Lock()
        self._claims = {}
        self._is_ready = threading.Event()
        self._child = subprocess.Popen([sys.executable, __file__, json.dumps(what)], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_until(self._is_ready.is_set, 20, "the watch over the nodes")

    def begin(self):
        self._child.stdin.write("begin\n")
        self._child.stdin.flush()

    def first_claim(self):
        """(node index, when) or None."""
        with self._lock:
            return min(self._claims.items(), key=lambda claim: claim[1]) if self._claims else None

    def stop(self):
        self._child.stdin.close()
        self._child.wait(10)
        self._reader.join(10)

    def _read(self):
        with self._child.stdout as lines:
            for line in lines:
                if line == "ready\n":
                    self._is_ready.set()
                    continue
                index, when = line.split()
                with self._lock:
                    self._claims.setdefault(int(index), float(when))


def watch(url, tls, counts, every, has_begun, on_first_word, on_claim):
    """Until the node claims, if its word counts already. The steady clock is one for all processes."""
    conn, is_new = None, True
    while True:
        try:
            conn = conn or connection(url, tls, 5)
            begun = has_begun.is_set()
            status = send(conn, "GET", "/v1/sys/health").status
            if status == 200 and counts and begun:
                on_claim(time.monotonic())
                break
            counts = counts or (begun and status != 200)
        except (OSError, http.client.HTTPException):
            if conn is not None:
                conn.close()
            conn = None
        if is_new:
            on_first_word()
            is_new = False
        time.sleep(every)
    conn.close()


def main(what):
    tls = Tls(*what["tls"]) if what["tls"] else None
    heard, has_begun = threading.Semaphore(0), threading.Event()
    say_lock = threading.Lock()

    def say(text):
        with say_lock:
            print(text, flush=True)

    for index, url in what["urls"].items():
        def claim(when, index=index):
            say(f"{index} {when}")

        how = (url, tls, index != str(what["old"]), what["every"], has_begun, heard.release, claim)
        threading.Thread(target=watch, args=how, daemon=True).start()
    for _ in what["urls"]:
        heard.acquire()
    say("ready")
    if sys.stdin.readline():
        has_begun.set()
    sys.stdin.read()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
