"""The judge itself: each promise, broken on purpose, is seen to be broken."""

import pytest

from history import Exchange, History, Outcome, Register


@pytest.fixture
def history():
    return History()


@pytest.fixture
def register(history):
    made = Register("client", history)
    made.wrote(exchange("write", 1))
    made.wrote(exchange("write", 2))
    return made


def exchange(kind, number, outcome=Outcome.OK):
    return Exchange("client", kind, number, 0.0, 1.0, outcome)


def broken(history):
    return [violation.what for violation in history.violations()]


def test_writes_and_reads_in_order_break_nothing(history, register):
    register.read(exchange("read", 2))
    register.wrote(exchange("write", 3))
    register.ended(exchange("read", 3), 3)
    assert broken(history) == []


def test_a_lost_write_is_seen(history, register):
    register.read(exchange("read", 1))
    assert broken(history) == ["a read is older than an acknowledged write"]


def test_a_read_that_goes_back_behind_a_doubtful_write_is_seen(history, register):
    register.wrote(exchange("write", 3, Outcome.AMBIGUOUS))
    register.read(exchange("read", 3))
    register.acknowledged = 2
    register.read(exchange("read", 2))
    assert broken(history) == ["reads went back in time"]


def test_a_check_that_fails_without_doubt_means_a_second_execution_if_more_is_found(history, register):
    register.mismatched(exchange("write", 3, Outcome.TOLD))
    register.read(exchange("read", 3))
    assert broken(history) == ["a write was executed twice"]


def test_a_check_that_fails_without_doubt_was_made_by_who_is_behind_if_nothing_more_is_found(history, register):
    register.mismatched(exchange("write", 3, Outcome.TOLD))
    register.read(exchange("read", 2))
    assert broken(history) == ["a check was made against old data"]


def test_a_write_that_then_succeeds_shows_too_that_the_check_was_made_by_who_is_behind(history, register):
    register.mismatched(exchange("write", 3, Outcome.TOLD))
    register.wrote(exchange("write", 3))
    assert broken(history) == ["a check was made against old data"]


def test_an_old_check_through_a_relay_is_excused_as_an_old_read_is(history):
    register = Register("client", history, is_promised_fresh_reads=False)
    register.mismatched(exchange("write", 1, Outcome.TOLD))
    register.wrote(exchange("write", 1))
    assert broken(history) == []
    assert [one.what for one in history.excused()] == ["a check was made against old data"]


def test_a_check_that_fails_after_a_doubtful_write_proves_nothing(history, register):
    register.wrote(exchange("write", 3, Outcome.BROKEN))
    register.mismatched(exchange("write", 3, Outcome.TOLD))
    assert broken(history) == []
    assert [error.outcome for error in history.errors()] == [Outcome.BROKEN]


def test_a_doubtful_write_may_turn_out_to_be_executed(history, register):
    register.wrote(exchange("write", 3, Outcome.AMBIGUOUS))
    register.read(exchange("read", 3))
    register.wrote(exchange("write", 4))
    assert broken(history) == []


def test_a_write_that_was_said_not_to_be_executed_must_not_be(history, register):
    register.wrote(exchange("write", 3, Outcome.REFUSED))
    register.read(exchange("read", 3))
    assert broken(history) == ["executed after it was said not to be"]


def test_the_servers_own_count_of_versions_must_agree(history, register):
    register.ended(exchange("read", 2), 3)
    assert broken(history) == ["a write was executed twice"]


def at(begun, number):
    return Exchange("client", "read", number, begun, begun + 1, Outcome.OK)


def test_an_old_read_is_excused_only_if_it_began_while_its_leader_could_not_know(history, register):
    history.allow_old_reads(until=10.0)
    register.read(at(9.9, 1))
    assert broken(history) == []
    assert len(history.excused()) == 1
    register.read(at(10.1, 1))
    assert broken(history) == ["a read is older than an acknowledged write"]


def test_a_window_for_old_reads_excuses_no_write(history, register):
    history.allow_old_reads(until=10.0)
    register.mismatched(exchange("write", 3, Outcome.TOLD))
    register.read(at(9.0, 3))
    assert broken(history) == ["a write was executed twice"]
