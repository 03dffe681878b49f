"""Commands, help and exit codes: 0 fine, 1 failed, 2 usage."""

import json
import os
import subprocess

import pytest

from house.bellwether import LOOPBACK, Bellwether, binary
from house.certificates import self_signed
from house.waiting import wait_until

COMMANDS = ["run", "check", "dev", "sim", "status", "failovers", "node", "pause", "resume",
            "ambiguous", "wait-leader", "healthcheck", "repin", "reload", "log-level", "upgrade", "docs", "version",
            "init", "import-haproxy", "rehearse"]


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


def test_status_ends_with_1_while_nobody_leads(command, tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "http://127.0.0.1:1"]) as lonely:
        admin = lonely.admin.split("//")[1]
        for words in ([], ["--json"]):
            done = command("status", "--admin", admin, *words)
            assert (done.returncode, done.stderr) == (1, ""), done
            assert done.stdout
        done = command("wait-leader", "--admin", admin, "--json", "200ms")
        assert done.returncode == 1
        assert "no node leads" in json.loads(done.stdout)["error"]


def test_watch_in_json_is_one_record_a_line(proxy):
    words = [binary(), "status", "--watch", "--json", "--admin", proxy.admin.split("//")[1]]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as watching:
        try:
            for _ in range(2):
                assert json.loads(watching.stdout.readline())["leader"]["name"]
        finally:
            watching.terminate()


def test_an_output_that_cannot_be_written_is_an_error(proxy):
    with open("/dev/full", "w", encoding="utf-8") as full:
        for words in (["status", "--admin", proxy.admin.split("//")[1]], ["--help"], ["check", "http://127.0.0.1:1"]):
            done = subprocess.run([binary(), *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
            assert done.returncode == 1, (words, done)
            assert "output" in done.stderr or "No space" in done.stderr, (words, done)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_fits_80_columns(command, name):
    done = command(*([name] if name else []), "--help")
    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if len(line) > 80] == []


def test_help_names_the_environment(command):
    assert "BELLWETHER_ADMIN" in command("--help").stdout
    assert "NO_COLOR" in command("--help").stdout
    assert "BELLWETHER_SUSPECT_AFTER" in command("run", "--help").stdout


@pytest.mark.parametrize("name, said", [
    ("BELLWETHER_INTRE", "BELLWETHER_INTRE is not used; did you mean BELLWETHER_INTER?"),
    ("BELLWETHER_ZZZZZZZZZZZZ", "BELLWETHER_ZZZZZZZZZZZZ is not used: there is no such option")])
def test_an_unknown_variable_is_told(command, name, said):
    done = command("check", "http://127.0.0.1:1", env={**os.environ, name: "1"})
    assert done.returncode == 0, done
    assert said in done.stderr


def test_errors_of_the_start_obey_log_format(command, fake_leader):
    taken = fake_leader.split("//")[1]
    for words in (["--listen", taken, "--admin", "off", "http://127.0.0.1:1"], ["--fall", "0", "http://127.0.0.1:1"]):
        done = command("run", "--log-format", "json", *words)
        assert done.returncode in (1, 2), done
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        assert any(line["level"] == "error" and line["why"] for line in lines), done


@pytest.mark.parametrize("text, said", [
    ("global\n  maxconn 10\nbackend vault\n  server v1 10.0.0.1:8200\n", "HAProxy's configuration"),
    ('storage "raft" {\n  path = "/data"\n}\n', "this is HCL"),
    ("# nodes\nlisten: 127.0.0.1:8200\nnodes:\n  - https://a:8200\n", "this is YAML")])
def test_a_file_of_another_kind_is_named(command, tmp_path, text, said):
    file = tmp_path / "other.conf"
    file.write_text(text)
    done = command("check", "-f", file)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1, done


@pytest.mark.parametrize("begins, ends, said", [(-2, -1, "expired on"), (1, 2, "is not valid before")],
                         ids=["expired", "not_yet"])
def test_certificates_out_of_their_time_are_errors_of_check_and_warnings_of_run(command, tmp_path, begins, ends, said):
    cert, key = self_signed(tmp_path, "wrong_time", begins, ends)
    listen = ["--mode", "http", "--tls-cert", cert, "--tls-key", key, "http://127.0.0.1:1"]
    done = command("check", *listen)
    assert done.returncode == 1, done
    assert "tls_cert" in done.stderr and said in done.stderr
    assert "fine" not in done.stdout
    found = json.loads(command("check", "--json", *listen).stdout)
    assert found["fine"] is False and said in found["problems"][0]["message"]
    done = command("check", "--client-cert", cert, "--client-key", key, "https://127.0.0.1:1")
    assert done.returncode == 1, done
    assert "client_cert" in done.stderr and said in done.stderr
    with Bellwether(tmp_path, [*LOOPBACK, *listen]) as running:
        line = wait_until(lambda: running.events("certificate_invalid"), 20, "the warning")[0]
        assert (line.level, line.fields["option"]) == ("WARN", "tls_cert")
        assert said in line.fields["why"]


def test_a_missing_key_is_named_with_its_option(command, tmp_path):
    cert, _ = self_signed(tmp_path, "bare", -1, 1)
    done = command("check", "--mode", "http", "--tls-cert", cert, "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "comes without its key: name the key's file with tls_key" in done.stderr


def test_check_says_fine_only_after_the_nodes_were_asked(command, sim):
    done = command("check", "--live", *sim.urls)
    assert done.returncode == 0, done
    assert done.stdout.index("fine") > done.stdout.index("role")
    assert "fine" not in command("check", "--live", "http://127.0.0.1:1").stdout
    found = json.loads(command("check", "--live", "--json", *sim.urls).stdout)
    assert found["fine"] and sorted(node["role"] for node in found["nodes"]) == ["active", "standby", "standby"]
