"""A CA and server certificates that all carry one common host name, as many clusters do it."""

import pathlib
import subprocess

COMMON_NAME = "vault.bellwether.test"


def _openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


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

    def issue(self, name):
        """Returns (certificate, key). No IP address is in it: clients must ask for the common name."""
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        sign_request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                 "-subj", f"/CN={self.common_name}", "-keyout", key, "-out", sign_request)
        extensions.write_text(f"subjectAltName=DNS:{self.common_name}\nextendedKeyUsage=serverAuth,clientAuth\n",
                              encoding="ascii")
        _openssl("x509", "-req", "-in", sign_request, "-CA", self.ca_file, "-CAkey", self._ca_key, "-CAcreateserial",
                 "-days", "30", "-extfile", extensions, "-out", cert)
        return cert, key
