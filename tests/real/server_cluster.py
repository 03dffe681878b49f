"""Processes of a real OpenBao or Vault on loopback, TLS with one common host name in all certificates. Its heirs say what
the nodes keep their data in."""

import os
import pathlib
import subprocess
import time

from house.asked_cluster import AskedCluster
from house.certificates import Certificates
from house.ports import free_ports
from house.processes import Process
from house.waiting import wait_until
from house.web import Tls

# One attribute per line: HCL1 wants it so.
CONFIG = """
{storage}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  tls_cert_file = "{cert}"
  tls_key_file = "{key}"
}}
api_addr = "https://127.0.0.1:{port}"
cluster_addr = "https://127.0.0.1:{cluster_port}"
disable_mlock = true
{seal}
"""

FIRST_GROUP = 61001

# A killed node with a static seal comes back by itself; Vault has none, its nodes are unsealed by a call.
STATIC_SEAL = """seal "static" {{
  current_key_id = "k1"
  current_key = "file://{key}"
}}"""


class ServerNode:
    def __init__(self, index, folder, port, cluster_port):
        self.index = index
        self.name = f"n{index + 1}"
        self.folder = folder
        self.port = port
        self.cluster_port = cluster_port
        self.url = f"https://127.0.0.1:{port}"
        self.process = None
        # Of its own, so that packet filters can tell whose packets are whose; only root may give it away.
        self.group = FIRST_GROUP + index if os.geteuid() == 0 else None


class ServerCluster(AskedCluster):
    """Heirs have `kind`, _storage(node) and _wait_for_members()."""

    ask_every = 0.05
    recovers_by_itself_after_seal = False

    def __init__(self, server, folder, size=3):
        self.server = server
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificates = Certificates(self.folder / "tls")
        self.tls = Tls(self.certificates.ca_file, self.certificates.common_name)
        ports = free_ports(2 * size)
        self.nodes = [ServerNode(i, self.folder / f"n{i + 1}", ports[2 * i], ports[2 * i + 1]) for i in range(size)]
        self.token = ""
        self._unseal_key = None
        self._stepped_down = 0.0
        self._seal_key_file = self.folder / "unseal.key"
        self._seal_key_file.write_bytes(os.urandom(32))
        for node in self.nodes:
            self._write_config(node)

    # life

    def start(self):
        self._start_node(self.nodes[0])
        self._init()
        for node in self.nodes[1:]:
            self._start_node(node)
        for node in self.nodes:
            self._unseal_when_needed(node)
        self._wait_for_members()
        self._enable_kv()
        return self

    def end(self):
        for node in self.nodes:
            if node.process is not None:
                node.process.kill()
                node.process.end()

    def logs(self):
        return "".join(f"--- {node.name}\n{node.process.log()[-4000:]}" for node in self.nodes if node.process)

    def heal(self):
        """Every node runs, is unsealed and agrees on one leader again: the state each test starts from."""
        self.mend_network()
        for node in self.nodes:
            node.process.thaw()
            if not node.process.is_running():
                self.restart(node.index)
            elif self._is_sealed(node):
                self.recover_from_seal(node.index)
        wait_until(self._all_follow_one_leader, 60, "three unsealed nodes that agree on a leader", every=0.1)

    # faults

    def kill(self, index):
        self.nodes[index].process.kill()

    def terminate(self, index):
        """OpenBao 2.6.2 was once seen not to end within 30 s, its teardown done: a service manager kills it then."""
        process = self.nodes[index].process
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()

    def freeze(self, index):
        self.nodes[index].process.freeze()

    def thaw(self, index):
        self.nodes[index].process.thaw()

    def step_down(self, index):
        answer = self.call(index, "PUT", "/v1/sys/step-down")
        assert answer.status == 204, answer
        self._stepped_down = time.monotonic()

    def wait_for_candidates(self):
        """A node that stepped down does not stand again for 10 s (manualStepDownSleepPeriod of vault/core.go); until
        then the next step-down may find nobody."""
        wait_until(lambda: time.monotonic() - self._stepped_down >= 10.5, 15, "the last one that stepped down to stand again")

    def change_leader(self):
        """A step-down that is sure to find another node, and the new leader."""
        self.wait_for_candidates()
        old = self.wait_for_leader()
        self.step_down(old)
        return self.wait_for_leader(other_than=old)

    def seal(self, index):
        """OpenBao 2.6.2 was seen to hang in it as it does in terminate(). True: it did, and was killed."""
        try:
            answer = self.call(index, "PUT", "/v1/sys/seal")
        except TimeoutError:
            self.kill(index)
            return True
        assert answer.status == 204, answer
        return False

    def recover_from_seal(self, index):
        """OpenBao with a static seal must be started again; Vault takes its key."""
        if self.server.is_openbao:
            self.terminate(index)
            self.restart(index)
        else:
            self._unseal_when_needed(self.nodes[index])

    def restart(self, index):
        node = self.nodes[index]
        self._start_node(node)
        self._unseal_when_needed(node)

    # inside

    def _write_config(self, node):
        node.folder.mkdir()
        cert, key = self.certificates.issue(node.name)
        seal = STATIC_SEAL.format(key=self._seal_key_file) if self.server.is_openbao else ""
        (node.folder / "server.hcl").write_text(CONFIG.format(
            storage=self._storage(node), port=node.port, cluster_port=node.cluster_port, cert=cert, key=key, seal=seal), encoding="utf-8")

    def _start_node(self, node):
        node.process = Process(f"server {node.name}", [self.server.path, "server", "-config", node.folder / "server.hcl"],
                               node.folder / "server.log", cwd=node.folder, group=node.group)
        wait_until(lambda: self.health(node.index) or self._fail_if_gone(node), 30, f"{node.name} to answer")

    @staticmethod
    def _fail_if_gone(node):
        if not node.process.is_running():
            raise AssertionError(f"{node.name} ended with {node.process.exit_code()}:\n{node.process.log()[-4000:]}")
        return False

    def _init(self):
        shares = "recovery" if self.server.is_openbao else "secret"
        answer = self.call(0, "PUT", "/v1/sys/init", {f"{shares}_shares": 1, f"{shares}_threshold": 1}, timeout=60)
        assert answer.status == 200, answer
        said = answer.json()
        self.token = said["root_token"]
        if not self.server.is_openbao:
            self._unseal_key = said["keys_base64"][0]
        self._unseal_when_needed(self.nodes[0])
        wait_until(lambda: self.health(0) == 200, 60, "the first node to become active")

    def _is_sealed(self, node):
        return self.health(node.index) in (0, 501, 503)

    def _unseal_when_needed(self, node):
        def unsealed():
            if self._unseal_key is not None and self.health(node.index) == 503:
                self.call(node.index, "PUT", "/v1/sys/unseal", {"key": self._unseal_key})
            return not self._is_sealed(node)

        wait_until(unsealed, 90, f"{node.name} to be unsealed", every=0.2)

    def _enable_kv(self):
        answer = self.call(0, "POST", "/v1/sys/mounts/secret", {"type": "kv", "options": {"version": "2"}})
        assert answer.status == 204, answer

        def writable():
            return self.call(0, "POST", "/v1/secret/data/ready", {"data": {"ready": "yes"}}).status == 200

        wait_until(writable, 30, "the new kv store to take writes", every=0.2)

    def _all_follow_one_leader(self):
        now = self.leader()
        if now is None or any(self.health(node.index) != 429 for node in self.nodes if node.index != now):
            return False
        named = {self.call(node.index, "GET", "/v1/sys/leader").json()["leader_address"] for node in self.nodes}
        return named == {self.nodes[now].url}
