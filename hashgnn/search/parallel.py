"""Work spread over threads.

Kernels release the interpreter's lock, so plain threads serve; each piece is done by one thread
alone, so results do not depend on their number.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

from hashgnn.threads import get_threads

T = TypeVar("T")


def query_blocks(n_queries: int, block: int, parts: int = 1) -> list[slice]:
    """Slices of up to ``block`` queries, of almost equal size, that cover them all.

    Smaller ones rather than idle threads, unless each is to be answered in so many ``parts``.
    """
    pieces = max(min(get_threads() // parts, n_queries), -(-n_queries // block))
    if pieces == 1:
        return [slice(0, n_queries)]
    bounds = [n_queries * piece // max(1, pieces) for piece in range(pieces + 1)]
    return [slice(*ends) for ends in pairwise(bounds)]


def in_threads(pieces: Sequence[T], do: Callable[[T], None]) -> None:
    """Call ``do`` with each piece; as many threads as there may be take the next in turn."""
    if len(pieces) == 1:
        return do(pieces[0])
    waiting = iter(pieces)

    def work() -> None:
        for piece in waiting:
            do(piece)

    others = min(get_threads(), len(pieces)) - 1
    helpers = [_pool(others).submit(work) for _ in range(others)]
    work()
    for helper in helpers:
        helper.result()


@lru_cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """Threads that stay: starting them takes as long as scanning 100,000 codes."""
    return ThreadPoolExecutor(threads, thread_name_prefix="hashgnn-search")


os.register_at_fork(after_in_child=_pool.cache_clear)  # a fork has no threads but its own
