"""Which record of the timeline belongs to which round."""

import datetime
import time

import causes
import faults
from rounds import Round


def record(seconds_ago, cause, is_open=False):
    at = datetime.datetime.fromtimestamp(time.time() - seconds_ago, datetime.timezone.utc)
    return {"time": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z", "cause": cause, "open": is_open}


def a_round(seconds_ago, fault, has_hung=False):
    return Round(1, faults.Strike(faults.FAULTS[fault], 0.0, 0.0), 0, struck=time.monotonic() - seconds_ago, has_hung=has_hung)


def named(rounds, *records):
    timeline = causes.Timeline(lambda: records)
    timeline.look()
    return causes.summary(causes.judge(rounds, timeline))


def test_the_first_cause_after_a_fault_is_its_own():
    assert named([a_round(20, "kill"), a_round(10, "seal")], record(9, "hang"), record(9.9, "seal"), record(20, "crash")) == [
        "cause of kill: 1 of 1 named crash", "cause of seal: 1 of 1 named seal"]


def test_a_wrong_cause_is_told_and_so_is_none():
    assert named([a_round(20, "kill"), a_round(15, "kill"), a_round(10, "freeze")], record(20, "hang"), record(9, "hang", True)) == [
        "cause of freeze: 0 of 1 named hang; 1 none", "cause of kill: 0 of 2 named crash; 1 hang, 1 none"]


def test_our_start_and_a_server_that_hung_by_itself_are_no_evidence():
    assert named([a_round(20, "seal", has_hung=True), a_round(10, "term")], record(10, "start"), record(19, "hang")) == [
        "cause of term: 0 of 1 named stop; 1 none"]
