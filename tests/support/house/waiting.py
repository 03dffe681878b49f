"""Waiting for a condition instead of sleeping."""

import time


class WaitedInVain(AssertionError):
    pass


def wait_until(condition, timeout, what, every=0.02):
    """Returns the first true value of condition(); fails with `what` when there is none within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    last_error = None
    while True:
        try:
            value = condition()
            last_error = None
        except (OSError, ValueError, KeyError) as error:
            value, last_error = None, error
        if value:
            return value
        if time.monotonic() >= deadline:
            because = f"; last error: {last_error!r}" if last_error else ""
            raise WaitedInVain(f"waited {timeout} s in vain for: {what}{because}")
        time.sleep(every)
