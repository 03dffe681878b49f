"""The README's quick start is executed, so that it cannot rot."""

import json
import pathlib
import re
import shlex

from house.bellwether import Bellwether, binary
from house.ports import free_ports
from house.waiting import wait_until
from house.web import request

README = pathlib.Path(__file__).parents[2] / "README.md"


def block_after(marker):
    """The fenced block that follows `<!-- marker -->`."""
    match = re.search(rf"<!-- {re.escape(marker)} -->\s*```\w*\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    assert match, f"README.md has no block marked {marker}"
    return match.group(1)


def test_the_two_commands_are_verbs_of_dev():
    verbs = re.findall(r"^\./dev (\w+)", block_after("tested: two commands"), re.M)
    desk = (README.parent / "dev").read_text(encoding="utf-8")
    assert verbs == ["demo", "test"]
    assert all(f"verb_{verb}()" in desk for verb in verbs)


def test_the_demo_ends_after_the_failovers_asked_for(tmp_path):
    words = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--failover-every", "2s", "--failovers", "1"]
    with Bellwether(tmp_path, words, command="dev") as demo:
        assert demo.process.wait(90) == 0, demo.log()
        said = demo.log()
    assert "http://127.0.0.1:" in said
    assert "step-down" in said
    assert ", 0 failed" in said, said


def test_the_command_line_of_the_quick_start_runs(sim, tmp_path):
    line = block_after("tested: quick start").replace("\\\n", " ").strip().splitlines()[0]
    words = shlex.split(line)
    assert words[:2] == ["bellwether", "run"], words
    urls = iter(sim.urls)
    words = [next(urls) if word.startswith("https://") else word for word in words[2:]]
    listen, admin = (f"127.0.0.1:{port}" for port in free_ports(2))
    words = [{"127.0.0.1:8200": listen}.get(word, word) for word in words]
    with Bellwether(tmp_path, [*without_ca(words), "--admin", admin]) as run:
        wait_until(lambda: request(f"http://{admin}/readyz").status == 200, 30, "ready")
        assert request(f"http://{listen}/v1/sys/health").status == 200
        assert run.process.is_running()


def without_ca(words):
    """The simulated nodes of this test speak plain HTTP."""
    at = words.index("--ca-file")
    return words[:at] + words[at + 2:]


def test_the_smallest_configuration_is_accepted(command, tmp_path):
    config = tmp_path / "bellwether.json"
    config.write_text(block_after("tested: smallest configuration"), encoding="utf-8")
    assert json.loads(config.read_text(encoding="utf-8"))["nodes"]
    done = command("check", "-f", config)
    assert done.returncode == 0, (binary(), done)
