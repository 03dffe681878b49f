"""Another program takes the place of the running one, and clients notice nothing; sockets of who started it are used."""

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import threading

import pytest

from house.asking import all_ask_on, clients
from house.bellwether import Bellwether, binary
from house.ports import free_ports
from house.sim_cluster import SimCluster
from house.supervisor import Supervisor
from house.waiting import wait_until
from house.web import request


class Succession:
    """A program on ports of its own, each of whose successors has them too."""

    def __init__(self, folder, sim, command, mode="http", **options):
        self.folder, self._command = folder, command
        self.port, admin = free_ports(2)
        self.address = f"127.0.0.1:{self.port}"
        self.admin = f"http://127.0.0.1:{admin}"
        self.socket = folder / "control.sock"
        self.file = folder / "bellwether.json"
        self.options = {"listen": self.address, "admin": f"127.0.0.1:{admin}", "mode": mode, "nodes": sim.urls,
                        "control": str(self.socket), **options}
        self.file.write_text(json.dumps(self.options))
        self.proxy = Bellwether(folder, ["-f", self.file], env={"BELLWETHER_CONTROL": ""})
        self.proxy.wait_ready()
        self._watched = []

    def upgrade(self, *words):
        return self._command("upgrade", "--control", self.socket, *words)

    def order(self, name, *words):
        return self._command(name, "--control", self.socket, *words)

    def reload(self):
        return self._command("reload", "--control", self.socket)

    def succeed(self):
        done = self.upgrade("--json")
        assert done.returncode == 0, done
        pid = json.loads(done.stdout)["pid"]
        self._watched.append((pid, os.pidfd_open(pid)))
        return pid

    def has_ended(self, pid):
        if pid == self.proxy.pid:
            return not self.proxy.process.is_running()
        descriptor = dict(self._watched)[pid]
        return bool(select.select([descriptor], [], [], 0)[0])

    def end(self):
        for _, descriptor in self._watched:
            os.close(descriptor)
        self.proxy.end()
        self.proxy.process.expect_no_sanitizer_report()


@pytest.fixture
def begin(sim, tmp_path, command):
    made = []

    def make(**options):
        made.append(Succession(tmp_path, sim, command, **options))
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.mark.parametrize("place", ["{folder}/notify", "\0bellwether-{pid}"], ids=["file", "abstract"])
def test_the_supervisor_is_told(sim, tmp_path, command, place):
    supervisor = Supervisor(place.format(folder=tmp_path, pid=os.getpid()))
    control = tmp_path / "control.sock"
    words = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--control", control, *sim.urls]
    proxy = Bellwether(tmp_path, words, env=supervisor.env)
    try:
        assert supervisor.told() == "READY=1"
        done = command("upgrade", "--control", control, "--json")
        pid = json.loads(done.stdout)["pid"]
        with os.fdopen(os.pidfd_open(pid), "rb", closefd=True) as successor:
            assert sorted([supervisor.told(), supervisor.told()]) == [f"MAINPID={pid}", "READY=1"]
            assert proxy.process.wait(30) == 0
            os.kill(pid, signal.SIGTERM)
            assert supervisor.told() == "STOPPING=1"
            wait_until(lambda: select.select([successor], [], [], 0)[0], 30, "the successor to end")
    finally:
        proxy.end()
    proxy.process.expect_no_sanitizer_report()


@pytest.mark.parametrize("mode,threads", [("http", 1), ("http", 3), ("tcp", 1)])
def test_upgrades_beside_clients(begin, sim, mode, threads):
    it = begin(mode=mode, threads=threads, drain_quiet="100ms")
    sessions = {"kept": 1, "three": 3, "fresh": 0} if mode == "http" else {"fresh": 0, "other": 0}
    pids = [it.proxy.pid]
    with clients(it.proxy, sim, sessions) as asking:
        all_ask_on(asking)
        for _ in range(6):
            pids.append(it.succeed())
            all_ask_on(asking)
            wait_until(lambda: it.has_ended(pids[-2]), 30, "the one before to end")
        all_ask_on(asking)
    for client in asking:
        assert client.errors == []
        assert {told.status for told in client.told} == {200}
    assert len(set(pids)) == 7 and not it.has_ended(pids[-1])
    assert len(it.proxy.events("upgraded")) == 6
    assert it.proxy.process.exit_code() == 0
    assert it.socket.exists() and request(it.admin + "/readyz").status == 200


def test_connections_in_a_storm_are_neither_refused_nor_reset(begin):
    it = begin(threads=2)
    stop = threading.Event()
    failed, served = [], []

    def connect():
        while not stop.is_set():
            try:
                with socket.create_connection(("127.0.0.1", it.port), 20) as client:
                    client.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: v\r\nConnection: close\r\n\r\n")
                    served.append(client.recv(12) == b"HTTP/1.1 200")
            except OSError as error:
                failed.append(error)

    threads = [threading.Thread(target=connect) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            so_far = len(served)
            it.succeed()
            wait_until(lambda: len(served) > so_far + 50, 30, "clients to be served")
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert failed == [] and all(served)


def test_an_order_behind_an_upgrade_goes_to_the_new_process(begin, sim):
    it = begin(threads=2)
    with clients(it.proxy, sim, {"kept": 1, "fresh": 0}) as asking:
        for _ in range(15):
            it.succeed()
            done = it.reload()
            assert done.returncode == 0, done
        all_ask_on(asking)
    assert [client.errors for client in asking] == [[]] * len(asking)


def test_a_session_of_before_goes_on_in_the_old_process(begin):
    it = begin(mode="tcp")
    session = http.client.HTTPConnection("127.0.0.1", it.port, timeout=20)
    session.request("GET", "/v1/sys/health")
    assert session.getresponse().read()
    pid = it.succeed()
    session.request("GET", "/v1/sys/health")
    assert session.getresponse().status == 200
    assert not it.has_ended(it.proxy.pid)
    assert request(f"http://{it.address}/v1/sys/health").status == 200
    session.close()
    wait_until(lambda: it.has_ended(it.proxy.pid), 30, "the old process to end")
    assert not it.has_ended(pid) and it.proxy.process.exit_code() == 0


def test_what_waits_for_a_leader_is_served_by_the_old_process(begin, sim):
    it = begin(hold_timeout_http="60s")
    told = []
    for node in sim.nodes:
        sim.kill(node.index)
    wait_until(lambda: it.proxy.leader_by_status() is None, 20, "no leader")
    asking = threading.Thread(target=lambda: told.append(request(f"http://{it.address}/v1/secret/data/none", timeout=60)))
    asking.start()
    wait_until(lambda: it.proxy.metrics().sum("bellwether_held_requests") == 1, 20, "the request to wait")
    it.succeed()
    for node in sim.nodes:
        sim.restart(node.index)
    asking.join(60)
    assert [answer.status for answer in told] == [403]


def program(folder, text, mode=0o755):
    file = folder / "program"
    file.write_text(text)
    file.chmod(mode)
    return file


def shared(folder):
    made = folder / "shared"
    made.mkdir(exist_ok=True)
    made.chmod(0o777)
    return made


@pytest.mark.parametrize("text,words", [
    ("#!/bin/sh\nexit 7\n", ["exit code 7"]),
    ("#!/bin/sh\nkill -SEGV $$\n", ["signal 11"]),
    ("#!/bin/sh\nexec sleep 60\n", ["was not ready within 500ms", "upgrade_timeout"]),
    ("#!/bin/sh\nexec 3>&- 4>&- 5>&- 6>&- 7>&- sleep 60\n", ["gave up"]),
    ("not a program", ["cannot start"]),
], ids=["fails", "crashes", "hangs", "hangs_up", "no_program"])
def test_a_program_that_does_not_become_ready_changes_nothing(begin, tmp_path, text, words):
    it = begin(upgrade_timeout="500ms" if "500ms" in words[0] else "20s")
    file = program(tmp_path, text)
    for _ in range(2):
        done = it.upgrade(file)
        assert done.returncode == 1 and "this process goes on" in done.stderr or "cannot start" in done.stderr, done
        for word in words:
            assert word in done.stderr, done
    assert request(f"http://{it.address}/v1/sys/health").status == 200
    assert request(it.admin + "/readyz").status == 200
    assert len(it.proxy.events("upgrade_failed")) == 2
    it.succeed()


def test_a_file_with_an_error_changes_nothing(begin):
    it = begin()
    it.file.write_text("{ broken")
    done = it.upgrade()
    assert done.returncode == 1 and "exit code 1" in done.stderr, done
    it.file.write_text(json.dumps(it.options))
    it.succeed()


@pytest.mark.parametrize("what,words", [
    (lambda folder: "/nonexistent/bellwether", "no such file"),
    (lambda folder: folder, "is not an executable file"),
    (lambda folder: program(folder, "#!/bin/sh\n", 0o644), "is not an executable file"),
    (lambda folder: program(folder, "#!/bin/sh\n", 0o777), "may be written by others"),
    (lambda folder: program(shared(folder), "#!/bin/sh\n"), "may be written by others"),
], ids=["missing", "folder", "not_executable", "writable", "replaceable"])
def test_a_program_that_must_not_be_started(begin, tmp_path, what, words):
    it = begin()
    done = it.upgrade(what(tmp_path))
    assert done.returncode == 1 and words in done.stderr, done


def test_what_was_read_from_standard_input_cannot_be_started_again(sim, tmp_path, command):
    control = tmp_path / "control.sock"
    config = tmp_path / "bellwether.json"
    config.write_text(json.dumps({"listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "nodes": sim.urls,
                                  "control": str(control)}))
    wrapper = ["sh", "-c", f'exec "$@" < {config}', "sh"]
    with Bellwether(tmp_path, ["-f", "-"], env={"BELLWETHER_CONTROL": ""}, wrapper=wrapper) as proxy:
        proxy.wait_ready()
        done = command("upgrade", "--control", control)
        assert done.returncode == 1 and "cannot be replaced" in done.stderr, done


def activated(folder, sockets, words, name):
    """Started as systemd starts a unit that has sockets."""
    numbers = " ".join(f"{3 + i}<&{sock.fileno()}" for i, sock in enumerate(sockets))
    script = f'exec {numbers}; LISTEN_PID=$$ LISTEN_FDS={len(sockets)} exec "$@"'
    return Bellwether(folder, words, name=name, wrapper=["bash", "-c", script, "bash"],
                      pass_fds=[sock.fileno() for sock in sockets])


def test_sockets_of_who_started_it_wait_while_it_is_away(sim, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as given, socket.create_server(("127.0.0.1", 0)) as unused:
        address = f"127.0.0.1:{given.getsockname()[1]}"
        words = ["--listen", address, "--threads", "2", "--mode", "http", "--admin", "127.0.0.1:0", *sim.urls]
        with activated(tmp_path, [given, unused], words, "first") as first:
            first.wait_ready()
            assert request(f"http://{address}/v1/sys/health").status == 200
            line, = first.events("inherited_socket_unused")
            assert line.fields["address"] == f"127.0.0.1:{unused.getsockname()[1]}"
        with socket.create_connection(("127.0.0.1", given.getsockname()[1]), 30) as waiting:
            waiting.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: v\r\n\r\n")
            with activated(tmp_path, [given], words, "second") as second:
                assert waiting.recv(12) == b"HTTP/1.1 200"
                second.wait_ready()
                assert second.events("inherited_socket_unused") == []


def test_sockets_for_another_process_are_left_alone(sim, tmp_path):
    env = {"LISTEN_PID": "1", "LISTEN_FDS": "1"}
    with Bellwether(tmp_path, ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", *sim.urls], env=env) as proxy:
        proxy.wait_ready()
        assert request(f"http://{proxy.address}/v1/sys/health").status == 200


def hanging_node():
    """Takes connections and never says anything."""
    return socket.create_server(("127.0.0.1", 0), backlog=64)


def test_who_connects_while_the_new_program_is_not_ready_is_served_by_the_old_one(begin):
    it = begin(upgrade_timeout="2s")
    with hanging_node() as node:
        it.file.write_text(json.dumps({**it.options, "nodes": [f"http://127.0.0.1:{node.getsockname()[1]}"],
                                       "timeout_check": "60s", "timeout_connect": "60s"}))
        told = []
        upgrading = threading.Thread(target=lambda: told.append(it.upgrade()))
        upgrading.start()
        answers = []
        while upgrading.is_alive():
            answers.append(request(f"http://{it.address}/v1/sys/health", timeout=20).status)
            answers.append(request(it.admin + "/healthz", timeout=20).status)
        upgrading.join()
    assert told[0].returncode == 1 and "was not ready within 2s" in told[0].stderr, told
    assert len(answers) > 20 and set(answers) == {200}


def test_a_successor_that_fails_late_leaves_the_files_of_sockets(begin, tmp_path):
    path = tmp_path / "front.sock"
    it = begin(listen=[f"unix:{path}"])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        it.file.write_text(json.dumps({**it.options, "admin": f"127.0.0.1:{taken.getsockname()[1]}"}))
        assert it.upgrade().returncode == 1
    for _ in range(2):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET /v1/sys/health HTTP/1.1\r\nHost: v\r\n\r\n")
            assert client.recv(15) == b"HTTP/1.1 200 OK"
        it.file.write_text(json.dumps(it.options))
        it.succeed()
    assert it.socket.exists() and path.exists()


def test_the_file_of_a_socket_of_systemd_stays(sim, tmp_path):
    path = tmp_path / "unit.sock"
    with socket.socket(socket.AF_UNIX) as given:
        given.bind(str(path))
        given.listen()
        control = tmp_path / "control.sock"
        words = ["--listen", f"unix:{path}", "--mode", "http", "--admin", "127.0.0.1:0", "--control", control, *sim.urls]
        with activated(tmp_path, [given], words, "first") as first:
            first.wait_ready()
            done = subprocess.run([binary(), "upgrade", "--control", control], capture_output=True, text=True, timeout=60,
                                  check=False)
            assert done.returncode == 0, done
            assert first.process.wait(30) == 0
        assert path.exists()


@pytest.mark.parametrize("mode", ["redirect", "http", "tcp"])
def test_who_has_connected_and_not_spoken_is_served(begin, mode):
    it = begin(listen=[{"address": "127.0.0.1:0", "mode": mode, "accept_proxy": True}], accept_proxy_from=["127.0.0.1"])
    host, port = it.proxy.address.rsplit(":", 1)
    clients_ = [socket.create_connection((host, int(port)), 20) for _ in range(3)]
    it.succeed()
    for client in clients_:
        client.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /v1/sys/seal-status HTTP/1.1\r\nHost: v\r\n\r\n")
        assert client.recv(9) == b"HTTP/1.1 ", mode
        client.close()


def test_a_process_that_is_told_to_end_ends_its_upgrade(begin, tmp_path):
    it = begin(mode="tcp", drain_quiet="10s")
    session = http.client.HTTPConnection("127.0.0.1", it.port, timeout=20)
    session.request("GET", "/v1/sys/health")
    assert session.getresponse().read()
    told = []
    upgrading = threading.Thread(target=lambda: told.append(it.upgrade(program(tmp_path, "#!/bin/sh\nexec sleep 60\n"))))
    upgrading.start()
    wait_until(lambda: it.proxy.events("upgrade_begun"), 20, "the upgrade to begin")
    it.proxy.process.terminate()
    upgrading.join(30)
    assert told[0].returncode == 1 and "was told to end" in told[0].stderr, told
    session.close()
    assert it.proxy.process.wait(30) == 0


def test_a_process_that_was_replaced_changes_nothing_any_more(begin):
    it = begin(mode="tcp")
    session = http.client.HTTPConnection("127.0.0.1", it.port, timeout=20)
    session.request("GET", "/v1/sys/health")
    assert session.getresponse().read()
    it.succeed()
    (port,) = free_ports(1)
    it.file.write_text(json.dumps({**it.options, "listen": [it.address, f"127.0.0.1:{port}"]}))
    it.proxy.process.send(signal.SIGHUP)
    wait_until(lambda: it.proxy.events("config_refused"), 20, "the reload to be refused")
    assert "another process" in it.proxy.events("config_refused")[0].fields["why"]
    assert it.reload().returncode == 0
    assert request(f"http://127.0.0.1:{port}/v1/sys/health").status == 200
    session.close()


def failovers(it):
    return [{key: value for key, value in each.items() if key != "age_seconds"}
            for each in request(it.admin + "/failovers").json()["failovers"]]


def records_without_times(records):
    """The wall times of two processes may lie apart by what the machine's clock was adjusted meanwhile."""
    return [{key: value for key, value in each.items() if key != "time"} for each in records]


def history(it):
    scrape = it.proxy.metrics()
    return {"epoch": scrape.sum("bellwether_leader_epoch"),
            "since": round(scrape.sum("bellwether_leader_since_timestamp_seconds")),
            "changes": scrape.sum("bellwether_leader_changes_total"),
            "leaderless": scrape.sum("bellwether_leaderless_seconds_total"),
            "failovers": scrape.all("bellwether_failovers_total"),
            "phases": scrape.all("bellwether_failover_duration_seconds_bucket"),
            "records": records_without_times(failovers(it))}


def step_down(it, sim):
    """Until the record of it has ended."""
    before = len(failovers(it))
    sim.step_down(sim.wait_for_leader())
    wait_until(lambda: len(failovers(it)) > before and not any(each["open"] for each in failovers(it)), 30, "the record")


def test_epochs_history_and_counters_go_on(begin, sim):
    it = begin()
    step_down(it, sim)
    before = history(it)
    assert before["epoch"] == 2 and before["changes"] == 1 and len(before["records"]) == 2
    for _ in range(2):
        pid = it.succeed()
        assert history(it) == before
    assert it.proxy.events("handover_refused") == [] and it.proxy.events("handover_absent") == []
    step_down(it, sim)
    after = history(it)
    assert after["epoch"] == 3 and after["changes"] == 2
    assert [each["epoch_to"] for each in after["records"]] == [3, 2, 1]
    assert after["records"][1:] == before["records"]
    assert after["leaderless"] >= before["leaderless"] > 0
    assert not it.has_ended(pid)
    epochs = [int(line.fields["epoch"]) for line in it.proxy.events() if line.event == "leader_changed"]
    assert sorted(epochs) == epochs and set(epochs) == {1, 2, 3}


def test_a_leader_change_that_is_under_way_goes_on(begin, sim):
    it = begin()
    leader = it.proxy.leader_by_status()
    for node in sim.nodes:
        sim.kill(node.index)
    wait_until(lambda: it.proxy.leader_by_status() is None, 20, "no leader")
    before = failovers(it)[0]
    assert before["open"] and before["epoch_from"] == 1
    it.succeed()
    now, start = failovers(it)
    assert now["open"] and (now["from"], now["epoch_from"], now["sign"]) == (leader, 1, before["sign"])
    assert start["cause"] == "start"
    assert it.proxy.status()["epoch"] == 1
    it.succeed()
    for node in sim.nodes:
        sim.restart(node.index)
    wait_until(lambda: it.proxy.leader_by_status() is not None, 30, "a leader")
    wait_until(lambda: not any(each["open"] for each in failovers(it)), 30, "the record")
    now, start = failovers(it)
    assert (now["epoch_from"], now["epoch_to"], now["from"], now["sign"]) == (1, 2, leader, before["sign"])
    assert now["ms_from_sign"]["last_good"] == before["ms_from_sign"]["last_good"]
    assert it.proxy.status()["epoch"] == 2
    line, = it.proxy.events("failover")
    assert line.fields["epoch"] == "2"


@pytest.mark.parametrize("comes_back", [False, True], ids=["another_leads", "the_same_leads_again"])
def test_what_changes_while_the_new_program_starts_is_told_once(begin, sim, tmp_path, comes_back):
    it = begin()
    first = it.proxy.leader_by_status()
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    upgrading = threading.Thread(target=it.upgrade, args=[program(tmp_path, f'#!/bin/sh\nread word <{gate}\nexec {binary()} "$@"\n')])
    upgrading.start()
    wait_until(lambda: it.proxy.events("upgrade_begun"), 20, "the upgrade to begin")
    step_down(it, sim)
    while comes_back and it.proxy.leader_by_status() != first:
        step_down(it, sim)
    before = history(it)
    assert before["epoch"] == before["changes"] + 1 == len(before["records"]) >= (3 if comes_back else 2)
    gate.write_text("go\n")
    upgrading.join(60)
    assert len(it.proxy.events("upgraded")) == 1
    wait_until(lambda: history(it) == before, 20, "what the old program knew")
    step_down(it, sim)
    after = history(it)
    assert after["epoch"] == before["epoch"] + 1 and after["records"][1:] == before["records"]


WITHOUT_HANDOVER = {
    "absent": ("unset BELLWETHER_HANDOVER", "handover_absent"),
    "no_text": ("export BELLWETHER_HANDOVER=0", "handover_absent"),
    "empty": (": >/proc/self/fd/$BELLWETHER_HANDOVER", "handover_refused"),
    "broken": ("printf '{\"format\": \"bellw' >/proc/self/fd/$BELLWETHER_HANDOVER", "handover_refused"),
    "of_another": ("text=/proc/self/fd/$BELLWETHER_HANDOVER; new=$(sed 's/\"process\":[0-9]*/\"process\":1/' $text); "
                   "printf '%s' \"$new\" >$text", "handover_refused"),
}


@pytest.mark.parametrize("case", WITHOUT_HANDOVER)
def test_what_cannot_be_taken_over_is_no_reason_against_an_upgrade(begin, sim, tmp_path, case):
    it = begin()
    step_down(it, sim)
    line, event = WITHOUT_HANDOVER[case]
    it.upgrade(program(tmp_path, f'#!/bin/sh\n{line}\nexec {binary()} "$@"\n'))
    said, = wait_until(lambda: it.proxy.events(event), 20, "the line about it")
    assert "begin anew" in said.fields["why"]
    assert history(it)["epoch"] == 1 and history(it)["changes"] == 0
    assert [each["cause"] for each in failovers(it)] == ["start"]
    assert len(it.proxy.events("upgraded")) == 1
    step_down(it, sim)
    before = history(it)
    it.succeed()
    assert history(it) == before and before["epoch"] == 2


def test_the_operators_orders_stay_in_force(begin, sim):
    it = begin()
    standby = next(node.index for node in sim.nodes if sim.health(node.index) == 429)
    name = it.proxy.status()["nodes"][standby]["name"]

    def order(*words):
        done = it.order(*words)
        assert done.returncode == 0, done

    def in_force():
        status = it.proxy.status()
        return status["nodes"][standby]["admin"], status["hold"]["reason"], status["paused_until"] is not None

    order("node", name, "maint")
    order("pause", "--for", "5m")
    left = it.proxy.status()["paused_seconds_left"]
    for _ in range(2):
        it.succeed()
        assert in_force() == ("maint", "paused", True)
    assert 200 < it.proxy.status()["paused_seconds_left"] <= left
    order("resume")
    order("node", name, "ready")
    it.succeed()
    assert in_force() == ("ready", "none", False)


def test_each_cluster_has_its_own_history(sim, tmp_path, command):
    with SimCluster.running(tmp_path / "other", tls=False) as other:
        east, west, admin = free_ports(3)
        file, control = tmp_path / "clusters.json", tmp_path / "clusters.sock"
        file.write_text(json.dumps({
            "admin": f"127.0.0.1:{admin}", "control": str(control), "mode": "http",
            "clusters": [{"name": "east", "nodes": sim.urls}, {"name": "west", "nodes": other.urls}],
            "listen": [{"address": f"127.0.0.1:{east}", "cluster": "east"},
                       {"address": f"127.0.0.1:{west}", "cluster": "west"}]}))
        with Bellwether(tmp_path, ["-f", file], env={"BELLWETHER_CONTROL": ""}) as proxy:
            proxy.wait_ready()

            def epochs():
                return {labels["cluster"]: value for labels, value in proxy.metrics().all("bellwether_leader_epoch")}

            other.step_down(other.wait_for_leader())
            wait_until(lambda: epochs() == {"east": 1, "west": 2}, 30, "the new leader")
            for _ in range(2):
                done = command("upgrade", "--control", control)
                assert done.returncode == 0, done
                assert epochs() == {"east": 1, "west": 2}
