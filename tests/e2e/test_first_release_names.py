"""What users wrote down for the first release goes on working: its options, flags, metrics, log events, and words."""

import json
import pathlib
import re

import pytest

from house.bellwether import LOOPBACK, Bellwether

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
NAMES = json.loads((HERE / "first_release_names.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def scrape(tmp_path_factory):
    with Bellwether(tmp_path_factory.mktemp("fresh"), [*LOOPBACK, "http://127.0.0.1:1"]) as fresh:
        yield fresh.metrics()


def values_of(scrape, name, label):
    return {labels[label] for labels, _ in scrape.all(name)}


def test_its_example_of_a_configuration_is_fine(command, tmp_path):
    """It sets every option that it had, to its default then."""
    text = (HERE / "first_release.json").read_text(encoding="utf-8")
    assert [key for key in NAMES["options"] if f'"{key}":' not in text] == []
    done = command("check", "-f", HERE / "first_release.json")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_option_is_in_the_schema():
    schema = json.loads((ROOT / "conf/bellwether.schema.json").read_text(encoding="utf-8"))
    assert set(NAMES["options"]) - set(schema["properties"]) == set()


def test_every_flag_is_offered(command):
    offered = set(re.findall(r"(?<![\w-])--[a-z-]+", command("run", "--help").stdout))
    assert set(NAMES["flags"]) - offered == set()


def test_every_metric_is_exported_with_its_type_and_labels(scrape):
    for name, then in NAMES["metrics"].items():
        assert scrape.types.get(name) == then["type"], name
        sample = name + "_count" if then["type"] == "histogram" else name
        for labels, _ in scrape.all(sample):
            assert set(then["labels"]) <= set(labels), name


def test_every_word_in_a_label_is_used(scrape):
    assert set(NAMES["roles"]) <= values_of(scrape, "bellwether_node_role", "role")
    assert set(NAMES["causes"]) <= values_of(scrape, "bellwether_failovers_total", "cause")
    assert set(NAMES["outcomes"]) <= values_of(scrape, "bellwether_http_outcomes_total", "outcome")


def test_every_log_event_is_still_said():
    """By the sources: most events need an accident of their own."""
    said = set()
    for source in (ROOT / "src").rglob("*.cc"):
        said |= set(re.findall(r'\b(?:debug|info|warn|error)\(\s*"([a-z_]+)"', source.read_text(encoding="utf-8")))
    kinds = (ROOT / "src/cluster/view/names.cc").read_text(encoding="utf-8").split("to_text(EventKind ", 1)[1].split("\n}\n", 1)[0]
    said |= set(re.findall(r'return "([a-z_]+)";', kinds))
    assert set(NAMES["log_events"]) - said == set()
