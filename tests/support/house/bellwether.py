"""The program under test, as its users run it: a process, its log, its admin endpoints."""

import os
import re
import shlex

from .processes import Process, end_by_pid
from .waiting import wait_until
from .web import request

# Ports of the kernel's choice, which the log names.
LOOPBACK = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def repository_root():
    return _ROOT


def binary():
    """BELLWETHER_BINARY, set by ctest and ./dev; by hand: the sanitized build."""
    return os.environ.get("BELLWETHER_BINARY") or os.path.join(_ROOT, "build/dev/bin/bellwether")


def is_sanitized():
    """Sanitizers multiply memory and time: limits are only checked without."""
    with open(binary(), "rb") as file:
        head = file.read()
    return b"__asan_init" in head or b"__tsan_init" in head


class LogLine:
    """2026-11-21T03:42:00.123Z INFO  leader_changed node=n2 epoch=4"""

    _SHAPE = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) +([A-Z]+) +(\w+) ?(.*)$")

    def __init__(self, time, level, event, fields):
        self.time, self.level, self.event, self.fields = time, level, event, fields

    @classmethod
    def parse(cls, line):
        """None for a line that is not ours (a sanitizer's, say)."""
        match = cls._SHAPE.match(line)
        if not match:
            return None
        try:
            words = shlex.split(match.group(4))
        except ValueError:
            words = match.group(4).split()
        return cls(match.group(1), match.group(2), match.group(3),
                   dict(word.split("=", 1) for word in words if "=" in word))

    def __repr__(self):
        return f"{self.level} {self.event} {self.fields}"


class Metrics:
    """One scrape in the text format."""

    _SAMPLE = re.compile(r'^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')
    _LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text):
        self.text = text
        self.types = {}
        self.helps = {}
        self.samples = []
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ", 3)
                self.types[name] = kind
            elif line.startswith("# HELP "):
                _, _, name, help_text = line.split(" ", 3)
                self.helps[name] = help_text
            elif line and not line.startswith("#"):
                match = self._SAMPLE.match(line)
                assert match, f"not a sample: {line!r}"
                self.samples.append((match.group(1), dict(self._LABEL.findall(match.group(2) or "")), float(match.group(3))))

    def all(self, name, **labels):
        return [(own, value) for sample, own, value in self.samples
                if sample == name and all(own.get(key) == wanted for key, wanted in labels.items())]

    def sum(self, name, **labels):
        return sum(value for _, value in self.all(name, **labels))

    def leader(self):
        named = [labels["node"] for labels, value in self.all("bellwether_leader_info") if value == 1]
        assert len(named) <= 1, f"two leaders in one scrape: {named}"
        return named[0] if named else None


class Bellwether:
    """`bellwether run` (or `dev`) on ports of the kernel's choice. end() it, or use it in a `with`."""

    def __init__(self, folder, words, command="run", env=None, name="bellwether", wrapper=(), pass_fds=()):
        """`wrapper`: words before ours, of a program that becomes the one it is given."""
        self.process = Process(name, [*wrapper, binary(), command, *words], os.path.join(str(folder), f"{name}.log"),
                               env={"BELLWETHER_CONTROL": "off", **(env or {})}, pass_fds=pass_fds)
        self.pid = self.process.pid
        self._addresses = {}

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.end()
        if kind is None:
            self.process.expect_no_sanitizer_report()

    def end(self):
        code = self.process.end(patience=40)
        for pid in self.successors():
            end_by_pid(pid, binary())
        return code

    def successors(self):
        """The processes that have taken its place, by its log: the last one serves."""
        return [int(line.fields["pid"]) for line in self.events("upgraded")]

    # what it logged

    def log(self):
        return self.process.log()

    def events(self, event=None):
        lines = [LogLine.parse(line) for line in self.log().splitlines()]
        return [line for line in lines if line and (event is None or line.event == event)]

    def _listening(self):
        if not self.process.is_running():
            raise AssertionError(f"bellwether ended with {self.process.exit_code()}:\n{self.log()}")
        return self.events("listening")

    def _address(self, wanted, what):
        """Looked for in the log once: it may grow by a line for each request."""
        if what not in self._addresses:
            self._addresses[what] = self._address_in_log(wanted, what)
        return self._addresses[what]

    def _address_in_log(self, wanted, what):
        found = wait_until(lambda: [line for line in self._listening() if wanted(line.fields.get("mode"))], 20, what)
        return found[0].fields["address"]

    @property
    def address(self):
        """host:port of the first listener for clients."""
        return self._address(lambda mode: mode in ("tcp", "http", "redirect"), "a listener for clients")

    @property
    def addresses(self):
        """host:port of each listener for clients, in the order of the configuration."""
        lines = wait_until(self._listening, 20, "the listeners")
        return [line.fields["address"] for line in lines if line.fields["mode"] in ("tcp", "http", "redirect")]

    @property
    def admin(self):
        return "http://" + self._address(lambda mode: mode == "admin", "the admin listener")

    # what it says

    def get(self, path, timeout=5):
        return request(self.admin + path, timeout=timeout)

    def status(self):
        answer = self.get("/status")
        assert answer.status == 200, answer
        return answer.json()

    def metrics(self):
        answer = self.get("/metrics")
        assert answer.status == 200, answer
        return Metrics(answer.text())

    def is_ready(self):
        return self.get("/readyz").status == 200

    def wait_ready(self, timeout=30):
        wait_until(self.is_ready, timeout, "bellwether to be ready")
        return self

    def leader_by_status(self):
        leader = self.status().get("leader")
        return leader["name"] if leader else None

    def leader_by_metrics(self):
        return self.metrics().leader()

    def leader_by_log(self):
        """As the log tells it to who reads it from the start."""
        leader = None
        for line in self.events():
            if line.event == "leader_changed":
                leader = line.fields["node"]
            elif line.event == "leader_lost":
                leader = None
        return leader
