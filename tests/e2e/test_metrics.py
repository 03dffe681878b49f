"""What Prometheus scrapes: judged by promtool, complete from the start, and documented."""

import pathlib
import re
import subprocess

from house.bellwether import Bellwether, LOOPBACK
from house.prometheus import tool

ROOT = pathlib.Path(__file__).parents[2]
REFERENCE = ROOT / "conf/REFERENCE.md"


def documented_metrics():
    return set(re.findall(r"\bbellwether_[a-z_]+\b", REFERENCE.read_text(encoding="utf-8")))


def family(sample, types):
    for suffix in ("_bucket", "_sum", "_count"):
        if sample.endswith(suffix) and types.get(sample[: -len(suffix)]) == "histogram":
            return sample[: -len(suffix)]
    return sample


def test_promtool_finds_nothing(proxy):
    done = subprocess.run([tool("promtool"), "check", "metrics"], input=proxy.metrics().text, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0 and not done.stdout.strip() and not done.stderr.strip(), done


def test_the_content_type_is_what_prometheus_3_wants(proxy):
    assert proxy.get("/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")


def test_every_metric_has_help_and_type_and_is_documented(proxy):
    scrape = proxy.metrics()
    names = {family(name, scrape.types) for name, _, _ in scrape.samples}
    assert names
    for name in sorted(names):
        assert scrape.helps.get(name), f"{name} has no help"
        assert scrape.types.get(name), f"{name} has no type"
    own = {name for name in names if name.startswith("bellwether_")}
    assert own - documented_metrics() == set(), "exported, but not in conf/REFERENCE.md"


def test_every_documented_metric_is_exported_from_the_start(tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "http://127.0.0.1:1"]) as fresh:
        scrape = fresh.metrics()
    exported = {family(name, scrape.types) for name, _, _ in scrape.samples}
    assert documented_metrics() - exported == set(), "in conf/REFERENCE.md, but not exported"


def test_counters_of_traffic_start_at_zero(tmp_path):
    with Bellwether(tmp_path, [*LOOPBACK, "http://127.0.0.1:1"]) as fresh:
        scrape = fresh.metrics()
    counters = [name for name, kind in scrape.types.items() if kind == "counter" and name.startswith("bellwether_")]
    assert counters
    for name in counters:
        assert scrape.all(name), f"{name} has no sample"
    for name in ("bellwether_leader_changes_total", "bellwether_held_total", "bellwether_connections_total"):
        assert scrape.sum(name) == 0, name


def test_no_gauge_and_counter_differ_by_total_alone(proxy):
    scrape = proxy.metrics()
    current = {name for name, help_text in scrape.helps.items() if not help_text.startswith("Deprecated")}
    assert [name for name in current if f"{name}_total" in current] == []
    for old, new in (("bellwether_connections", "bellwether_open_connections"),
                     ("bellwether_node_connections", "bellwether_node_open_connections"),
                     ("bellwether_http_requests", "bellwether_http_requests_in_flight")):
        assert new in scrape.helps[old], old
        assert len(scrape.all(old)) == len(scrape.all(new)) > 0


def test_no_label_carries_a_client_or_a_path(proxy):
    for name, labels, _ in proxy.metrics().samples:
        assert not any("/v1/" in value for value in labels.values()), (name, labels)
        assert "client" not in labels and "path" not in labels, (name, labels)
