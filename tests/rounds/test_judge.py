"""The judge of a round: which errors are the fault's own, and what delay is Bellwether's."""

import dataclasses

import pytest

import faults
import rounds
from history import Exchange, History, Outcome, kind_of
from rounds import Round, Rounds

DEALT = 10.0


class Load:
    def __init__(self):
        self.history = History()


def complaint(fault, error, undone=0.0, election=2.0, suspected=0.0, has_hung=False):
    judge = Rounds(None, Load(), proxy_log=None, first_sign=None, is_fresh=False)
    strike = faults.Strike(faults.FAULTS[fault], 0.0, 0.0)
    return judge.complaint(Round(1, strike, 0, struck=DEALT - 0.5, dealt=DEALT, undone=undone, election=election,
                           suspected=suspected, has_hung=has_hung), error)


def error(outcome, begun, client="http-0", kind="write", said=""):
    return Exchange(client, kind, 1, begun, begun + 1, outcome, said)


def success(begun, ended):
    return Exchange("http-open-0", "write", 1, begun, ended, Outcome.OK)


def test_a_step_down_excuses_no_error_through_http_mode():
    assert complaint("step_down", error(Outcome.AMBIGUOUS, DEALT - 0.1))


def test_a_step_down_excuses_what_the_old_leader_itself_said_through_tcp_mode():
    assert not complaint("step_down", error(Outcome.NODE_ERROR, DEALT - 0.1, client="tcp-0"))
    assert not complaint("step_down", error(Outcome.NODE_ERROR, DEALT - 0.1, client="tcp-open-0"))


def test_a_step_down_excuses_a_connection_through_tcp_mode_only_if_it_was_in_flight():
    assert not complaint("step_down", error(Outcome.BROKEN, DEALT - 0.1, client="tcp-0"))
    assert complaint("step_down", error(Outcome.BROKEN, DEALT + 0.1, client="tcp-0"))
    assert not complaint("step_down", error(Outcome.BROKEN, DEALT + 0.1, client="tcp-0"), suspected=DEALT + 0.12)
    assert complaint("step_down", error(Outcome.BROKEN, DEALT + 0.1, client="tcp-0"), suspected=DEALT + 0.08)


def test_a_seal_in_which_the_server_hung_excuses_what_was_sent_before_anybody_could_notice():
    struck = DEALT - 0.5
    assert complaint("seal", error(Outcome.AMBIGUOUS, struck + 0.2))
    assert not complaint("seal", error(Outcome.AMBIGUOUS, struck + 0.2), has_hung=True)
    assert complaint("seal", error(Outcome.AMBIGUOUS, struck + 0.3), has_hung=True)
    assert complaint("seal", error(Outcome.REFUSED, struck + 0.2), has_hung=True)


def test_a_slow_network_excuses_no_error_for_it_loses_nothing():
    assert complaint("slow_network", error(Outcome.AMBIGUOUS, DEALT - 0.1))
    assert complaint("slow_network", error(Outcome.REFUSED, DEALT + 0.1))
    assert complaint("slow_network", error(Outcome.BROKEN, DEALT + 0.1, client="tcp-0"), suspected=DEALT + 0.12)


def test_a_kill_excuses_only_what_was_in_flight():
    assert not complaint("kill", error(Outcome.AMBIGUOUS, DEALT - 0.1))
    assert complaint("kill", error(Outcome.AMBIGUOUS, DEALT + 0.1))


def test_a_kill_excuses_no_refusal():
    assert complaint("kill", error(Outcome.REFUSED, DEALT - 0.1))


def test_a_connection_that_was_held_for_as_long_as_may_be_is_excused_by_an_election_that_took_longer():
    held = Exchange("tcp-0", "read", 0, DEALT + 0.1, DEALT + 9.2, Outcome.BROKEN)
    assert not complaint("kill", held, election=10.8)
    assert complaint("kill", held, election=8.0)
    assert complaint("kill", dataclasses.replace(held, ended=DEALT + 8), election=10.8)
    assert complaint("kill", dataclasses.replace(held, client="http-0"), election=10.8)


@pytest.mark.parametrize(("fault", "unnoticed"), [("freeze", 0.25), ("unreachable", 0.25), ("cut_off", 2.6)])
def test_a_silent_fault_excuses_what_was_sent_before_anybody_could_notice(fault, unnoticed):
    assert not complaint(fault, error(Outcome.AMBIGUOUS, DEALT + unnoticed - 0.01))
    assert complaint(fault, error(Outcome.AMBIGUOUS, DEALT + unnoticed + 0.01))


@pytest.mark.parametrize("said", ["408 the request did not arrive in time", "500 read tcp 127.0.0.1:1->127.0.0.1:2: i/o timeout"])
def test_a_request_of_which_half_was_lost_with_the_network_is_the_nodes_to_refuse(said):
    assert not complaint("unreachable", error(Outcome.NODE_ERROR, DEALT - 0.01, said=said))
    assert complaint("unreachable", error(Outcome.NODE_ERROR, DEALT + 0.26, said=said))
    assert complaint("unreachable", error(Outcome.NODE_ERROR, DEALT - 0.01, said="500 internal error"))
    assert complaint("step_down", error(Outcome.NODE_ERROR, DEALT - 0.01, said=said))


def test_a_frozen_database_excuses_all_that_was_sent_before_it_thawed():
    assert not complaint("database_freeze", error(Outcome.NODE_ERROR, DEALT + 19), undone=DEALT + 20)
    assert complaint("database_freeze", error(Outcome.NODE_ERROR, DEALT + 21), undone=DEALT + 20)


def test_a_read_that_nobody_confirmed_is_the_price_of_verified_answers_while_in_flight():
    said = "502 the node has answered, but not confirmed since that it leads: what it said may be out of date"
    assert not complaint("step_down", error(Outcome.AMBIGUOUS, DEALT - 0.1, kind="read", said=said))
    assert complaint("step_down", error(Outcome.AMBIGUOUS, DEALT - 0.1, kind="write", said=said))
    assert complaint("step_down", error(Outcome.AMBIGUOUS, DEALT + 0.1, kind="read", said=said))
    assert not complaint("step_down", error(Outcome.AMBIGUOUS, DEALT + 0.1, kind="read", said=said), suspected=DEALT + 0.12)


def test_requests_that_began_before_trouble_was_known_say_nothing_of_the_added_delay():
    early, held = success(1.0, 5.1), success(2.5, 5.2)
    assert rounds.delay_of_the_waiting([early, held], claimed=5.0) == pytest.approx(0.1)
    assert rounds.delay_of_the_unhurried([early, held], claimed=5.0, suspected=2.0) == pytest.approx(0.2)
    assert rounds.delay_of_the_unhurried([early], claimed=5.0, suspected=2.0) is None


def test_a_request_that_began_after_the_claim_is_late_by_what_it_took():
    assert rounds.delay_of_the_unhurried([success(7.0, 7.3)], claimed=5.0, suspected=2.0) == pytest.approx(0.3)


def test_the_kind_of_a_client_is_its_name_without_its_number():
    assert [kind_of(name) for name in ("http-3", "tcp-open-12")] == ["http", "tcp-open"]


def test_the_98th_percentile_of_few_is_the_worst_of_them():
    made = [Round(i, None, 0, election=1.0, added={"http": i / 1000}) for i in range(1, 101)]
    assert "median 50 ms p98 98 ms max 100 ms, within 30 ms + 2.5 % of the election 55 of 100" in rounds._delays(made)[0]
    assert "p98 10 ms max 10 ms" in rounds._delays(made[:10])[0]
