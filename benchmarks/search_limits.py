"""What the machine could do at best: reading memory, counting bits."""

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from hashgnn.kernels import get_threads
from hashgnn.search.exact import in_threads, query_blocks

_CODES = 2048  # in the first cache level
_BEYOND_CACHES = 1 << 27  # words, a GiB: what was read a lap before is in no cache by now


def read(words: np.ndarray) -> None:
    """Read all words (uint64), each thread its share."""
    flat = words.reshape(-1)
    in_threads(query_blocks(len(flat), len(flat)), lambda part: _sum(flat[part]))


def read_often(words: np.ndarray, times: int) -> None:
    for _ in range(times):
        read(words)


class Memory:
    """Reads on and on through more memory than any cache holds."""

    def __init__(self) -> None:
        self.words = np.ones(_BEYOND_CACHES, dtype=np.uint64)
        self.place = 0

    def read(self, n_words: int) -> None:
        """Read so many words, each thread its share, from where the last call ended."""
        while n_words:
            part = self.words[self.place : self.place + n_words]
            read(part)
            n_words -= len(part)
            self.place = (self.place + len(part)) % len(self.words)


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
