"""Asks the nodes themselves, past any proxy, when a new one leads: the clock that added delay is measured by."""

import http.client
import threading
import time

from house.web import connection, send


class NodesWatch:
    """From its start: the moment at which each node first says 200 in answer to a request sent after that start.

    The old leader's word counts only once it has said otherwise: it may be elected again, but until then it is the old."""

    def __init__(self, cluster, old, every=0.005):
        self._cluster, self._old, self._every = cluster, old, every
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._claims = {}
        self._threads = [threading.Thread(target=self._ask, args=(node.index,), daemon=True)
                         for node in cluster.nodes]
        for thread in self._threads:
            thread.start()

    def first_claim(self):
        """(node index, when) or None."""
        with self._lock:
            return min(self._claims.items(), key=lambda claim: claim[1]) if self._claims else None

    def stop(self):
        """The old leader may be frozen: the thread that asks it ends by itself."""
        self._end.set()
        for index, thread in enumerate(self._threads):
            if index != self._old:
                thread.join(10)

    def _ask(self, index):
        conn = None
        counts = index != self._old
        while not self._end.is_set():
            try:
                conn = conn or connection(self._cluster.nodes[index].url, self._cluster.tls, 5)
                status = send(conn, "GET", "/v1/sys/health").status
                if status == 200 and counts:
                    with self._lock:
                        self._claims.setdefault(index, time.monotonic())
                    break
                counts = counts or status != 200
            except (OSError, http.client.HTTPException):
                if conn is not None:
                    conn.close()
                conn = None
            self._end.wait(self._every)
        if conn is not None:
            conn.close()
