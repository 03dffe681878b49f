"""What clients get, and which nodes get something from clients, while nobody leads."""

import time

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.role_node import THEIRS, RoleNode, with_status
from house.waiting import wait_until
from house.web import request

SEALED = b'{"errors":["Vault is sealed"]}\n'
NODE_LOCAL = ["/v1/sys/seal-status", "/v1/sys/init", "/ui/", "/v1/sys/internal/ui/mounts"]


def sealed_node():
    mounts = {"/v1/sys/internal/ui/mounts": lambda conn, _: conn.send(with_status(503, SEALED))}
    return RoleNode("sealed", answers=mounts)


def roles(proxy):
    return [node["role"] for node in proxy.status()["nodes"]]


def ask(proxy, path, **headers):
    return request(f"http://{proxy.address}{path}", headers=headers, timeout=20)


def test_the_ui_comes_from_a_sealed_node_at_once(tmp_path):
    with sealed_node() as one, sealed_node() as two:
        with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", one.url, two.url]) as proxy:
            wait_until(lambda: roles(proxy) == ["sealed", "sealed"], 10, "both to be heard")
            begun = time.monotonic()
            for path in ("/", "/ui", "/ui/", "/ui/vault/unseal", "/ui/assets/vault.js", "/ui/favicon.png"):
                assert ask(proxy, path).status == 200
            assert ask(proxy, "/v1/sys/internal/ui/mounts").json() == {"errors": ["Vault is sealed"]}
            assert time.monotonic() - begun < 5
            assert len(one.paths()) == 7


def test_with_a_token_the_same_question_waits_for_the_leader(tmp_path):
    with sealed_node() as node:
        words = [*LOOPBACK, "--mode", "http", "--hold-timeout-http", "300ms", node.url]
        with Bellwether(tmp_path, words) as proxy:
            wait_until(lambda: roles(proxy) == ["sealed"], 10, "it to be heard")
            answer = ask(proxy, "/v1/sys/internal/ui/mounts", **{"X-Vault-Token": "t"})
            assert answer.status == 503 and "no leader" in answer.text()
            assert node.paths() == []


@pytest.mark.parametrize("later", ["standby", "sealed"])
def test_a_node_of_another_cluster_gets_nothing_from_clients(later, tmp_path):
    with RoleNode("active") as one, RoleNode("standby") as two, RoleNode("standby", cluster_id=THEIRS) as other:
        with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", other.url, one.url, two.url]) as proxy:
            wait_until(lambda: roles(proxy) == ["foreign", "active", "standby"], 10, "all to be heard")
            # The other cluster's node answers on, sealed perhaps, so that it states no cluster_id any more.
            one.role = two.role = "sealed"
            other.role = later
            seen = "foreign" if later == "standby" else "sealed"
            wait_until(lambda: roles(proxy) == [seen, "sealed", "sealed"], 10, "nobody to lead")
            for path in NODE_LOCAL:
                ask(proxy, path)
            assert other.paths() == [] and len(one.paths()) == len(NODE_LOCAL)
            # Nor when it is the only one left.
            for node in (one, two):
                node.silence()
            wait_until(lambda: roles(proxy)[1:] == ["silent", "silent"], 20, "ours to be silent")
            for path in NODE_LOCAL:
                answer = ask(proxy, path, **{"X-Vault-Token": "t"} if "internal" not in path else {})
                assert answer.status == 503, (path, answer)
            assert other.paths() == []


def test_a_node_out_of_service_gets_nothing_from_clients(command, tmp_path):
    with RoleNode("sealed") as one, RoleNode("sealed") as two:
        control = tmp_path / "control.sock"
        words = [*LOOPBACK, "--mode", "http", "--control", control, one.url, two.url]
        with Bellwether(tmp_path, words, env={"BELLWETHER_CONTROL": ""}) as proxy:
            wait_until(lambda: roles(proxy) == ["sealed", "sealed"], 10, "both to be heard")
            names = [node["name"] for node in proxy.status()["nodes"]]
            for state in ("maint", "drain"):
                done = command("node", names[0], state, "--control", control)
                assert done.returncode == 0, done.stderr
                for path in NODE_LOCAL:
                    assert ask(proxy, path).status == 200
                assert one.paths() == []
            assert len(two.paths()) == 2 * len(NODE_LOCAL)
            assert command("node", names[1], "maint", "--control", control).returncode == 0
            assert ask(proxy, "/v1/sys/seal-status").status == 503
            assert one.paths() == []
