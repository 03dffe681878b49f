"""What a seed decides, and what is possible where."""

import itertools

import pytest

import faults


class Cluster:
    firewall = None
    can_cut_off = False
    can_freeze_database = False


class ClusterWithAll:
    firewall = object()
    can_cut_off = True
    can_freeze_database = True


def first(count, strikes):
    return list(itertools.islice(strikes, count))


def test_a_seed_repeats_faults_lengths_and_pauses():
    once, again = (first(30, faults.choose(ClusterWithAll(), 7)) for _ in range(2))
    assert once == again
    assert once != first(30, faults.choose(ClusterWithAll(), 8))


def test_a_seed_repeats_the_order_of_chosen_faults():
    words = "kill:3,unreachable:3,step_down:3"
    once, again = (list(faults.choose(ClusterWithAll(), 7, words)) for _ in range(2))
    assert once == again
    assert sorted(strike.fault.name for strike in once) == ["kill"] * 3 + ["step_down"] * 3 + ["unreachable"] * 3


def test_faults_with_a_length_last_as_long_as_they_may_and_others_until_healed():
    for strike in first(200, faults.choose(ClusterWithAll(), 7)):
        shortest, longest = strike.fault.lasts or (0, 0)
        assert shortest <= strike.lasts <= longest


def test_chance_leaves_out_what_is_impossible():
    chosen = {strike.fault.name for strike in first(200, faults.choose(Cluster(), 7))}
    assert chosen == {"step_down", "seal", "term", "kill", "freeze", "lose_quorum"}


def test_an_impossible_fault_that_was_asked_for_is_refused_with_what_it_needs():
    with pytest.raises(SystemExit, match="cut_off is not possible here: it needs"):
        faults.refuse_impossible(Cluster(), "kill:2,cut_off")
    # One that loses its quorum has no database.
    faults.refuse_impossible(ClusterWithAll(), ",".join(set(faults.FAULTS) - {"lose_quorum"}))
