"""Kinds of requests, each with a way to find out afterwards whether one of them has had an effect, whatever was answered:
a call to a system outside, a change in storage, or a credential that can be used once and is used up."""

import base64
import collections
import hashlib
import hmac
import json
import struct
import subprocess
import time

from house.json_server import RabbitmqServer, TokenReviewServer, service_account_jwt
from house.ldap_server import LdapServer
from house.radius_server import RadiusServer

Call = collections.namedtuple("Call", "method path body headers", defaults=(None, None))
USED = "already used"
USED_PASSCODE = "MFA credentials not supplied or incorrect"  # logins do not say that a passcode was used before
PERIOD = 300  # seconds that a one-time code is valid for


def totp(secret, period=PERIOD):
    """RFC 6238 with SHA-1 and six digits."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // period), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


class Kind:
    """One kind of request. Heirs have call(id), and acted(id, answer) -> bool; prepare(id) makes what one request needs."""

    name = ""
    outside = False  # vault::Effect::kOutside: what a refusal proves nothing about
    may_be_repeated = False  # a second execution finishes the first and is answered like it

    def __init__(self, cluster):
        self.cluster = cluster

    def write(self, path, body=None, method="POST", may=()):
        answer = self.cluster.call(self.cluster.leader_now, method, f"/v1/{path}", body, timeout=30)
        assert answer.status < 300 or answer.status in may, (path, answer)
        return answer.json() if answer.body else {}

    def status(self, path, method="GET", body=None):
        return self.cluster.call(self.cluster.leader_now, method, f"/v1/{path}", body, timeout=30).status

    def setup(self):
        pass

    def prepare(self, ident):
        pass

    def close(self):
        pass


class RadiusLogin(Kind):
    name, outside = "radius login", True

    def setup(self):
        self.server = RadiusServer()
        self.write("sys/auth/radius", {"type": "radius"})
        self.write("auth/radius/config", {"host": "127.0.0.1", "port": self.server.port, "secret": self.server.secret,
                                          "unregistered_user_policies": "default", "read_timeout": 10})

    def call(self, ident):
        return Call("POST", f"auth/radius/login/{ident}", {"password": "123456"}, {"X-Vault-Token": None})

    def acted(self, ident, _):
        return self.server.requests[ident] > 0

    def close(self):
        self.server.close()


class LdapLogin(Kind):
    name, outside = "ldap login", True

    def setup(self):
        self.server = LdapServer()
        self.write("sys/auth/ldap", {"type": "ldap"})
        self.write("auth/ldap/config", {"url": f"ldap://127.0.0.1:{self.server.port}", "userdn": "ou=people",
                                        "userattr": "cn"})

    def call(self, ident):
        return Call("POST", f"auth/ldap/login/{ident}", {"password": "secret"}, {"X-Vault-Token": None})

    def acted(self, ident, _):
        return self.server.binds[f"cn={ident},ou=people"] > 0

    def close(self):
        self.server.close()


class KubernetesLogin(Kind):
    name, outside = "kubernetes login", True

    def setup(self):
        self.server = TokenReviewServer()
        self.write("sys/auth/kubernetes", {"type": "kubernetes"})
        self.write("auth/kubernetes/config", {"kubernetes_host": self.server.url, "disable_local_ca_jwt": True,
                                              "kubernetes_ca_cert": self.cluster.tls_ca(), "token_reviewer_jwt":
                                              service_account_jwt("reviewer"), "disable_iss_validation": True})
        self.write("auth/kubernetes/role/any", {"bound_service_account_names": "*",
                                                "bound_service_account_namespaces": "*", "policies": "default"})

    def call(self, ident):
        return Call("POST", "auth/kubernetes/login", {"role": "any", "jwt": service_account_jwt(ident)},
                    {"X-Vault-Token": None})

    def acted(self, ident, _):
        return self.server.calls[ident] > 0

    def close(self):
        self.server.close()


class UserpassLogin(Kind):
    """Its effect: the first login of a user makes an entity."""

    name, outside = "userpass login", True

    def setup(self):
        self.write("sys/auth/userpass", {"type": "userpass"})
        self.accessor = self.write("sys/auth", method="GET")["data"]["userpass/"]["accessor"]

    def prepare(self, ident):
        self.write(f"auth/userpass/users/{ident}", {"password": "secret", "policies": "default"})

    def call(self, ident):
        return Call("POST", f"auth/userpass/login/{ident}", {"password": "secret"}, {"X-Vault-Token": None})

    def acted(self, ident, _):
        return self.status("identity/lookup/entity", "POST",
                           {"alias_name": ident, "alias_mount_accessor": self.accessor}) == 200


class ApproleLogin(Kind):
    """Its effect: a secret_id that is good for one login is gone."""

    name, outside = "approle login, secret_id for one use", True

    def setup(self):
        self.write("sys/auth/approle", {"type": "approle"})
        self.write("auth/approle/role/any", {"secret_id_num_uses": 1, "policies": "default"})
        self.role = self.write("auth/approle/role/any/role-id", method="GET")["data"]["role_id"]
        self.secrets = {}

    def prepare(self, ident):
        self.secrets[ident] = self.write("auth/approle/role/any/secret-id", {})["data"]

    def call(self, ident):
        return Call("POST", "auth/approle/login",
                    {"role_id": self.role, "secret_id": self.secrets[ident]["secret_id"]}, {"X-Vault-Token": None})

    def acted(self, ident, _):
        return self.status("auth/approle/role/any/secret-id-accessor/lookup", "POST",
                           {"secret_id_accessor": self.secrets[ident]["secret_id_accessor"]}) != 200


class MfaLogin(Kind):
    """userpass with a passcode. Its effect: the node that took the passcode takes it no more."""

    name, outside = "login with totp passcode (MFA)", True

    def setup(self):
        self.write("sys/auth/mfa", {"type": "userpass"})
        self.accessor = self.write("sys/auth", method="GET")["data"]["mfa/"]["accessor"]
        self.method = self.write("identity/mfa/method/totp", {"issuer": "test", "period": PERIOD, "skew": 1,
                                                              "max_validation_attempts": 1000})["data"]["method_id"]
        self.write("identity/mfa/login-enforcement/all", {"mfa_method_ids": [self.method],
                                                          "auth_method_accessors": [self.accessor]})
        self.secrets, self.codes = {}, {}

    def prepare(self, ident):
        self.write(f"auth/mfa/users/{ident}", {"password": "secret", "policies": "default"})
        entity = self.write("identity/entity", {"name": f"mfa-{ident}"})["data"]["id"]
        self.write("identity/entity-alias", {"name": ident, "canonical_id": entity, "mount_accessor": self.accessor})
        made = self.write("identity/mfa/method/totp/admin-generate", {"method_id": self.method, "entity_id": entity})
        self.secrets[ident] = made["data"]["url"].split("secret=")[1].split("&")[0]

    def call(self, ident):
        code = self.codes.setdefault(ident, totp(self.secrets[ident]))
        return Call("POST", f"auth/mfa/login/{ident}", {"password": "secret"},
                    {"X-Vault-Token": None, "X-Vault-MFA": f"{self.method}:{code}"})

    def acted(self, ident, answer):
        return self.cluster.any_node_says(self.call(ident), USED_PASSCODE, answer)


class TotpCode(Kind):
    name, outside = "totp code validation", True

    def setup(self):
        self.write("sys/mounts/totp", {"type": "totp"})
        self.secrets, self.codes = {}, {}

    def prepare(self, ident):
        made = self.write(f"totp/keys/{ident}", {"generate": True, "issuer": "test", "account_name": ident,
                                                 "period": PERIOD})
        self.secrets[ident] = made["data"]["url"].split("secret=")[1].split("&")[0]

    def call(self, ident):
        return Call("POST", f"totp/code/{ident}", {"code": self.codes.setdefault(ident, totp(self.secrets[ident]))})

    def acted(self, ident, answer):
        return self.cluster.any_node_says(self.call(ident), USED, answer)


class DatabaseCreds(Kind):
    name, outside = "database credentials (PostgreSQL)", True

    def setup(self):
        self.write("sys/mounts/database", {"type": "database"})
        self.write("database/config/pg", {
            "plugin_name": "postgresql-database-plugin", "allowed_roles": "*", "username": "vault", "password": "any",
            "connection_url": self.cluster.database.url.replace("vault@", "{{username}}:{{password}}@"),
            "username_template": "{{.RoleName}}-{{random 8}}", "max_open_connections": 20})

    def prepare(self, ident):
        self.write(f"database/roles/{ident}", {"db_name": "pg", "default_ttl": "1h", "creation_statements": [
            "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}'"]})

    def call(self, ident):
        return Call("GET", f"database/creds/{ident}")

    def acted(self, ident, _):
        return ident in self.cluster.once_after_round("roles", self._created)

    def _created(self):
        said = subprocess.run(["psql", "-At", self.cluster.database.url, "-c", "SELECT rolname FROM pg_roles"], check=True,
                              capture_output=True, text=True, timeout=30).stdout
        return {name.rsplit("-", 1)[0] for name in said.split()}


class RabbitmqCreds(Kind):
    name, outside = "rabbitmq credentials", True

    def setup(self):
        self.server = RabbitmqServer()
        self.write("sys/mounts/rabbitmq", {"type": "rabbitmq"})
        self.write("rabbitmq/config/connection", {"connection_uri": self.server.url, "username": "a", "password": "b",
                                                  "verify_connection": False, "username_template": "{{.RoleName}}"})

    def prepare(self, ident):
        self.write(f"rabbitmq/roles/{ident}", {"tags": "none"})

    def call(self, ident):
        return Call("GET", f"rabbitmq/creds/{ident}")

    def acted(self, ident, _):
        return self.server.calls["PUT", ident] > 0

    def close(self):
        self.server.close()


class LeaseRevoke(RabbitmqCreds):
    """Its effect: RabbitMQ is told to delete the user. The expiration manager of the next leader does that again."""

    may_be_repeated = True
    name = "revoke a lease (sys/leases/revoke)"

    def setup(self):
        self.server = RabbitmqServer()
        self.write("sys/mounts/rabbitmq-2", {"type": "rabbitmq"})
        self.write("rabbitmq-2/config/connection", {"connection_uri": self.server.url, "username": "a", "password": "b",
                                                    "verify_connection": False, "username_template": "{{.RoleName}}"})
        self.leases = {}

    def prepare(self, ident):
        self.write(f"rabbitmq-2/roles/{ident}", {"tags": "none"})
        self.leases[ident] = self.write(f"rabbitmq-2/creds/{ident}", method="GET")["lease_id"]

    def call(self, ident):
        return Call("PUT", "sys/leases/revoke", {"lease_id": self.leases[ident], "sync": True})

    def acted(self, ident, _):
        return self.server.calls["DELETE", ident] > 0


class LeaseRenew(LeaseRevoke):
    """It leaves nothing behind that would show whether it was carried out."""

    name = "renew a lease (sys/leases/renew)"

    def setup(self):
        pass

    def prepare(self, ident):
        self.leases = getattr(self, "leases", {})
        self.write(f"rabbitmq/roles/{ident}", {"tags": "none"})
        self.leases[ident] = self.write(f"rabbitmq/creds/{ident}", method="GET")["lease_id"]

    def call(self, ident):
        return Call("PUT", "sys/leases/renew", {"lease_id": self.leases[ident]})

    def acted(self, ident, _):
        return False

    def close(self):
        pass


class NewInStorage(Kind):
    """Its effect: an entry in storage under a name of the node's choice, whose content says which request it is from."""

    def acted(self, ident, _):
        return ident in self.cluster.once_after_round(self.name, self._idents_of_new)

    def _idents_of_new(self):
        known = self.__dict__.setdefault("known", set())
        new = set(self.entries()) - known
        known |= new
        return {self.ident_of(entry) for entry in new}


class SshOtp(NewInStorage):
    name = "ssh one-time password"

    def setup(self):
        self.write("sys/mounts/ssh", {"type": "ssh"})
        self.write("ssh/roles/any", {"key_type": "otp", "default_user": "u", "allowed_users": "*",
                                     "cidr_list": "0.0.0.0/0"})
        self.path = f"sys/raw/logical/{self.write('sys/internal/ui/mounts/ssh', method='GET')['data']['uuid']}/otp/"

    def call(self, ident):
        return Call("POST", "ssh/creds/any", {"ip": "127.0.0.1", "username": ident})

    def entries(self):
        return self.write(self.path, method="LIST", may=(404,)).get("data", {}).get("keys", [])

    def ident_of(self, entry):
        return json.loads(self.write(self.path + entry, method="GET")["data"]["value"])["username"]


class PkiIssue(NewInStorage):
    name = "pki certificate"

    def setup(self):
        self.write("sys/mounts/pki", {"type": "pki"})
        self.write("pki/root/generate/internal", {"common_name": "root.test", "ttl": "24h", "key_type": "ec",
                                                  "key_bits": 256})
        self.write("pki/roles/any", {"allow_any_name": True, "key_type": "ec", "key_bits": 256, "ttl": "1h",
                                     "enforce_hostnames": False})

    def call(self, ident):
        return Call("POST", "pki/issue/any", {"common_name": ident})

    def entries(self):
        return self.write("pki/certs", method="LIST")["data"]["keys"]

    def ident_of(self, entry):
        certificate = self.write(f"pki/cert/{entry}", method="GET")["data"]["certificate"]
        said = subprocess.run(["openssl", "x509", "-noout", "-subject", "-nameopt", "multiline"], input=certificate,
                              check=True, capture_output=True, text=True, timeout=30).stdout
        return said.rsplit("= ", 1)[1].strip()


class Transit(Kind):
    name = "transit key"

    def setup(self):
        self.write("sys/mounts/transit", {"type": "transit"})

    def call(self, ident):
        return Call("POST", f"transit/keys/{ident}", {})

    def acted(self, ident, _):
        return self.status(f"transit/keys/{ident}") == 200


class TransitEncrypt(Kind):
    """It leaves nothing behind that would show whether it was carried out."""

    name = "transit encrypt"

    def setup(self):
        self.write("sys/mounts/transit-2", {"type": "transit"})
        self.write("transit-2/keys/any", {})

    def call(self, ident):
        return Call("POST", "transit-2/encrypt/any", {"plaintext": base64.b64encode(ident.encode()).decode()})

    def acted(self, ident, _):
        return False


class Kv2(Kind):
    name = "kv v2 write"

    def call(self, ident):
        return Call("POST", f"secret/data/{ident}", {"data": {"value": ident}})

    def acted(self, ident, _):
        return self.status(f"secret/data/{ident}") == 200


class Kv1(Kind):
    name = "kv v1 write"

    def setup(self):
        self.write("sys/mounts/old", {"type": "kv"})

    def call(self, ident):
        return Call("POST", f"old/{ident}", {"value": ident})

    def acted(self, ident, _):
        return self.status(f"old/{ident}") == 200


class Cubbyhole(Kv1):
    name = "cubbyhole write"

    def setup(self):
        pass

    def call(self, ident):
        return Call("POST", f"cubbyhole/{ident}", {"value": ident})

    def acted(self, ident, _):
        return self.status(f"cubbyhole/{ident}") == 200


class IdentityEntity(Kind):
    name = "identity entity"

    def call(self, ident):
        return Call("POST", "identity/entity", {"name": ident})

    def acted(self, ident, _):
        return self.status(f"identity/entity/name/{ident}") == 200


class TokenCreate(Kind):
    name = "token create"

    def call(self, ident):
        return Call("POST", "auth/token/create", {"id": ident, "policies": ["default"]})

    def acted(self, ident, _):
        return self.status("auth/token/lookup", "POST", {"token": ident}) == 200


class TokenRevoke(TokenCreate):
    """Several writes, the first of which makes the token unusable. Leadership that is lost between them leaves a 307."""

    name, may_be_repeated = "token revoke", True

    def prepare(self, ident):
        self.write("auth/token/create", {"id": ident, "policies": ["default"]})

    def call(self, ident):
        return Call("POST", "auth/token/revoke", {"token": ident})

    def acted(self, ident, _):
        return self.status("auth/token/lookup", "POST", {"token": ident}) != 200


class LimitedToken(Kind):
    """A read by a token that has two uses. Its effect: one of them is gone. Kept from standbys and waiting requests by the
    node itself."""

    name = "read with a use-limited token"

    def prepare(self, ident):
        self.write("auth/token/create", {"id": ident, "policies": ["root"], "num_uses": 2})

    def call(self, ident):
        return Call("GET", "secret/data/ready", None, {"X-Vault-Token": ident})

    def acted(self, ident, _):
        answer = self.cluster.call(self.cluster.leader_now, "POST", "/v1/auth/token/lookup", {"token": ident})
        return answer.status != 200 or answer.json()["data"]["num_uses"] < 2


class Unwrap(Kind):
    """Its effect: the wrapping token is used up."""

    name, outside = "unwrap (sys/wrapping/unwrap)", True

    def setup(self):
        self.tokens = {}

    def prepare(self, ident):
        answer = self.cluster.call(self.cluster.leader_now, "GET", "/v1/secret/data/ready", None, 15,
                                   {"X-Vault-Wrap-TTL": "600s"})
        self.tokens[ident] = answer.json()["wrap_info"]["token"]

    def call(self, ident):
        return Call("POST", "sys/wrapping/unwrap", None, {"X-Vault-Token": self.tokens[ident]})

    def acted(self, ident, _):
        return self.status("sys/wrapping/lookup", "POST", {"token": self.tokens[ident]}) != 200


KINDS = [RadiusLogin, LdapLogin, KubernetesLogin, UserpassLogin, ApproleLogin, MfaLogin, TotpCode, DatabaseCreds,
         RabbitmqCreds, LeaseRevoke, LeaseRenew, SshOtp, PkiIssue, Transit, TransitEncrypt, Kv2, Kv1, Cubbyhole,
         IdentityEntity, TokenCreate, TokenRevoke, LimitedToken, Unwrap]
