"""Certificates are replaced on disk: the next handshake has the new ones, and nobody loses a connection."""

import contextlib
import hashlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.certificates import Certificates
from house.leader_server import LeaderServer
from house.waiting import wait_until
from house.web import Tls, connection, request

NAME = "bellwether.test"
FAST = ["--tls-reload-interval", "100ms"]


class Front:
    """A CA that clients trust, and two certificates of it with which a listener can be given."""

    def __init__(self, folder):
        self.certificates = Certificates(folder / "ca", common_name=NAME)
        self.tls = Tls(self.certificates.ca_file, NAME)
        self.pairs = [self.certificates.issue("first"), self.certificates.issue("second")]
        self.serials = [self._serial(cert) for cert, _ in self.pairs]

    @staticmethod
    def _serial(cert):
        said = subprocess.run(["openssl", "x509", "-noout", "-serial", "-in", str(cert)], check=True,
                              capture_output=True, text=True).stdout
        return said.strip().split("=")[1]


class PlainFiles:
    """tls.crt and tls.key, written over in place."""

    def __init__(self, folder, pair):
        folder.mkdir(parents=True)
        self.cert, self.key = folder / "tls.crt", folder / "tls.key"
        self.put(pair)

    def put(self, pair):
        for source, target in zip(pair, (self.cert, self.key)):
            shutil.copyfile(source, target)


class Volume:
    """As Kubernetes mounts a secret: tls.crt -> ..data/tls.crt, ..data -> a folder; renaming ..data is the change."""

    def __init__(self, folder, pair):
        folder.mkdir(parents=True)
        self._folder, self._generation = folder, 0
        self.cert, self.key = folder / "tls.crt", folder / "tls.key"
        self.put(pair)
        self.cert.symlink_to("..data/tls.crt")
        self.key.symlink_to("..data/tls.key")

    def put(self, pair):
        self._generation += 1
        real = self._folder / f"..{self._generation}"
        PlainFiles(real, pair)
        (self._folder / "..data_tmp").symlink_to(real.name)
        os.rename(self._folder / "..data_tmp", self._folder / "..data")


@pytest.fixture(scope="module")
def front(tmp_path_factory):
    return Front(tmp_path_factory.mktemp("front"))


@pytest.fixture
def leader():
    with LeaderServer() as made:
        yield made


def run(folder, *words, mode="http"):
    return Bellwether(folder, [*LOOPBACK, "--mode", mode, *map(str, words)])


def listen_words(files, *more):
    return ["--tls-cert", files.cert, "--tls-key", files.key, *more]


def handshake(proxy, tls, session=None):
    host, port = proxy.address.rsplit(":", 1)
    raw = socket.create_connection((host, int(port)), timeout=10)
    try:
        return tls.context.wrap_socket(raw, server_hostname=tls.server_name, session=session)
    except BaseException:
        raw.close()
        raise


def shown_serial(proxy, tls):
    with handshake(proxy, tls) as client:
        return client.getpeercert()["serialNumber"]


def reloads(proxy, result, cert="server"):
    return proxy.metrics().sum("bellwether_cert_reloads_total", cert=cert, result=result)


def not_after(proxy, cert="server"):
    return proxy.metrics().sum("bellwether_cert_not_after_timestamp_seconds", cert=cert)


@pytest.mark.parametrize("kind", [PlainFiles, Volume])
def test_a_download_runs_on_while_new_connections_meet_the_new_certificate(front, leader, tmp_path, kind):
    files = kind(tmp_path / "files", front.pairs[0])
    with run(tmp_path, "--threads", 2, *listen_words(files, *FAST), leader.url) as proxy:
        proxy.wait_ready()
        assert shown_serial(proxy, front.tls) == front.serials[0]
        download = connection(f"https://{proxy.address}", front.tls, 30)
        download.request("GET", "/v1/download")
        answer = download.getresponse()
        digest = hashlib.sha256(answer.read(1 << 20))

        files.put(front.pairs[1])
        wait_until(lambda: all(shown_serial(proxy, front.tls) == front.serials[1] for _ in range(8)), 20,
                   "the new certificate on every thread")
        assert reloads(proxy, "ok") == 1
        leader.may_end.set()
        while part := answer.read(1 << 20):
            digest.update(part)
        assert digest.hexdigest() == LeaderServer.DOWNLOAD_SHA256
        download.close()
        said = proxy.events("certificates_reloaded")
        assert len(said) == 1
        assert str(files.cert) in said[0].fields["files"]
        assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(not_after(proxy))) == said[0].fields["not_after"]


def test_a_broken_pair_keeps_the_old_one_and_says_so_once(front, leader, tmp_path):
    files = PlainFiles(tmp_path / "files", front.pairs[0])
    with run(tmp_path, *listen_words(files, *FAST), leader.url) as proxy:
        proxy.wait_ready()
        shutil.copyfile(front.pairs[1][0], files.cert)
        wait_until(lambda: reloads(proxy, "failed") == 1, 20, "the half of a pair to be noticed")
        assert proxy.metrics().sum("bellwether_cert_last_reload_successful", cert="server") == 0
        assert shown_serial(proxy, front.tls) == front.serials[0]
        said = proxy.events("certificates_not_reloaded")
        assert len(said) == 1 and "tls.key" in said[0].fields["why"], said
        shutil.copyfile(front.pairs[1][1], files.key)
        wait_until(lambda: shown_serial(proxy, front.tls) == front.serials[1], 20, "the whole pair to be used")
        assert proxy.metrics().sum("bellwether_cert_last_reload_successful", cert="server") == 1
        assert len(proxy.events("certificates_not_reloaded")) == 1


@pytest.mark.parametrize("mode", ["http", "redirect"])
def test_hup_reads_certificates_at_once_beside_the_configuration(front, leader, tmp_path, mode):
    files = PlainFiles(tmp_path / "files", front.pairs[0])
    with run(tmp_path, *listen_words(files, "--tls-reload-interval", "1h"), leader.url, mode=mode) as proxy:
        proxy.wait_ready()
        assert shown_serial(proxy, front.tls) == front.serials[0]
        files.put(front.pairs[1])
        proxy.process.send(signal.SIGHUP)
        wait_until(lambda: shown_serial(proxy, front.tls) == front.serials[1], 20, "the new certificate")
        assert proxy.events("config_reloaded")[0].fields["changes"] == "none"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_who_comes_back_with_a_ticket_of_before_is_served(front, leader, tmp_path, version):
    files = PlainFiles(tmp_path / "files", front.pairs[0])
    tls = Tls(front.tls.ca_file, NAME)
    tls.context.minimum_version = tls.context.maximum_version = version

    def ask(session):
        with handshake(proxy, tls, session) as client:
            client.sendall(b"GET /v1/x HTTP/1.1\r\nHost: v\r\nConnection: close\r\n\r\n")
            assert client.recv(65536).startswith(b"HTTP/1.1 200 ")
            return client.session, client.session_reused

    with run(tmp_path, *listen_words(files, *FAST), leader.url) as proxy:
        proxy.wait_ready()
        session, _ = ask(None)
        session, resumed = ask(session)
        assert resumed
        files.put(front.pairs[1])
        wait_until(lambda: reloads(proxy, "ok") == 1, 20, "the new certificate")
        session, resumed = ask(session)
        assert not resumed
        assert ask(session)[1]


def test_nodes_of_another_ca_are_reached_once_the_ca_file_is_replaced(tmp_path):
    old, new = (Certificates(tmp_path / name, common_name=NAME) for name in ("old", "new"))
    trusted = tmp_path / "trusted.pem"
    shutil.copyfile(old.ca_file, trusted)
    with LeaderServer(*old.issue("node")) as leader:
        with run(tmp_path, *FAST, "--inter", "200ms", "--idle-inter", "200ms", "--fall", 1, "--ca-file", trusted,
                 "--server-name", NAME, "--hold-timeout-http", "1s", leader.url) as proxy:
            proxy.wait_ready()
            url = f"http://{proxy.address}/v1/x"
            assert request(url).status == 200
            leader.use(*new.issue("node"))
            leader.drop_connections()
            wait_until(lambda: not proxy.is_ready(), 20, "the re-issued node not to be trusted")
            assert request(url).status == 503
            shutil.copyfile(new.ca_file, trusted)
            proxy.wait_ready()
            assert request(url).status == 200
            assert reloads(proxy, "ok", "client") == 1


def test_a_new_ca_applies_to_connections_that_were_idle(tmp_path):
    old, new = (Certificates(tmp_path / name, common_name=NAME) for name in ("old", "new"))
    trusted = tmp_path / "trusted.pem"
    shutil.copyfile(old.ca_file, trusted)
    with LeaderServer(*old.issue("node")) as leader:
        with run(tmp_path, *FAST, "--ca-file", trusted, "--server-name", NAME, leader.url) as proxy:
            proxy.wait_ready()
            assert request(f"http://{proxy.address}/v1/x").status == 200
            shutil.copyfile(new.ca_file, trusted)
            wait_until(lambda: not proxy.is_ready(), 20, "the node not to be trusted any more")
            assert proxy.metrics().sum("bellwether_probe_failures_total", reason="tls") > 0
            assert proxy.metrics().sum("bellwether_pool_idle_connections") == 0


class Asker(threading.Thread):
    """Asks over and over, each time on a new connection; keeps what went wrong."""

    def __init__(self, proxy, tls):
        super().__init__()
        self._url, self._tls = f"https://{proxy.address}/v1/x", tls
        self.finish = threading.Event()
        self.answered = 0
        self.errors = []

    def run(self):
        while not self.finish.is_set():
            try:
                status = request(self._url, tls=self._tls, timeout=20).status
                self.answered += 1
                if status != 200:
                    self.errors.append(status)
            except OSError as broken:
                self.errors.append(broken)


@contextlib.contextmanager
def asking(proxy, tls):
    askers = [Asker(proxy, tls) for _ in range(4)]
    for asker in askers:
        asker.start()
    try:
        yield askers
    finally:
        for asker in askers:
            asker.finish.set()
        for asker in askers:
            asker.join(30)


def all_ask_on(askers):
    before = [asker.answered for asker in askers]
    wait_until(lambda: all(asker.answered > old for asker, old in zip(askers, before)), 20, "answers for all")


def test_many_swaps_on_both_sides_under_load_cost_nobody_a_request(front, tmp_path):
    nodes = Certificates(tmp_path / "nodes", common_name=NAME)
    files = Volume(tmp_path / "files", front.pairs[0])
    trusted = tmp_path / "trusted.pem"
    shutil.copyfile(nodes.ca_file, trusted)
    with LeaderServer(*nodes.issue("node")) as leader:
        words = listen_words(files, "--tls-reload-interval", "50ms", "--threads", 2)
        with run(tmp_path, *words, "--ca-file", trusted, "--server-name", NAME, leader.url) as proxy:
            proxy.wait_ready()
            with asking(proxy, front.tls) as askers:
                for swap in range(1, 11):
                    files.put(front.pairs[swap % 2])
                    os.utime(trusted)
                    wait_until(lambda so_far=swap: reloads(proxy, "ok") >= so_far, 20, "the new certificate")
                    wait_until(lambda so_far=swap: reloads(proxy, "ok", "client") >= so_far, 20, "the CA anew")
                    all_ask_on(askers)
            assert [error for asker in askers for error in asker.errors] == []
            assert proxy.metrics().sum("bellwether_tls_handshake_failures_total") == 0
            assert proxy.events("leader_lost") == []
