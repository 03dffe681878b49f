"""Which answers of a real node prove that a request had no effect, by kind of request (src/vault/FACTS.md 3).
BELLWETHER_EFFECT_ROUNDS says how often each fault is done (1), BELLWETHER_EFFECT_TABLE where the counts are written."""

import os
import pathlib
import tempfile

import pytest

from census import Census, CensusCluster, as_standby, losing_leadership, sealing, stepping_down
from postgresql import HOW_TO_GET_ONE as HOW_TO_GET_POSTGRESQL
from postgresql import programs
from server import HOW_TO_GET_ONE, find_server

pytestmark = [pytest.mark.real_server, pytest.mark.slow]

ROUNDS = int(os.environ.get("BELLWETHER_EFFECT_ROUNDS", "1"))
GROUPS = 3  # as many kinds at once as two cores bear
# The answers that count as proof for a request that only touches storage.
PROOFS = ("307", "500 local node not active but active cluster node not found", "503 no active Vault instance found",
          "503 Vault is sealed")


@pytest.fixture(scope="module")
def census():
    server = find_server()
    if server is None:
        pytest.skip("no real OpenBao or Vault found. " + HOW_TO_GET_ONE)
    if programs() is None:
        pytest.skip("no PostgreSQL found. " + HOW_TO_GET_POSTGRESQL)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)  # PostgreSQL's user must be able to pass through it
        yield from _census(CensusCluster(server, pathlib.Path(folder) / "census"))


def _census(cluster):
    cluster.folder.chmod(0o711)
    made = None
    try:
        cluster.start()
        made = Census(cluster)
        yield made
    finally:
        if made is not None:
            if os.environ.get("BELLWETHER_EFFECT_TABLE"):
                made.save(os.environ["BELLWETHER_EFFECT_TABLE"])
            made.close()
        cluster.end()


FAULTS = {"step-down": stepping_down, "seal": sealing, "loss": losing_leadership}


@pytest.mark.parametrize("fault", ["standby", *FAULTS])
def test_storage_requests_have_no_effect_behind_an_answer_that_is_proof(census, fault):
    cluster = census.cluster
    for _ in range(ROUNDS):
        for group in range(GROUPS):
            kinds = census.kinds[group::GROUPS]
            cluster.wait_for_candidates()
            leader = cluster.wait_for_leader()
            if fault == "standby":
                census.round(kinds, (leader + 1) % len(cluster.nodes), as_standby)
            else:
                census.round(kinds, leader, FAULTS[fault](cluster))
    free = {kind.name for kind in census.kinds if kind.outside or kind.may_be_repeated}
    wrong = {row: counts for row, counts in census.rows().items()
             if row[0] not in free and row[2] in PROOFS and counts[1]}
    assert wrong == {}
    assert {row: count for row, count in census.repeats.items() if row[1] >= 300} == {}
