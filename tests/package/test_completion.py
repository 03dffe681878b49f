"""The completions do in their shells what a person who types would see."""

import pathlib
import shutil
import subprocess

import pytest

from house.bellwether import binary

BASH = r"""
source "$1"; shift
compopt() { :; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_bellwether
printf '%s\n' "${COMPREPLY[@]}"
"""

def words(line):
    return line.split(" ")


class Shells:
    def __init__(self, folder):
        self.folder = folder
        for topic, name in (("bash", "bellwether"), ("zsh", "_bellwether"), ("fish", "bellwether.fish")):
            done = subprocess.run([binary(), "docs", topic], capture_output=True, text=True, check=True)
            (folder / name).write_text(done.stdout, encoding="utf-8")

    def bash(self, line):
        done = subprocess.run(["bash", "--norc", "-euc", BASH, "bash", self.folder / "bellwether", *words(line)],
                              capture_output=True, text=True, check=False, cwd=self.folder, timeout=60)
        assert done.stderr == "", done
        return set(done.stdout.split())

    def fish(self, line):
        script = f"source {self.folder}/bellwether.fish; complete -C '{line}'"
        done = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, check=False,
                              cwd=self.folder, timeout=60)
        assert done.stderr == "", done
        return {each.split("\t")[0] for each in done.stdout.splitlines()}


    def zsh(self, line):
        seen = self.folder / "seen"
        seen.unlink(missing_ok=True)
        script = pathlib.Path(__file__).with_name("complete.zsh")
        subprocess.run(["zsh", "-f", script, self.folder, line, seen], check=True, cwd=self.folder, timeout=60)
        offered = seen.read_text(encoding="utf-8").splitlines()
        assert offered[-1] == "@@", offered
        seen.unlink()
        return {each[1:] for each in offered[:-1]}


@pytest.fixture(scope="module")
def shells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shells")
    (folder / "ca.pem").write_text("")
    (folder / "certs").mkdir()
    return Shells(folder)


@pytest.fixture(params=["bash", "fish", "zsh"])
def complete(shells, request):
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is missing: ./dev install-deps package-test installs it")
    return getattr(shells, request.param)


def test_commands(complete):
    assert {"run", "check", "status", "wait-leader", "upgrade"} <= complete("bellwether ")
    assert complete("bellwether wait") == {"wait-leader"}


def test_flags_of_a_command(complete):
    assert "--suspect-after" in complete("bellwether run --")
    assert complete("bellwether run --suspect") == {"--suspect-after"}
    assert complete("bellwether pause --fo") == {"--for"}
    assert "--listen" not in complete("bellwether pause --")


@pytest.mark.parametrize("line", ["bellwether run --mode ", "bellwether run --inter 1s --mode "])
def test_words_that_a_flag_takes(complete, line):
    assert complete(line) == {"tcp", "http", "redirect"}
    assert complete(line + "re") == {"redirect"}


def test_words_of_an_argument(complete):
    assert complete("bellwether node vault1 ") == {"ready", "drain", "maint"}
    assert complete("bellwether log-level d") == {"debug"}
    assert complete("bellwether docs man") == {"man", "man-file"}


def test_files(complete):
    assert "ca.pem" in complete("bellwether run --ca-file c")
    assert "ca.pem" in complete("bellwether check -f c")
    assert "ca.pem" in complete("bellwether upgrade c")
    assert not complete("bellwether run --inter c")
    assert {each.rstrip("/") for each in complete("bellwether run --ca-path c")} == {"certs"}


def test_bash_takes_a_flag_with_its_value_in_one_word(shells):
    assert shells.bash("bellwether run --mode = ") == {"tcp", "http", "redirect"}
    assert shells.bash("bellwether run --mode = re") == {"redirect"}
    assert shells.bash("bellwether node 10.0.0.1 : 8200 dr") == {"drain"}


def test_bash_completion_is_clean(shells):
    done = subprocess.run(["bash", "-n", shells.folder / "bellwether"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
