"""Limits, listeners and TLS change by a reload, beside clients that notice nothing."""

import http.client
import itertools
import shutil
import socket
import ssl

import pytest

from house.asking import all_ask_on, clients
from house.certificates import Certificates
from house.ports import free_ports
from house.sim_cluster import SimCluster
from house.waiting import wait_until
from house.web import Tls

NAME = "bellwether.test"


@pytest.fixture
def begin(reload_stand):
    return reload_stand


@pytest.fixture
def ours(tmp_path):
    return Certificates(tmp_path / "ours", common_name=NAME)


def addresses(it):
    return [each.split()[0] for each in it.proxy.status()["listeners"]]


def refuses(address):
    host, port = address.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), 5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_limits_and_timeouts(begin):
    it = begin(hold_timeout_http="60s", maxconn=9)
    for node in it.sim.nodes:
        it.sim.kill(node.index)
    wait_until(lambda: it.proxy.leader_by_status() is None, 20, "no leader")
    said = it.use(hold_timeout_http="200ms", maxconn=2001, hold_max=0)
    assert 'hold_timeout_http "1m" -> "200ms"' in said and "hold_max 1024 -> 0" in said, said
    assert it.ask_client() == 503
    it.use(hold_timeout_http="200ms", maxconn=2001)
    assert it.ask_client() == 503
    metrics = it.proxy.metrics()
    assert metrics.sum("bellwether_maxconn") == 2001
    assert metrics.sum("bellwether_hold_overflows_total") == 1
    assert metrics.sum("bellwether_hold_timeouts_total") == 1


def test_more_connections_than_descriptors_are_refused_as_a_whole(begin):
    it = begin()
    said = it.refused(maxconn=1000000, inter="7s")
    assert "maxconn 1000000 needs" in said and "LimitNOFILE" in said, said
    assert it.proxy.metrics().sum("bellwether_maxconn") == 2000
    assert it.use() == "reloaded: nothing has changed\n"


def test_listeners_come_change_and_go(begin):
    it = begin()
    first = it.proxy.address
    kept = http.client.HTTPConnection(first, timeout=20)
    kept.request("GET", "/v1/sys/health")
    assert kept.getresponse().read()
    said = it.use(listen=["127.0.0.1:0", {"address": "127.0.0.1:0", "mode": "tcp"}])
    assert "listen " in said, said
    assert it.proxy.status()["listeners"][0] == f"{first} http" and it.proxy.status()["listeners"][1].endswith(" tcp")
    second = addresses(it)[1]
    assert second != first and it.ask_client(second) == 403
    assert len(it.proxy.events("listening")) == 4  # the first two, admin and control
    it.use(listen=["127.0.0.1:0"], mode="redirect")
    assert it.proxy.status()["listeners"] == [f"{first} redirect"]
    assert refuses(second)
    fresh = http.client.HTTPConnection(first, timeout=20)
    fresh.request("GET", "/v1/sys/health")
    assert fresh.getresponse().status == 307
    kept.request("GET", "/v1/sys/health")
    assert kept.getresponse().status == 200, "a connection of before did not keep its mode"


def test_a_listener_that_cannot_be_had_changes_nothing(begin):
    it = begin()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = f"127.0.0.1:{taken.getsockname()[1]}"
        said = it.refused(listen=["127.0.0.1:0", other], inter="7s")
        assert f"cannot listen on {other}" in said and "ss -ltnp" in said, said
    port = it.proxy.address.rsplit(":", 1)[1]
    said = it.refused(listen=[f"0.0.0.0:{port}"])
    assert "only a restart" in said, said
    assert it.proxy.status()["config"]["current"] is False
    assert it.use() == "reloaded: nothing has changed\n"
    assert it.ask_client() == 403


def test_a_listener_and_a_node_that_would_be_one_are_refused(begin):
    it = begin()
    node = it.sim.nodes[0].url.split("//")[1]
    said = it.refused(listen=["127.0.0.1:0", node])
    assert "our own listen address" in said, said
    (port,) = free_ports(1)
    it.use(listen=["127.0.0.1:0", f"127.0.0.1:{port}"])
    said = it.refused(listen=["127.0.0.1:0", f"127.0.0.1:{port}"], nodes=[*it.sim.urls, f"http://localhost:{port}"])
    assert "listen" in said, said


def test_unix_sockets_come_and_go(begin, tmp_path):
    it = begin()
    path = tmp_path / "front.sock"
    it.use(listen=["127.0.0.1:0", f"unix:{path}"])
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: v\r\n\r\n")
        assert client.recv(15) == b"HTTP/1.1 200 OK"
        it.use()
        wait_until(lambda: not path.exists(), 10, "the socket's file to go")
        client.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: v\r\n\r\n")
        assert client.recv(64)


def test_tls_to_clients_begins_changes_and_ends(begin, ours, tmp_path):
    it = begin()
    tls = Tls(ours.ca_file, NAME)
    cert, key = ours.issue("first")
    it.use(tls_cert=str(cert), tls_key=str(key))
    assert it.ask_client(tls=tls) == 403
    second, second_key = ours.issue("second")
    said = it.use(tls_cert=str(second), tls_key=str(second_key), tls_min_version="1.3", tls_client_ca=str(ours.ca_file))
    assert "tls_cert" in said and "tls_min_version" in said and "tls_client_ca" in said, said
    with pytest.raises((ssl.SSLError, OSError)):
        it.ask_client(tls=tls)
    mine = Tls(ours.ca_file, NAME)
    mine.context.load_cert_chain(cert, key)
    assert it.ask_client(tls=mine) == 403
    mine.context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, OSError)):
        it.ask_client(tls=mine)
    it.use()
    assert it.ask_client() == 403


@pytest.mark.parametrize("what,words", [
    ({"tls_cert": "gone.pem"}, ["TLS to clients", "gone.pem"]),
    ({"tls_cert": "{cert}", "tls_key": "{other_key}"}, ["TLS to clients"]),
    ({"tls_cert": "{cert}", "tls_key": "{key}", "tls_client_ca": "gone-ca.pem"}, ["gone-ca.pem"]),
], ids=["no_certificate", "another_key", "no_client_ca"])
def test_certificates_that_cannot_be_used_change_nothing(begin, ours, what, words):
    it = begin()
    cert, key = ours.issue("first")
    _, other_key = ours.issue("other")
    said = it.refused(inter="7s", **{name: text.format(cert=cert, key=key, other_key=other_key)
                                     for name, text in what.items()})
    for word in words:
        assert word in said, said
    assert it.ask_client() == 403
    assert it.use() == "reloaded: nothing has changed\n"


def test_a_certificate_of_a_reload_is_watched_as_the_first_was(begin, ours):
    cert, key = ours.issue("first")
    it = begin(tls_reload_interval="100ms")
    it.use(tls_cert=str(cert), tls_key=str(key))
    other, other_key = ours.issue("other")
    shutil.copy(other, cert)
    shutil.copy(other_key, key)
    wait_until(lambda: it.proxy.events("certificates_reloaded"), 20, "the new pair")
    assert it.ask_client(tls=Tls(ours.ca_file, NAME)) == 403


def test_plain_nodes_are_replaced_by_nodes_with_tls(begin, tmp_path):
    it = begin()
    assert it.ask_client() == 403
    with SimCluster.running(tmp_path / "other") as other:
        nodes = [{"url": node.url, "name": f"other-{node.name}"} for node in other.nodes]
        said = it.refused(nodes=nodes, ca_file="gone.pem", server_name=other.tls.server_name)
        assert "TLS to the nodes" in said and "gone.pem" in said, said
        it.use(nodes=nodes, ca_file=str(other.tls.ca_file), server_name=other.tls.server_name)
        wait_until(lambda: (it.proxy.leader_by_status() or "").startswith("other-"), 20, "the other cluster's leader")
        assert it.ask_client() == 403
        it.use()
        wait_until(lambda: it.proxy.leader_by_status() == it.sim.nodes[it.sim.leader()].name
                   or it.proxy.leader_by_status() is not None, 20, "the first cluster's leader")
        assert it.ask_client() == 403


@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_everything_changes_beside_clients(begin, mode):
    it = begin(mode=mode, log_requests=False)
    ports = free_ports(3)
    changes = itertools.cycle([
        {"maxconn": 300, "timeout_idle": "2m", "hold_max": 10, "log_requests": True},
        {"listen": ["127.0.0.1:0", f"127.0.0.1:{ports[0]}"], "grace": "2s", "max_headers": 50},
        {"listen": ["127.0.0.1:0", f"127.0.0.1:{ports[1]}", {"address": f"127.0.0.1:{ports[0]}", "mode": "redirect"}],
         "suspect_after": "300ms", "timeout_check": "2s"},
        {"source": "127.0.0.1", "retry_buffer": 1000, "dropped_headers": ["X-One", "X-Two"], "forwarded_for": False},
        {"listen": ["127.0.0.1:0", {"address": f"127.0.0.1:{ports[2]}", "mode": "http", "fresh": True}],
         "drain_quiet": "3s", "tcp_user_timeout": "10s", "log_sessions": True},
    ])
    with clients(it.proxy, it.sim, {"kept": 1, "three": 3, "fresh": 0}) as asking:
        all_ask_on(asking)
        for _ in range(50):
            it.use(**next(changes))
        all_ask_on(asking)
    for client in asking:
        assert client.errors == []
        assert {told.status for told in client.told} == {200}
    kept = {told.port for client in asking if client.keeps for told in client.told}
    assert len(kept) == 8, "a connection that was kept has ended"
    assert len(it.proxy.events("config_reloaded")) == 50
