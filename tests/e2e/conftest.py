"""End-to-end: the built program as a black box. One file per subject; wait with house.waiting, never sleep."""

import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from house.bellwether import LOOPBACK, Bellwether, binary  # noqa: E402
from house.processes import Process  # noqa: E402
from house.reload_stand import Stand  # noqa: E402
from house.sim_cluster import SimCluster  # noqa: E402
from house.waiting import wait_until  # noqa: E402


@pytest.fixture
def sim(tmp_path):
    """A simulated cluster over plain HTTP."""
    with SimCluster.running(tmp_path / "sim", tls=False) as made:
        yield made


@pytest.fixture
def proxy(sim, tmp_path, request):
    """`bellwether run` in TCP mode before the simulated cluster, ready."""
    with Bellwether(tmp_path, [*LOOPBACK, *sim.urls]) as made:
        yield made.wait_ready()
    if getattr(request.node, "report_of_call", None) and request.node.report_of_call.failed:
        print(made.log()[-8000:])


@pytest.fixture
def fake_leader(tmp_path):
    """The URL of one node that is always active; see house/fake_leader.py."""
    script = pathlib.Path(__file__).resolve().parent.parent / "support/house/fake_leader.py"
    process = Process("fake leader", [sys.executable, script], tmp_path / "fake_leader.log")
    try:
        port = wait_until(lambda: process.log().endswith("\n") and process.log().split()[1], 20, "the fake leader's port")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.end()


@pytest.fixture
def command():
    """Runs `bellwether WORDS` to its end."""
    def run(*words, env=None, timeout=60):
        return subprocess.run([binary(), *map(str, words)], capture_output=True, text=True, env=env, timeout=timeout,
                              check=False, stdin=subprocess.DEVNULL)

    return run


@pytest.fixture
def reload_stand(sim, tmp_path, command):
    """Makes a proxy whose configuration file is written anew and reloaded."""
    made = []

    def make(**options):
        made.append(Stand(tmp_path, sim, command, **options))
        return made[-1]

    yield make
    for each in made:
        each.proxy.end()
        each.proxy.process.expect_no_sanitizer_report()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.report_of_call = outcome.get_result()
