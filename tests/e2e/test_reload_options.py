"""Options of the log, the admin address, the certificates and the end of the process change by a reload."""

import contextlib
import json
import shutil
import threading

import pytest

from house.certificates import self_signed
from house.waiting import wait_until
from house.web import request


@pytest.fixture
def begin(reload_stand):
    return reload_stand


def test_the_level_of_the_log(begin):
    it = begin()
    said = it.use(log_level="error")
    assert 'log_level "info" -> "error"' in said, said
    it.ask_client()
    it.use(log_level="info")
    it.ask_client()
    wait_until(lambda: it.proxy.events("request"), 10, "the line of a request")
    assert len(it.proxy.events("request")) == 1
    changes = [(line.fields["before"], line.fields["level"]) for line in it.proxy.events("log_level_changed")]
    assert changes == [("info", "error"), ("error", "info")]


def test_an_ordered_level_outlives_a_reload_and_ends_at_the_new_configured_one(begin):
    it = begin()
    assert it.order("log-level", "debug", "--for", "3s").returncode == 0
    it.use(log_level="warn")
    told = it.proxy.status()["log_level"]
    assert (told["level"], told["configured"]) in (("debug", "warn"), ("warn", "warn")), told
    wait_until(lambda: it.proxy.status()["log_level"]["level"] == "warn", 20, "the configured level")
    changes = [(line.fields["before"], line.fields["level"]) for line in it.proxy.events("log_level_changed")]
    assert changes == [("info", "debug"), ("debug", "warn")]


def test_the_format_of_the_log(begin):
    it = begin()
    it.use(log_format="json")
    it.ask_client()

    def last_line():
        line = it.proxy.log().splitlines()[-1]
        return json.loads(line) if line.startswith("{") else {}

    wait_until(lambda: last_line().get("event") == "request", 10, "a line in JSON")
    it.use()
    it.ask_client()
    wait_until(lambda: it.proxy.events("request"), 10, "a line in text")


def test_the_names_of_the_admin_address(begin):
    it = begin()
    port = it.proxy.admin.rsplit(":", 1)[1]

    def told(name):
        return request(it.proxy.admin + "/status", headers={"Host": f"{name}:{port}"}, timeout=5).status

    assert (told("one.example.com"), told("two.example.com")) == (421, 421)
    it.use(admin_hosts=["one.example.com"])
    wait_until(lambda: told("one.example.com") == 200, 10, "the new name")
    assert told("two.example.com") == 421 and told("localhost") == 200
    it.use(admin_hosts=["Two.example.com"])
    wait_until(lambda: told("two.example.com") == 200, 10, "the next name")
    assert told("one.example.com") == 421


def test_watch_begins_and_ends(begin):
    it = begin()
    it.use(watch=True, inter="2s")
    it.write(watch=True, inter="3s")
    wait_until(lambda: any("2s" in line.fields["changes"] and "3s" in line.fields["changes"]
                           for line in it.proxy.events("config_reloaded")), 20, "the watched file to be used")
    it.write(inter="4s")
    wait_until(lambda: any("watch true -> false" in line.fields["changes"]
                           for line in it.proxy.events("config_reloaded")), 20, "the watch to end")
    before = len(it.proxy.events("config_reloaded"))
    it.write(inter="5s")
    assert it.order("check", "--running").returncode == 3
    assert 'inter "4s" -> "5s"' in it.use(inter="5s")
    assert len(it.proxy.events("config_reloaded")) == before + 1


def test_the_time_to_the_hard_end(begin):
    """A request that waits for a leader would keep the process for 25 s."""
    it = begin(hold_timeout_http="60s")
    it.use(hold_timeout_http="60s", hard_stop_after="200ms")
    for node in it.sim.nodes:
        it.sim.kill(node.index)
    wait_until(lambda: it.proxy.leader_by_status() is None, 20, "no leader")

    def ask_in_vain():
        with contextlib.suppress(OSError):
            it.ask_client()

    asking = threading.Thread(target=ask_in_vain)
    asking.start()
    wait_until(lambda: it.proxy.metrics().sum("bellwether_held_requests") == 1, 20, "the request to wait")
    it.proxy.process.terminate()
    assert it.proxy.process.wait(15) == 0
    assert "hard_stop_after is over" in it.proxy.events("ending")[0].fields["why"]
    asking.join(50)


def test_the_interval_of_looks_at_certificates(begin, tmp_path):
    cert, key = self_signed(tmp_path, "first", -1, 1)
    it = begin(tls_cert=str(cert), tls_key=str(key), tls_reload_interval="1h")
    other_cert, other_key = self_signed(tmp_path, "other", -1, 2)
    shutil.copy(other_cert, cert)
    shutil.copy(other_key, key)
    it.use(tls_reload_interval="100ms")  # a reload reads them at once too
    wait_until(lambda: it.proxy.events("certificates_reloaded"), 20, "the new certificate")
    count = len(it.proxy.events("certificates_reloaded"))
    third_cert, third_key = self_signed(tmp_path, "third", -1, 3)
    shutil.copy(third_cert, cert)
    shutil.copy(third_key, key)
    wait_until(lambda: len(it.proxy.events("certificates_reloaded")) > count, 20, "the third, without a reload")
