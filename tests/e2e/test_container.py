"""packaging/container: the files of the image alone, with a root that is read-only and without privileges, are enough."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from house.bellwether import Bellwether, binary, repository_root
from house.sim_cluster import SimCluster
from house.waiting import wait_until

CONTAINER = pathlib.Path(repository_root()) / "packaging/container"

# As a runtime does it: /proc is there, and a place for the control socket. Sanitizers want /proc.
ENTER = r"""
root=$1
shift 2
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=1777 control "$root/run/bellwether"
exec setpriv --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid chroot --userspec="$USER_OF_IMAGE" "$root" "$PROGRAM_OF_IMAGE" "$@"
"""


def instructions():
    """Of the last stage: {word: the rest of its line}."""
    text = (CONTAINER / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    last = text.split("\nFROM ")[-1]
    return dict(re.findall(r"^([A-Z]+) (.*)$", last, re.M))


@pytest.fixture
def tls_sim(tmp_path):
    with SimCluster.running(tmp_path / "sim") as made:
        yield made


@pytest.fixture
def image(tls_sim, tmp_path):
    """The root of the image, whose CA is that of the simulated cluster."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("a root of its own needs root and mount namespaces")
    root = tmp_path / "image"
    subprocess.run([CONTAINER / "collect.sh", binary(), root, tls_sim.tls.ca_file], check=True)
    for path in (root, *root.rglob("*")):
        assert path.stat().st_mode & 0o004, f"{path} cannot be read by the image's user"
    (root / "proc").mkdir()
    return root


def wrapper(image):
    said = instructions()
    (program,) = json.loads(said["ENTRYPOINT"])
    name, _, value = said["ENV"].partition("=")
    return ["env", f"{name}={value}", f"USER_OF_IMAGE={said['USER']}", f"PROGRAM_OF_IMAGE={program}",
            "unshare", "-m", "sh", "-ec", ENTER, "enter", image]


def test_it_holds_the_program_its_libraries_and_nothing_that_runs_commands(image):
    found = {f"/{path.relative_to(image)}" for path in image.rglob("*") if not path.is_dir()}
    libraries = {path for path in found if re.search(r"/lib(64)?/.*\.so(\.|$)", path)}
    assert found - libraries == {"/usr/bin/bellwether", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf",
                                 "/etc/ssl/certs/ca-certificates.crt"}
    assert {re.sub(r"\.so.*", "", pathlib.Path(path).name) for path in libraries} >= {"libc", "libssl", "libcrypto", "libcares"}
    assert any("ld-linux" in path for path in libraries)
    size = sum((image / path[1:]).stat().st_size for path in found)
    print(f"{len(found)} files, {size / 1e6:.1f} MB")


def test_a_missing_library_is_an_error_that_names_it(tmp_path):
    fake = tmp_path / "ldd"
    fake.write_text("#!/bin/sh\necho '\tlibnothing.so.1 => not found'\n", encoding="utf-8")
    fake.chmod(0o755)
    done = subprocess.run([CONTAINER / "collect.sh", binary(), tmp_path / "image"], capture_output=True, text=True, check=False,
                          env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert done.returncode == 1 and "libnothing.so.1" in done.stderr, done


def test_it_serves_from_a_read_only_root_without_privileges(image, tls_sim, tmp_path):
    words = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--server-name", tls_sim.tls.server_name, *tls_sim.urls]
    with Bellwether(tmp_path, words, wrapper=wrapper(image), env={"BELLWETHER_CONTROL": ""}) as proxy:
        proxy.wait_ready()  # so the nodes' certificates were verified by the image's CA file
        status = pathlib.Path(f"/proc/{proxy.pid}/status").read_text(encoding="ascii")
        fields = dict(re.findall(r"^(\w+):\s+(.*)$", status, re.M))
        assert set(fields["Uid"].split()) == set(fields["Gid"].split()) == {"65532"}
        assert (int(fields["CapEff"], 16), int(fields["CapPrm"], 16), fields["NoNewPrivs"]) == (0, 0, "1")
        assert os.path.samefile(f"/proc/{proxy.pid}/root", image)
        mounts = pathlib.Path(f"/proc/{proxy.pid}/mounts").read_text(encoding="utf-8").splitlines()
        assert [line.split()[3].split(",")[0] for line in mounts if line.split()[1] == "/"] == ["ro"]

        check = healthy(proxy)
        assert check.returncode == 0 and check.stdout == "alive\n", check
        stop = getattr(signal, instructions()["STOPSIGNAL"])
        proxy.process.send(stop)
        wait_until(lambda: not proxy.process.is_running(), 30, "the end")
        assert proxy.process.exit_code() == 0, proxy.log()[-3000:]


def healthy(proxy):
    """The health check, in the container's place."""
    command = json.loads(instructions()["HEALTHCHECK"].partition(" CMD ")[2])
    return subprocess.run(["nsenter", "-t", str(proxy.pid), "--mount", "--root", "--wd", "--setuid", "65532", "--setgid", "65532",
                           *command], capture_output=True, text=True, check=False, timeout=60,
                          env={"BELLWETHER_ADMIN": proxy.admin})


def test_the_stages_name_what_there_is():
    text = (CONTAINER / "Containerfile").read_text(encoding="utf-8")
    assert "COPY --from=build /root-of-image /" in text and "collect.sh build/release/bin/bellwether /root-of-image" in text
    assert re.findall(r"^FROM (\S+)", text, re.M) == ["docker.io/library/debian:12", "scratch"]
    assert os.access(CONTAINER / "collect.sh", os.X_OK) and shutil.which("sh")
    ignored = (CONTAINER / "Containerfile.dockerignore").read_text(encoding="utf-8").split()
    assert ignored == [".git", "build"]
    newest = (CONTAINER.parent / "deb/changelog").read_text(encoding="utf-8").splitlines()[0]
    for version in re.findall(r"bellwether:(\d\S*)", text):
        assert f"bellwether ({version}) " in newest
