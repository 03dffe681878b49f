"""Commands, help and exit codes: 0 fine, 1 failed, 2 usage."""

import pytest

COMMANDS = ["run", "check", "dev", "sim", "status", "failovers", "node", "pause", "resume",
            "wait-leader", "repin", "version"]


def test_no_command_is_a_usage_error_that_shows_the_commands(command):
    done = command()
    assert done.returncode == 2
    assert all(name in done.stdout + done.stderr for name in COMMANDS)


def test_help_lists_the_commands(command):
    done = command("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself(command, name):
    done = command(name, "--help")
    assert done.returncode == 0, done
    assert done.stdout.strip()


def test_version_is_fine(command):
    done = command("version")
    assert done.returncode == 0
    assert "bellwether" in done.stdout.lower()


@pytest.mark.parametrize("words", [["gallop"], ["run", "--no-such-flag"], ["run", "--fall"], ["check", "-f"],
                                   ["node"], ["pause", "--for", "soon"], ["run", "--mode", "sideways", "http://127.0.0.1:1"]])
def test_what_cannot_be_understood_is_a_usage_error(command, words):
    done = command(*words)
    assert done.returncode == 2, done
    assert done.stderr.strip()


def test_run_with_a_missing_file_fails(command):
    done = command("run", "-f", "/nonexistent/bellwether.json")
    assert done.returncode == 1, done
    assert "/nonexistent/bellwether.json" in done.stderr


def test_run_without_any_node_says_what_is_missing(command):
    done = command("run", "--listen", "127.0.0.1:0")
    assert done.returncode in (1, 2), done
    assert "node" in done.stderr


def test_an_address_in_use_is_named(command, fake_leader):
    taken = fake_leader.split("//")[1]
    done = command("run", "--listen", taken, "--admin", "off", "http://127.0.0.1:1")
    assert done.returncode == 1, done
    assert taken in done.stderr


def test_status_without_a_running_bellwether_fails_and_says_where_it_asked(command):
    done = command("status", "--admin", "127.0.0.1:1")
    assert done.returncode == 1, done
    assert "127.0.0.1:1" in done.stderr


def test_status_shows_nodes_and_leader(command, proxy, sim):
    done = command("status", "--admin", proxy.admin.split("//")[1])
    assert done.returncode == 0, done
    assert all(url.split("//")[1] in done.stdout for url in sim.urls)
    assert proxy.leader_by_status() in done.stdout
