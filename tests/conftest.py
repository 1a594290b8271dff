"""One thread for every test, as jobs have: on a busy machine several wait for each other in turns,
and tests of seconds take minutes. What depends on their number sets it itself."""

import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests of a GPU where there is none."""
    chosen = [item for item in items if item.get_closest_marker("gpu")]
    if chosen and not _has_gpu():
        for item in chosen:
            item.add_marker(pytest.mark.skip(reason="needs an NVIDIA GPU"))


def _has_gpu() -> bool:
    import torch  # takes seconds, which most runs of a few tests can save

    return torch.cuda.is_available()
