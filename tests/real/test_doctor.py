"""What `bellwether check --live` finds of a cluster: nothing while it is healthy, and what is wrong with it otherwise."""

import json
import subprocess

from house.bellwether import LOOPBACK, binary
from scenario import node_name, to_nodes


def findings(cluster):
    """{id: the nodes that it is about}, and the exit code."""
    done = subprocess.run([binary(), "check", "--live", "--json", *LOOPBACK, *map(str, to_nodes(cluster))], capture_output=True,
                          text=True, timeout=60, check=False)
    report = json.loads(done.stdout)
    found = {}
    for each in report["findings"]:
        found.setdefault(each["id"], set()).add(each["node"])
    return found, done.returncode, report


def test_nothing_is_found_of_a_healthy_cluster(cluster):
    found, code, report = findings(cluster)
    assert (found, code) == ({}, 0), report
    assert report["fine"] and len(report["nodes"]) == len(cluster.nodes)


def test_a_standby_that_is_down_is_found_and_named(cluster):
    down = (cluster.leader() + 1) % len(cluster.nodes)
    cluster.kill(down)
    found, code, report = findings(cluster)
    assert code == 1 and set.union(*found.values()) == {node_name(cluster, down)}, report
