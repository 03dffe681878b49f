"""One file, three listeners: each has options of its own, and the others are those of all."""

import json
import socket
import ssl

import pytest

from house.bellwether import Bellwether
from house.certificates import Certificates
from house.http_node import HttpNode
from house.ports import free_ports
from house.waiting import wait_until
from house.web import Tls, request

FIRST, SECOND = "vault.test", "bao.test"


@pytest.fixture
def ours(tmp_path):
    return Certificates(tmp_path / "ours", common_name=FIRST)


@pytest.fixture
def clients_ca(tmp_path):
    return Certificates(tmp_path / "clients", common_name="client.test")


def issue(certificates, name, common_name):
    certificates.common_name = common_name
    return [str(path) for path in certificates.issue(name)]


def pair(cert, key):
    return {"cert": cert, "key": key}


@pytest.fixture
def pairs(ours):
    return {name: pair(*issue(ours, name.split(".", maxsplit=1)[0], name)) for name in (FIRST, SECOND)}


def listeners(pairs, clients_ca, **of_tls):
    return [{"address": "127.0.0.1:0", "mode": "http", "tls_cert": ""},
            {"address": "127.0.0.1:0", "mode": "tcp", "timeout_idle": "2h"},
            {"address": "127.0.0.1:0", "mode": "http", "tls_cert": [pairs[FIRST], pairs[SECOND]],
             "tls_client_ca": str(clients_ca.ca_file), **of_tls},
            {"address": "127.0.0.1:0", "mode": "http"}]


@pytest.fixture
def it(reload_stand, pairs, clients_ca):
    return reload_stand(listen=listeners(pairs, clients_ca), tls_cert=pairs[FIRST]["cert"], tls_key=pairs[FIRST]["key"])


def addresses(it):
    return [each.split()[0] for each in it.proxy.status()["listeners"]]


def client(ours, name, own=None):
    tls = Tls(ours.ca_file, name)
    if own:
        tls.context.load_cert_chain(own["cert"], own["key"])
    return tls


@pytest.fixture
def own(clients_ca):
    return pair(*issue(clients_ca, "client", "client.test"))


def test_each_listener_is_what_it_says(it, ours, own):
    plain, tcp, mutual, common = addresses(it)
    assert it.ask_client(plain) == 403
    assert it.ask_client(tcp) == 403
    for name in (FIRST, SECOND):
        assert it.ask_client(mutual, client(ours, name, own)) == 403
        with pytest.raises(OSError):
            it.ask_client(mutual, client(ours, name))
    assert it.ask_client(common, client(ours, FIRST)) == 403
    with pytest.raises(ssl.SSLCertVerificationError):
        it.ask_client(common, client(ours, SECOND))
    told = it.proxy.status()["listeners"]
    assert "TLS" not in told[0] + told[1]
    assert told[2].count(" until 20") == 2 and told[3].count(" until 20") == 1, told
    assert 0 < it.proxy.metrics().sum("bellwether_cert_not_after_timestamp_seconds", cert="server")


def test_a_name_that_no_certificate_has_gets_the_first_one(it, ours, own):
    mutual = addresses(it)[2]
    tls = client(ours, "stranger.test", own)
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        it.ask_client(mutual, tls)
    assert "stranger.test" in str(refused.value)
    tls.context.check_hostname = False
    host, port = mutual.rsplit(":", 1)
    with socket.create_connection((host, int(port)), 5) as raw, \
            tls.context.wrap_socket(raw, server_hostname="stranger.test") as there:
        assert there.getpeercert()["subjectAltName"] == (("DNS", FIRST),)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_certificates_of_other_key_types_are_shown_by_name_too(reload_stand, ours, version):
    shown = {FIRST: pair(*issue(ours, "ec", FIRST))}
    for name, key_type in (("rsa.test", ["rsa:2048"]), ("ed.test", ["ed25519"]), (SECOND, None)):
        ours.common_name = name
        shown[name] = pair(*map(str, ours.issue(name, key_type) if key_type else ours.issue(name)))
    it = reload_stand(listen={"address": "127.0.0.1:0", "tls_cert": list(shown.values())})
    (address,) = addresses(it)
    for name in shown:
        tls = client(ours, name)
        tls.context.minimum_version = tls.context.maximum_version = version
        assert it.ask_client(address, tls) == 403


@pytest.mark.parametrize("change", ["gone", "changed"])
def test_a_reload_lends_nobody_the_word_of_another_listener(tmp_path, ours, clients_ca, command, change):
    """A sender that is trusted, at a listener that passes no certificates on, is told so after a reload too."""
    ports = free_ports(2)
    mutual = {"address": f"127.0.0.1:{ports[0]}", "mode": "http", "tls_cert": [pair(*issue(ours, "server", FIRST))],
              "tls_client_ca": str(clients_ca.ca_file)}
    balanced = {"address": f"127.0.0.1:{ports[1]}", "mode": "http", "accept_proxy": True, "client_cert_header": ""}
    file, control = tmp_path / "bellwether.json", tmp_path / "control.sock"

    def write(*listen):
        file.write_text(json.dumps({"nodes": [node.url], "admin": "127.0.0.1:0", "client_cert_header": "X-Told",
                                    "forwarded_for_trusted": ["10.0.0.0/8"], "listen": listen}))

    def told(connection, path):
        connection.sendall(f"GET /v1/secret/{path} HTTP/1.1\r\nHost: v\r\nX-Told: FORGED\r\n\r\n".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        wait_until(lambda: any(path.encode() in each for each in node.seen), 20, "the request at the node")
        (request_seen,) = [each for each in node.seen if path.encode() in each]
        return b"FORGED" in request_seen

    with HttpNode() as node:
        write(mutual, balanced)
        with Bellwether(tmp_path, ["-f", file, "--control", control]) as proxy:
            proxy.wait_ready()
            with socket.create_connection(("127.0.0.1", ports[1]), 20) as connection:
                connection.sendall(b"PROXY TCP4 10.0.0.9 10.0.0.1 1 2\r\n")
                assert not told(connection, "before")
                after = {**balanced, "accept_proxy": False, "client_cert_header": "X-Told"}
                write(*([mutual] if change == "gone" else [mutual, after]))
                done = command("reload", "--control", control)
                assert done.returncode == 0, done.stderr
                assert not told(connection, "after")


def resumes(address, context, session):
    """Makes a request with what another connection got to resume with. Returns whether it was, and the next session."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), 5) as raw, \
            context.wrap_socket(raw, server_hostname=FIRST, session=session) as there:
        there.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: v\r\n\r\n")
        assert there.recv(15) == b"HTTP/1.1 200 OK"
        return there.session_reused, there.session


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed_at_its_own_listener_only(reload_stand, pairs, clients_ca, ours, own, version):
    # The second shares the first one's options, the third has another rule for clients.
    same = {"address": "127.0.0.1:0", "tls_cert": [pairs[FIRST], pairs[SECOND]], "tls_client_ca": str(clients_ca.ca_file)}
    it = reload_stand(listen=[same, same, {**same, "tls_client_ca": str(ours.ca_file), "tls_client_auth": "optional"}])
    context = client(ours, FIRST, own).context
    context.minimum_version = context.maximum_version = version
    first, second, third = addresses(it)
    assert not resumes(first, context, None)[0]
    _, session = resumes(first, context, None)
    assert resumes(first, context, session)[0]
    assert not resumes(second, context, session)[0]
    # Its certificate is of no CA that the third knows: verified at the first, it is nothing there.
    with pytest.raises(OSError):
        resumes(third, context, session)


def test_a_reload_swaps_the_certificates_of_one_listener(it, ours, pairs, clients_ca, own):
    plain, tcp, mutual, common = addresses(it)
    third = pair(*issue(ours, "third", "third.test"))
    listen = listeners(pairs, clients_ca)
    kept = client(ours, FIRST, own)
    host, port = mutual.rsplit(":", 1)
    with socket.create_connection((host, int(port)), 20) as raw, \
            kept.context.wrap_socket(raw, server_hostname=FIRST) as running:
        running.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: v\r\n\r\n")
        assert running.recv(15) == b"HTTP/1.1 200 OK"
        listen[2]["tls_cert"] = [third, pairs[SECOND]]
        said = it.use(listen=listen)
        assert "third.pem" in said, said
        assert addresses(it) == [plain, tcp, mutual, common]
        assert it.ask_client(mutual, client(ours, "third.test", own)) == 403
        with pytest.raises(ssl.SSLCertVerificationError):
            it.ask_client(mutual, client(ours, FIRST, own))
        assert it.ask_client(common, client(ours, FIRST)) == 403
        running.sendall(b"GET /v1/secret/data/none HTTP/1.1\r\nHost: v\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: running.recv(65536), b""))
        assert b"HTTP/1.1 403" in answer, "a connection of before did not go on"


def test_certificates_of_one_listener_are_renewed_on_disk(reload_stand, ours, pairs, clients_ca, own):
    it = reload_stand(listen=listeners(pairs, clients_ca), tls_cert=pairs[FIRST]["cert"], tls_key=pairs[FIRST]["key"],
                      tls_reload_interval="100ms")
    mutual, common = addresses(it)[2:]
    another, key = issue(ours, "another", "another.test")
    for source, target in ((another, pairs[SECOND]["cert"]), (key, pairs[SECOND]["key"])):
        with open(source, encoding="ascii") as file, open(target, "w", encoding="ascii") as into:
            into.write(file.read())
    wait_until(lambda: it.proxy.events("certificates_reloaded"), 20, "the new pair")
    assert it.ask_client(mutual, client(ours, "another.test", own)) == 403
    assert it.ask_client(common, client(ours, FIRST)) == 403


def test_what_a_reload_would_change_of_a_listener_is_said(it, pairs, clients_ca, tmp_path):
    listen = listeners(pairs, clients_ca, timeout_header="3s")
    it.write(listen=listen)
    done = it.order("check", "--running", "-f", str(it.file))
    assert 'timeout_header "3s"' in done.stdout, done
    listen[2]["tls_cert"] = [pairs[FIRST], pairs[FIRST]["cert"]]
    said = it.refused(listen=listen)
    assert "is here twice" in said, said
    same = tmp_path / "same.pem"
    with open(pairs[FIRST]["cert"], encoding="ascii") as file:
        same.write_text(file.read(), encoding="ascii")
    listen[2]["tls_cert"] = [pairs[FIRST], pair(str(same), pairs[FIRST]["key"])]
    said = it.refused(listen=listen)
    assert "same.pem" in said and f"are for the same names ({FIRST})" in said, said


def test_a_listener_waits_for_its_clients_as_long_as_it_says(reload_stand):
    it = reload_stand(listen=[{"address": "127.0.0.1:0", "mode": "http", "timeout_header": "300ms"},
                              {"address": "127.0.0.1:0", "mode": "http"}])
    for address, is_over in zip(addresses(it), (True, False)):
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 3) as silent:
            if is_over:
                assert silent.recv(100) == b""
            else:
                silent.settimeout(1)
                with pytest.raises(TimeoutError):
                    silent.recv(100)


def test_a_header_that_nodes_believe_is_dropped_at_every_listener(tmp_path, ours, clients_ca, pairs, own):
    # What one listener tells nodes of its clients, clients of another must not be able to say.
    file = tmp_path / "bellwether.json"
    listen = listeners(pairs, clients_ca)
    listen[2]["client_cert_header"] = "X-Told-By-Us"
    with HttpNode() as node:
        file.write_text(json.dumps({"listen": listen, "admin": "127.0.0.1:0", "control": "off", "nodes": [node.url],
                                    "tls_cert": pairs[FIRST]["cert"], "tls_key": pairs[FIRST]["key"]}))
        with Bellwether(tmp_path, ["-f", file]) as proxy:
            proxy.wait_ready()
            plain, _, mutual, _ = [each.split()[0] for each in proxy.status()["listeners"]]
            for url, tls in ((f"http://{plain}", None), (f"https://{mutual}", client(ours, FIRST, own))):
                assert request(f"{url}/v1/secret/a", tls=tls, headers={"X-Told-By-Us": "me"}).status == 200
                told = [line for line in node.seen[-1].split(b"\r\n") if line.lower().startswith(b"x-told-by-us:")]
                assert len(told) == (1 if tls else 0), told
                assert b"me" != told[0].split(b": ")[1] if told else True


@pytest.mark.parametrize("listener,words", [
    ({"mode": "tcp", "tls_cert": "a.pem"}, "a tcp listener passes its clients' TLS through"),
    ({"mode": "http", "tls_client_ca": "a.pem"}, "this listener has no tls_cert"),
    ({"mode": "http", "timeout_idel": "3s"}, 'did you mean "timeout_idle"?'),
    ({"mode": "http", "grace": "3s"}, "is the same for all listeners"),
])
def test_what_makes_no_sense_is_refused(command, listener, words, tmp_path):
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps({"nodes": ["https://127.0.0.1:1"], "listen": {"address": "127.0.0.1:0", **listener}}))
    done = command("check", "-f", file)
    assert done.returncode == 1 and words in done.stdout + done.stderr, done


def test_a_key_that_does_not_fit_is_refused_with_its_file(it, pairs, clients_ca):
    listen = listeners(pairs, clients_ca)
    listen[2]["tls_cert"] = [pairs[FIRST], pair(pairs[SECOND]["cert"], pairs[FIRST]["key"])]
    said = it.refused(listen=listen)
    assert pairs[FIRST]["key"] in said, said
