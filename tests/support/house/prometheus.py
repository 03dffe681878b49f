"""A Prometheus that scrapes what a test names each second, and is asked about it."""

import json
import math
import os
import pathlib
import shutil
import urllib.parse

from .bellwether import repository_root
from .ports import free_ports
from .processes import Process
from .waiting import wait_until
from .web import request

_UNPACKED = pathlib.Path(repository_root()) / "build/tools/usr/bin"


def tool(name):
    """prometheus or promtool, from PATH or as ./dev has unpacked it."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:{_UNPACKED}")
    assert found, f"there is no {name}: ./dev install-deps test unpacks Debian's into {_UNPACKED}"
    return found


class Prometheus:
    """Use it in a `with`. `targets`: host:port of each, scraped as the job "bellwether"."""

    def __init__(self, folder, targets, rules):
        folder = pathlib.Path(folder)
        config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
                  "rule_files": [str(rules)],
                  "scrape_configs": [{"job_name": "bellwether", "static_configs": [{"targets": targets}]}]}
        (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML
        address = f"127.0.0.1:{free_ports(1)[0]}"
        self._url = f"http://{address}"
        self._process = Process("prometheus", [tool("prometheus"), f"--config.file={folder}/prometheus.yml",
                                               f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address={address}"],
                                folder / "prometheus.log")

    def __enter__(self):
        try:
            wait_until(self._is_ready, 30, "Prometheus to be ready")
        except BaseException:
            self._process.end()
            raise
        return self

    def __exit__(self, *_):
        self._process.end()

    def ask(self, expression):
        """[(labels, value)], without values that are no numbers; a fault in the expression is an error."""
        asked = urllib.parse.urlencode({"query": expression})
        answer = request(f"{self._url}/api/v1/query?{asked}")
        assert answer.status == 200, (expression, answer)
        found = [(each["metric"], float(each["value"][1])) for each in answer.json()["data"]["result"]]
        return [(labels, value) for labels, value in found if math.isfinite(value)]

    def _is_ready(self):
        assert self._process.is_running(), self._process.log()
        return request(self._url + "/-/ready").status == 200
