from collections.abc import Iterator

import pytest
import torch

from hashgnn.kernels import get_threads, set_threads


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Measure searches once and shortly, and restore the threads that they set."""
    pytest.importorskip("usearch")
    from benchmarks import search_measure

    monkeypatch.setattr(search_measure, "SECONDS", 1e-4)
    monkeypatch.setattr(search_measure, "ROUNDS", (1, 1))
    monkeypatch.setattr(search_measure, "TRIES", 1)
    threads = get_threads(), torch.get_num_threads()
    yield
    set_threads(threads[0])
    torch.set_num_threads(threads[1])
