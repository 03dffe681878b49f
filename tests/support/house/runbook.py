"""packaging/RUNBOOK.md, taken apart, and executed in a shell whose other commands are pretended."""

import http.server
import json
import os
import pathlib
import re
import stat
import subprocess
import sys
import threading

from .bellwether import binary, repository_root

PATH = pathlib.Path(repository_root()) / "packaging/RUNBOOK.md"

# Hands its words to the Desk, and prints and returns what that says.
_SHIM = """#!{python}
import json, os, sys, urllib.request
asked = {{"words": ["{name}", *sys.argv[1:]], "BAO_ADDR": os.environ.get("BAO_ADDR", "")}}
with urllib.request.urlopen("{url}", json.dumps(asked).encode(), timeout=120) as answer:
    told = json.load(answer)
sys.stdout.write(told["out"])
sys.stderr.write(told["error"])
sys.exit(told["code"])
"""


def sections():
    """Heading -> [(commands, expected output or None)], for headings that have commands."""
    found = {}
    for part in re.split(r"^## ", PATH.read_text(encoding="utf-8"), flags=re.M)[1:]:
        blocks = re.findall(r"^```sh\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", part, re.S | re.M)
        if blocks:
            found[part.splitlines()[0]] = [(commands, expected or None) for commands, expected in blocks]
    return found


def matches(expected, got):
    """`...` within a line is anything there, alone on a line any lines or none; blanks count as one."""
    def line_pattern(line):
        if line.strip() == "...":
            return r"(?:.*\n)*?"
        words = re.escape(" ".join(line.split())).replace(re.escape("..."), ".*")
        return words + r" *\n"

    squeezed = "".join(" ".join(line.split()) + "\n" for line in got.splitlines())
    return re.fullmatch("".join(map(line_pattern, expected.splitlines())), squeezed) is not None


class Desk:
    """Where the pretended commands arrive. `commands`: (pattern of the words, function of its match and BAO_ADDR).

    A command that fits none fails, and so does the block: the page cannot say what nobody has tried."""

    def __init__(self, folder, commands, environment):
        self._commands = [(re.compile(pattern), action) for pattern, action in commands]
        self._folder = pathlib.Path(folder)
        self._folder.mkdir()
        self._environment = environment
        desk = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told = json.dumps(desk.answer(asked["words"], asked["BAO_ADDR"])).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                self.wfile.write(told)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        for name in ("ssh", "bao", "systemctl", "apt-get"):
            self._write(name, _SHIM.format(python=sys.executable, name=name,
                                           url=f"http://127.0.0.1:{self._server.server_address[1]}/"))
        # The one file that the page names is the test's own.
        self._write("bellwether", f'#!/bin/bash\nexec {binary()} "${{@//\\/etc\\/bellwether/{self._folder.parent}}}"\n')

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _write(self, name, text):
        path = self._folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def answer(self, words, address):
        line = " ".join(words)
        for pattern, action in self._commands:
            match = pattern.fullmatch(line)
            if match:
                return {"code": 0, "error": "", "out": action(*match.groups(), *([address] if "bao" in words else [])) or ""}
        return {"code": 64, "error": f"nobody knows what this does: {line}\n", "out": ""}

    def execute(self, blocks, timeout=120):
        """All blocks in one shell, as an operator pastes them. Returns what each printed."""
        mark = "=====8<====="
        script = f"echo '{mark}'\n".join(commands for commands, _ in blocks)
        environment = {"PATH": f"{self._folder}:/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), **self._environment}
        done = subprocess.run(["bash", "-e", "-c", script], capture_output=True, text=True, env=environment,
                              stdin=subprocess.DEVNULL, timeout=timeout, check=False)
        assert done.returncode == 0, f"ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout.split(f"{mark}\n")
