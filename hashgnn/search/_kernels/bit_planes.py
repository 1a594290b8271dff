"""Bit planes: codes laid out so that one machine word holds one bit of 64 items.

Chunk c holds items 512 c to 512 c + 511. Bit i of word w of plane j in a chunk is bit j of the
code of item 512 c + 64 w + i; items beyond the last have zero codes.
"""

import numpy as np

from hashgnn.kernels import njit

RESULTS_VERSION = 1

CHUNK_WORDS = 8
CHUNK_ITEMS = 64 * CHUNK_WORDS
_CONVERTED_AT_ONCE = 128  # chunks


def to_planes(codes: np.ndarray) -> np.ndarray:
    """Convert codes uint8 [I, bytes] to planes uint64 [ceil(I / 512), bits, 8]."""
    n_items, width = codes.shape
    planes = _aligned((-(-n_items // CHUNK_ITEMS), width * 8, CHUNK_WORDS))
    for first in range(0, len(planes), _CONVERTED_AT_ONCE):
        filled = planes[first : first + _CONVERTED_AT_ONCE]
        chosen = codes[first * CHUNK_ITEMS : (first + _CONVERTED_AT_ONCE) * CHUNK_ITEMS]
        chunks = np.zeros((len(filled), CHUNK_ITEMS, width), dtype=np.uint8)
        chunks.reshape(-1, width)[: len(chosen)] = chosen
        bits = np.unpackbits(chunks, axis=2, bitorder="little").transpose(0, 2, 1)
        packed = np.packbits(bits, axis=2, bitorder="little")
        filled[:] = np.ascontiguousarray(packed).view("<u8")
    return planes


def _aligned(shape: tuple[int, int, int]) -> np.ndarray:
    """Return uninitialised uint64 whose planes begin on cache lines."""
    words = int(np.prod(shape))
    room = np.empty(words + CHUNK_WORDS, dtype=np.uint64)
    start = -room.ctypes.data // room.itemsize % CHUNK_WORDS
    return room[start : start + words].reshape(shape)


@njit(cache=True)
def to_masks(codes: np.ndarray) -> np.ndarray:
    """Spread each bit of codes uint8 [Q, bytes] over a word, 0 or all ones: uint64 [Q, bits]."""
    masks = np.empty((len(codes), 8 * codes.shape[1]), dtype=np.uint64)
    for row in range(len(codes)):
        for bit in range(masks.shape[1]):
            masks[row, bit] = np.uint64(0) - np.uint64(codes[row, bit >> 3] >> (bit & 7) & 1)
    return masks


@njit(cache=True)
def to_weighted_masks(codes: np.ndarray, weights: np.ndarray, levels: int) -> np.ndarray:
    """Spread the bits of codes uint8 [Q, bytes] and of their ``weights`` over a word each.

    ``weights`` uint8 [Q, bits] are below 2^``levels``. The result is uint64 [Q, bits, 1 + levels]:
    the bit of the code, then those of its weight, the lowest first.
    """
    masks = np.empty((len(codes), weights.shape[1], 1 + levels), dtype=np.uint64)
    for row in range(len(codes)):
        for bit in range(weights.shape[1]):
            masks[row, bit, 0] = np.uint64(0) - np.uint64(codes[row, bit >> 3] >> (bit & 7) & 1)
            for level in range(levels):
                masks[row, bit, 1 + level] = np.uint64(0) - np.uint64(
                    weights[row, bit] >> level & 1
                )
    return masks


@njit(cache=True, nogil=True, inline="always")
def _item_bit(planes: np.ndarray, position: int, bit: int) -> bool:
    """Return one bit of the code of the item at ``position``."""
    chunk, place = divmod(position, CHUNK_ITEMS)
    word, shift = divmod(place, 64)
    return bool(planes[chunk, bit, word] >> np.uint64(shift) & np.uint64(1))


def to_patterns(codes: np.ndarray, stride: int) -> np.ndarray:
    """Convert each three bits of codes uint8 [Q, bytes] to a multiple of ``stride``: uint16.

    The result is [Q, groups]; the last group is padded with zeros.
    """
    n_bits = codes.shape[1] * 8
    bits = np.zeros((len(codes), -(-n_bits // 3) * 3), dtype=np.uint16)
    bits[:, :n_bits] = np.unpackbits(codes, axis=1, bitorder="little")
    weights = np.array([1, 2, 4], dtype=np.uint16) * np.uint16(stride)
    return bits.reshape(len(codes), -1, 3) @ weights


@njit(cache=True)
def pair_distances(
    planes: np.ndarray,
    bits: np.ndarray,
    indptr: np.ndarray,
    positions: np.ndarray,
    distances: np.ndarray,
) -> None:
    """Fill ``distances`` [pairs]: of each query, its Hamming distances to items at ``positions``.

    ``bits`` uint8 [Q, bits], the queries' bits one by one; the pairs of a query are those from one
    ``indptr`` int64 to the next.
    """
    for row in range(len(bits)):
        for pair in range(indptr[row], indptr[row + 1]):
            total = 0
            for bit in range(bits.shape[1]):
                total += _item_bit(planes, positions[pair], bit) != bits[row, bit]
            distances[pair] = total


@njit(cache=True, nogil=True)
def signed_sums(
    planes: np.ndarray, queries: np.ndarray, positions: np.ndarray, sums: np.ndarray
) -> None:
    """Fill ``sums`` float64 [Q, C] with inner products of queries and codes of -1 and 1.

    ``queries`` float64 [Q, bits]; ``positions`` [Q, C]: -1, which is no item, gets -inf. A sum is
    in order of the bits.
    """
    for row in range(positions.shape[0]):
        for place in range(positions.shape[1]):
            position = positions[row, place]
            total = -np.inf
            if position >= 0:
                total = 0.0
                for bit in range(queries.shape[1]):
                    value = queries[row, bit]
                    total += value if _item_bit(planes, position, bit) else -value
            sums[row, place] = total
