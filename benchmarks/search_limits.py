"""What the machine could do at best: reading memory, counting bits."""

import time
from collections.abc import Callable

import numpy as np
from numba import njit, prange, types
from numba.extending import intrinsic

_READ_BYTES = 1 << 29  # far beyond any cache
_CODES = 2048  # in the first cache level
_PASSES = 20_000


def read_bandwidth() -> float:
    """Bytes a second that the current number of threads read from memory."""
    words = np.ones(_READ_BYTES // 8, dtype=np.uint64)
    return _READ_BYTES / _best(lambda: _sum(words))


def popcount_rate() -> float:
    """Bytes a second of xor and popcount of 64-bit codes in the first cache level, one thread."""
    codes = np.arange(_CODES, dtype=np.uint64)
    return _CODES * 8 * _PASSES / _best(lambda: _count(codes, _PASSES))


def _best(run: Callable[[], object], rounds: int = 7) -> float:
    run()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


@intrinsic
def _popcount(typing, word):  # type: ignore
    def codegen(context, builder, signature, args):  # type: ignore
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), codegen


@njit(parallel=True)
def _sum(words):  # type: ignore
    total = np.uint64(0)
    for place in prange(len(words)):
        total += words[place]
    return total


@njit
def _count(codes, passes):  # type: ignore
    total = np.uint64(0)
    for number in range(passes):
        query = np.uint64(number)
        for place in range(len(codes)):
            total += _popcount(codes[place] ^ query)
    return total
