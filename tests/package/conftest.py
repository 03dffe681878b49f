"""The Debian package, as ./dev package has made it."""

import contextlib
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

from house import machine as machines  # noqa: E402
from house.bellwether import binary  # noqa: E402


def build_folder():
    return pathlib.Path(binary()).resolve().parent.parent


@pytest.fixture(scope="session")
def package():
    made = sorted((build_folder() / "package").glob("bellwether_*.deb"))
    assert len(made) == 1, f"./dev package makes it; there is {made}"
    return made[0]


@pytest.fixture(scope="session")
def next_package(package, tmp_path_factory):
    """The same with a higher version."""
    folder = tmp_path_factory.mktemp("next")
    subprocess.run(["dpkg-deb", "-R", package, folder / "tree"], check=True)
    control = folder / "tree/DEBIAN/control"
    lines = control.read_text(encoding="utf-8").splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("Version: ")]
    lines[at] += "+next"
    control.write_text("\n".join(lines) + "\n", encoding="utf-8")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", folder / "tree", folder / "next.deb"], check=True,
                   stdout=subprocess.DEVNULL)
    return folder / "next.deb"


@contextlib.contextmanager
def _machine_with(packages, **options):
    """It has the packages in /root."""
    if reason := machines.why_not():
        pytest.skip(f"a machine of its own: {reason}")
    with machines.Machine(**options) as made:
        for name, file in packages.items():
            made.bring(file, f"/root/{name}.deb")
        # Images of containers forbid services; the index of man pages and a sync for each file take seconds.
        made.run("rm -f /usr/sbin/policy-rc.d /var/lib/man-db/auto-update && echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/quick")
        yield made


@pytest.fixture
def machine(package, next_package):
    """With systemd."""
    with _machine_with({"bellwether": package, "next": next_package}) as made:
        yield made


@pytest.fixture
def chroot(package, next_package):
    """Without it."""
    with _machine_with({"bellwether": package, "next": next_package}, systemd=False) as made:
        yield made
