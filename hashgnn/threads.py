"""Get and set the number of threads that searches use.

Numba's own number of threads is not used: asking for it starts numba's thread pool, which changes
the number of threads of OpenMP, and with it that of torch, in the middle of a training.
"""

import os

from hashgnn.errors import InputError


def _allowed() -> int:
    """Return OMP_NUM_THREADS, or else the number of available processors, as torch and FAISS do."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if first.isdecimal() and int(first):
        return int(first)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


_threads = _allowed()


def get_threads() -> int:
    """Return the number of threads that searches in this process use."""
    return _threads


def set_threads(threads: int) -> None:
    """Set the number of threads that searches in this process use.

    Results do not depend on it. Raises ``InputError`` if ``threads`` is below 1.
    """
    global _threads
    if threads < 1:
        raise InputError(f"threads: expected 1 or more, got {threads}")
    _threads = threads
