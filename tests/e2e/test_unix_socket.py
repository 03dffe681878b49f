"""A unix socket to listen on: VAULT_ADDR=unix:///path speaks plain HTTP to it."""

import os
import socket
import stat

import pytest

from house.bellwether import Bellwether
from house.leader_server import LeaderServer


@pytest.fixture
def leader():
    with LeaderServer() as made:
        yield made


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vault.sock"


def run(folder, path, leader, name="bellwether"):
    return Bellwether(folder, ["--listen", f"unix:{path}", "--admin", "127.0.0.1:0", "--mode", "http", leader.url],
                      name=name)


def expect_refused(proxy, why):
    try:
        assert proxy.process.wait(20) == 1
        assert why in proxy.log()
    finally:
        proxy.end()


def ask(path):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(b"GET /v1/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        got = b""
        while part := client.recv(65536):
            got += part
        return got


def test_requests_are_served_and_the_file_is_for_owner_and_group(path, leader, tmp_path):
    with run(tmp_path, path, leader) as proxy:
        proxy.wait_ready()
        assert ask(path).startswith(b"HTTP/1.1 200 ")
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
    assert not path.exists()


def test_what_a_dead_process_left_behind_is_replaced(path, leader, tmp_path):
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    assert path.exists()
    with run(tmp_path, path, leader) as proxy:
        proxy.wait_ready()
        assert ask(path).startswith(b"HTTP/1.1 200 ")


def test_a_socket_that_somebody_listens_on_is_left_to_him(path, leader, tmp_path):
    with run(tmp_path, path, leader) as first:
        first.wait_ready()
        expect_refused(run(tmp_path, path, leader, "second"), "another process listens on it")
        assert ask(path).startswith(b"HTTP/1.1 200 ")


def test_another_file_is_never_replaced(path, leader, tmp_path):
    path.write_text("precious", encoding="ascii")
    expect_refused(run(tmp_path, path, leader), "cannot listen on")
    assert path.read_text(encoding="ascii") == "precious"
