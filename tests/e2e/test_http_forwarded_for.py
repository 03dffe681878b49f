"""X-Forwarded-For, before a node whose listener is told to believe it: without the header it answers 400, as Vault and
OpenBao do with x_forwarded_for_authorized_addrs, health included."""

import re

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.fake_leader import answer
from house.http_node import HttpNode
from house.web import request


class DemandingNode(HttpNode):
    hop_skips = 0

    def _serve_one(self, conn, head):
        named = re.search(rb"\r\nX-Forwarded-For: (.*)\r\n", head)
        hops = len(named.group(1).split(b",")) if named else 0
        if hops and hops <= self.hop_skips:
            body = b'{"errors":["malformed x-forwarded-for configuration or request, hops to skip (%d) would skip before"]}'
            return conn.send(answer(body % self.hop_skips).replace(b"200 OK", b"400 Bad Request", 1))
        if not re.search(rb"\r\nX-Forwarded-For: \d+\.\d+\.\d+\.\d+(, \d+\.\d+\.\d+\.\d+)*\r\n", head):
            body = b'{"errors":["missing x-forwarded-for header and configured to reject when not present"]}'
            return conn.send(answer(body).replace(b"200 OK", b"400 Bad Request", 1))
        return super()._serve_one(conn, head)


@pytest.fixture
def node():
    with DemandingNode() as made:
        yield made


def forwarded_for(node):
    return re.search(rb"X-Forwarded-For: (.*)\r\n", node.seen[-1]).group(1).decode()


def test_probes_and_requests_carry_it(node, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", node.url]) as proxy:
        proxy.wait_ready()
        sent = {"X-Forwarded-For": "203.0.113.7"}
        assert request(f"http://{proxy.address}/v1/secret/a", headers=sent).status == 200
        assert forwarded_for(node) == "127.0.0.1"


def test_a_trusted_proxy_is_believed(node, tmp_path):
    words = [*LOOPBACK, "--mode", "http", "--forwarded-for-trusted", "10.0.0.0/8,127.0.0.1", node.url]
    with Bellwether(tmp_path, words) as proxy:
        proxy.wait_ready()
        sent = {"X-Forwarded-For": "203.0.113.7"}
        assert request(f"http://{proxy.address}/v1/secret/a", headers=sent).status == 200
        assert forwarded_for(node) == "203.0.113.7, 127.0.0.1"


def test_the_doctor_asks_as_the_probes_do(node, command, tmp_path):
    file = tmp_path / "bellwether.json"
    file.write_text(f'{{"mode": "http", "listen": "127.0.0.1:0", "admin": "off", "nodes": ["{node.url}"]}}', encoding="utf-8")
    done = command("check", "-f", file, "--live")
    assert "400" not in done.stdout, done.stdout


def test_a_wrong_range_is_named_with_its_place(command, tmp_path):
    file = tmp_path / "bellwether.json"
    file.write_text('{\n "forwarded_for_trusted": ["10.0.0.0/40"],\n "nodes": ["http://127.0.0.1:1"]\n}', encoding="utf-8")
    done = command("check", "-f", file)
    assert done.returncode == 1
    assert f'{file}:2:28: forwarded_for_trusted: "10.0.0.0/40"' in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("skips,words", [(1, []), (2, ["--forwarded-for-hops", "3"])], ids=["auto", "three"])
def test_behind_another_balancer_probes_carry_a_chain_as_long_as_requests_do(node, tmp_path, skips, words):
    node.hop_skips = skips
    trusted = ["--forwarded-for-trusted", "127.0.0.1"]
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", *trusted, *words, node.url]) as proxy:
        proxy.wait_ready()
        sent = {"X-Forwarded-For": ", ".join(["203.0.113.7"] * skips)}
        assert request(f"http://{proxy.address}/v1/secret/a", headers=sent).status == 200


def test_the_doctor_names_the_option_for_longer_chains(node, command, tmp_path):
    node.hop_skips = 1
    file = tmp_path / "bellwether.json"
    file.write_text(f'{{"mode": "http", "listen": "127.0.0.1:0", "admin": "off", "nodes": ["{node.url}"]}}', encoding="utf-8")
    done = command("check", "-f", file, "--live")
    assert done.returncode == 1
    assert "set forwarded_for_hops" in done.stdout, done.stdout
    assert "TLS port" not in done.stdout, done.stdout
