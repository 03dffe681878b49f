"""A CA and server certificates that all carry one common host name, as many clusters do it."""

import datetime
import pathlib
import subprocess

COMMON_NAME = "vault.bellwether.test"


def _openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# `openssl x509` and `req` know no beginning but now; `ca` does.
_CA_SETTINGS = """[ca]
default_ca = ours
[ours]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def self_signed(folder, name, begins_in_days, ends_in_days, alternative_names=None):
    """Returns (certificate, key), valid from then until then, days from now. Names as in "IP:127.0.0.1,DNS:a"."""
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    own = folder / f"{name}.ca"
    own.mkdir()
    (own / "index.txt").touch()
    (own / "settings").write_text(_CA_SETTINGS.format(folder=own), encoding="ascii")
    now = datetime.datetime.now(datetime.timezone.utc)
    begin, end = (f"{now + datetime.timedelta(days=days):%Y%m%d%H%M%SZ}" for days in (begins_in_days, ends_in_days))
    _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x",
             "-keyout", key, "-out", own / "request.csr")
    (own / "extensions").write_text(f"subjectAltName={alternative_names}\n" if alternative_names else "", encoding="ascii")
    _openssl("ca", "-batch", "-selfsign", "-notext", "-config", own / "settings", "-startdate", begin, "-enddate", end,
             *(["-extfile", own / "extensions"] if alternative_names else []),
             "-in", own / "request.csr", "-keyfile", key, "-out", cert)
    return cert, key


class Certificates:
    """ca.pem, and name.pem with name.key for each name asked for."""

    def __init__(self, folder, common_name=COMMON_NAME):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.common_name = common_name
        self.ca_file = self.folder / "ca.pem"
        self._ca_key = self.folder / "ca.key"
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                 "-subj", "/CN=Bellwether test CA", "-keyout", self._ca_key, "-out", self.ca_file,
                 "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, name, key_type=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), dns_names=None):
        """Returns (certificate, key). No IP address is in it: clients must ask for the common name, or for one of `dns_names`."""
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        sign_request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        _openssl("req", "-new", "-newkey", *key_type, "-nodes", "-subj", f"/CN={self.common_name}",
                 "-keyout", key, "-out", sign_request)
        extensions.write_text(f"subjectAltName={','.join(f'DNS:{each}' for each in dns_names or [self.common_name])}\nextendedKeyUsage=serverAuth,clientAuth\n",
                              encoding="ascii")
        _openssl("x509", "-req", "-in", sign_request, "-CA", self.ca_file, "-CAkey", self._ca_key, "-CAcreateserial",
                 "-days", "30", "-extfile", extensions, "-out", cert)
        return cert, key
