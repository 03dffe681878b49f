"""Clients that reach the nodes themselves are told by a 307 where the leader is."""

import json
import subprocess

import pytest

from clients import HvacClient
from house.bellwether import LOOPBACK, Bellwether
from house.waiting import wait_until
from house.web import request
from scenario import to_nodes


@pytest.fixture
def redirector(cluster, tmp_path):
    words = [*LOOPBACK, "--mode", "redirect", *to_nodes(cluster)]
    with Bellwether(tmp_path, words) as made:
        yield made.wait_ready()


def test_the_answer_names_the_leader_with_path_and_query_byte_for_byte(cluster, redirector):
    target = "/v1/secret/data/a%2Fb//c?version=2&x=%20y"
    answer = request(f"http://{redirector.address}{target}")
    assert answer.status == 307
    assert answer.headers["location"] == cluster.urls[cluster.leader()] + target


def test_hvac_follows_it_to_the_leader_before_and_after_a_step_down(cluster, redirector):
    client = HvacClient(f"http://{redirector.address}", cluster.tls, cluster.token)
    client.put("redirected", "1")
    assert client.get("redirected") == "1"

    old = cluster.leader()
    cluster.step_down(old)
    new = cluster.wait_for_leader(other_than=old)

    def names_the_new_leader():
        location = request(f"http://{redirector.address}/v1/sys/mounts", timeout=15).headers.get("location", "")
        return location.startswith(cluster.urls[new])

    wait_until(names_the_new_leader, 20, "the redirect to name the new leader")
    client.put("redirected", "2")
    assert client.get("redirected") == "2"


def test_curl_follows_it_to_public_addresses(cluster, tmp_path):
    public = [url.replace("127.0.0.1", cluster.tls.server_name) for url in cluster.urls]
    config = tmp_path / "bellwether.json"
    config.write_text(json.dumps({
        "listen": [{"address": "127.0.0.1:0", "mode": "redirect"}],
        "admin": "127.0.0.1:0",
        "ca_file": cluster.tls.ca_file,
        "server_name": cluster.tls.server_name,
        "nodes": [{"url": url, "public_address": shown} for url, shown in zip(cluster.urls, public)],
    }), encoding="utf-8")
    with Bellwether(tmp_path, ["-f", config]) as redirector:
        redirector.wait_ready()
        resolve = [word for url in public for word in ("--resolve", url.split("//")[1] + ":127.0.0.1")]
        base = ["curl", "--silent", "--show-error", "--fail", "--location", "--noproxy", "*", "--cacert", cluster.tls.ca_file,
                *resolve, "--header", f"X-Vault-Token: {cluster.token}"]
        url = f"http://{redirector.address}/v1/secret/data/by-curl"
        subprocess.run([*base, "--data", '{"data":{"value":"4"}}', url], check=True, capture_output=True, timeout=30)
        got = subprocess.run([*base, url], check=True, capture_output=True, timeout=30)
        assert json.loads(got.stdout)["data"]["data"]["value"] == "4"
