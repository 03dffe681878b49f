"""What the log tells, and what it never does."""

import json

from house.bellwether import Bellwether, LOOPBACK
from house.waiting import wait_until
from house.web import request

TOKEN = "s.VerySecretTokenOfSomebody"
PATH = "/v1/secret/data/very-secret-path"


def test_no_token_and_no_path_at_any_level(sim, tmp_path):
    for mode in ("tcp", "redirect"):
        env = {"BELLWETHER_LOG_LEVEL": "debug", "BELLWETHER_LOG_SESSIONS": "true"}
        with Bellwether(tmp_path, [*LOOPBACK, "--mode", mode, *sim.urls], env=env, name=mode) as talkative:
            talkative.wait_ready()
            for method in ("GET", "POST"):
                request(f"http://{talkative.address}{PATH}?token={TOKEN}", method, b"{}" if method == "POST" else None,
                        {"X-Vault-Token": TOKEN})
            request(f"http://{talkative.admin.split('//')[1]}{PATH}", headers={"X-Vault-Token": TOKEN})
            talkative.process.terminate()
            talkative.process.wait(20)
            assert talkative.events(), "debug logging says something"
            assert TOKEN not in talkative.log()
            assert "very-secret-path" not in talkative.log()


def test_a_failover_is_one_line_with_node_and_epoch(proxy, sim):
    old = proxy.leader_by_log()
    sim.step_down(sim.leader())
    wait_until(lambda: proxy.leader_by_log() not in (None, old), 20, "the log to name the new leader")
    change = proxy.events("leader_changed")[-1]
    assert int(change.fields["epoch"]) >= 2
    assert change.fields["node"] == proxy.leader_by_status()


def test_nothing_is_logged_while_nothing_happens(proxy):
    probes = proxy.metrics().sum("bellwether_probes_total")
    lines = len(proxy.events())
    wait_until(lambda: proxy.metrics().sum("bellwether_probes_total") >= probes + 6, 30, "six more probes")
    assert len(proxy.events()) == lines, proxy.events()[lines:]


def test_json_lines_are_json(sim, tmp_path):
    env = {"BELLWETHER_LOG_FORMAT": "json"}
    words = ["--listen", "127.0.0.1:0", "--admin", "off", *sim.urls]
    with Bellwether(tmp_path, words, env=env) as machine_read:
        wait_until(lambda: '"leader_changed"' in machine_read.log(), 20, "a leader in the log")
        lines = [json.loads(line) for line in machine_read.log().splitlines() if line.startswith("{")]
    assert any("leader_changed" in line.values() for line in lines)
