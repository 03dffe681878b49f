"""A client's certificate in a request header: what nodes are told, and what no client can tell them."""

import base64
import json
import re
import ssl
import urllib.parse

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.certificates import Certificates
from house.http_node import HttpNode
from house.web import Tls, request

# Common proxies' names, in the spellings that servers take for the same.
NAMES = ["Client-Cert", "client-cert", "CLIENT_CERT", "Client-Cert-Chain", "Client-Chain", "X-Client-Cert", "X-SSL-Client-Cert",
         "SSL-Client-Cert", "SSL_CLIENT_CERT", "X-SSL-Cert", "X-Client-Certificate", "X-Forwarded-Client-Cert",
         "X-Forwarded-For-Client-Cert", "X-Forwarded-Tls-Client-Cert", "X-ARR-ClientCert", "X-Amzn-Mtls-Clientcert",
         "X-Amzn-Mtls-Clientcert-Leaf", "X-Processed-Tls-Client-Certificate", "X-Client-Pem", "X-Client-X509"]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def node():
    with HttpNode() as made:
        yield made


def der_of(path):
    return ssl.PEM_cert_to_DER_cert(path.read_text(encoding="ascii"))


def values(node, name):
    return [value.decode() for value in re.findall(rb"(?i)\r\n%b: ?(.*?)(?=\r\n)" % name.encode(), node.seen[-1])]


def tls_words(certificates, *more):
    cert, key = certificates.issue("listener")
    return [*LOOPBACK, "--mode", "http", "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", certificates.ca_file, *more]


def get(proxy, certificates, pair=None, headers=None):
    tls = Tls(certificates.ca_file, certificates.common_name)
    if pair:
        tls.context.load_cert_chain(*map(str, pair))
    return request(f"https://{proxy.address}/v1/secret/a", headers=headers, tls=tls).status


ENCODINGS = {"base64": lambda der: base64.b64encode(der).decode(),
             "rfc9440": lambda der: f":{base64.b64encode(der).decode()}:",
             "url_pem": lambda der: urllib.parse.quote(ssl.DER_cert_to_PEM_cert(der), safe="-._~")}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_nodes_are_told_the_certificate_that_the_client_holds_the_key_of(node, certificates, tmp_path, encoding):
    words = tls_words(certificates, "--client-cert-header", "X-Client-Cert", "--client-cert-encoding", encoding)
    pair = certificates.issue("client")
    with Bellwether(tmp_path, [*map(str, words), node.url]) as proxy:
        proxy.wait_ready()
        assert get(proxy, certificates, pair, {"X-Client-Cert": "forged", "x_client_cert": "forged"}) == 200
        told = values(node, "X-Client-Cert")
        if encoding == "url_pem":
            assert [urllib.parse.unquote(value).replace("\n", "") for value in told] == [
                ssl.DER_cert_to_PEM_cert(der_of(pair[0])).replace("\n", "")]
        else:
            assert told == [ENCODINGS[encoding](der_of(pair[0]))]
        assert not values(node, "x_client_cert")


def test_a_client_without_a_certificate_cannot_state_one(node, certificates, tmp_path):
    words = tls_words(certificates, "--tls-client-auth", "optional", "--client-cert-header", "X-Identity")
    with Bellwether(tmp_path, [*map(str, words), node.url]) as proxy:
        proxy.wait_ready()
        for name in [*NAMES, "X-Identity", "x_identity"]:
            assert get(proxy, certificates, headers={name: "forged"}) == 200
            assert b"forged" not in node.seen[-1], name


def test_without_any_option_no_header_that_may_carry_a_certificate_passes(node, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", "--dropped-headers", "X-Own-Name", node.url]) as proxy:
        proxy.wait_ready()
        for name in [*NAMES, "x-own_name"]:
            assert request(f"http://{proxy.address}/v1/secret/a", headers={name: "forged"}).status == 200
            assert b"forged" not in node.seen[-1], name
        assert request(f"http://{proxy.address}/v1/secret/a", headers={"X-Other": "kept"}).status == 200
        assert values(node, "X-Other") == ["kept"]


def test_a_trusted_balancer_hands_on_its_clients_certificate_and_never_its_own(node, certificates, tmp_path):
    words = tls_words(certificates, "--client-cert-header", "Client-Cert", "--forwarded-for-trusted", "127.0.0.1")
    pair = certificates.issue("balancer")
    with Bellwether(tmp_path, [*map(str, words), node.url]) as proxy:
        proxy.wait_ready()
        assert get(proxy, certificates, pair, {"Client-Cert": ":YQ==:", "X-Client-Cert": "forged"}) == 200
        assert values(node, "Client-Cert") == [":YQ==:"]
        assert b"forged" not in node.seen[-1]
        assert get(proxy, certificates, pair) == 200
        assert not values(node, "Client-Cert")


def test_others_than_the_trusted_balancer_state_no_certificate_and_no_forwarded(node, tmp_path):
    words = [*LOOPBACK, "--mode", "http", "--client-cert-header", "Client-Cert", "--forwarded-for-trusted", "10.0.0.1", node.url]
    with Bellwether(tmp_path, words) as proxy:
        proxy.wait_ready()
        headers = {"Client-Cert": "forged", "Forwarded": "for=203.0.113.7"}
        assert request(f"http://{proxy.address}/v1/secret/a", headers=headers).status == 200
        assert not values(node, "Client-Cert")
        assert not values(node, "Forwarded")


def test_forwarded_of_a_trusted_balancer_is_continued(node, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "--mode", "http", "--forwarded-for-trusted", "127.0.0.1", node.url]) as proxy:
        proxy.wait_ready()
        assert request(f"http://{proxy.address}/v1/secret/a", headers={"Forwarded": "for=203.0.113.7"}).status == 200
        assert values(node, "Forwarded") == ["for=203.0.113.7, for=127.0.0.1"]


def proxy_file(tmp_path, node, **more):
    file = tmp_path / "bellwether.json"
    listen = [{"address": "127.0.0.1:0", "mode": "http", "accept_proxy": True}]
    file.write_text(json.dumps({"listen": listen, "admin": "127.0.0.1:0", "nodes": [node.url], **more}), encoding="utf-8")
    return file


def test_only_named_senders_may_claim_an_address(node, tmp_path):
    # The test's own address is not among them: what it sends is a request of its own.
    file = proxy_file(tmp_path, node, accept_proxy_from=["10.0.0.1"], forwarded_for_trusted=["192.0.2.1"])
    with Bellwether(tmp_path, ["-f", str(file)]) as proxy:
        proxy.wait_ready()
        assert request(f"http://{proxy.address}/v1/secret/a", headers={"X-Forwarded-For": "203.0.113.7"}).status == 200
        assert values(node, "X-Forwarded-For") == ["127.0.0.1"]


def test_everybody_may_claim_an_address_only_with_a_warning(node, command, tmp_path):
    done = command("check", "-f", proxy_file(tmp_path, node))
    assert done.returncode == 0
    assert "accept_proxy: anybody can claim any address; name the balancers in accept_proxy_from (hint)" in done.stderr
    named = command("check", "-f", proxy_file(tmp_path, node, accept_proxy_from="127.0.0.1"))
    assert "accept_proxy_from (hint)" not in named.stderr


def test_a_certificate_header_that_nobody_could_vouch_for_is_an_error(node, command, tmp_path):
    done = command("check", "-f", proxy_file(tmp_path, node, client_cert_header="Client-Cert", forwarded_for_trusted="10.0.0.1"))
    assert done.returncode == 1
    assert "set accept_proxy_from" in done.stderr
    done = command("check", "-f", proxy_file(tmp_path, node, client_cert_header="Client-Cert"))
    assert done.returncode == 1
    assert "there is no tls_client_ca" in done.stderr
    for name in ["X-Vault-Token", "Host", "Client Cert", "Authorization"]:
        done = command("check", "-f", proxy_file(tmp_path, node, client_cert_header=name, forwarded_for_trusted="10.0.0.1"))
        assert "client_cert_header: must be the name of a header" in done.stderr, (name, done.stderr)
