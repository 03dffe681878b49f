"""`bellwether rehearse`: a change of leader on purpose, and what clients notice of it."""

import json
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from house.bellwether import LOOPBACK, Bellwether, binary
from house.processes import Process
from house.sim_cluster import SimCluster


def rehearse(proxy, *words):
    return subprocess.run([binary(), "rehearse", "--admin", proxy.admin, *map(str, words)], capture_output=True, text=True,
                          timeout=120, check=False)


@pytest.fixture
def token(tmp_path):
    def make(text):
        file = tmp_path / "token"
        file.write_text(text + "\n")
        return file

    return make


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_a_drill_by_token_is_told_stored_and_drawn(sim, tmp_path, token, mode):
    before = sim.nodes[sim.leader()].name
    record, picture = tmp_path / "drill.json", tmp_path / "drill.svg"
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", mode, *sim.urls]) as proxy:
        proxy.wait_ready()
        done = rehearse(proxy, "--token-file", token(sim.token), "-o", record, "--picture", picture)
        assert done.returncode == 0, done
        said = json.loads(record.read_text())
        status = proxy.status()
        assert said["via"] == f"http://{proxy.address}"
    after = sim.nodes[sim.leader()]
    assert after.name != before
    assert (said["to"], said["epoch_to"]) == (status["leader"]["name"], status["epoch"])
    assert said["from"] != said["to"] and said["epoch_from"] < said["epoch_to"]
    assert said["ordered_by"] == "token"
    client = said["client"]
    assert client["failed"] == 0 and client["asked"] > 100
    # The simulated leader blocks for half a second before it says that it has stepped down.
    assert client["longest_silence_ms"] > 300 and client["longest_wait_ms"] > 300
    assert said["failover"]["epoch_to"] == said["epoch_to"] and said["failover"]["cause"] == "step_down"
    assert f"asked {client['asked']}, failed 0" in done.stdout
    points = [each for each in ElementTree.parse(picture).iter() if each.tag.endswith("circle")]
    assert len(points) == client["asked"]


def test_without_a_token_the_operator_is_asked_and_waited_for(sim, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *sim.urls]) as proxy:
        proxy.wait_ready()
        drill = Process("drill", [binary(), "rehearse", "--admin", proxy.admin, "--json"], tmp_path / "drill.log")
        drill.expect_log("now let ")
        sim.step_down(sim.leader())
        assert drill.wait(60) == 0, drill.log()
        said = json.loads(drill.log()[drill.log().index("{"):])
        assert said["ordered_by"] == "operator" and said["client"]["failed"] == 0
        assert said["to"] == proxy.status()["leader"]["name"]


def test_through_tcp_with_tls_of_the_nodes(tmp_path, token):
    with SimCluster.running(tmp_path / "sim") as sim:
        words = ["--ca-file", sim.tls.ca_file, "--server-name", sim.tls.server_name]
        with Bellwether(tmp_path, [*LOOPBACK, *words, *sim.urls]) as proxy:
            proxy.wait_ready()
            unverified = rehearse(proxy, "--token-file", token(sim.token))
            assert unverified.returncode == 1 and "--ca-file" in unverified.stderr
            assert proxy.status()["epoch"] == 1
            done = rehearse(proxy, "--token-file", token(sim.token), *words)
            assert done.returncode == 0, done


def test_nothing_begins_where_nobody_could_take_over(tmp_path, token):
    with SimCluster.running(tmp_path / "sim", tls=False, words=["--nodes", "1"]) as sim:
        with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *sim.urls]) as proxy:
            proxy.wait_ready()
            done = rehearse(proxy, "--token-file", token(sim.token))
            assert done.returncode == 1 and "no standby could take over" in done.stderr
            assert done.stdout == ""
            assert proxy.status()["epoch"] == 1


def test_nothing_begins_where_its_record_could_not_be_written(sim, tmp_path, token):
    there = tmp_path / "there.json"
    there.write_text("mine")
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *sim.urls]) as proxy:
        proxy.wait_ready()
        for words, why in [(("-o", there), "--force writes over it"), (("--picture", tmp_path / "none" / "drill.svg"), "cannot write"),
                           (("-o", tmp_path), "cannot write")]:
            done = rehearse(proxy, "--token-file", token(sim.token), *words)
            assert done.returncode == 1 and why in done.stderr, done
        assert proxy.status()["epoch"] == 1
    assert there.read_text() == "mine"


def test_nothing_begins_while_paused_or_with_a_token_that_is_none(sim, tmp_path, token, command):
    control = tmp_path / "control.sock"
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", "--control", control, *sim.urls]) as proxy:
        proxy.wait_ready()
        wrong = rehearse(proxy, "--token-file", token("two words"))
        assert wrong.returncode == 1 and "must hold one token" in wrong.stderr
        assert command("pause", "--control", control).returncode == 0
        paused = rehearse(proxy, "--token-file", token(sim.token))
        assert paused.returncode == 1 and "bellwether resume" in paused.stderr
        assert command("resume", "--control", control).returncode == 0
        assert proxy.status()["epoch"] == 1


def test_a_token_without_the_right_and_a_leader_that_stays_are_said_to_be(sim, tmp_path, token):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *sim.urls]) as proxy:
        proxy.wait_ready()
        refused = rehearse(proxy, "--token-file", token("nobodys-token"))
        assert refused.returncode == 1 and "may the token be used?" in refused.stderr
        stays = rehearse(proxy, "--within", "1s", "--json")
        assert stays.returncode == 1 and "still leads after 1s" in stays.stderr
        assert json.loads(stays.stdout)["to"] is None
        assert proxy.status()["epoch"] == 1
