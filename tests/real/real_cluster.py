"""Three nodes with integrated storage: raft."""

import os

from house.waiting import wait_until
from server_cluster import ServerCluster

# 1 elects in about 2 s instead of 10. On a machine that is busy with other things nodes then lose each other for no
# reason: 5, the server's own default, bears that.
PERFORMANCE_MULTIPLIER = int(os.environ.get("BELLWETHER_RAFT_MULTIPLIER", "1"))
STORAGE = """storage "raft" {{
  path = "{folder}/data"
  node_id = "{name}"
  performance_multiplier = {multiplier}
{joins}
}}
enable_response_header_raft_node_id = true"""

JOIN = """  retry_join {{
    leader_api_addr = "https://127.0.0.1:{port}"
    leader_tls_servername = "{common_name}"
    leader_ca_cert_file = "{ca}"
  }}
"""


class RealCluster(ServerCluster):
    kind = "real"

    @property
    def can_cut_off(self):
        return self.firewall is not None

    def cut_off(self, index):
        """From its peers: packets are dropped on the way to its cluster port, and its own to theirs."""
        node = self.nodes[index]
        peers = ", ".join(str(peer.cluster_port) for peer in self.nodes if peer is not node)
        self.firewall.drop(f"tcp dport {node.cluster_port}",
                           f"meta skgid {node.group} tcp sport {node.cluster_port}",
                           f"meta skgid {node.group} tcp dport {{ {peers} }}")

    def _storage(self, node):
        (node.folder / "data").mkdir()
        joins = "".join(JOIN.format(port=peer.port, common_name=self.tls.server_name, ca=self.tls.ca_file)
                        for peer in self.nodes if peer is not node)
        return STORAGE.format(folder=node.folder, name=node.name, joins=joins,
                              multiplier=PERFORMANCE_MULTIPLIER)

    def _wait_for_members(self):
        # Autopilot makes a voter of a newcomer only after it has been stable for 10 s, unless told otherwise.
        self.call(0, "POST", "/v1/sys/storage/raft/autopilot/configuration", {"server_stabilization_time": "1s"})

        def all_vote():
            servers = self.call(0, "GET", "/v1/sys/storage/raft/configuration").json()["data"]["config"]["servers"]
            return len(servers) == len(self.nodes) and all(server["voter"] for server in servers)

        wait_until(all_vote, 90, "all nodes to be voters", every=0.2)
