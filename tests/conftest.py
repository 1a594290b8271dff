"""One thread for every test, as jobs have: on a busy machine several wait for each other in turns,
and tests of seconds take minutes. What depends on their number sets it itself."""

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session", autouse=True)
def silent_compilation() -> None:
    """What is on standard error does not depend on whether the kernels were compiled before."""
    from hashgnn import kernels

    kernels._announce = lambda: None
