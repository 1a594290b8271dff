"""What holds for all tests: their threads, which of them share a process, which need a GPU.

One thread for every test, as jobs have: on a busy machine several wait for each other in turns,
and tests of seconds take minutes. What depends on their number sets it itself.
"""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests of a GPU where there is none, and group tests for ``--dist loadgroup``.

    A folder, which shares fixtures, is a group; so is what uses the fixture ``project``, an
    experiment that takes a minute.
    """
    chosen = [item for item in items if item.get_closest_marker("gpu")]
    if chosen and not _has_gpu():
        for item in chosen:
            item.add_marker(pytest.mark.skip(reason="needs an NVIDIA GPU"))
    for item in items:
        own = str(item.path.parent.relative_to(Path(__file__).parent))
        group = "project" if "project" in getattr(item, "fixturenames", ()) else own
        item.add_marker(pytest.mark.xdist_group("tests" if group == "." else group))


def _has_gpu() -> bool:
    import torch  # takes seconds, which most runs of a few tests can save

    return torch.cuda.is_available()


@pytest.fixture(scope="session", autouse=True)
def silent_compilation() -> None:
    """What is on standard error does not depend on whether the kernels were compiled before."""
    from hashgnn import kernels

    kernels._announce = lambda: None
