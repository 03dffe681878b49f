"""Texts from the network and secrets in URLs: neither reaches a terminal, a page or the log as it came."""

import json
import ssl
import subprocess

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.certificates import Certificates
from house.fake_leader import answer
from house.http_node import HttpNode
from house.waiting import wait_until

ESCAPE = "\x1b]0;owned\x07\x1b[2J"
SECRET = "hunter2"


def is_harmless(text):
    return not any(ord(c) < 0x20 and c not in "\n\t" or 0x7f <= ord(c) < 0xa0 for c in text)


class HostileCertificates(Certificates):
    """Names with control characters, and a line that looks like ours."""

    def issue(self, name):
        cert, key = super().issue(name)
        extensions = self.folder / f"{name}.ext"
        extensions.write_bytes(b"subjectAltName=DNS:" + ESCAPE.encode() + b"evil,DNS:\xc2\x9b31mred\n")
        subprocess.run(["openssl", "x509", "-req", "-in", str(self.folder / f"{name}.csr"), "-CA", str(self.ca_file),
                        "-CAkey", str(self._ca_key), "-CAcreateserial", "-days", "30", "-extfile", str(extensions), "-out", str(cert)],
                       check=True, capture_output=True)
        return cert, key


@pytest.fixture
def tls_node(tmp_path):
    made = HostileCertificates(tmp_path / "tls")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*made.issue("node"))
    with HttpNode(tls=context) as node:
        yield node, made.ca_file


class LyingNode(HttpNode):
    def _serve_one(self, conn, head):
        body = json.dumps({"errors": [ESCAPE + "https://admin:" + SECRET + "@vault:8200"]}).encode()
        conn.send(answer(body).replace(b"200 OK", b"500 Internal Server Error", 1))


def write(tmp_path, **config):
    file = tmp_path / "bellwether.json"
    file.write_text(json.dumps({"listen": "127.0.0.1:0", "admin": "off", **config}), encoding="utf-8")
    return file


def test_a_certificates_names_do_not_act_on_the_terminal(tls_node, command, tmp_path):
    node, ca_file = tls_node
    done = command("check", "--live", "-f", write(tmp_path, nodes=[node.url], ca_file=str(ca_file)))
    assert "not valid for" in done.stdout and "evil" in done.stdout, done.stdout
    assert is_harmless(done.stdout), repr(done.stdout)
    assert is_harmless(done.stderr), repr(done.stderr)


def test_nor_in_log_status_and_page(tls_node, command, tmp_path):
    node, ca_file = tls_node
    with Bellwether(tmp_path, [*LOOPBACK, "--ca-file", str(ca_file), node.url]) as proxy:
        wait_until(lambda: proxy.metrics().sum("bellwether_probe_failures_total") >= 1, 20, "a failed probe")
        status = command("status", "--admin", proxy.admin.split("//")[-1])
        for text in [status.stdout, status.stderr, proxy.get("/status").text(), proxy.get("/metrics").text(), proxy.log()]:
            assert is_harmless(text), repr(text)
        assert proxy.get("/status").body.isascii()


def test_a_nodes_own_words_do_not_act_on_the_terminal(command, tmp_path):
    with LyingNode() as node:
        done = command("check", "--live", "-f", write(tmp_path, nodes=[node.url]))
    assert "owned" in done.stdout, done.stdout
    assert is_harmless(done.stdout), repr(done.stdout)
    assert SECRET not in done.stdout


@pytest.mark.parametrize("config", [
    {"nodes": [f"https://admin:{SECRET}@vault1:8200"]},
    {"nodes": [f"admin:{SECRET}@vault1:8200"]},
    {"nodes": [f"ftp://admin:{SECRET}@vault1:8200"]},
    {"nodes": [f"https://admin:{SECRET}@vault1:8200/path"]},
    {"nodes": [{"url": f"https://{SECRET}@vault1:8200"}]},
    {"nodes": [{"url": "https://vault1:8200", "public_address": f"https://a:{SECRET}@v/x"}]},
    {"nodes": ["https://vault1:8200"], "listen": f"https://admin:{SECRET}@127.0.0.1:8200"},
    {"nodes": ["https://vault1:8200"], "admin": f"http://admin:{SECRET}@127.0.0.1:8209"},
    {"nodes": ["https://vault1:8200"], "server_name": f"https://admin:{SECRET}@vault"},
], ids=lambda config: next(key for key in ("listen", "admin", "server_name", "nodes") if key in config))
def test_an_error_about_a_url_does_not_show_its_password(command, tmp_path, config):
    done = command("check", "-f", write(tmp_path, **config))
    assert done.returncode == 1
    assert SECRET not in done.stdout + done.stderr, done.stderr
    assert "***" in done.stderr, done.stderr


def test_nor_does_one_on_the_command_line(command):
    for words in [["run", f"https://admin:{SECRET}@vault1:8200"], ["run", f"admin:{SECRET}@vault1:8200"],
                  ["status", "--admin", f"http://admin:{SECRET}@127.0.0.1:1"], ["status", f"https://admin:{SECRET}@v"]]:
        done = command(*words)
        assert done.returncode != 0
        assert SECRET not in done.stdout + done.stderr, (words, done.stderr)
