"""The counting itself, in the default run."""

import pytest

from tests.e2e.faults.tally import Tally


def test_a_fault_counts_as_survived_only_if_nothing_leaves_its_block() -> None:
    tally = Tally()
    with tally.fault("kill"), tally.input("file"):
        pass
    with pytest.raises(OSError, match="full"), tally.fault("kill"):
        raise OSError("full")
    with pytest.raises(AssertionError), tally.fault("edit"), tally.input("file"):
        raise AssertionError

    *kinds, sums = tally.lines()
    assert [line.split() for line in kinds] == [
        ["edit", "1", "injected", "0", "survived"],
        ["kill", "2", "injected", "1", "survived"],
        ["file", "2", "tried"],
    ]
    assert sums == "faults injected 3, survived 1, inputs tried 2, wrong results 1"
