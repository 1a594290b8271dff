"""What the machine could do at best: reading memory, counting bits."""

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from hashgnn.search.parallel import in_threads, query_blocks
from hashgnn.threads import get_threads

_CODES = 2048  # in the first cache level


def read(words: np.ndarray) -> None:
    """Read all words (uint64), each thread its share."""
    flat = words.reshape(-1)
    in_threads(query_blocks(len(flat), len(flat)), lambda part: _sum(flat[part]))


def read_often(words: np.ndarray, times: int) -> None:
    for _ in range(times):
        read(words)


def popcount(n_bytes: int) -> None:
    """Xor and count so many bytes of 64-bit codes that lie in the first cache level."""
    codes = np.arange(_CODES, dtype=np.uint64)
    threads = get_threads()
    passes = -(-n_bytes // (8 * _CODES * threads))
    in_threads([passes] * threads, lambda share: _count(codes, share))


@intrinsic
def _popcount(typing, word):  # type: ignore
    def codegen(context, builder, signature, args):  # type: ignore
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), codegen


@njit(nogil=True)
def _sum(words):  # type: ignore
    total = np.uint64(0)
    for place in range(len(words)):
        total += words[place]
    return total


@njit(nogil=True)
def _count(codes, passes):  # type: ignore
    total = np.uint64(0)
    for number in range(passes):
        query = np.uint64(number)
        for place in range(len(codes)):
            total += _popcount(codes[place] ^ query)
    return total
