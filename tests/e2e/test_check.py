"""`bellwether check`: all errors of a file at once, each with line and column, as broken/NAME.expected lists them."""

import pathlib

import pytest

BROKEN = pathlib.Path(__file__).parent / "broken"
CONF = pathlib.Path(__file__).parents[2] / "conf"


def name_of(path):
    return getattr(path, "stem", "none")


@pytest.mark.parametrize("path", sorted(BROKEN.glob("*.json")), ids=name_of)
def test_every_error_of_a_broken_file_is_named(command, path):
    done = command("check", "-f", path)
    assert done.returncode == 1, done
    said = done.stdout + done.stderr
    expected = [line for line in path.with_suffix(".expected").read_text(encoding="utf-8").splitlines() if line.strip()]
    assert expected
    for line in expected:
        assert line.replace("bellwether.json", path.name) in said or line in said, f"{line!r} is not in:\n{said}"


def test_there_are_ten_broken_files():
    assert len(list(BROKEN.glob("*.json"))) >= 10


@pytest.mark.parametrize("path", sorted(CONF.glob("*.json")), ids=name_of)
def test_every_shipped_example_is_fine(command, path):
    if "schema" in path.name:
        pytest.skip("a schema, not an example")
    done = command("check", "-f", path)
    assert done.returncode == 0, done
