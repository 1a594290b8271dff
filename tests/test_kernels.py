"""The number of threads: whose it is, and that nobody changes it on the way."""

import os
import subprocess
import sys

import pytest

from hashgnn.errors import InputError
from hashgnn.kernels import get_threads, set_threads

PROCESSORS = len(os.sched_getaffinity(0))

SEARCH_AND_MULTIPLY = """
import numpy as np, torch
from hashgnn.search import Index
from hashgnn.kernels import get_threads
before = torch.get_num_threads()
Index(np.zeros((9, 4), np.uint8)).hamming(np.zeros((5, 4), np.uint8), 3)
print(get_threads(), before, torch.get_num_threads())
"""


def said(script: str, **variables: str) -> list[int]:
    """Numbers that ``script`` prints, in a process with these variables of the environment."""
    names = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
    others = {name: value for name, value in os.environ.items() if name not in names}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={**others, **variables}
    )
    assert done.returncode == 0, done.stderr
    return [int(number) for number in done.stdout.split()]


@pytest.mark.parametrize(
    ("given", "expected"),
    [("3", 3), ("3,2", 3), ("0", PROCESSORS), ("many", PROCESSORS), ("", PROCESSORS)],
)
def test_searches_obey_the_variable_that_torch_obeys(given: str, expected: int) -> None:
    script = "from hashgnn.kernels import get_threads; print(get_threads())"
    assert said(script, OMP_NUM_THREADS=given) == [expected]


@pytest.mark.parametrize("numba", ["1", "2", "3"])
def test_a_search_leaves_torch_its_threads(numba: str) -> None:
    """Where it took numba's number, a training changed its products after its first validation,
    and a resumed one ended with other bytes."""
    numbers = said(SEARCH_AND_MULTIPLY, OMP_NUM_THREADS="2", NUMBA_NUM_THREADS=numba)
    assert numbers == [2, 2, 2]


def test_a_number_of_threads_is_at_least_one() -> None:
    before = get_threads()
    with pytest.raises(InputError, match="threads: expected 1 or more, got 0"):
        set_threads(0)
    assert get_threads() == before
