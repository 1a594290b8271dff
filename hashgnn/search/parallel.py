"""Queries spread over threads.

Kernels release the interpreter's lock, so plain threads serve; each query is answered by one
thread alone, so results do not depend on their number.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numba


def over_queries(n_queries: int, block: int, answer: Callable[[slice], None]) -> None:
    """Call ``answer`` with slices of up to ``block`` queries until all are answered.

    Blocks are of equal size, and smaller ones rather than idle threads.
    """
    threads = numba.get_num_threads()
    pieces = max(min(threads, n_queries), -(-n_queries // block))
    bounds = [n_queries * piece // pieces for piece in range(pieces + 1)] if pieces else []
    slices = map(slice, bounds[:-1], bounds[1:])
    if threads == 1 or pieces <= 1:
        for rows in slices:
            answer(rows)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(answer, slices))
