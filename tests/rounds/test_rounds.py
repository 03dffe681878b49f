"""A few rounds on the simulated cluster, through http and tcp mode at once: every promise is kept."""

import run
from house import firewall

FAULTS = "step_down:2,seal:2,kill:2,freeze:1,term:1,cut_off:1" + (",unreachable:1,slow_network:1" if firewall.is_possible() else "")


def test_a_round_of_each_fault_breaks_no_promise(tmp_path):
    arguments = run.parse_arguments(["--cluster", "sim", "--faults", FAULTS, "--tcp-clients", "2", "--http-clients", "3"])
    assert run.run(arguments, tmp_path) == 0, f"seed {arguments.seed}; the output says what broke"
