"""Headless Chromium, driven over plain WebDriver."""

import os
import shutil

from .processes import Process
from .waiting import wait_until
from .web import request

# Chromium as root in a closed network: no sandbox, and nothing looked up at Google at every start.
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]


class Browser:
    def __init__(self, folder):
        self._driver = Process("chromedriver", [shutil.which("chromedriver") or "/usr/bin/chromedriver", "--port=0"],
                               os.path.join(str(folder), "chromedriver.log"))
        # Its first start on a machine may take very long.
        self._driver.expect_log("on port ", 120)
        port = wait_until(self._port, 120, "chromedriver to name its port")
        self._base = f"http://127.0.0.1:{port}"
        options = {"binary": shutil.which("chromium") or "/usr/bin/chromium",
                   "args": [*FLAGS, f"--user-data-dir={folder}/chromium-profile"]}
        made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}, 60)
        self._session = f"/session/{made['sessionId']}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._call("DELETE", self._session, None, 30)
        finally:
            self._driver.end()

    def _port(self):
        for line in self._driver.log().splitlines():
            if "successfully on port " in line:
                return int(line.rsplit("port ", 1)[1].rstrip("."))
        return None

    def _call(self, method, path, body, timeout=30):
        answer = request(self._base + path, method, body, {"Content-Type": "application/json"}, timeout=timeout)
        value = answer.json()["value"]
        assert answer.status == 200, value
        return value

    def open(self, url):
        self._call("POST", self._session + "/url", {"url": url})

    def run(self, script):
        """The value of `return ...` in the page."""
        return self._call("POST", self._session + "/execute/sync", {"script": script, "args": []})

    def text(self):
        return self.run("return document.body.innerText")
