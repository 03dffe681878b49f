"""The clients of a cluster that go through Bellwether: plain HTTP, hvac, and the server's own command line."""

import os
import subprocess

import hvac
import requests
from requests.adapters import HTTPAdapter

from house.web import request


class OneNameAdapter(HTTPAdapter):
    """Asks every server for the one name that all certificates carry, whatever its address."""

    def __init__(self, server_name):
        self._server_name = server_name
        super().__init__()

    def init_poolmanager(self, *args, **kwargs):
        kwargs["server_hostname"] = self._server_name
        kwargs["assert_hostname"] = self._server_name
        return super().init_poolmanager(*args, **kwargs)


class ApiClient:
    """A fresh connection for each request: who asks next gets the leader of that moment."""

    def __init__(self, base_url, tls, token):
        self._base_url, self._tls, self._token = base_url, tls, token

    def put(self, name, value, timeout=20):
        answer = self.call("POST", f"/v1/secret/data/{name}", {"data": {"value": value}}, timeout)
        if answer.status != 200:
            raise ConnectionError(f"put {name}: {answer}")

    def get(self, name, timeout=20):
        answer = self.call("GET", f"/v1/secret/data/{name}", None, timeout)
        if answer.status != 200:
            raise ConnectionError(f"get {name}: {answer}")
        return answer.json()["data"]["data"]["value"]

    def call(self, method, path, body=None, timeout=20):
        return request(self._base_url + path, method, body, {"X-Vault-Token": self._token}, self._tls, timeout)


class HvacClient:
    """The common Python client, with the kept-alive connections of its session."""

    def __init__(self, base_url, tls, token):
        session = requests.Session()
        session.mount("https://", OneNameAdapter(tls.server_name))
        session.trust_env = False
        self._client = hvac.Client(url=base_url, token=token, session=session, verify=tls.ca_file, timeout=20)
        session.verify = tls.ca_file

    def put(self, name, value):
        self._client.secrets.kv.v2.create_or_update_secret(path=name, secret={"value": value}, mount_point="secret")

    def get(self, name):
        return self._client.secrets.kv.v2.read_secret_version(path=name, mount_point="secret")["data"]["data"]["value"]


class CliClient:
    """`bao kv put/get` or `vault kv put/get`."""

    def __init__(self, program, base_url, tls, token):
        self._program = program
        settings = {"ADDR": base_url, "TOKEN": token, "CACERT": tls.ca_file, "TLS_SERVER_NAME": tls.server_name}
        self._env = {f"{prefix}_{key}": value for prefix in ("VAULT", "BAO") for key, value in settings.items()}

    def put(self, name, value):
        self.run("kv", "put", "-mount=secret", name, f"value={value}")

    def get(self, name):
        return self.run("kv", "get", "-mount=secret", "-field=value", name).strip()

    def run(self, *words):
        done = subprocess.run([self._program, *words], env={**os.environ, **self._env}, capture_output=True, text=True,
                              timeout=30, check=False)
        if done.returncode != 0:
            raise ConnectionError(f"{self._program} {' '.join(words)}: {done.returncode}: {done.stderr}")
        return done.stdout
