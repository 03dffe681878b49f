"""A request that a node may have executed is not sent to it, or to another, a second time."""

import collections
import concurrent.futures
import re
import ssl

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.certificates import Certificates
from house.http_node import HttpNode
from house.web import request

REQUESTS = 120
BODY = b"x" * 60_000  # four TLS records


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def hasty(certificates):
    """A TLS node that acts on a request as soon as it has its first record, and then resets the connection."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificates.issue("node"))
    with HttpNode({"/v1/once": lambda conn, _: conn.reset()}, tls) as node:
        yield node


def executions(node):
    return collections.Counter(int(re.search(rb"\r\nx-number: (\d+)\r\n", head, re.I).group(1)) for head in node.seen)


def test_a_request_whose_first_record_was_acted_on_is_not_sent_again(hasty, certificates, tmp_path):
    words = [*LOOPBACK, "--mode", "http", "--ca-file", str(certificates.ca_file),
             "--server-name", certificates.common_name, hasty.url]
    with Bellwether(tmp_path, words) as proxy:
        proxy.wait_ready()

        def post(number):
            return request(f"http://{proxy.address}/v1/once", "POST", BODY, {"X-Number": str(number)}, timeout=60).status

        with concurrent.futures.ThreadPoolExecutor(4) as clients:
            statuses = list(clients.map(post, range(REQUESTS)))
        assert set(statuses) == {502}
        executed = executions(hasty)
        assert len(executed) == REQUESTS
        assert [number for number, times in executed.items() if times > 1] == []
