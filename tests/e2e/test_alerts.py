"""The alert rules: promtool finds no fault, each fires in a case of its own, uses our metrics and has its remedy."""

import pathlib
import re
import subprocess

from house.bellwether import repository_root
from house.prometheus import tool

ROOT = pathlib.Path(repository_root())
RULES = ROOT / "packaging/prometheus/bellwether-rules.yml"
CASES = ROOT / "packaging/prometheus/bellwether-rules.test.yml"
CASES_OF_CLUSTERS = ROOT / "packaging/prometheus/bellwether-rules.clusters.test.yml"
OF_THE_PROCESS = {"BellwetherDown", "BellwetherConfigNotReloaded"}


def promtool(*words):
    return subprocess.run([tool("promtool"), *map(str, words)], capture_output=True, text=True, timeout=60, check=False)


def alerts():
    return re.findall(r"- alert: (\w+)", RULES.read_text())


def test_promtool_finds_no_fault():
    done = promtool("check", "rules", "--lint-fatal", RULES)
    assert done.returncode == 0, done


def test_each_alert_fires_in_its_case_and_not_before():
    done = promtool("test", "rules", CASES)
    assert done.returncode == 0, done.stdout + done.stderr
    fired = re.findall(r"- alertname: (\w+)", CASES.read_text())
    assert sorted(fired) == sorted(alerts())


def test_each_alert_about_a_cluster_fires_for_that_one_alone_and_names_it():
    done = promtool("test", "rules", CASES_OF_CLUSTERS)
    assert done.returncode == 0, done.stdout + done.stderr
    text = CASES_OF_CLUSTERS.read_text()
    assert set(re.findall(r"- alertname: (\w+)", text)) == set(alerts()) - OF_THE_PROCESS
    summaries = re.findall(r"summary: '(.*)'", text)
    assert len(summaries) == len(alerts()) - len(OF_THE_PROCESS) and all("cluster east" in each for each in summaries), summaries


def test_each_record_is_tried_with_two_clusters():
    records = re.findall(r"- record: (\S+)", RULES.read_text())
    assert records and records == re.findall(r"- expr: (\S+)", CASES_OF_CLUSTERS.read_text())


def test_the_rules_use_metrics_that_there_are():
    reference = (ROOT / "conf/REFERENCE.md").read_text()
    known = set(re.findall(r"^\| `(bellwether_\w+)`", reference, re.M))
    used = set(re.findall(r"\bbellwether_\w+", RULES.read_text()))
    assert used and used <= known, used - known
    deprecated = set(re.findall(r"^\| `(bellwether_\w+)` .*Deprecated", reference, re.M))
    assert not used & deprecated, used & deprecated


def test_each_alert_has_its_row_in_the_runbook():
    text = (ROOT / "packaging/RUNBOOK.md").read_text()
    rows = re.findall(r"^\| (\w+) \|[^|]+\|([^|]+)\|$", text.split("## Alerts")[1], re.M)
    assert [name for name, _ in rows if name != "alert"] == alerts()
    headings = set(re.findall(r"^## (.*)$", text, re.M))
    named = {quoted for _, remedy in rows for quoted in re.findall(r'"([^"]+)"', remedy)}
    assert named <= headings, named - headings
