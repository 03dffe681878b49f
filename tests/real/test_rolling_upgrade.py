"""The runbook's rolling upgrade, word for word, while clients write and read: nobody may notice, and nothing may fail."""

import pytest

from house.runbook_stand import Client, Stand
from house.waiting import wait_until


@pytest.fixture
def stand(cluster, tmp_path):
    with Stand(tmp_path, cluster) as made:
        yield made


def test_no_client_notices_that_each_node_is_upgraded_in_turn(stand, cluster):
    if hasattr(cluster, "wait_for_candidates"):
        cluster.wait_for_candidates()
    clients = [Client(f"upgrade{i}", stand.url, cluster.token) for i in range(4)]
    try:
        # These nodes unseal themselves.
        failovers = stand.execute("Upgrade the cluster: standbys first, the leader last",
                                  leave_out=lambda line: "sealed " in line or "operator unseal" in line)
        before = [each.done for each in clients]
        wait_until(lambda: all(each.done > was or each.failures for each, was in zip(clients, before)), 30,
                   "each client to go on")
    finally:
        for each in clients:
            each.stop()
    assert [each.failures for each in clients] == [[]] * len(clients)
    planned = [each for each in failovers if each["cause"] != "start"]
    assert [(each["cause"], each["failed"], each["cut"]) for each in planned] == [("step_down", 0, 0)], failovers
