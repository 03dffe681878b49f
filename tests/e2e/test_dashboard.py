"""The dashboard for Grafana: each query of each panel has an answer in a Prometheus that has scraped a run with failovers."""

import contextlib
import json
import pathlib
import re
import ssl
import subprocess
import sys
import threading

import pytest

from house.bellwether import LOOPBACK, Bellwether, repository_root
from house.certificates import COMMON_NAME, Certificates
from house.prometheus import Prometheus
from house.sim_cluster import SimCluster
from house.waiting import wait_until
from house.web import Tls, request

ROOT = pathlib.Path(repository_root())
GRAFANA = ROOT / "packaging/grafana"
RULES = ROOT / "packaging/prometheus/bellwether-rules.yml"


def dashboard():
    return json.loads((GRAFANA / "bellwether.json").read_text(encoding="utf-8"))


def panels():
    return [panel for panel in dashboard()["panels"] if panel["type"] != "row"]


def queries():
    """(panel's title, expression, legend) of each, and those of the variables and annotations, whose legend is empty."""
    shown = [(panel["title"], target["expr"], target["legendFormat"]) for panel in panels() for target in panel["targets"]]
    return shown + [(each["name"], each["expr"], "") for each in dashboard()["annotations"]["list"]]


def label_queries():
    """(variable, metric, label)"""
    wanted = re.compile(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)")
    asked = [each for each in dashboard()["templating"]["list"] if each["type"] == "query"]
    return [(each["name"], *wanted.fullmatch(each["query"]["query"]).groups()) for each in asked]


def substituted(expression, cluster=".*"):
    """As Grafana does it: all instances, clusters and nodes, and a time that covers the whole run."""
    values = {"job": "bellwether", "instance": ".*", "cluster": cluster, "node": ".*", "__rate_interval": "2m", "__range": "5m", "__interval": "2m"}
    made = re.sub(r"\$(\w+)", lambda match: values[match.group(1)], expression)
    assert "$" not in made, made
    return made


def catalogue():
    """What a query may name: {metric: whether it is deprecated}, and the records of our rules."""
    rows = re.findall(r"^\| `(bellwether_\w+)`(.*)$", (ROOT / "conf/REFERENCE.md").read_text(encoding="utf-8"), re.M)
    records = re.findall(r"- record: (\S+)", RULES.read_text(encoding="utf-8"))
    return {**{name: "Deprecated" in rest for name, rest in rows}, **dict.fromkeys(records, False)}


def metrics_of_the_process():
    """Those that no cluster has, and so no label "cluster"."""
    rows = (ROOT / "include/bellwether/metrics/rows.def").read_text(encoding="utf-8")
    return {"up", "bellwether_build_info", *re.findall(r'^BW_PROCESS\(\w+, \w+, "(\w+)"', rows, re.M)}


def selections(expression):
    """(metric, labels) of each."""
    return re.findall(r"([\w:]+)\{([^}]*)\}", expression)


def unknown_metrics(expression):
    known = catalogue()
    names = {re.sub(r"_bucket$", "", name) for name in re.findall(r"\bbellwether[:_][\w:]+", expression)}
    return {name for name in names if known.get(name, True)}


def test_the_file_is_what_the_table_makes():
    made = subprocess.run([sys.executable, "-B", GRAFANA / "dashboard.py"], capture_output=True, text=True, check=True)
    assert made.stdout == (GRAFANA / "bellwether.json").read_text(encoding="utf-8"), \
        "packaging/grafana/dashboard.py > packaging/grafana/bellwether.json"


def test_it_can_be_provisioned():
    parts = dashboard()
    assert parts["id"] is None and parts["uid"] and parts["schemaVersion"] >= 38 and "__inputs" not in parts
    assert [each["name"] for each in parts["templating"]["list"]] == ["datasource", "job", "instance", "cluster", "node"]
    assert [row["title"] for row in parts["panels"] if row["type"] == "row"] == [
        "Who leads", "Failovers", "Traffic", "Nodes", "Certificates", "Names and the process"]
    numbers = [panel["id"] for panel in parts["panels"]]
    assert len(numbers) == len(set(numbers))
    assert "path: /usr/share/bellwether/grafana\n" in (GRAFANA / "provider.yml").read_text(encoding="utf-8")
    for each in [*panels(), *[target for panel in panels() for target in panel["targets"]], *parts["annotations"]["list"]]:
        assert each["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, each


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_every_panel_says_what_it_shows_in_which_unit(panel):
    defaults = panel["fieldConfig"]["defaults"]
    assert len(panel["description"]) > 10 and panel["description"].endswith("."), panel["description"]
    assert defaults["unit"] and defaults["thresholds"]["steps"], defaults
    assert all(target["legendFormat"] for target in panel["targets"])


def test_no_panel_lies_over_another():
    taken = set()
    for place in (panel["gridPos"] for panel in dashboard()["panels"]):
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken and all(x < 24 for x, _ in cells), place
        taken |= cells


def test_its_queries_name_metrics_that_there_are():
    for title, expression, _ in queries():
        assert not unknown_metrics(expression), (title, expression)
    for name, metric, _ in label_queries():
        assert not unknown_metrics(metric), (name, metric)


@pytest.mark.parametrize("name", ["bellwether_nothing", "bellwether_connections", "bellwether:no_record"])
def test_unknown_and_deprecated_metrics_would_be_found(name):
    assert unknown_metrics(f"sum(rate({name}[5m]))") == {name}


def test_each_query_about_clusters_asks_for_the_chosen_ones_and_keeps_them_apart():
    variables = {each["name"]: each for each in dashboard()["templating"]["list"]}
    assert variables["cluster"]["allValue"] == ".*" and variables["cluster"]["current"]["value"] == ["$__all"]
    everything = [*queries(), ("node", variables["node"]["query"]["query"], "")]
    asked = [(title, metric, labels) for title, expression, _ in everything for metric, labels in selections(expression)
             if metric != "ALERTS"]
    assert len(metrics_of_the_process() & {metric for _, metric, _ in asked}) > 5
    for title, metric, labels in asked:
        assert ('cluster=~"$cluster"' in labels) is (metric not in metrics_of_the_process()), (title, metric, labels)
    for title, expression, legend in queries():
        if "{{node}}" in legend or ("{{instance}}" in legend and not metrics_of_the_process() & set(dict(selections(expression)))):
            assert "{{cluster}}" in legend, (title, expression, legend)


class Traffic:
    """One request after the other to each listener; what comes of them is for the metrics to tell."""

    def __init__(self, urls, token, tls):
        self._urls, self._token, self._tls = urls, token, tls
        self._stop = threading.Event()
        self.statuses = []
        self._threads = [threading.Thread(target=self._ask, args=(url,)) for url in urls]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, url):
        while not self._stop.wait(0.02):
            with contextlib.suppress(OSError):
                self.statuses.append(request(url + "/v1/secret/data/none", headers={"X-Vault-Token": self._token}, tls=self._tls,
                                             timeout=30).status)


def configuration(sim, folder):
    cert, key = folder / "sim/tls/node.pem", folder / "sim/tls/node.key"
    return {"listen": [{"address": "127.0.0.1:0", "mode": "http", "tls_cert": str(cert), "tls_key": str(key)},
                       {"address": "127.0.0.1:0", "mode": "tcp"}],
            "nodes": [{"name": f"vault{at + 1}", "url": url} for at, url in enumerate(sim.urls)],
            "ca_file": str(sim.tls.ca_file), "server_name": sim.tls.server_name,
            "client_cert": str(cert), "client_key": str(key)}


def distrustful_client(url, folder):
    """Its handshake fails, since it knows another CA than ours."""
    with pytest.raises(ssl.SSLError):
        request(url, tls=Tls(Certificates(folder / "stranger").ca_file, COMMON_NAME))


def failovers(sim, proxy):
    for fault in (sim.step_down, sim.kill, sim.step_down):
        old = sim.leader()
        before = proxy.status()["epoch"]
        fault(old)
        wait_until(lambda: proxy.status()["epoch"] > before, 30, "another leader")
        sim.heal()
    wait_until(lambda: counted(proxy, "step_down") >= 2 and counted(proxy, "crash") >= 1, 30, "the failovers to be counted")


def counted(proxy, cause):
    return proxy.metrics().sum("bellwether_failovers_total", cause=cause)


def scraped(prometheus):
    """What Prometheus, which lags behind the proxy by a scrape or more, has of counted()."""
    found = prometheus.ask('sum by (cause) (bellwether_failovers_total{cause=~"step_down|crash"})')
    return {labels["cause"]: value for labels, value in found}


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A Prometheus that has seen a proxy with TLS on both sides, clients, a step-down and a crash."""
    folder = tmp_path_factory.mktemp("watched")
    with SimCluster.running(folder / "sim") as sim:
        config = folder / "bellwether.json"
        config.write_text(json.dumps(configuration(sim, folder)), encoding="utf-8")
        with Bellwether(folder, ["-f", config, *LOOPBACK[2:]]) as proxy:
            proxy.wait_ready()
            with Prometheus(folder, [proxy.admin.removeprefix("http://")], RULES) as prometheus:
                # A rate is a difference: what is counted before the first scrape is none.
                wait_until(lambda: prometheus.ask("bellwether_leader_info == 1"), 30, "the first scrape")
                traffic = Traffic([f"https://{address}" for address in proxy.addresses], sim.token, sim.tls)
                try:
                    distrustful_client(f"https://{proxy.addresses[0]}", folder)
                    failovers(sim, proxy)
                    wait_until(lambda: scraped(prometheus) == {cause: counted(proxy, cause) for cause in ("step_down", "crash")}, 30,
                               "a scrape of the last failover")
                    yield prometheus
                finally:
                    traffic.stop()
                assert 404 in traffic.statuses


def test_each_query_has_an_answer_and_its_legend_has_names(watched):
    missing = []

    def all_are_answered():
        missing[:] = [(title, expression) for title, expression, _ in queries() if not watched.ask(substituted(expression))]
        return not missing

    with contextlib.suppress(AssertionError):
        wait_until(all_are_answered, 40, "answers", every=1)
    assert not missing, missing
    for title, expression, legend in queries():
        wanted = set(re.findall(r"\{\{(\w+)\}\}", legend)) - {"cluster"}  # which has no name here
        for labels, _ in watched.ask(substituted(expression)):
            assert wanted <= set(labels), (title, expression, legend, labels)


def test_the_variables_have_values(watched):
    found = {name: {labels.get(label) for labels, _ in watched.ask(metric)} for name, metric, label in label_queries()}
    assert found["job"] == {"bellwether"} and found["node"] == {"vault1", "vault2", "vault3"} and len(found["instance"]) == 1


def test_what_the_run_did_is_what_it_shows(watched):
    by_title = {title: expression for title, expression, _ in queries()}

    def shown(title, label):
        return {labels[label]: value for labels, value in watched.ask(substituted(by_title[title]))}

    causes = shown("Failovers by cause", "cause")
    assert causes["step_down"] >= 2 and causes["crash"] >= 1, causes
    assert set(shown("How long they took, median", "phase")) == {"detect", "elect", "first_success"}
    assert list(shown("Ready", "instance").values()) == [1]
    days = {kind: seconds / 86400 for kind, seconds in shown("Days left", "cert").items()}
    assert set(days) == {"client", "server"} and all(29 < left < 31 for left in days.values()), days


@pytest.fixture(scope="module")
def two_clusters(tmp_path_factory):
    """A Prometheus that has seen a proxy of the clusters east and west, whose nodes have the same names; east has lost its leader."""
    folder = tmp_path_factory.mktemp("two_clusters")
    with contextlib.ExitStack() as ended:
        sims = {name: ended.enter_context(SimCluster.running(folder / name, tls=False)) for name in ("east", "west")}
        config = folder / "bellwether.json"
        config.write_text(json.dumps({
            "clusters": [{"name": name, "nodes": [{"name": f"vault{at + 1}", "url": url} for at, url in enumerate(sim.urls)]}
                         for name, sim in sims.items()],
            "listen": [{"address": "127.0.0.1:0", "cluster": name, "mode": "http"} for name in sims]}), encoding="utf-8")
        proxy = ended.enter_context(Bellwether(folder, ["-f", config, *LOOPBACK[2:]]))
        prometheus = ended.enter_context(Prometheus(folder, [proxy.admin.removeprefix("http://")], RULES))
        wait_until(lambda: len(prometheus.ask("bellwether_leader_info == 1")) == 2, 30, "the leaders of both clusters")
        for node in sims["east"].nodes:
            sims["east"].kill(node.index)
        wait_until(lambda: len(prometheus.ask("bellwether_leader_info == 1")) == 1, 30, "a scrape of the outage")
        yield prometheus


def answers(prometheus, title, cluster=".*"):
    found = next((expression, legend) for name, expression, legend in queries() if name == title)
    return [(labels, value, set(re.findall(r"\{\{(\w+)\}\}", found[1])))
            for labels, value in prometheus.ask(substituted(found[0], cluster))]


def test_clusters_are_chosen_by_their_variable(two_clusters):
    assert {labels.get("cluster") for labels, _ in two_clusters.ask("bellwether_leader_epoch")} == {"east", "west"}
    for title, clusters in (("Held now", {"east", "west"}), ("Leader", {"west"}), ("Version", {None})):
        assert {labels.get("cluster") for labels, _, _ in answers(two_clusters, title)} == clusters, title
    assert {labels["cluster"] for labels, _, _ in answers(two_clusters, "Held now", "east")} == {"east"}
    assert len(answers(two_clusters, "Version", "east")) == 1


def test_each_line_of_two_clusters_has_a_legend_of_its_own(two_clusters):
    """Nodes of the same name, and the one instance, are told apart by the cluster."""
    for title, lines in (("Role", 6), ("Answers", 6), ("Could take over", 2), ("Files in use", 4), ("Ready", 2)):
        wait_until(lambda title=title, lines=lines: len(answers(two_clusters, title)) == lines, 20, f"{lines} lines of {title}")
        shown = [tuple((label, labels[label]) for label in sorted(wanted)) for labels, _, wanted in answers(two_clusters, title)]
        assert len(set(shown)) == lines, (title, shown)
    assert {labels["cluster"]: value for labels, value, _ in answers(two_clusters, "Ready")} == {"east": 0, "west": 1}


def test_the_share_of_time_without_a_leader_is_of_each_cluster(two_clusters):
    def shares():
        return {labels["cluster"]: value for labels, value, _ in answers(two_clusters, "Time without a leader")}

    wait_until(lambda: shares().get("east", 0) > 0.05, 30, "the outage in a rate")
    assert shares()["west"] == 0 and shares()["east"] <= 1.1, shares()
