"""systemd is told how the service is, takes a hung one for what it is, and has each line of the log with its level."""

import json
import os
import re
import subprocess

import pytest

from house.bellwether import LOOPBACK, Bellwether, binary
from house.frozen_thread import frozen
from house.supervisor import Supervisor
from house.waiting import wait_until


@pytest.fixture
def supervisor(tmp_path):
    return Supervisor(str(tmp_path / "notify"))


def test_the_status_names_the_leader_of_now(sim, tmp_path, supervisor):
    with Bellwether(tmp_path, [*LOOPBACK, *sim.urls], env=supervisor.env) as proxy:
        proxy.wait_ready()
        old = proxy.leader_by_status()
        supervisor.next_until(lambda told: told == f"STATUS={old} leads; 3 of 3 nodes serve or stand by")
        sim.step_down(sim.leader())
        supervisor.next_until(re.compile(r"STATUS=(?!%s)\S+ leads; 3 of 3 nodes serve or stand by$" % re.escape(old)).match)
        sim.seal(sim.leader())
        supervisor.next_until(re.compile(r"STATUS=\S+ leads; 2 of 3 nodes serve or stand by$").match)
        proxy.process.terminate()
        assert supervisor.next_until(lambda told: "nodes" not in told and "wait" not in told) == "STOPPING=1"
        assert supervisor.next() == "STATUS=ends when its clients have ended"


def test_a_reload_is_told_from_its_begin_to_its_end(reload_stand, supervisor, monkeypatch):
    for name, value in supervisor.env.items():
        monkeypatch.setenv(name, value)
    stand = reload_stand()
    assert supervisor.told() == "READY=1"
    stand.use(inter="900ms")
    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", supervisor.told())
    assert supervisor.told() == "READY=1"
    stand.refused(no_such_option=1)
    assert supervisor.told().startswith("RELOADING=1\n")
    assert supervisor.told() == "READY=1"


@pytest.mark.parametrize("thread", ["worker 1", "admin"])
def test_a_thread_that_hangs_ends_the_feeding_of_the_watchdog(sim, tmp_path, supervisor, thread):
    env = {**supervisor.env, "WATCHDOG_USEC": "300000", "BELLWETHER_THREADS": "2"}
    with Bellwether(tmp_path, [*LOOPBACK, "--log-level", "info", *sim.urls], env=env) as proxy:
        proxy.wait_ready()
        for _ in range(3):
            assert supervisor.told() in ("READY=1", "WATCHDOG=1")
        with frozen(proxy.pid, thread):
            supervisor.pending()
            # The control loop goes on meanwhile: it finds and tells each change of the leader.
            fed = 0
            for _ in range(3):
                old = sim.leader()
                sim.step_down(old)
                told = []
                wait_until(lambda: told.extend(supervisor.pending()) or any(" leads;" in each for each in told), 30,
                           "the control loop to tell of the new leader")
                fed += told.count("WATCHDOG=1")
            assert fed <= 1, "it was fed while a thread hung"  # one may have been answered before the thread stopped
        assert supervisor.told() == "WATCHDOG=1"


def run_with_journal(tmp_path, words, stream, **options):
    """It ends at once or is ended; what it wrote to standard error, which calls itself the journal by `stream`."""
    file = tmp_path / "stderr"
    with open(file, "wb") as stderr:
        status = os.fstat(stderr.fileno())
        env = {**os.environ, "BELLWETHER_CONTROL": "off",
               "JOURNAL_STREAM": stream.format(device=status.st_dev, inode=status.st_ino, other=status.st_ino + 1)}
        process = subprocess.Popen([binary(), "run", *words], stderr=stderr, env={**env, **options})
    try:
        wait_until(lambda: process.poll() is not None or "leader_changed" in file.read_text(), 30, "a leader in the log")
    finally:
        process.terminate()
        process.wait(30)
    return file.read_text().splitlines()


def test_lines_for_the_journal_have_their_level_and_no_time(sim, tmp_path):
    lines = run_with_journal(tmp_path, [*LOOPBACK, "--rise", "1", *sim.urls], "{device}:{inode}")
    assert all(re.match(r"<6>INFO  [a-z_]+ |<4>WARN  [a-z_]+ ", line) for line in lines), lines
    assert any(line.startswith("<6>INFO  leader_changed ") for line in lines)


def test_json_for_the_journal_has_its_level_before_it(sim, tmp_path):
    lines = run_with_journal(tmp_path, [*LOOPBACK, *sim.urls], "{device}:{inode}", BELLWETHER_LOG_FORMAT="json")
    assert all(line.startswith("<6>{") and "time" in json.loads(line[3:]) for line in lines), lines


def test_what_keeps_it_from_starting_is_an_error_of_the_journal(tmp_path):
    lines = run_with_journal(tmp_path, ["--listen", "127.0.0.1:0", "--inter", "never", "http://127.0.0.1:1"], "{device}:{inode}")
    assert lines and all(line.startswith("<3>") for line in lines), lines


@pytest.mark.parametrize("stream", ["{device}:{other}", "", "nonsense", "1:2:3"])
def test_what_is_not_the_journal_has_times_as_ever(sim, tmp_path, stream):
    lines = run_with_journal(tmp_path, [*LOOPBACK, *sim.urls], stream)
    assert all(re.match(r"\d{4}-\d\d-\d\dT\S+Z [A-Z]+ ", line) for line in lines), lines
