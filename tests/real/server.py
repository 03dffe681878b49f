"""Finds a real server: BELLWETHER_SERVER=/path, else `bao` or `vault` from PATH. None of it is in this repository."""

import os
import shutil
import subprocess
import sys

HOW_TO_GET_ONE = ("Install the official package of OpenBao (https://openbao.org/downloads, >= 2.4) or Vault "
                  "(https://developer.hashicorp.com/vault/install), or name a binary: "
                  "./dev real --server /path/to/bao")


class Server:
    """One binary that is both server and command line client."""

    def __init__(self, path):
        self.path = path
        answer = subprocess.run([path, "version"], capture_output=True, text=True, timeout=30, check=True)
        self.version = answer.stdout.strip().splitlines()[0]
        self.is_openbao = "OpenBao" in self.version


def find_server():
    """None where there is no server; an error where one was named but does not run."""
    named = os.environ.get("BELLWETHER_SERVER")
    if named:
        return Server(named)
    path = shutil.which("bao") or shutil.which("vault")
    return Server(path) if path else None


def main(words):
    if "--how" in words:
        print(HOW_TO_GET_ONE)
        return 0
    server = find_server()
    print(f"{server.path}: {server.version}" if server else "no real server: no bao, no vault, no BELLWETHER_SERVER")
    return 0 if server else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
