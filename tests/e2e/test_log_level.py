"""`bellwether log-level`: another level of the log for a while, by the control socket."""

import json
import socket as sockets

import pytest

from house.bellwether import LOOPBACK, Bellwether
from house.waiting import wait_until
from house.web import request


class Logged:
    """A proxy before a simulated cluster, and what its log and its commands say of the level."""

    def __init__(self, proxy, socket, command):
        self.proxy, self.socket, self._command = proxy, socket, command

    def order(self, *words):
        return self._command("log-level", *words, "--control", self.socket)

    def told(self):
        done = self.order("--json")
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    def changes(self):
        return [(line.fields["before"], line.fields["level"]) for line in self.proxy.events("log_level_changed")]

    def ask_client(self):
        """A request of a client: one line of the log at level info or lower."""
        return request(f"http://{self.proxy.address}/v1/secret/data/none", timeout=20).status

    def requests(self):
        return self.proxy.events("request")


@pytest.fixture
def logged(sim, tmp_path, command):
    socket = tmp_path / "control.sock"
    words = [*LOOPBACK, "--mode", "http", "--log-requests", "--control", socket, *sim.urls]
    with Bellwether(tmp_path, words, env={"BELLWETHER_CONTROL": ""}) as made:
        yield Logged(made.wait_ready(), socket, command)


def test_debug_for_a_while_tells_more_and_ends_by_itself(logged, command):
    assert logged.order().stdout == "info, as configured\n"
    logged.ask_client()
    line = wait_until(logged.requests, 10, "the line of a request")[0]
    assert line.fields["client"] == "-"
    done = logged.order("debug", "--for", "5s")
    assert done.returncode == 0 and done.stdout.startswith("debug for another "), done
    assert "then info, as configured" in done.stdout
    logged.ask_client()
    wait_until(lambda: logged.requests()[-1].fields["client"] != "-", 10, "a line with the client")
    told = logged.proxy.status()["log_level"]
    assert (told["level"], told["configured"]) == ("debug", "info") and 0 < told["seconds_left"] <= 5, told
    assert "The level of the log is debug for another " in command("status", "--admin", logged.proxy.admin).stdout
    wait_until(lambda: logged.changes() == [("info", "debug"), ("debug", "info")], 20, "the configured level")
    assert {line.level for line in logged.proxy.events("log_level_changed")} == {"WARN"}
    assert "is over" in logged.proxy.events("log_level_changed")[-1].fields["why"]
    assert logged.told() == {"level": "info", "configured": "info", "until": None, "seconds_left": None}
    assert "level of the log" not in command("status", "--admin", logged.proxy.admin).stdout
    logged.ask_client()
    wait_until(lambda: len(logged.requests()) == 3, 10, "the third request")
    assert logged.requests()[-1].fields["client"] == "-"


def test_a_second_order_replaces_the_first_with_its_time(logged):
    assert logged.order("debug", "--for", "300ms").returncode == 0
    assert logged.order("error", "--for", "1h").returncode == 0
    assert logged.told()["seconds_left"] > 3500
    logged.ask_client()
    assert logged.order("info").stdout == "info, as configured\n"
    assert logged.order("warn").stdout == "warn until another order or the next start; info is configured\n"
    assert logged.told() == {"level": "warn", "configured": "info", "until": None, "seconds_left": None}
    assert logged.changes()[-1] == ("info", "warn")
    assert logged.requests() == []


def test_a_level_or_a_time_that_cannot_be_is_refused_by_name(logged):
    wrong = logged.order("loud")
    assert wrong.returncode == 2 and all(name in wrong.stderr for name in ("debug", "info", "warn", "error")), wrong
    for lasts, code in (("soon", 2), ("-5m", 2), ("0s", 1), ("25h", 1)):
        wrong = logged.order("debug", f"--for={lasts}")
        assert wrong.returncode == code, wrong
        assert ("at most 1d" if code == 1 else "duration") in wrong.stderr, wrong
    without_level = logged.order("--for", "10m")
    assert without_level.returncode == 2 and "LEVEL" in without_level.stderr, without_level
    refused = logged.order("debug", "--for", "25h", "--json")
    assert refused.returncode == 1 and "at most 1d" in json.loads(refused.stdout)["error"], refused
    assert logged.told()["level"] == "info" and logged.changes() == []


def spoken(socket, target):
    """The status and the text of the answer to a POST of that target, byte for byte."""
    with sockets.socket(sockets.AF_UNIX) as conn:
        conn.settimeout(20)
        conn.connect(str(socket))
        conn.sendall(b"POST " + target + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        answer = b""
        while part := conn.recv(65536):
            answer += part
    return int(answer.split()[1]), answer.decode()


@pytest.mark.parametrize("query, said", [
    (b"level=loud", "the levels are debug, info, warn, error"),
    (b"level=", "the levels are"),
    (b"level=" + b"x" * 20_000, "the levels are"),
    (b"level=debug&for=-1s", "at most 1d"),
    (b"level=debug&for=99999999999999999999999999d", "at most 1d"),
    (b"level=debug&for=" + b"9" * 20_000, "at most 1d"),
    (b"level=debug&for=nan", "at most 1d"),
    (b"for=10m", "only level=LEVEL"),
    (b"%00%0a=1", "only level=LEVEL"),
])
def test_hostile_orders_get_a_short_error_and_change_nothing(logged, query, said):
    status, answer = spoken(logged.socket, b"/log-level?" + query)
    assert status == 400 and said in answer and len(answer) < 1000, answer
    assert logged.told()["level"] == "info" and logged.changes() == []


def test_a_line_that_is_too_long_is_refused(logged):
    status, _ = spoken(logged.socket, b"/log-level?level=" + b"x" * 1_000_000)
    assert status in (400, 414, 431)
    assert logged.told()["level"] == "info"


def test_the_admin_address_does_not_change_the_level(logged):
    assert request(logged.proxy.admin + "/log-level?level=debug", method="POST", timeout=5).status == 405
    assert logged.told()["level"] == "info"


def test_the_end_may_come_while_another_level_lasts(logged):
    assert logged.order("debug", "--for", "1h").returncode == 0
    logged.proxy.process.terminate()
    assert logged.proxy.process.wait(40) == 0
    assert logged.proxy.events("ending")


def test_without_a_running_bellwether_the_error_says_where_it_looked(command, tmp_path):
    lonely = command("log-level", "debug", "--control", tmp_path / "nobody.sock")
    assert lonely.returncode == 1 and "nobody.sock" in lonely.stderr, lonely
