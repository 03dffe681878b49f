"""A PostgreSQL of our own, from Debian's package: data, socket and port are nobody else's."""

import contextlib
import os
import pathlib
import pwd
import signal
import subprocess

from house.ports import free_ports
from house.processes import Process
from house.waiting import wait_until

HOW_TO_GET_ONE = "Install Debian's postgresql package (./dev install-deps rounds)."


def programs():
    """The folder of the newest initdb and postgres, or None."""
    found = [path.parent for path in pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda path: float(path.parent.name)) if found else None


class WithPostgresql:
    """Of a cluster: a PostgreSQL of its own that runs for as long as it does."""

    def __init__(self, server, folder, *sizes):
        self.database = Postgresql(pathlib.Path(folder) / "postgresql")
        super().__init__(server, folder, *sizes)

    def start(self):
        self.database.start()
        return super().start()

    def end(self):
        super().end()
        self.database.end()


class Postgresql:
    """PostgreSQL refuses to run as root: then it is its package's user who runs it."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = free_ports(1)[0]
        self.url = f"postgres://vault@127.0.0.1:{self.port}/postgres?sslmode=disable"
        self._bin = programs()
        self._as = {}
        self._process = None

    def start(self):
        self.folder.mkdir(parents=True)
        self._hand_over_when_root()
        made = subprocess.run([
            self._bin / "initdb", "-D", self.folder / "data", "-U", "vault", "--auth=trust", "-E", "UTF8", "--locale=C",
            "--no-sync"], check=False, capture_output=True, text=True, cwd=self.folder, **self._as)
        assert made.returncode == 0, made.stderr
        self._process = Process("postgresql", [
            self._bin / "postgres", "-D", self.folder / "data", "-h", "127.0.0.1", "-p", self.port, "-k", self.folder,
            # A node that is stopped in the middle of a transaction would keep the lock from all others for good.
            "-c", "idle_in_transaction_session_timeout=2s"],
            self.folder / "postgresql.log", cwd=self.folder, **self._as)
        self._process.expect_log("ready to accept connections", 30)

    def end(self):
        if self._process is None:
            return
        self.thaw()
        self._process.send(signal.SIGINT)  # "fast": SIGTERM would wait for the clients
        wait_until(lambda: not self._process.is_running(), 20, "PostgreSQL to end")
        self._process.end()

    def freeze(self):
        """The first one first: it can start no other then."""
        self._process.freeze()
        self._send_to_children(signal.SIGSTOP)

    def thaw(self):
        self._send_to_children(signal.SIGCONT)
        self._process.thaw()

    def log(self):
        return self._process.log() if self._process else ""

    def _hand_over_when_root(self):
        if os.geteuid() != 0:
            return
        user = pwd.getpwnam("postgres")
        self._as = {"user": user.pw_uid, "group": user.pw_gid}
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        closed = [above for above in self.folder.resolve().parents if not above.stat().st_mode & 0o001]
        if closed:
            raise PermissionError(f"the user postgres, who must run PostgreSQL, may not pass through {closed[0]}")

    def _send_to_children(self, number):
        for pid in self._children():
            with contextlib.suppress(ProcessLookupError):  # one that ends meanwhile
                os.kill(pid, number)

    def _children(self):
        """Each backend is a child of the first process, in a session of its own."""
        pid = self._process.pid
        try:
            return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
        except FileNotFoundError:
            return []
