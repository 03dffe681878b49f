"""What is in the package, and that Debian's own judge finds no fault with it."""

import os
import pathlib
import re
import subprocess

import pytest

from house.bellwether import binary, repository_root

ROOT = pathlib.Path(repository_root())

FILES = """
/etc/bellwether/bellwether.json
/lib/systemd/system/bellwether.service
/lib/systemd/system/bellwether.socket
/lib/systemd/system/bellwether@.service
/lib/systemd/system/bellwether@.socket
/usr/bin/bellwether
/usr/lib/sysusers.d/bellwether.conf
/usr/share/bash-completion/completions/bellwether
/usr/share/bellwether/bellwether.schema.json
/usr/share/bellwether/grafana/bellwether.json
/usr/share/doc/bellwether/FINDINGS.md
/usr/share/doc/bellwether/README.md
/usr/share/doc/bellwether/REFERENCE.md
/usr/share/doc/bellwether/RUNBOOK.md
/usr/share/doc/bellwether/changelog.gz
/usr/share/doc/bellwether/copyright
/usr/share/doc/bellwether/examples/bellwether-rules.yml
/usr/share/doc/bellwether/examples/bellwether.json
/usr/share/doc/bellwether/examples/grafana-provider.yml
/usr/share/doc/bellwether/examples/minimal.json
/usr/share/doc/bellwether/examples/two-clusters.json
/usr/share/doc/bellwether/keepalived/README.md
/usr/share/doc/bellwether/keepalived/keepalived.conf
/usr/share/doc/bellwether/kubernetes/README.md
/usr/share/doc/bellwether/kubernetes/base/kustomization.yaml
/usr/share/doc/bellwether/kubernetes/base/podmonitor.yaml
/usr/share/doc/bellwether/kubernetes/daemonset/bellwether.json
/usr/share/doc/bellwether/kubernetes/daemonset/daemonset.yaml
/usr/share/doc/bellwether/kubernetes/daemonset/kustomization.yaml
/usr/share/doc/bellwether/kubernetes/daemonset/service.yaml
/usr/share/doc/bellwether/kubernetes/gateway/bellwether.json
/usr/share/doc/bellwether/kubernetes/gateway/deployment.yaml
/usr/share/doc/bellwether/kubernetes/gateway/kustomization.yaml
/usr/share/doc/bellwether/kubernetes/gateway/poddisruptionbudget.yaml
/usr/share/doc/bellwether/kubernetes/gateway/service.yaml
/usr/share/doc/bellwether/kubernetes/sidecar/bellwether.json
/usr/share/doc/bellwether/kubernetes/sidecar/deployment.yaml
/usr/share/doc/bellwether/kubernetes/sidecar/kustomization.yaml
/usr/share/doc/bellwether/kubernetes/standalone/kustomization.yaml
/usr/share/doc/bellwether/kubernetes/standalone/networkpolicy.yaml
/usr/share/doc/bellwether/kubernetes/standalone/serviceaccount.yaml
/usr/share/fish/vendor_completions.d/bellwether.fish
/usr/share/man/man1/bellwether.1.gz
/usr/share/man/man5/bellwether.json.5.gz
/usr/share/zsh/vendor-completions/_bellwether
"""


def run(*words, **options):
    return subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, timeout=300, **options)


@pytest.fixture(scope="module")
def tree(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    assert run("dpkg-deb", "-R", package, folder).returncode == 0
    return folder


def test_it_has_these_files_of_root_and_no_others(package):
    lines = [line.split(maxsplit=5) for line in run("dpkg-deb", "-c", package).stdout.splitlines()]
    assert {owner for _, owner, *_ in lines} == {"root/root"}
    assert {mode for mode, *_ in lines} <= {"drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x"}
    assert sorted(name[1:] for mode, *_, name in lines if mode[0] == "-") == FILES.split()


def test_lintian_finds_no_fault(package):
    done = run("lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", package)
    assert (done.returncode, done.stdout) == (0, ""), done


def test_its_version_is_that_of_the_changelog_and_of_the_program(package):
    newest = (ROOT / "packaging/deb/changelog").read_text(encoding="utf-8").splitlines()[0]
    version = run("dpkg-deb", "-f", package, "Version").stdout.strip()
    assert f"bellwether ({version}) " in newest
    assert run(binary(), "version").stdout.strip() == f"bellwether {version}"


def test_the_first_configuration_is_accepted(tree):
    done = run(binary(), "check", "-f", tree / "etc/bellwether/bellwether.json")
    assert (done.returncode, done.stderr) == (0, ""), done
    assert (tree / "DEBIAN/conffiles").read_text(encoding="utf-8").split() == ["/etc/bellwether/bellwether.json"]


def test_the_program_names_no_place_of_this_machine(tree):
    program = (tree / "usr/bin/bellwether").read_bytes()
    for place in (str(ROOT), "../../src", "/tmp/"):
        assert place.encode() not in program
    assert b"src/" in program


def test_both_units_say_the_same_of_the_sandbox(tree):
    def settings(name):
        text = (tree / "lib/systemd/system" / name).read_text(encoding="utf-8")
        return [line for line in text.splitlines() if "=" in line and not line.startswith(("#", "Description", "Exec"))]

    assert settings("bellwether.service") == settings("bellwether@.service")
    assert len(settings("bellwether.service")) > 30


@pytest.mark.parametrize("page", ["man1/bellwether.1.gz", "man5/bellwether.json.5.gz"])
def test_man_pages_are_formatted_without_a_warning(tree, page):
    done = run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", tree / "usr/share/man" / page,
               env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANROFFSEQ": ""})
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    text = re.sub(r".\x08", "", done.stdout)
    wanted = ["wait-leader", "--suspect-after", "BELLWETHER_ADMIN", "EXIT STATUS"] if "man1" in page else ["dns_refresh", "BAO_CACERT"]
    for word in wanted:
        assert word in text, word


def test_made_again_it_has_the_same_bits(package, tmp_path):
    """The package from the same build, with the umask of ./dev package, whose --check builds again too, in another place."""
    config = package.parent.parent / "CPackConfig.cmake"
    done = run("cpack", "--config", config, "-G", "DEB", "-B", tmp_path, env={**os.environ, "TZ": "Pacific/Auckland"},
               preexec_fn=lambda: os.umask(0o022))
    assert done.returncode == 0, done
    assert (tmp_path / package.name).read_bytes() == package.read_bytes()
