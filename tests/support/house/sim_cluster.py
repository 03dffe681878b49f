"""The simulated cluster behind the interface of RealCluster, so that the same scenarios hold both to one behaviour."""

import contextlib
import json
import pathlib

from .asked_cluster import AskedCluster
from .bellwether import binary
from .certificates import Certificates
from .processes import Process
from .waiting import wait_until
from .web import Tls, request


class SimNode:
    def __init__(self, index, url):
        self.index = index
        self.name = f"n{index + 1}"
        self.url = url


class SimCluster(AskedCluster):
    kind = "sim"
    can_cut_off = True

    def __init__(self, folder, tls=True, words=(), dns_names=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tls = None
        self._words = ["--control", "127.0.0.1:0", *words]
        if tls:
            certificates = Certificates(self.folder / "tls")
            self.tls = Tls(certificates.ca_file, certificates.common_name)
            cert, key = certificates.issue("node", dns_names=[certificates.common_name, *dns_names])
            self._words += ["--tls-cert", cert, "--tls-key", key]
        self.nodes = []
        self.token = ""
        self._process = None
        self._control = None

    @classmethod
    @contextlib.contextmanager
    def running(cls, folder, tls=True, words=(), dns_names=()):
        made = cls(folder, tls, words, dns_names)
        try:
            yield made.start()
        finally:
            made.end()

    def start(self):
        self._process = Process("sim", [binary(), "sim", *self._words], self.folder / "sim.log")
        self._process.expect_log("}")
        said = json.loads(next(line for line in self._process.log().splitlines() if line.startswith("{")))
        self._control, self.token = said["control"], said["root_token"]
        self.nodes = [SimNode(i, url) for i, url in enumerate(said["urls"])]
        self.wait_for_leader()
        return self

    def end(self):
        self._process.end()
        self._process.expect_no_sanitizer_report()

    def logs(self):
        return self._process.log()[-4000:]

    def heal(self):
        self.mend_network()
        cure = {"stopped": "restart", "frozen": "wake", "sealed": "unseal"}
        for node, now in zip(self.nodes, request(self._control + "/nodes").json()["nodes"]):
            if now["state"] in cure:
                self._inject(node.index, cure[now["state"]])
            if now["partitioned"]:
                self._inject(node.index, "heal")
        wait_until(self._all_follow_one_leader, 30, "three simulated nodes that agree on a leader")

    def kill(self, index):
        self._inject(index, "crash")

    def terminate(self, index):
        self._inject(index, "term")

    def freeze(self, index):
        self._inject(index, "hang")

    def thaw(self, index):
        self._inject(index, "wake")

    def cut_off(self, index):
        """From its peers; we still reach it."""
        self._inject(index, "partition")

    def pretend_to_lead(self, index):
        """A standby says 200 like the leader, and names itself."""
        self._inject(index, "split-brain")

    def stop_pretending(self, index):
        """Whoever says 200 without being followed: an impostor, or a leader that is cut off."""
        self._inject(index, "heal")

    def step_down(self, index):
        answer = self.call(index, "PUT", "/v1/sys/step-down")
        assert answer.status == 204, answer

    def seal(self, index):
        answer = self.call(index, "PUT", "/v1/sys/seal")
        assert answer.status == 204, answer

    def recover_from_seal(self, index):
        self._inject(index, "unseal")

    def restart(self, index):
        self._inject(index, "restart")

    def seal_without_asking(self, index):
        """A standby too, which forwards the request for it."""
        self._inject(index, "seal")

    def pretend_to_lead(self, index):
        """A standby that says 200."""
        self._inject(index, "split-brain")

    def make_foreign(self, index):
        """It states the cluster_id of another cluster, as after a restore."""
        self._inject(index, "foreign")

    def state_role(self, index, role):
        """It says so of itself: "uninitialized", "removed", "disconnected", "dr-secondary", "performance-standby"."""
        self._inject(index, role)

    def heal_node(self, index):
        self._inject(index, "heal")

    def radius_calls(self, user):
        """How often nodes have asked the RADIUS server about the user."""
        return request(f"{self._control}/radius/{user}").json()["calls"]

    def writes(self, key):
        """How often the key of secret/ was written."""
        return request(f"{self._control}/writes/{key}").json()["writes"]

    def _inject(self, index, fault):
        answer = request(f"{self._control}/node/{self.nodes[index].name}/{fault}", "POST")
        assert answer.status == 200, answer

    def _all_follow_one_leader(self):
        codes = sorted(self.health(node.index) for node in self.nodes)
        return codes == [200, 429, 429]
