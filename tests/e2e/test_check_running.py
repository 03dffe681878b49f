"""`bellwether check --running`: what a reload with a file would change, asked of the running process."""

import json
import os
import socket as sockets
import subprocess
import threading

import pytest

from house.bellwether import LOOPBACK, Bellwether, binary
from house.sim_cluster import SimCluster
from house.waiting import wait_until

FINE, FAILED, USAGE, DIFFERS = 0, 1, 2, 3


class Stand:
    """A running process with a file of its own, flags and a variable, and files that it might be given."""

    def __init__(self, folder, sim, command):
        self.sim, self.folder, self._command = sim, folder, command
        self.file, self.socket = folder / "bellwether.json", folder / "control.sock"
        self.write(self.file)
        words = ["-f", self.file, "--control", self.socket, "--fall", "7"]
        self.proxy = Bellwether(folder, words, env={"BELLWETHER_CONTROL": "", "BELLWETHER_RISE": "5"})
        self.proxy.wait_ready()

    def nodes(self, *places):
        return [{"url": self.sim.nodes[i].url, "name": self.sim.nodes[i].name} for i in places]

    def write(self, file, places=(0, 1, 2), **options):
        text = {"listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "nodes": self.nodes(*places), **options}
        file.write_text(json.dumps(text, indent=1))
        return file

    def other(self, places=(0, 1, 2), **options):
        return self.write(self.folder / "other.json", places, **options)

    def check(self, *words, **how):
        return self._command("check", "--running", "--control", self.socket, *words, **how)

    def reload(self):
        return self._command("reload", "--control", self.socket)

    def names(self):
        return [node["name"] for node in self.proxy.status()["nodes"]]


@pytest.fixture
def stand(tmp_path, command):
    with SimCluster.running(tmp_path / "sim", tls=False, words=["--nodes", "5", "--node-id-header"]) as sim:
        made = Stand(tmp_path, sim, command)
        yield made
        made.proxy.end()
        made.proxy.process.expect_no_sanitizer_report()


def lines_of(text):
    return [line.strip() for line in text.splitlines()[1:]]


def test_what_it_says_is_what_a_reload_then_says_and_nothing_has_changed(stand):
    options = {"inter": "2s", "threads": 7}
    said = stand.check("-f", stand.other((0, 1, 3), **options))
    assert said.returncode == DIFFERS, said
    first, *_ = said.stdout.splitlines()
    assert first == f"{stand.folder}/other.json: a reload would change:"
    assert f"+node n4 ({stand.sim.nodes[3].url}" in said.stdout and f"-node n3 ({stand.sim.nodes[2].url}" in said.stdout
    assert 'inter "1s" -> "2s"' in said.stdout and "needs a restart: threads 1 -> 7" in said.stdout
    assert stand.names() == ["n1", "n2", "n3"]
    assert stand.proxy.status()["config"]["last_reload"]["changes"] == []
    assert stand.proxy.events("config_reloaded") == [] and stand.proxy.events("node_added") == []
    stand.write(stand.file, (0, 1, 3), **options)
    own = stand.check()
    assert own.returncode == DIFFERS and lines_of(own.stdout) == lines_of(said.stdout), own
    done = stand.reload()
    assert done.returncode == 0 and lines_of(done.stdout) == lines_of(said.stdout), done
    assert stand.names() == ["n1", "n2", "n4"]
    again = stand.check("-f", stand.file)
    assert again.returncode == DIFFERS and lines_of(again.stdout) == ["needs a restart: threads 1 -> 7"], again
    assert "a reload would change nothing, a restart would:" in again.stdout


def test_nothing_differs(stand):
    for words in (["-f", stand.file], ["-f", stand.other()], []):
        done = stand.check(*words)
        assert done.returncode == FINE and done.stdout.endswith(": nothing differs\n"), done
    told = json.loads(stand.check("-f", stand.file, "--json").stdout)
    assert told["fine"] and told["running"] == {"differs": False, "changes": [], "needs_restart": []}
    piped = stand.file.read_text()
    done = subprocess.run([binary(), "check", "--running", "--control", str(stand.socket), "-f", "-"], input=piped,
                          capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (FINE, "standard input: nothing differs\n"), done


def test_flags_and_variables_of_the_running_process_count_and_those_of_the_shell_do_not(stand):
    """Its flag --fall 7 and its variable BELLWETHER_RISE=5 beat whatever a file says."""
    shell = {**os.environ, "BELLWETHER_INTER": "9s", "BELLWETHER_FALL": "9"}
    done = stand.check("-f", stand.other(fall=9, rise=9), env=shell)
    assert done.returncode == FINE and "nothing differs" in done.stdout, done
    done = stand.check("-f", stand.file, "--inter", "2s")
    assert done.returncode == USAGE and "leave inter out" in done.stderr, done
    done = stand.check("http://127.0.0.1:1")
    assert done.returncode == USAGE and "leave nodes out" in done.stderr, done


def test_a_file_that_lacks_what_the_flags_have_is_fine(sim, tmp_path, command):
    socket, file = tmp_path / "control.sock", tmp_path / "part.json"
    file.write_text('{"inter": "1s"}')
    with Bellwether(tmp_path, [*LOOPBACK, "-f", file, "--control", socket, *sim.urls],
                    env={"BELLWETHER_CONTROL": ""}) as proxy:
        proxy.wait_ready()
        done = command("check", "--running", "--control", socket, "-f", file)
        assert done.returncode == FINE and "nothing differs" in done.stdout, done
        file.write_text('{"inter": "3s"}')
        done = command("check", "--running", "-f", file, env={**os.environ, "BELLWETHER_CONTROL": str(socket)})
        assert done.returncode == DIFFERS and 'inter "1s" -> "3s"' in done.stdout, done


def test_a_process_without_a_file_says_that_no_reload_reads_this_one(sim, tmp_path, command):
    socket, file = tmp_path / "control.sock", tmp_path / "new.json"
    file.write_text('{"inter": "3s"}')
    with Bellwether(tmp_path, [*LOOPBACK, "--control", socket, *sim.urls], env={"BELLWETHER_CONTROL": ""}) as proxy:
        proxy.wait_ready()
        done = command("check", "--running", "--control", socket, "-f", file)
        assert done.returncode == DIFFERS and "started without a configuration file" in done.stdout, done


@pytest.mark.parametrize("content, words", [
    ("{ broken", ["other.json:1:3"]),
    ('{"nodes": ["http://127.0.0.1:1"],\n "intre": 3,\n "fall": "x"}', ["other.json:2:2", "inter", "other.json:3:10"]),
    ('{"nodes": []}', ["nodes"]),
    ("", ["other.json"]),
], ids=["broken", "two_errors", "no_nodes", "empty"])
def test_a_bad_file_is_refused_with_each_error_as_check_does(stand, content, words):
    other = stand.other()
    other.write_text(content)
    done = stand.check("-f", other)
    assert done.returncode == FAILED and done.stdout == "", done
    for word in words:
        assert word in done.stderr, done.stderr
    told = json.loads(stand.check("-f", other, "--json").stdout)
    assert told["fine"] is False and told["problems"], told
    assert stand.proxy.status()["config"]["current"] is True
    assert stand.proxy.metrics().sum("bellwether_config_last_reload_successful") == 1
    assert stand.proxy.events("config_refused") == []


def test_a_missing_file_is_named(stand):
    done = stand.check("-f", "/nonexistent/other.json")
    assert done.returncode == FAILED and "/nonexistent/other.json" in done.stderr, done


def test_what_only_check_sees_is_said_too(stand):
    done = stand.check("-f", stand.other(ca_file="/nonexistent/ca.pem"))
    assert done.returncode == FAILED and "/nonexistent/ca.pem" in done.stderr, done
    assert 'ca_file "" -> "/nonexistent/ca.pem"' in done.stdout, done


def test_without_a_running_process_the_way_out_is_named(command, tmp_path):
    file = tmp_path / "f.json"
    file.write_text('{"nodes": ["http://127.0.0.1:1"]}')
    done = command("check", "--running", "-f", file, "--control", tmp_path / "nobody.sock")
    assert done.returncode == FAILED and "nobody.sock" in done.stderr and "--control" in done.stderr, done
    told = json.loads(command("check", "--running", "-f", file, "--control", tmp_path / "nobody.sock", "--json").stdout)
    assert "nobody.sock" in told["running"]["error"], told
    place = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path), "BELLWETHER_ADMIN": "127.0.0.1:1"}
    place.pop("BELLWETHER_CONTROL", None)
    done = command("check", "--running", "-f", file, env=place)
    assert done.returncode == FAILED and "running" in done.stderr, done


def test_checks_and_reloads_that_meet_are_one_after_the_other(stand):
    """Some checks may be told to try again: a few at most wait at a time."""
    other = stand.other((0, 1, 3))
    stand.write(stand.file, (0, 4))
    done = []
    threads = [threading.Thread(target=lambda ask=ask: done.append(ask()))
               for ask in [lambda: stand.check("-f", other), stand.reload] * 6]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    checks = [each for each in done if "check" in each.args]
    assert [each.returncode for each in done if "reload" in each.args] == [0] * 6
    for each in checks:
        assert each.returncode == DIFFERS or (each.returncode == FAILED and "try again" in each.stderr), each
    assert stand.names() == ["n1", "n5"]
    assert len(stand.proxy.events("node_added")) == 1


def test_a_hanging_file_does_not_hang_who_asks(stand):
    stand.file.unlink()
    os.mkfifo(stand.file)
    done = stand.check()
    assert done.returncode == FAILED and "does not answer" in done.stderr, done
    with open(stand.file, "w", encoding="utf-8") as late:
        late.write("{}")
    wait_until(lambda: stand.check("-f", stand.other()).returncode == FINE, 20, "the next check")


def post(socket, target, body, length=None):
    """The status and the text of the answer, byte for byte."""
    with sockets.socket(sockets.AF_UNIX) as conn:
        conn.settimeout(30)
        conn.connect(str(socket))
        head = f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {length or len(body)}\r\nConnection: close\r\n\r\n"
        answer = b""
        try:
            conn.sendall(head.encode() + body)
            while part := conn.recv(65536):
                answer += part
        except (BrokenPipeError, ConnectionResetError):
            pass
    return int(answer.split()[1]), answer.decode()


def test_hostile_orders_are_refused(stand):
    assert post(stand.socket, "/check?name=f", b"", length=1024 * 1024 + 1)[0] == 413
    assert post(stand.socket, "/check", b"{}")[0] == 400
    assert post(stand.socket, "/check?file=f", b"{}")[0] == 400
    assert post(stand.socket, "/check?name=%0", b"{}")[0] == 400
    assert post(stand.socket, "/reload", b"x" * 5000)[0] == 413
    status, answer = post(stand.socket, "/check?name=%1b%5b2J", b"[" * 1024 * 1024)
    assert status == 409 and "\x1b" not in answer and len(answer) < 3000, answer
    status, answer = post(stand.socket, "/check?name=f", b"{" + b'"a":1,' * 1000 + b'"b":1}')
    assert status == 409 and "more like these are left out" in answer and len(answer) < 50_000, answer
    assert stand.names() == ["n1", "n2", "n3"] and stand.proxy.is_ready()
