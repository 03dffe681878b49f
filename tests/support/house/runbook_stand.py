"""Three machines of the runbook, made of a cluster, Bellwether and clients of it."""

import json
import pathlib
import threading

from . import runbook
from .bellwether import Bellwether
from .ports import free_ports
from .web import connection, send

NAMES = ["vault1", "vault2", "vault3"]


class Client:
    """Writes and reads back on a kept connection, one request at a time, until it is told to stop."""

    def __init__(self, name, url, token):
        self.name, self.done, self.failures = name, 0, []
        self._url, self._token = url, token
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def stop(self):
        self._stop.set()
        self._thread.join()

    def _work(self):
        conn = None
        while not self._stop.wait(0.005):
            try:
                conn = conn or connection(self._url, timeout=60)
                self._write_and_read(conn)
                self.done += 1
            except (OSError, AssertionError) as error:
                self.failures.append(repr(error))
                conn = None
        if conn is not None:
            conn.close()

    def _write_and_read(self, conn):
        path, headers = f"/v1/secret/data/{self.name}", {"X-Vault-Token": self._token}
        wrote = send(conn, "PUT", path, {"data": {"n": self.done}}, headers)
        assert wrote.status == 200, wrote
        read = send(conn, "GET", path, None, headers)
        assert read.status == 200 and read.json()["data"]["data"]["n"] == self.done, read


class Stand:
    """A cluster, Bellwether before it in http mode, and the commands of the page. Its nodes unseal themselves."""

    def __init__(self, folder, cluster):
        self.folder, self.cluster = pathlib.Path(folder), cluster
        self._listen, self._admin = (f"127.0.0.1:{port}" for port in free_ports(2))
        self.url = f"http://{self._listen}"
        control = str(self.folder / "control.sock")
        config = {"listen": self._listen, "admin": self._admin, "mode": "http", "control": control,
                  "nodes": [{"name": name, "url": url} for name, url in zip(NAMES, cluster.urls)]}
        if cluster.tls:
            config.update(ca_file=cluster.tls.ca_file, server_name=cluster.tls.server_name)
        self.config_file = self.folder / "bellwether.json"
        self.config_file.write_text(json.dumps(config), encoding="utf-8")
        self.proxies = []
        self._start_bellwether()
        ssh = f"ssh ({'|'.join(NAMES)})"
        self.desk = runbook.Desk(self.folder / "bin", [
            (f"{ssh} systemctl stop openbao", lambda name: self.stop_node(NAMES.index(name))),
            (f"{ssh} systemctl start openbao", lambda name: self.start_node(NAMES.index(name))),
            (f"{ssh} systemctl restart openbao", lambda name: self._restart_node(NAMES.index(name))),
            (f"{ssh} apt-get install -y --only-upgrade openbao", lambda name: None),
            ("bao operator unseal", lambda address: self.unseal(self._index(address))),
            ("bao operator step-down", self._step_down),
            ("apt-get install -y --only-upgrade bellwether", lambda: None),
        ], {"BELLWETHER_ADMIN": self._admin, "BELLWETHER_CONTROL": control})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.desk.close()
        for proxy in self.proxies:
            proxy.end()
            proxy.process.expect_no_sanitizer_report()

    @property
    def proxy(self):
        return self.proxies[-1]

    def execute(self, heading, leave_out=None):
        """A section of the page, but for lines that `leave_out` says. Returns the failovers, the newest first."""
        blocks = runbook.sections()[heading]
        if leave_out:
            blocks = [("".join(line for line in commands.splitlines(True) if not leave_out(line)), expected)
                      for commands, expected in blocks]
        for (commands, expected), got in zip(blocks, self.desk.execute(blocks), strict=True):
            assert expected is None or runbook.matches(expected, got), f"{commands}\nsaid\n{got}\ninstead of\n{expected}"
        return self.proxy.get("/failovers").json()["failovers"]

    def stop_node(self, index):
        self.cluster.terminate(index)

    def start_node(self, index):
        self.cluster.restart(index)

    def unseal(self, index):
        raise AssertionError(f"{NAMES[index]} unseals itself")

    def _restart_node(self, index):
        self.stop_node(index)
        self.start_node(index)

    def _step_down(self, address):
        self.cluster.step_down(self._index(address))
        return f"Success! Stepped down: {address}\n"

    @staticmethod
    def _index(address):
        assert address.startswith("https://") and address.endswith(":8200"), address
        return NAMES.index(address[len("https://"):-len(":8200")])

    def _start_bellwether(self):
        made = Bellwether(self.folder, ["-f", self.config_file], env={"BELLWETHER_CONTROL": ""},
                          name=f"bellwether{len(self.proxies)}")
        self.proxies.append(made)
        made.wait_ready()
