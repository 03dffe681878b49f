"""A machine of its own for a test: the files of this one, which it cannot change, and a systemd if it is wanted.

What it writes is in memory (overlayfs) and is gone with it; processes, network and mounts are its own (namespaces). So
packages can be installed and services run for real. It needs root and a kernel that allows this: why_not() says."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from .waiting import wait_until

_OVERLAY = r"""
mount --make-rprivate /
mount -t tmpfs -o mode=755 memory "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount --rbind /dev dev
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=1777 tmp tmp
"""

# Not by chroot: from within one no user namespace can be made, which the sandbox of a unit has.
_ENTER = r"""
pivot_root . mnt
cd /
umount -l /mnt
"""

_SYSTEMD = r"""
mount -t cgroup2 cgroup2 sys/fs/cgroup
rm -f etc/machine-id && echo 0123456789abcdef0123456789abcdef >etc/machine-id
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=basic.target --log-target=journal --show-status=no
"""

_NO_SYSTEMD = "echo ready >/run/ready\nexec sleep infinity\n"


def why_not():
    """Why there can be no such machine here; empty: there can."""
    if os.geteuid() != 0:
        return "needs root"
    if not shutil.which("systemctl") or not shutil.which("unshare"):
        return "needs systemd and unshare"
    tried = subprocess.run(["unshare", "-m", "-p", "-f", "-n", "-C", "sh", "-ec",
                            'd=$(mktemp -d); trap "rmdir $d" EXIT; mount -t tmpfs m "$d"; mkdir "$d/u" "$d/w" "$d/r"; '
                            'mount -t overlay o -o "lowerdir=/,upperdir=$d/u,workdir=$d/w" "$d/r"; umount "$d/r" "$d"'],
                           capture_output=True, text=True, check=False)
    return "" if tried.returncode == 0 else f"the kernel does not allow it here: {tried.stderr.strip()}"


def _cgroup2():
    with open("/proc/mounts", encoding="utf-8") as mounts:
        found = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
    return pathlib.Path(found[0]) if found else None


class Machine:
    """Use it in a `with`."""

    def __init__(self, systemd=True):
        self._folder = tempfile.mkdtemp(prefix="bellwether-machine-")
        self._log = open(os.path.join(self._folder, "log"), "wb")  # pylint: disable=consider-using-with
        self._systemd = systemd
        self._group = self._make_group() if systemd else None
        mounts = os.path.join(self._folder, "mounts")
        os.mkdir(mounts)
        self._unshare = subprocess.Popen(  # pylint: disable=consider-using-with
            ["unshare", "--kill-child", "-m", "-p", "-f", "-u", "-i", "-n", "-C", "sh", "-ec",
             _OVERLAY + _ENTER + (_SYSTEMD if systemd else _NO_SYSTEMD), "machine", mounts],
            stdout=self._log, stderr=self._log, stdin=subprocess.DEVNULL, preexec_fn=self._enter_group)

    def __enter__(self):
        try:
            self._init = wait_until(self._first_process, 20, "the machine's first process")
            wait_until(lambda: self._is_up(), 60, "the machine")  # pylint: disable=unnecessary-lambda
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self._unshare.send_signal(signal.SIGKILL)
        self._unshare.wait()
        if self._group:
            wait_until(self._remove_group, 20, "the machine's processes to end")
        self._log.close()
        shutil.rmtree(self._folder)

    def run(self, command, check=True, timeout=120):
        """One shell command within it."""
        done = subprocess.run([*self._words(), "sh", "-c", command], capture_output=True, text=True, timeout=timeout,
                              check=False, stdin=subprocess.DEVNULL)
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}\n{self.log()}"
        return done

    def start(self, *words):
        """A process within it, whose standard output is a pipe."""
        return subprocess.Popen([*self._words(), *words], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)

    def bring(self, path, target):
        with open(path, "rb") as file:
            subprocess.run([*self._words(), "sh", "-c", f"cat >'{target}'"], stdin=file, check=True)

    def write(self, target, text):
        subprocess.run([*self._words(), "sh", "-c", f"cat >'{target}'"], input=text, text=True, check=True)

    def log(self):
        if not self._systemd:
            return ""
        return self.run("journalctl --no-pager -n 60 -u 'bellwether*'", check=False).stdout

    def _words(self):
        env = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"]
        return ["nsenter", "-t", str(self._init), "-m", "-p", "-u", "-i", "-n", "-C", "--root", "--wd", *env]

    def _make_group(self):
        """A cgroup of its own, which is the root of what it sees, so that nothing is left of it."""
        above = _cgroup2()
        if above is None:
            return None
        group = above / os.path.basename(self._folder)
        group.mkdir()
        return group

    def _enter_group(self):
        if self._group:
            (self._group / "cgroup.procs").write_text(str(os.getpid()), encoding="utf-8")

    def _remove_group(self):
        for folder, _, _ in os.walk(self._group, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                return False
        return True

    def _first_process(self):
        assert self._unshare.poll() is None, self._said()
        pid = self._unshare.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
        name = children and pathlib.Path(f"/proc/{children[0]}/comm").read_text(encoding="utf-8").strip()
        return int(children[0]) if name in ("systemd", "sleep") else None

    def _is_up(self):
        assert self._unshare.poll() is None, self._said()
        ask = "systemctl is-active basic.target" if self._systemd else "cat /run/ready"
        return self.run(ask, check=False).returncode == 0

    def _said(self):
        return pathlib.Path(self._folder, "log").read_text(encoding="utf-8")
