"""packaging/kubernetes: what the manifests say fits together, and Bellwether takes the configurations in them."""

import functools
import json
import pathlib
import re

import pytest
import yaml

from house.bellwether import repository_root
from house.certificates import Certificates

KUBERNETES = pathlib.Path(repository_root()) / "packaging/kubernetes"
VARIANTS = ["sidecar", "daemonset", "gateway"]
WORKLOADS = {"Deployment", "DaemonSet"}


def seconds(duration):
    number, unit = re.fullmatch(r"(\d+)(s|m)", duration).groups()
    return int(number) * {"s": 1, "m": 60}[unit]


@functools.lru_cache
def resources(folder):
    """All manifests of a kustomization and of those that it is built on."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    found = []
    for name in kustomization["resources"]:
        path = (folder / name).resolve()
        found += resources(path) if path.is_dir() else list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    return found


class Variant:
    def __init__(self, name):
        self.name, self.folder = name, KUBERNETES / name
        self.resources = resources(self.folder)
        self.kustomization = yaml.safe_load((self.folder / "kustomization.yaml").read_text(encoding="utf-8"))
        (self.workload,) = self.of_kinds(WORKLOADS)
        self.template = self.workload["spec"]["template"]
        self.pod = self.template["spec"]
        self.containers = [*self.pod.get("initContainers", []), *self.pod["containers"]]
        (self.container,) = [each for each in self.containers if each["name"] == "bellwether"]

    def of_kinds(self, kinds):
        return [each for each in self.resources if each["kind"] in kinds]

    @property
    def config(self):
        """Without its comments, which stand on lines of their own."""
        text = (self.folder / "bellwether.json").read_text(encoding="utf-8")
        return json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))

    def port_numbers(self):
        return {port["name"]: port["containerPort"] for port in self.container["ports"]}

    def mounts(self):
        return {mount["mountPath"]: mount["name"] for mount in self.container["volumeMounts"]}


@pytest.fixture(params=VARIANTS)
def variant(request):
    return Variant(request.param)


def port_of(address):
    return int(address.rpartition(":")[2])


def test_every_file_is_yaml_and_is_used_by_a_kustomization():
    listed = {path.parent / name for path in KUBERNETES.rglob("kustomization.yaml")
              for name in yaml.safe_load(path.read_text(encoding="utf-8"))["resources"]}
    listed = {path.resolve() for path in listed}
    assert all(path.exists() for path in listed), listed
    for path in KUBERNETES.rglob("*.yaml"):
        parts = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
        assert all(part["apiVersion"] and part["kind"] for part in parts), path
        assert path.name == "kustomization.yaml" or path.resolve() in listed, f"{path} is in no kustomization"
    assert sorted(path.name for path in KUBERNETES.iterdir() if path.is_dir()) == sorted([*VARIANTS, "base", "standalone"])


def test_the_configuration_is_a_file_that_changes_reach(variant):
    (generated,) = variant.kustomization["configMapGenerator"]
    assert generated["files"] == ["bellwether.json"]
    assert variant.kustomization["generatorOptions"] == {"disableNameSuffixHash": True}
    (volume,) = [each for each in variant.pod["volumes"] if each.get("configMap", {}).get("name") == generated["name"]]
    assert variant.mounts()["/etc/bellwether"] == volume["name"]
    # A file that is mounted by subPath is never changed.
    assert not any("subPath" in mount for mount in variant.container["volumeMounts"])
    assert variant.config["watch"] is True


def with_files(variant, folder):
    """The configuration, with files of the test's own in the place of those that volumes bring."""
    made = Certificates(folder)
    cert, key = made.issue("server")
    token = folder / "token"
    token.write_text("secret\n", encoding="utf-8")
    token.chmod(0o600)
    files = {"/vault/ca.crt": made.ca_file, "/tls/tls.crt": cert, "/tls/tls.key": key, "/admin/token": token}
    text = (variant.folder / "bellwether.json").read_text(encoding="utf-8")
    named = set(re.findall(r'"(/[^"]+)"', text))
    assert named and named <= set(files)
    assert {str(pathlib.Path(name).parent) for name in named} <= set(variant.mounts()), "a file that no volume brings"
    for name, path in files.items():
        text = text.replace(f'"{name}"', f'"{path}"')
    return text


def test_bellwether_takes_the_configuration(variant, command, tmp_path):
    config = tmp_path / "bellwether.json"
    config.write_text(with_files(variant, tmp_path / "files"), encoding="utf-8")
    done = command("check", "-f", config)
    assert (done.returncode, done.stderr) == (0, ""), done


def test_its_arguments_are_those_of_the_program(variant, command):
    words = variant.container["args"]
    assert words[0] == "run" and words[words.index("-f") + 1] == "/etc/bellwether/bellwether.json"
    flags = set(re.findall(r"(?<![\w-])(--?[a-z][\w-]*)", command("run", "--help").stdout))
    assert {word for word in words if word.startswith("-")} <= flags


def test_ports_are_those_that_the_configuration_listens_on(variant):
    config = variant.config
    numbers = variant.port_numbers()
    assert numbers["admin"] == port_of(config["admin"])
    # The kubelet and Prometheus come from elsewhere.
    assert config["admin"].startswith(":") and config["admin_token_file"]
    if variant.name == "sidecar":
        assert config["listen"]["address"] == "127.0.0.1:8200" and "vault" not in numbers
        (application,) = variant.pod["containers"]
        assert {"name": "VAULT_ADDR", "value": "http://127.0.0.1:8200"} in application["env"]
    else:
        assert config["listen"]["address"] == f":{numbers['vault']}"


def test_probes_ask_what_they_should_ask(variant):
    asked = {kind: variant.container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")
             if f"{kind}Probe" in variant.container}
    assert all(probe["port"] in variant.port_numbers() for probe in asked.values())
    paths = {kind: probe["path"] for kind, probe in asked.items()}
    assert (paths["startup"], paths["liveness"]) == ("/healthz", "/healthz")
    # A cluster without a leader must not take applications out of service.
    assert paths.get("readiness") == (None if variant.name == "sidecar" else "/readyz")


def test_services_policies_and_monitors_name_ports_of_the_pod(variant):
    names = set(variant.port_numbers())
    for service in variant.of_kinds({"Service"}):
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names
    for policy in variant.of_kinds({"NetworkPolicy"}):
        opened = {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
        assert opened == names
        asked = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
        assert asked == {53, 8200}
    (monitor,) = variant.of_kinds({"PodMonitor"})
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] in names
    assert variant.template["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "bellwether"
    secret = endpoint["authorization"]["credentials"]
    (volume,) = [each for each in variant.pod["volumes"] if each.get("secret", {}).get("secretName") == secret["name"]]
    assert f"{next(path for path, name in variant.mounts().items() if name == volume['name'])}/{secret['key']}" == \
        variant.config["admin_token_file"]


def selectors(variant):
    for each in variant.resources:
        spec = each["spec"] if "spec" in each else {}
        if each["kind"] == "Service":
            yield each["kind"], spec["selector"]
        elif each["kind"] == "NetworkPolicy":
            yield each["kind"], spec["podSelector"]["matchLabels"]
        elif "selector" in spec:
            yield each["kind"], spec["selector"]["matchLabels"]
    for constraint in variant.pod.get("topologySpreadConstraints", []):
        yield "spread", constraint["labelSelector"]["matchLabels"]


def test_selectors_choose_the_pods(variant):
    labels = variant.template["metadata"]["labels"]
    found = list(selectors(variant))
    assert len(found) >= 2
    for kind, wanted in found:
        assert wanted and wanted.items() <= labels.items(), (kind, wanted, labels)


def test_there_is_time_to_end(variant):
    config, grace = variant.config, variant.pod["terminationGracePeriodSeconds"]
    assert "lifecycle" not in variant.container, "a preStop takes from the grace period too: count it here"
    assert seconds(config["hard_stop_after"]) < grace
    if variant.name != "sidecar":
        assert 0 < seconds(config["shutdown_delay"]) < seconds(config["hard_stop_after"])


def test_it_may_do_next_to_nothing(variant):
    context = variant.pod["securityContext"]
    assert context["runAsNonRoot"] is True and context["runAsUser"] == 65532
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in variant.containers:
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                                "capabilities": {"drop": ["ALL"]}}
    assert variant.container["resources"]["requests"] and variant.container["resources"]["limits"]["memory"]
    if variant.name != "sidecar":
        assert variant.pod["automountServiceAccountToken"] is False
        (account,) = variant.of_kinds({"ServiceAccount"})
        assert variant.pod["serviceAccountName"] == account["metadata"]["name"]


def test_volumes_are_those_that_are_mounted(variant):
    brought = {volume["name"] for volume in variant.pod["volumes"]}
    assert set(variant.mounts().values()) == brought
    # The control socket; its directory is the one that commands in the pod look into.
    assert variant.mounts()["/run/bellwether"] in brought
    assert all(mount.get("readOnly") for mount in variant.container["volumeMounts"] if mount["mountPath"] != "/run/bellwether")


def test_a_sidecar_runs_beside_the_application_and_a_gateway_is_never_alone():
    sidecar, gateway, daemonset = Variant("sidecar"), Variant("gateway"), Variant("daemonset")
    assert sidecar.container in sidecar.pod["initContainers"] and sidecar.container["restartPolicy"] == "Always"
    assert gateway.workload["spec"]["replicas"] == 2
    (budget,) = gateway.of_kinds({"PodDisruptionBudget"})
    assert budget["spec"]["maxUnavailable"] == 1
    (service,) = daemonset.of_kinds({"Service"})
    assert service["spec"]["internalTrafficPolicy"] == "Local"
    assert gateway.workload["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert daemonset.workload["spec"]["updateStrategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_images_are_named_in_one_place(variant):
    (image,) = variant.kustomization["images"]
    assert image["name"] == variant.container["image"] == "bellwether"
    newest = (KUBERNETES.parent / "deb/changelog").read_text(encoding="utf-8").splitlines()[0]
    assert f"bellwether ({image['newTag']}) " in newest
