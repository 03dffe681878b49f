"""A drill by `bellwether rehearse`: who leads changes, and no request of its client fails."""

import json
import subprocess

from house.bellwether import LOOPBACK, Bellwether, binary
from scenario import node_name, to_nodes


def test_a_drill_changes_the_leader_and_no_request_fails(cluster, tmp_path):
    token = tmp_path / "token"
    token.write_text(cluster.token)
    before = cluster.leader()
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *map(str, to_nodes(cluster))]) as proxy:
        proxy.wait_ready()
        done = subprocess.run([binary(), "rehearse", "--admin", proxy.admin, "--token-file", str(token), "--json"],
                              capture_output=True, text=True, timeout=180, check=False)
        assert done.returncode == 0, done
        said = json.loads(done.stdout)
        assert said["to"] == proxy.status()["leader"]["name"]
    assert cluster.leader() != before
    assert (said["from"], said["to"]) == (node_name(cluster, before), node_name(cluster, cluster.leader()))
    assert said["client"]["failed"] == 0 and said["client"]["asked"] > 100
    assert said["failover"]["cause"] == "step_down"
