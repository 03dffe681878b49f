"""Processes that tests start, and end by their own pid."""

import os
import pathlib
import re
import select
import signal
import subprocess

from .waiting import wait_until


class Process:
    """One child with its output in a file. Whoever starts it calls end()."""

    def __init__(self, name, argv, log_path, env=None, cwd=None, stdin=subprocess.DEVNULL,
                 user=None, group=None, pass_fds=()):
        self.name = name
        self.log_path = str(log_path)
        self._log = open(self.log_path, "ab")
        full_env = dict(os.environ)
        full_env.update(env or {})
        self._child = subprocess.Popen(
            [str(word) for word in argv], stdin=stdin, stdout=self._log, stderr=subprocess.STDOUT,
            env=full_env, cwd=cwd, user=user, group=group, pass_fds=pass_fds)
        self.pid = self._child.pid

    def is_running(self):
        return self._child.poll() is None

    def exit_code(self):
        """None while it runs; negative: ended by that signal."""
        return self._child.poll()

    def wait(self, timeout=30):
        return self._child.wait(timeout)

    def log(self):
        with open(self.log_path, "rb") as file:
            return file.read().decode("utf-8", "replace")

    def send(self, number):
        if self.is_running():
            os.kill(self.pid, number)

    def terminate(self):
        self.send(signal.SIGTERM)

    def kill(self):
        self.send(signal.SIGKILL)
        self._child.wait(30)

    def freeze(self):
        """Returns when no thread of it runs any more: the signal alone stops a thread a moment later."""
        self.send(signal.SIGSTOP)
        wait_until(self._is_stopped, 10, f"{self.name} to stand still")

    def _is_stopped(self):
        states = [stat.read_text().rpartition(")")[2].split()[0]
                  for stat in pathlib.Path(f"/proc/{self.pid}/task").glob("*/stat")]
        return all(state == "T" for state in states)

    def thaw(self):
        self.send(signal.SIGCONT)

    def end(self, patience=10):
        """SIGTERM, then SIGKILL for one that does not listen. Returns the exit code."""
        if self.is_running():
            self.thaw()
            self.terminate()
            try:
                self._child.wait(patience)
            except subprocess.TimeoutExpired:
                self.kill()
        self._log.close()
        return self._child.returncode

    def expect_no_sanitizer_report(self):
        reported = re.search(r"(Address|Thread|Leak)Sanitizer|runtime error:|broken invariant:", self.log())
        assert not reported, f"{self.name}: a broken invariant or a sanitizer's report:\n{self.log()[-12000:]}"

    def rss_bytes(self):
        return self._status_bytes("VmRSS:")

    def peak_rss_bytes(self):
        return self._status_bytes("VmHWM:")

    def _status_bytes(self, key):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith(key):
                    return int(line.split()[1]) * 1024
        return 0

    def expect_log(self, text, timeout=10):
        wait_until(lambda: text in self.log() or self._fail_if_gone(text), timeout, f"{self.name} to log {text!r}")

    def _fail_if_gone(self, text):
        if not self.is_running() and text not in self.log():
            raise AssertionError(f"{self.name} ended with {self.exit_code()} before it logged {text!r}:\n{self.log()}")
        return False


def end_by_pid(pid, program, patience=40):
    """Ends a process that is no child of ours, unless it is another program by now."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        if os.path.realpath(f"/proc/{pid}/exe") != os.path.realpath(program):
            return
        signal.pidfd_send_signal(descriptor, signal.SIGTERM)
        if not select.select([descriptor], [], [], patience)[0]:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except OSError:  # it has ended
        pass
    finally:
        os.close(descriptor)
