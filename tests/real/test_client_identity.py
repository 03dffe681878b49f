"""What a real OpenBao believes of clients: certificates and addresses in request headers, through an http listener."""

import base64
import ssl
import urllib.parse

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.certificates import Certificates
from house.ports import free_ports
from house.processes import Process
from house.waiting import wait_until
from house.web import Tls, request
from server import HOW_TO_GET_ONE, find_server

pytestmark = pytest.mark.real_server

ROOT = {"X-Vault-Token": "root"}
DECODERS = {"base64": "[]", "rfc9440": '["RFC9440"]', "url_pem": '["URL", "PEM"]'}
# Names that nodes may be configured to believe, as common proxies use them.
BELIEVED = ["Client-Cert", "X-Client-Cert", "X-SSL-Client-Cert", "ssl-client-cert", "X-SSL-Cert", "X-Client-Certificate",
            "X-Forwarded-Client-Cert", "X-Forwarded-For-Client-Cert", "X-Forwarded-Tls-Client-Cert", "X-ARR-ClientCert",
            "X-Amzn-Mtls-Clientcert", "X-Amzn-Mtls-Clientcert-Leaf", "X-Peer-Certificate", "SSL_CLIENT_CERT", "X-Client-Pem"]


class DevServer:
    """`bao server -dev` with one more listener, plain, that believes X-Forwarded-For from loopback."""

    def __init__(self, server, folder, settings):
        own, port = free_ports(2)
        self.url = f"http://127.0.0.1:{port}"
        lines = "".join(f"  {name} = {value}\n" for name, value in settings.items())
        (folder / "listener.hcl").write_text(
            f'listener "tcp" {{\n  address = "127.0.0.1:{port}"\n  tls_disable = true\n'
            f'  x_forwarded_for_authorized_addrs = "127.0.0.1"\n{lines}}}\n', encoding="utf-8")
        words = [server.path, "server", "-dev", "-dev-no-store-token", "-dev-root-token-id=root",
                 f"-dev-listen-address=127.0.0.1:{own}", f"-config={folder / 'listener.hcl'}"]
        self.process = Process("server", words, folder / "server.log", env={"HOME": str(folder)})
        self.admin = f"http://127.0.0.1:{own}"
        wait_until(self._is_active, 60, "the server to be active")

    def _is_active(self):
        try:
            return request(self.admin + "/v1/sys/health").status == 200
        except OSError:
            return False

    def call(self, method, path, body):
        answer = request(self.admin + path, method, body, ROOT)
        assert answer.status in (200, 204), answer

    def end(self):
        self.process.end()


@pytest.fixture
def start(tmp_path):
    server = find_server()
    if server is None or not server.is_openbao:
        pytest.skip("no OpenBao found. " + HOW_TO_GET_ONE)
    running = []

    def begin(**settings):
        running.append(DevServer(server, tmp_path, settings))
        return running[-1]

    yield begin
    for each in running:
        each.end()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("tls"))


def with_cert_auth(node, certificates):
    node.call("POST", "/v1/sys/auth/cert", {"type": "cert"})
    node.call("POST", "/v1/auth/cert/certs/web", {"certificate": certificates.ca_file.read_text(encoding="ascii"),
                                                  "allowed_common_names": certificates.common_name, "policies": "default"})
    return node


def login(proxy, certificates, pair=None, headers=None):
    tls = Tls(certificates.ca_file, certificates.common_name)
    if pair:
        tls.context.load_cert_chain(*map(str, pair))
    return request(f"https://{proxy.address}/v1/auth/cert/login", "POST", {}, headers, tls)


def proxy_words(certificates, *words):
    cert, key = certificates.issue("listener")
    return [str(word) for word in [*LOOPBACK, "--mode", "http", "--tls-cert", cert, "--tls-key", key, "--tls-client-ca",
                                   certificates.ca_file, "--tls-client-auth", "optional", *words]]


def encodings_of(cert_file):
    pem = cert_file.read_text(encoding="ascii")
    der = base64.b64encode(ssl.PEM_cert_to_DER_cert(pem)).decode()
    return [der, f":{der}:", urllib.parse.quote(pem, safe="")]


@pytest.mark.parametrize("encoding", DECODERS)
def test_a_client_logs_in_with_the_certificate_that_it_holds_the_key_of_and_no_other_way(start, certificates, tmp_path, encoding):
    node = with_cert_auth(start(x_forwarded_for_client_cert_header='"Client-Cert"',
                                x_forwarded_for_client_cert_decoders=DECODERS[encoding]), certificates)
    pair = certificates.issue("client")
    words = proxy_words(certificates, "--client-cert-header", "Client-Cert", "--client-cert-encoding", encoding, node.url)
    with Bellwether(tmp_path, words) as proxy:
        proxy.wait_ready()
        answer = login(proxy, certificates, pair)
        assert answer.status == 200, answer
        assert answer.json()["auth"]["client_token"]
        assert login(proxy, certificates).status == 400
        for value in encodings_of(pair[0]):
            for name in ["Client-Cert", "client-cert", "CLIENT-CERT", "Client_Cert", *BELIEVED]:
                assert login(proxy, certificates, headers={name: value}).status == 400, name
                # Nor as somebody else than the owner of the key.
                assert login(proxy, certificates, pair, headers={name: value}).status == 200, name


@pytest.mark.parametrize("name", BELIEVED)
def test_whatever_header_a_node_believes_a_client_cannot_send_it(start, certificates, tmp_path, name):
    node = with_cert_auth(start(x_forwarded_for_client_cert_header=f'"{name}"'), certificates)
    value = encodings_of(certificates.issue("client")[0])[0]
    direct = request(node.url + "/v1/auth/cert/login", "POST", {}, {name: value, "X-Forwarded-For": "127.0.0.1"})
    assert direct.status == 200, f"the node believes it from who reaches it: {direct}"
    with Bellwether(tmp_path, proxy_words(certificates, node.url)) as proxy:
        proxy.wait_ready()
        for spelling in {name, name.lower(), name.upper(), name.title(), name.replace("-", "_")}:
            assert login(proxy, certificates, headers={spelling: value}).status == 400, spelling
            assert login(proxy, certificates, headers={spelling: value, "Connection": "close, X-Forwarded-For"}).status == 400


def test_nodes_that_skip_a_hop_are_probed_and_asked_through_another_balancer(start, tmp_path):
    node = start(x_forwarded_for_hop_skips="1")
    trusted = [*LOOPBACK, "--mode", "http", "--forwarded-for-trusted", "127.0.0.1", node.url]
    with Bellwether(tmp_path, [*trusted, "--forwarded-for-hops", "1"], name="short") as proxy:
        wait_until(lambda: "hops to skip" in proxy.get("/status").text(), 20, "the node to refuse short chains")
        assert proxy.get("/readyz").status == 503
    with Bellwether(tmp_path, trusted) as proxy:
        proxy.wait_ready()
        answer = request(f"http://{proxy.address}/v1/auth/token/lookup-self",
                         headers={**ROOT, "X-Forwarded-For": "203.0.113.9"})
        assert answer.status == 200, answer
