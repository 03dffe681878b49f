"""The rate at which clients ask whatever becomes of what they asked before."""

import threading
import time

from load import Pace


def test_threads_that_share_a_pace_keep_its_rate_together():
    pace, finish, turns = Pace(100), threading.Event(), []

    def take(count):
        for _ in range(count):
            pace.wait_for_turn(finish)
            turns.append(time.monotonic())

    threads = [threading.Thread(target=take, args=(10,)) for _ in range(3)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert turns[-1] - begun >= 0.28


def test_turns_that_nobody_was_free_to_take_are_left_out():
    pace, finish = Pace(1000), threading.Event()
    finish.wait(0.1)
    begun = time.monotonic()
    for _ in range(20):
        pace.wait_for_turn(finish)
    assert time.monotonic() - begun >= 0.018


def test_a_run_that_ends_waits_for_no_turn():
    pace, finish = Pace(0.01), threading.Event()
    pace.wait_for_turn(finish)
    finish.set()
    begun = time.monotonic()
    pace.wait_for_turn(finish)
    assert time.monotonic() - begun < 10
