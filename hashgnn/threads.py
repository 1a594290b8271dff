"""How many threads the package's own searches use.

numba has such a number too, but to ask for it starts numba's threads, which make their number that
of OpenMP, and so torch's: a training would go on with another one after its first validation.
"""

import os

from hashgnn.errors import InputError


def _allowed() -> int:
    """As torch and FAISS: OMP_NUM_THREADS, or else the processors that this process may use."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if first.isdecimal() and int(first):
        return int(first)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


_threads = _allowed()


def get_threads() -> int:
    """Threads that searches in this process use."""
    return _threads


def set_threads(threads: int) -> None:
    """Let searches in this process use so many threads, 1 or more; ``InputError`` for fewer.

    Results do not depend on it.
    """
    global _threads
    if threads < 1:
        raise InputError(f"threads: {threads}; give 1 or more")
    _threads = threads
