"""The package is installed, upgraded, removed and purged on a machine of its own, with the real dpkg and systemd."""

import contextlib
import json
import pathlib
import re

from house.bellwether import repository_root
from house.waiting import wait_until

README = pathlib.Path(repository_root()) / "README.md"
LOAD = pathlib.Path(__file__).with_name("load.py")
LISTEN, ADMIN = "127.0.0.1:8200", "127.0.0.1:8209"


def install(machine, name="bellwether"):
    return machine.run(f"dpkg -i /root/{name}.deb")


def write_config(machine, file="bellwether", **options):
    config = {"listen": LISTEN, "admin": ADMIN, "mode": "http", "nodes": [f"http://127.0.0.1:{port}" for port in NODES]}
    machine.write(f"/etc/bellwether/{file}.json", json.dumps({**config, **options}))


NODES = [9001, 9002, 9003]


def start_cluster(machine):
    addresses = " ".join(f"--address 127.0.0.1:{port}" for port in NODES)
    machine.run(f"systemd-run --unit cluster bellwether sim --nodes 3 {addresses}")


def show(machine, unit, name):
    return machine.run(f"systemctl show -P {name} {unit}").stdout.strip()


def installed(machine, **options):
    install(machine)
    start_cluster(machine)
    write_config(machine, **options)
    machine.run("systemctl enable --now bellwether")
    machine.run("bellwether wait-leader 20s")


@contextlib.contextmanager
def load(machine, address=LISTEN):
    """Its clients must not have met anything but 200."""
    machine.bring(LOAD, "/root/load.py")
    clients = machine.start("python3", "/root/load.py", address)

    def answered():
        clients.stdin.write("\n")
        clients.stdin.flush()
        return int(clients.stdout.readline())

    wait_until(lambda: answered() > 100, 30, "clients to be served")
    yield
    so_far = answered()
    wait_until(lambda: answered() > so_far + 200, 30, "clients to be served afterwards")
    said = json.loads(clients.communicate()[0])
    assert said["failures"] == [] and said["done"] > 300, said


def test_the_first_installation_starts_nothing_and_says_what_to_do(machine):
    said = install(machine).stdout
    assert "name your servers in /etc/bellwether/bellwether.json, then: systemctl enable --now bellwether" in said
    assert show(machine, "bellwether", "ActiveState") == "inactive"
    assert show(machine, "bellwether", "UnitFileState") == "disabled"
    assert machine.run("getent passwd bellwether").stdout.strip().endswith("/usr/sbin/nologin")
    machine.run("bellwether check -f /etc/bellwether/bellwether.json")
    machine.run("runuser -u bellwether -- bellwether check -f /etc/bellwether/bellwether.json", check=False)
    done = machine.run("systemd-analyze verify bellwether.service bellwether@a.service bellwether.socket bellwether@a.socket")
    assert "bellwether" not in done.stderr, done


def test_the_readme_installs_it(machine):
    block = re.search(r"<!-- tested: install -->\s*```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.S)[1]
    nodes = json.dumps([f"http://127.0.0.1:{port}" for port in NODES])
    addresses = " ".join(f"--address 127.0.0.1:{port}" for port in NODES)
    machine.run("mkdir /root/folder && cp /root/bellwether.deb /root/folder/bellwether_1_amd64.deb && mkdir -p /usr/local/bin")
    # What a person does in the editor, who has a cluster.
    machine.write("/usr/local/bin/editor", f"""#!/bin/sh -e
sed -i -z 's|"nodes": \\[[^]]*\\]|"nodes": {nodes}|' "$1"
systemd-run --unit cluster bellwether sim --nodes 3 {addresses}
""")
    machine.run(f"chmod 755 /usr/local/bin/editor; export PATH=/usr/local/bin:$PATH; cd /root/folder; set -e\n{block}")
    machine.run("bellwether wait-leader 20s")


def test_an_upgrade_of_the_package_refuses_nobody(machine):
    installed(machine)
    write_config(machine, "second", listen="127.0.0.1:8300", admin="127.0.0.1:8309")
    machine.run("systemctl enable --now bellwether@second && bellwether wait-leader 20s --admin 127.0.0.1:8309")
    before = {unit: show(machine, unit, "MainPID") for unit in ("bellwether", "bellwether@second")}
    with load(machine), load(machine, "127.0.0.1:8300"):
        said = install(machine, "next").stdout
    for unit, pid in before.items():
        assert f"{unit}.service: upgraded" in said, said
        now = show(machine, unit, "MainPID")
        assert now not in ("0", pid)
        assert machine.run(f"readlink /proc/{now}/exe").stdout.strip() == "/usr/bin/bellwether"
        assert show(machine, unit, "ActiveState") == "active" and show(machine, unit, "NRestarts") == "0"
    wait_until(lambda: machine.run(f"test -d /proc/{before['bellwether']}", check=False).returncode, 40, "the old one to end")
    assert show(machine, "bellwether", "ActiveState") == "active"
    assert LISTEN in machine.run("cat /etc/bellwether/bellwether.json").stdout, "the configuration was replaced"


def test_what_cannot_be_upgraded_is_restarted(machine):
    installed(machine, control="off")
    before = show(machine, "bellwether", "MainPID")
    said = install(machine, "next")
    assert "could not be upgraded" in said.stderr and "restarting it" in said.stderr, said
    machine.run("bellwether wait-leader 20s")
    assert show(machine, "bellwether", "MainPID") not in ("0", before)


def test_a_file_that_the_new_program_does_not_take_ends_nothing(machine):
    installed(machine)
    before = show(machine, "bellwether", "MainPID")
    machine.write("/etc/bellwether/bellwether.json", '{ "no_such_option": 1 }')
    said = install(machine, "next")
    assert "The old program goes on" in said.stderr and "no_such_option" in said.stderr, said
    assert show(machine, "bellwether", "MainPID") == before
    machine.run("bellwether wait-leader 5s")


def test_each_instance_is_reloaded_by_its_own_unit(machine):
    installed(machine)
    write_config(machine, "second", listen="127.0.0.1:8300", admin="127.0.0.1:8309")
    machine.run("systemctl start bellwether@second && bellwether wait-leader 20s --admin 127.0.0.1:8309")
    write_config(machine, "second", listen="127.0.0.1:8301", admin="127.0.0.1:8309")
    machine.run("systemctl reload bellwether@second && systemctl reload bellwether")
    assert machine.run("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8301/v1/sys/health").stdout == "200"
    assert machine.run("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8200/v1/sys/health").stdout == "200"
    machine.run("systemctl stop bellwether")
    machine.run("bellwether reload")  # the only one that is left, found without being named


def watched_closely(machine, limit):
    machine.run("mkdir -p /etc/systemd/system/bellwether.service.d")
    machine.write("/etc/systemd/system/bellwether.service.d/watchdog.conf", f"[Service]\nWatchdogSec={limit}\n")
    machine.run("systemctl daemon-reload")
    installed(machine)


def fed_at(machine):
    return int(show(machine, "bellwether", "WatchdogTimestampMonotonic"))


def test_systemd_shows_who_leads_and_the_journal_has_levels(machine):
    installed(machine)
    wait_until(lambda: re.fullmatch(r"\S+ leads; 3 of 3 nodes serve or stand by", show(machine, "bellwether", "StatusText")), 20,
               "the status to name the leader")
    machine.write("/etc/bellwether/bellwether.json", "no configuration")
    assert machine.run("systemctl reload bellwether", check=False).returncode != 0
    shown = machine.run("journalctl -u bellwether -o json --no-pager").stdout.splitlines()
    ours = [entry for entry in map(json.loads, shown) if entry.get("_PID") == show(machine, "bellwether", "MainPID")]
    levels = {entry["MESSAGE"].split()[1]: (entry["PRIORITY"], entry["MESSAGE"].split()[0]) for entry in ours}
    assert levels["started"] == ("6", "INFO") and levels["config_refused"] == ("3", "ERROR"), levels
    assert show(machine, "bellwether", "ActiveState") == "active"


def test_a_process_that_hangs_is_restarted(machine):
    watched_closely(machine, "2s")
    before = show(machine, "bellwether", "MainPID")
    machine.run(f"kill -STOP {before}")
    wait_until(lambda: show(machine, "bellwether", "MainPID") not in ("0", before), 60, "another process")
    machine.run("bellwether wait-leader 20s")
    assert show(machine, "bellwether", "NRestarts") == "1"


def test_the_process_of_an_upgrade_is_watched_too(machine):
    watched_closely(machine, "2s")
    before = show(machine, "bellwether", "MainPID")
    machine.run("bellwether upgrade")
    wait_until(lambda: machine.run(f"test -d /proc/{before}", check=False).returncode, 40, "the old one to end")
    for _ in range(6):  # thrice within each limit
        last = fed_at(machine)
        wait_until(lambda: fed_at(machine) > last, 20, "the watchdog to be fed by the new one")  # pylint: disable=cell-var-from-loop
    assert show(machine, "bellwether", "NRestarts") == "0" and show(machine, "bellwether", "MainPID") not in ("0", before)
    assert "leads" in show(machine, "bellwether", "StatusText")
    hung = show(machine, "bellwether", "MainPID")
    machine.run(f"kill -STOP {hung}")
    wait_until(lambda: show(machine, "bellwether", "MainPID") not in ("0", hung), 60, "another process")


def test_an_instance_takes_the_socket_of_its_unit(machine):
    install(machine)
    start_cluster(machine)
    write_config(machine, "sidecar", listen="unix:/run/bellwether-sidecar.sock")
    machine.run("systemctl enable --now bellwether@sidecar.socket bellwether@sidecar.service")
    asked = "curl -s -o /dev/null -w '%{http_code}' --unix-socket /run/bellwether-sidecar.sock http://vault/v1/sys/health"
    assert machine.run(asked).stdout == "200"
    machine.run("systemctl restart bellwether@sidecar")
    assert machine.run(asked).stdout == "200"


# Where dpkg keeps its own records, and what changes by itself; files that it renames.
KEPT_BY_OTHERS = "/var/lib/dpkg /var/log /var/lib/systemd /var/cache /var/tmp /var/backups".split()
BACKUPS = {"/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-"}


def files(machine):
    without = " -o ".join(f"-path {each}" for each in KEPT_BY_OTHERS)
    found = machine.run(f"find /etc /usr /var /opt /srv -xdev \\( {without} \\) -prune -o -print").stdout
    return set(found.splitlines()) - BACKUPS


def test_purge_leaves_no_file(machine):
    before = files(machine)
    installed(machine)
    write_config(machine, "second", listen="127.0.0.1:8300", admin="127.0.0.1:8309")
    machine.run("systemctl enable --now bellwether@second && systemctl enable bellwether.socket bellwether@second.socket")
    machine.run("dpkg -r bellwether")
    assert machine.run("systemctl list-units --no-legend --state=active 'bellwether*'").stdout == ""
    machine.run("test -e /etc/bellwether/bellwether.json && test ! -e /usr/bin/bellwether")
    machine.run("rm /etc/bellwether/second.json")  # which the package has not brought
    machine.run("dpkg -P bellwether")
    assert files(machine) - before == set()
    assert machine.run("ls -d /run/bellwether* /var/lib/systemd/deb-systemd-helper-*/bellwether*", check=False).stdout == ""
    machine.run("getent passwd bellwether")  # stays, as its number must not become another's


def test_it_works_without_systemd(chroot):
    before = files(chroot)
    assert "name your servers" in install(chroot).stdout
    chroot.run("bellwether check -f /etc/bellwether/bellwether.json")
    install(chroot, "next")
    chroot.run("dpkg -r bellwether && dpkg -P bellwether")
    assert files(chroot) - before == set()


def test_the_user_is_made_without_sysusers_too(chroot):
    chroot.run("rm /usr/bin/systemd-sysusers")
    install(chroot)
    chroot.run("getent passwd bellwether && getent group bellwether")
