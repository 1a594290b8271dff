"""Queries spread over threads.

Kernels release the interpreter's lock, so plain threads serve; each query is answered by one
thread alone, so results do not depend on their number.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numba


def over_queries(n_queries: int, answer: Callable[[int, int], None]) -> None:
    """Call ``answer(start, stop)`` for consecutive shares of the queries, one per thread."""
    threads = min(numba.get_num_threads(), n_queries)
    if threads <= 1:
        answer(0, n_queries)
        return
    bounds = [n_queries * part // threads for part in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(answer, bounds[:-1], bounds[1:]))
