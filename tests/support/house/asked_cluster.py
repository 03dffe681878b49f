"""What every cluster is asked in the same way, be it real or simulated."""

import urllib.parse

from .waiting import wait_until
from .web import request


class AskedCluster:
    """Needs nodes (each with index and url), tls and token of its heirs."""

    ask_every = 0.02  # seconds between two looks while waiting for a leader
    firewall = None  # where packets can be dropped; given by who ends it
    can_cut_off = False
    can_freeze_database = False

    @property
    def urls(self):
        return [node.url for node in self.nodes]

    def health(self, index):
        """The status code of one node's health; 0: it does not answer."""
        try:
            return request(self.nodes[index].url + "/v1/sys/health", tls=self.tls, timeout=2).status
        except OSError:
            return 0

    def leader(self):
        """The index of the one active node, or None."""
        active = [node.index for node in self.nodes if self.health(node.index) == 200]
        return active[0] if len(active) == 1 else None

    def wait_for_leader(self, other_than=None, timeout=60):
        def new_leader():
            now = self.leader()
            return None if now is None or now == other_than else (now,)

        return wait_until(new_leader, timeout, f"a leader other than {other_than}", every=self.ask_every)[0]

    def call(self, index, method, path, body=None, timeout=15):
        return request(self.nodes[index].url + path, method, body, {"X-Vault-Token": self.token}, self.tls, timeout)

    def hide_from_client(self, index):
        """From the firewall's client, not from its peers."""
        self.firewall.hide_from_client(urllib.parse.urlsplit(self.nodes[index].url).port)

    def slow_for_client(self, index, share):
        """So much of what `source_address` and that node send each other gets lost."""
        self.firewall.lose_for_client(urllib.parse.urlsplit(self.nodes[index].url).port, share)

    def mend_network(self):
        if self.firewall is not None:
            self.firewall.clear()
