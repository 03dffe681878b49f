"""Asks the nodes themselves, past any proxy, when a new one leads: the clock that added delay is measured by."""

import http.client
import threading
import time

from house.web import connection, send


class NodesWatch:
    """From its start: the moment at which each node first says 200 in answer to a request sent after that start."""

    def __init__(self, cluster, without, every=0.005):
        self._cluster, self._every = cluster, every
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._claims = {}
        self._threads = [threading.Thread(target=self._ask, args=(node.index,), daemon=True)
                         for node in cluster.nodes if node.index != without]
        for thread in self._threads:
            thread.start()

    def first_claim(self):
        """(node index, when) or None."""
        with self._lock:
            return min(self._claims.items(), key=lambda claim: claim[1]) if self._claims else None

    def stop(self):
        self._end.set()
        for thread in self._threads:
            thread.join(10)

    def _ask(self, index):
        conn = None
        while not self._end.is_set():
            try:
                conn = conn or connection(self._cluster.nodes[index].url, self._cluster.tls, 5)
                if send(conn, "GET", "/v1/sys/health").status == 200:
                    with self._lock:
                        self._claims.setdefault(index, time.monotonic())
                    break
            except (OSError, http.client.HTTPException):
                if conn is not None:
                    conn.close()
                conn = None
            self._end.wait(self._every)
        if conn is not None:
            conn.close()
