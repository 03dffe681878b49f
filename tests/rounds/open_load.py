"""Requests that are sent when they are due, whether or not earlier ones were answered."""

import concurrent.futures
import threading
import time

from history import Outcome
from house.waiting import wait_until
from load import Entry


class OpenLoad:
    """`rate` requests a second, in turn a write and a read of an entry. Each is made through an entry that waits for
    nothing; there are as many entries as were ever needed at once. `settings` are those of Entry."""

    MOST = 4000  # entries: what a proxy may leave unanswered

    def __init__(self, history, rate, name, **settings):
        self.history = history
        self._rate, self._name, self._settings = rate, name, settings
        self._lock = threading.Lock()
        self._free, self._turns, self._entries = [], {}, []
        self._busy_since = {}
        self._end = threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor(self.MOST)
        self._clock = threading.Thread(target=self._send_when_due, daemon=True)
        self.sent = 0
        self.missed = 0  # due, but too many are unanswered

    def start(self):
        self._clock.start()
        self.wait_for_progress(5, 30)

    def wait_for_progress(self, requests=3, patience=60):
        since = time.monotonic()
        wait_until(lambda: self._answered(since) >= requests, patience, f"{requests} answered requests")

    def wait_until_quiet(self, seconds=1.0, patience=20):
        """For that long nothing has failed, and nothing waits for longer than a moment."""
        begun = time.monotonic()

        def is_quiet():
            now = time.monotonic()
            with self._lock:
                oldest = min(self._busy_since.values(), default=now)
            return now - begun >= seconds and now - oldest < 0.3 and not self.history.errors(since=now - seconds)

        wait_until(is_quiet, patience, "an end of errors and stalls")

    def stop(self):
        """All have been answered, and each entry that was used has been looked at for the last time."""
        self._end.set()
        self._clock.join()
        self._pool.shutdown()
        for entry in self._entries:
            entry.last_look()

    def _answered(self, since):
        return sum(one.outcome is Outcome.OK for one in self.history.exchanges(since))

    def _send_when_due(self):
        due = time.monotonic()
        while not self._end.is_set():
            due += 1 / self._rate
            pause = due - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            entry = self._take()
            if entry is None:
                self.missed += 1
            else:
                self._pool.submit(self._ask, entry)
                self.sent += 1

    def _take(self):
        with self._lock:
            if self._free:
                return self._free.pop()
            if len(self._entries) == self.MOST:
                return None
            entry = Entry(f"{self._name}-{len(self._entries)}", history=self.history, **self._settings)
            self._entries.append(entry)
            return entry

    def _ask(self, entry):
        with self._lock:
            self._busy_since[entry.name] = time.monotonic()
            turn = self._turns[entry.name] = self._turns.get(entry.name, 0) + 1
        try:
            entry.write() if turn % 2 else entry.read()
        finally:
            with self._lock:
                del self._busy_since[entry.name]
                self._free.append(entry)
