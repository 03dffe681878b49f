"""One cluster of each kind for the whole run, one Bellwether for each module: what scenarios share."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from clients import ApiClient, CliClient, HvacClient  # noqa: E402
from house.bellwether import LOOPBACK, Bellwether  # noqa: E402
from house.waiting import wait_until  # noqa: E402
from real_cluster import RealCluster  # noqa: E402
from scenario import agreed_leader, node_name, to_nodes  # noqa: E402
from server import HOW_TO_GET_ONE, find_server  # noqa: E402
from house.sim_cluster import SimCluster  # noqa: E402


def _start(cluster):
    try:
        return cluster.start()
    except BaseException:
        print(cluster.logs())
        cluster.end()
        raise


@pytest.fixture(scope="session", params=["sim", pytest.param("real", marks=pytest.mark.real_server)])
def started_cluster(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "real":
        server = find_server()
        if server is None:
            pytest.skip("no real OpenBao or Vault found. " + HOW_TO_GET_ONE)
        made = _start(RealCluster(server, folder))
    else:
        made = _start(SimCluster(folder))
    yield made
    made.end()


@pytest.fixture
def cluster(started_cluster):
    """Healthy at the start of each test, whatever the one before left behind."""
    started_cluster.heal()
    return started_cluster


@pytest.fixture(scope="module")
def _tcp_proxy(started_cluster, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tcp")
    with Bellwether(folder, [*LOOPBACK, *to_nodes(started_cluster)]) as made:
        yield made


@pytest.fixture
def proxy(_tcp_proxy, cluster, request):
    """TCP mode, never restarted between the scenarios of a module."""
    _tcp_proxy.wait_ready()
    wait_until(lambda: agreed_leader(_tcp_proxy) == node_name(cluster, cluster.leader()), 20,
               "bellwether to know the leader")
    yield _tcp_proxy
    report = getattr(request.node, "report_of_call", None)
    if report is not None and report.failed:
        print(f"--- bellwether\n{_tcp_proxy.log()[-8000:]}\n{cluster.logs()}")
    assert _tcp_proxy.process.is_running(), f"bellwether ended with {_tcp_proxy.process.exit_code()}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.report_of_call = outcome.get_result()


@pytest.fixture
def api(proxy, cluster):
    return ApiClient(f"https://{proxy.address}", cluster.tls, cluster.token)


@pytest.fixture
def hvac_client(proxy, cluster):
    return HvacClient(f"https://{proxy.address}", cluster.tls, cluster.token)


@pytest.fixture
def cli(proxy, cluster):
    server = find_server()
    if server is None:
        pytest.skip("no bao or vault to run as command line client. " + HOW_TO_GET_ONE)
    return CliClient(server.path, f"https://{proxy.address}", cluster.tls, cluster.token)
