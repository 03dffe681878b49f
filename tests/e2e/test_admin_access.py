"""Whom the admin address answers: by the request's Host, and by a token."""

import base64
import http.client
import json
import os
import socket

import pytest

from house.bellwether import LOOPBACK, Bellwether

TOKEN = "0123456789abcdef-token"


def ask(proxy, path, host=None, headers=None):
    address = proxy.admin.split("//")[-1]
    conn = http.client.HTTPConnection(address, timeout=10)
    try:
        conn.putrequest("GET", path, skip_host=True)
        for name, value in {"Host": host or address, **(headers or {})}.items():
            conn.putheader(name, value)
        conn.endheaders()
        response = conn.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()
    finally:
        conn.close()


@pytest.fixture
def plain(fake_leader, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "--admin-hosts", "bellwether.vault.svc", fake_leader]) as made:
        yield made.wait_ready()


@pytest.fixture
def guarded(fake_leader, tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n", encoding="ascii")
    file.chmod(0o600)
    with Bellwether(tmp_path, [*LOOPBACK, "--admin-token-file", str(file), fake_leader]) as made:
        yield made.wait_ready(), file


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8209", "127.0.0.1.evil.example", "localhost.evil.example", "1.2.3.4.5"])
def test_a_foreign_host_reads_nothing_but_what_scrapers_ask(plain, host):
    for path in ["/", "/status", "/failovers", "/leader", "/nothing"]:
        status, _, body = ask(plain, path, host)
        assert status == 421, (path, status)
        assert "admin_hosts" in body and "epoch" not in body
    for path in ["/metrics", "/healthz", "/readyz"]:
        assert ask(plain, path, host)[0] == 200, path


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "10.1.2.3:80", "[::1]:8209", "[fe80::1]",
                                  "bellwether.vault.svc", "Bellwether.Vault.SVC.:8209", socket.gethostname()])
def test_own_names_and_addresses_are_answered(plain, host):
    assert ask(plain, "/status", host)[0] == 200


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_without_the_token_only_health_is_told(guarded):
    proxy, _ = guarded
    for path in ["/", "/status", "/failovers", "/leader", "/metrics"]:
        status, headers, _ = ask(proxy, path)
        assert status == 401, path
        assert headers["WWW-Authenticate"].startswith("Basic ")
    for path in ["/healthz", "/readyz"]:
        assert ask(proxy, path)[0] == 200
    for wrong in [{"Authorization": "Bearer " + TOKEN[:-1]}, {"Authorization": "Bearer"}, {"Authorization": TOKEN},
                  basic("me", TOKEN + "x"), {"Authorization": "Basic !!!"}, {"X-Token": TOKEN}]:
        assert ask(proxy, "/status", headers=wrong)[0] == 401, wrong


def test_with_the_token_all_is_told(guarded):
    proxy, _ = guarded
    for right in [{"Authorization": f"Bearer {TOKEN}"}, {"Authorization": f"bearer  {TOKEN}"}, basic("anyone", TOKEN), basic("", TOKEN)]:
        assert ask(proxy, "/status", headers=right)[0] == 200, right
    assert TOKEN not in proxy.log()


def test_commands_read_the_token_from_the_file_that_a_variable_names(guarded, command):
    proxy, file = guarded
    admin = proxy.admin.split("//")[-1]
    refused = command("status", "--admin", admin)
    assert refused.returncode == 1
    assert "BELLWETHER_ADMIN_TOKEN_FILE" in refused.stderr
    done = command("status", "--admin", admin, env={**os.environ, "BELLWETHER_ADMIN_TOKEN_FILE": str(file)})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("content", ["short\n", "", "two\nlines of a token that is long\n", "x" * 600])
def test_a_token_file_that_holds_no_token_is_refused_at_the_start(command, tmp_path, content):
    file = tmp_path / "token"
    file.write_text(content, encoding="ascii")
    done = command("run", *LOOPBACK, "--admin-token-file", file, "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "openssl rand -hex 32" in done.stderr


def test_an_address_that_is_not_loopback_warns_without_a_token(fake_leader, tmp_path):
    with Bellwether(tmp_path, ["--listen", "127.0.0.1:0", "--admin", "0.0.0.0:0", fake_leader]) as proxy:
        proxy.process.expect_log("admin_exposed")
    (tmp_path / "token").write_text(TOKEN, encoding="ascii")
    words = ["--listen", "127.0.0.1:0", "--admin", "0.0.0.0:0", "--admin-token-file", str(tmp_path / "token"), fake_leader]
    with Bellwether(tmp_path, words, name="second") as proxy:
        proxy.process.expect_log("started")
        assert "admin_exposed" not in proxy.log()
