"""The units of packaging/systemd: systemd finds no fault in them, and the service may do little."""

import pathlib
import shutil
import subprocess

import pytest

from house.bellwether import binary, repository_root

UNITS = pathlib.Path(repository_root()) / "packaging" / "systemd"


@pytest.fixture
def units(tmp_path):
    """As they are installed, but for the program's place."""
    for unit in ("bellwether.service", "bellwether.socket"):
        text = (UNITS / unit).read_text()
        (tmp_path / unit).write_text(text.replace("/usr/bin/bellwether", binary()))
    return tmp_path


def analyze(*words):
    assert shutil.which("systemd-analyze"), "systemd-analyze is missing: ./dev install-deps test installs it"
    return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True, timeout=60, check=False)


def test_systemd_takes_them(units):
    done = analyze("verify", "--man=no", "--recursive-errors=no", units / "bellwether.service", units / "bellwether.socket")
    assert (done.returncode, done.stderr) == (0, ""), done


def test_the_service_is_exposed_little(units):
    done = analyze("security", "--offline=true", "--threshold=20", "--no-pager", units / "bellwether.service")
    assert done.returncode == 0, done.stdout[-2000:]
