"""What holds for all tests: their threads, which of them share a process, which need a GPU.

One thread for every test, as jobs have: on a busy machine several wait for each other in turns,
and tests of seconds take minutes. What depends on their number sets it itself.
"""

import os
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

os.environ.setdefault("OMP_NUM_THREADS", "1")


class ByFolder(LoadScopeScheduling):
    """Give the tests of a folder, which share fixtures such as trained models, to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0].rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFolder:
    """Distribute the tests by folder, in their order, among the processes of the option ``-n``."""
    config.option.loadscopereorder = False  # it would begin with many tests, not with slow ones
    return ByFolder(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests of a GPU where there is none."""
    chosen = [item for item in items if item.get_closest_marker("gpu")]
    if chosen and not _has_gpu():
        for item in chosen:
            item.add_marker(pytest.mark.skip(reason="needs an NVIDIA GPU"))


def _has_gpu() -> bool:
    import torch  # takes seconds, which most runs of a few tests can save

    return torch.cuda.is_available()


@pytest.fixture(scope="session", autouse=True)
def silent_compilation() -> None:
    """What is on standard error does not depend on whether the kernels were compiled before."""
    from hashgnn import kernels

    kernels._announce = lambda: None
