"""The system hangs: a name server that does not answer, a file that cannot be read to its end. What is told to end ends."""

import errno
import os
import socket
import stat

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.own_files import own_files
from house.sim_cluster import SimCluster
from house.waiting import wait_until

_ENDS_WITHIN = 5  # seconds; the lookup hangs for 30, the file for ever


@pytest.fixture
def silent_names(tmp_path):
    """A name server that takes questions and answers none; (its socket, the words that make a program ask it)."""
    address = "127.77.53.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        try:
            server.bind((address, 53))
        except PermissionError:
            pytest.skip("only root may be a name server here")
        server.setblocking(False)
        resolv = tmp_path / "resolv.conf"
        resolv.write_text(f"nameserver {address}\noptions timeout:30 attempts:5\n", encoding="ascii")
        switch = tmp_path / "nsswitch.conf"
        switch.write_text("hosts: dns\n", encoding="ascii")
        yield server, own_files({"/etc/resolv.conf": resolv, "/etc/nsswitch.conf": switch})


def wait_until_asked(server):
    def was_asked():
        try:
            return bool(server.recv(4096))
        except BlockingIOError:
            return False

    wait_until(was_asked, 20, "a question to the name server", every=0.02)


@pytest.fixture
def sim(tmp_path):
    made = SimCluster(tmp_path / "sim", tls=False).start()
    yield made
    made.end()


def test_a_lookup_that_hangs_does_not_keep_the_process_from_ending(sim, silent_names, tmp_path):
    server, words = silent_names
    with Bellwether(tmp_path, [*LOOPBACK, *sim.urls, "http://hangs.test:8200"], wrapper=words) as proxy:
        wait_until_asked(server)
        proxy.wait_ready()
        proxy.process.terminate()
        assert proxy.process.wait(_ENDS_WITHIN) == 0
        assert [line.fields["why"] for line in proxy.events("ending")] == ["idle"]


def test_who_is_told_to_end_while_names_are_looked_up_at_the_start_ends(sim, silent_names, tmp_path):
    server, words = silent_names
    with Bellwether(tmp_path, [*LOOPBACK, *sim.urls, "http://hangs.test:8200"], wrapper=words) as proxy:
        wait_until_asked(server)
        proxy.process.terminate()
        assert proxy.process.wait(_ENDS_WITHIN) == 0


def test_who_is_told_to_end_while_its_certificate_is_read_at_the_start_ends(sim, tmp_path):
    fifo = tmp_path / "never.pem"
    os.mkfifo(fifo)
    words = [*LOOPBACK, "--mode", "http", "--tls-cert", fifo, "--tls-key", fifo, *sim.urls]
    with Bellwether(tmp_path, words) as proxy:
        writer = wait_until(lambda: opened_for_writing(fifo), 20, "the certificate to be read", every=0.02)
        try:
            proxy.process.terminate()
            assert proxy.process.wait(_ENDS_WITHIN) == 0
            assert [line.fields["why"] for line in proxy.events("ending")] == ["told to while it started"]
        finally:
            os.close(writer)


def opened_for_writing(fifo):
    """A descriptor once somebody reads."""
    assert stat.S_ISFIFO(os.stat(fifo).st_mode)
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        assert error.errno == errno.ENXIO
        return None
