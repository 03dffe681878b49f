"""Each failover is recorded with the right cause: in /failovers, the log, the metrics and the command."""

import contextlib
import json
import threading

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.waiting import wait_until
from house.web import request

PHASES = ("detect", "elect", "first_success")


@contextlib.contextmanager
def clients(proxy, count=3):
    """A few clients that read in a loop, whatever they are told."""
    ended = threading.Event()

    def ask():
        while not ended.is_set():
            with contextlib.suppress(OSError):
                request(f"http://{proxy.address}/v1/secret/data/none", timeout=15)
            ended.wait(0.01)

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def failovers(proxy):
    """The newest first, our own start left out."""
    answer = proxy.get("/failovers")
    assert answer.status == 200, answer
    return [each for each in answer.json()["failovers"] if each["cause"] != "start"]


def only_ended(proxy):
    found = wait_until(lambda: [each for each in failovers(proxy) if not each["open"]], 40, "the failover's record")
    assert len(found) == 1, found
    return found[0]


def cut_both_followers(sim, leader):
    for node in sim.nodes:
        if node.index != leader:
            sim.kill(node.index)
    wait_until(lambda: sim.health(leader) != 200, 10, "the leader to give up")
    for node in sim.nodes:
        if node.index != leader:
            sim.restart(node.index)


FAULTS = {
    "step_down": lambda sim, leader: sim.step_down(leader),
    "seal": lambda sim, leader: sim.seal(leader),
    "crash": lambda sim, leader: sim.kill(leader),
    "stop": lambda sim, leader: sim.terminate(leader),
    "hang": lambda sim, leader: sim.freeze(leader),
    "cut_off_from_peers": lambda sim, leader: sim.cut_off(leader),
    "lost_quorum": cut_both_followers,
}


@pytest.mark.parametrize("mode", ["tcp", "http"])
@pytest.mark.parametrize("with_traffic", [False, True], ids=["idle", "traffic"])
@pytest.mark.parametrize("cause", FAULTS)
def test_the_cause_is_named(sim, tmp_path, cause, with_traffic, mode):
    if mode == "tcp" and not with_traffic:
        pytest.skip("without traffic the mode makes no difference")
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", mode, *sim.urls]) as proxy:
        proxy.wait_ready()
        old = sim.leader()
        with clients(proxy) if with_traffic else contextlib.nullcontext():
            FAULTS[cause](sim, old)
            record = only_ended(proxy)
        assert record["cause"] == cause, record
        assert record["from"] == proxy.status()["nodes"][old]["name"]
        assert record["to"] == proxy.leader_by_status()
        assert record["epoch_to"] == record["epoch_from"] + 1
        moments = record["ms_from_sign"]
        assert moments["last_good"] <= 0 <= moments["elected"] == record["leaderless_ms"]
        if with_traffic:
            assert moments["first_success"] >= moments["elected"], record
            # Three clients that ask one after the other: who is stuck at the old leader is not held.
            if cause == "crash":
                assert record["held"] > 0, record
            if cause == "step_down" and mode == "http":
                assert record["failed"] == 0, record

        line = wait_until(lambda: proxy.events("failover"), 10, "the log line")[-1].fields
        assert (line["cause"], line["from"], line["to"]) == (cause, record["from"], record["to"])
        metrics = proxy.metrics()
        assert metrics.sum("bellwether_failovers_total", cause=cause) == 1
        assert metrics.sum("bellwether_failover_duration_seconds_count", phase="elect") == 1


def test_the_command_shows_what_the_page_shows(sim, proxy, command):
    sim.step_down(sim.leader())
    record = only_ended(proxy)
    shown = command("failovers", "--admin", proxy.admin)
    assert shown.returncode == 0, shown
    assert "step_down" in shown.stdout and record["time"] in shown.stdout
    as_json = command("failovers", "--json", "--admin", proxy.admin)
    assert [each["cause"] for each in json.loads(as_json.stdout)["failovers"]] == ["step_down", "start"]
    assert [each["cause"] for each in proxy.status()["failovers"]] == ["step_down", "start"]


def test_times_of_what_is_over_never_move(sim, proxy):
    sim.step_down(sim.leader())
    only_ended(proxy)
    told = set()
    for _ in range(50):
        status = proxy.status()
        times = [each["time"] for each in status["failovers"]]
        told.add((*times, status["leader"]["since"], status["started"], proxy.metrics().sum("bellwether_leader_since_timestamp_seconds")))
    assert len(told) == 1, told


def test_a_failover_that_still_goes_on_is_shown_as_open(sim, proxy):
    for node in sim.nodes:
        sim.kill(node.index)
    shown = wait_until(lambda: failovers(proxy), 10, "a record")
    assert shown[0]["open"] and shown[0]["to"] is None and shown[0]["epoch_to"] is None


def test_without_a_running_bellwether_the_command_says_where_it_asked(command):
    done = command("failovers", "--admin", "127.0.0.1:1")
    assert done.returncode == 1, done
    assert "127.0.0.1:1" in done.stderr
