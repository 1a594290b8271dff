"""Scan bit planes for the items nearest to each query by Hamming distance.

A vector register holds one bit of 256 or 512 items, so one instruction works on all of them. The
distances of a vector's items are sums of bits, computed by carry-save adders. A sum starts at
2^levels - accept, where a query accepts distances below ``accept``; the carry out of the highest
level then marks the items that are too far. ``_collect`` looks at the others one by one.

For a batch of queries, sums over every three planes are tabulated: for each of the eight patterns
of three query bits, the number of differing bits of each item. This saves the first layer of adders
for every query. A single query, or a few, add the planes directly and are limited by the speed of
the memory. On some processors they prefetch the planes (``_Prefetch``).
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from hashgnn.kernels import LINE, ask, njit

RESULTS_VERSION = 1

# Words per vector: the width of the machine's registers. It does not affect the results.
_FEATURES = binding.get_host_cpu_features()
LANES = 8 if _FEATURES.get("avx512f") else 4
VECTOR_ITEMS = 64 * LANES
PATTERN_WORDS = 2 * LANES  # of a tabulated sum of three bits: the low and the high bit
_GROUP_WORDS = 8 * PATTERN_WORDS
_LINE_WORDS = LINE // 8

# Columns of a query's state.
ACCEPT = 0  # items at this distance or farther are skipped
BOUND = 1  # distance of the last of the items to keep so far
INSIDE = 2  # items seen within the bound
FOUND = 3  # entries in the lists
CURSOR = 4  # index of the next excluded position
END = 5  # index of the end of the excluded positions
STATE_COLUMNS = 6

# Vectors with an item near enough to a single query are rare after the first ``_EARLY`` vectors.
# ``_LATE`` of them are collected at once: a branch for each would often be mispredicted, and no
# planes would be read ahead during it.
_EARLY, _LATE = 8, 16


class _Prefetch(NamedTuple):
    """How the scan for a single query prefetches planes.

    ``among_sums``: one line after each plane that is added, or else all lines of a vector before
    it. ``lines``: how many cache lines ahead. ``level``: as of ``hashgnn.kernels.ask``.
    """

    among_sums: bool
    lines: int
    level: int


def _prefetch() -> _Prefetch | None:
    """Return what was fastest on this kind of processor (docs/search.md); None: no prefetch."""
    if LANES < 8:
        return _Prefetch(among_sums=False, lines=32, level=3)
    by_amd = _FEATURES.get("sse4a")
    return None if by_amd else _Prefetch(among_sums=True, lines=72, level=2)


_PREFETCH = _prefetch()
_AMONG_SUMS = _PREFETCH is not None and _PREFETCH.among_sums
_BEFORE_VECTOR = _PREFETCH is not None and not _PREFETCH.among_sums

_intrinsic: Any = intrinsic  # its type requires an explicit typing context
_ODD, _MOST = 0x96, 0xE8  # truth tables of three bits: sum and carry of a full adder
_WORD = ir.IntType(64)
_VECTOR = ir.VectorType(_WORD, LANES)
_ADDRESS = types.CPointer(types.uint64)


def _of_three(builder: Any, table: int, x: Any, y: Any, z: Any) -> Any:
    """Emit a function of three bits: its value is bit 4 x + 2 y + z of ``table``."""
    number = ir.IntType(32)
    kind = ir.FunctionType(_VECTOR, [_VECTOR, _VECTOR, _VECTOR, number])
    name = "llvm.x86.avx512.pternlog.q.512"
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, [x, y, z, number(table)])


def _full_add(builder: Any, x: Any, y: Any, carry: Any) -> tuple[Any, Any]:
    """Emit the sum and the carry of three bits.

    With AVX-512 each is one instruction, which the compiler does not find by itself.
    """
    if LANES == 8:
        return tuple(_of_three(builder, table, x, y, carry) for table in (_ODD, _MOST))
    half = builder.xor(x, y)
    both = builder.or_(builder.and_(x, y), builder.and_(half, carry))
    return builder.xor(half, carry), both


def _add_bit(builder: Any, pending: list[list[Any]], level: int, bit: Any) -> None:
    """Add ``bit``, a vector of weight 2^level, to the ``pending`` vectors of each weight.

    Three vectors of a weight are replaced by one of this weight and one of the next.
    """
    slot = pending[level]
    slot.append(bit)
    if len(slot) == 3 and level < len(pending) - 1:
        oldest, middle, newest = slot
        total, carry = _full_add(builder, middle, newest, oldest)
        pending[level] = [total]
        _add_bit(builder, pending, level + 1, carry)


def _sum_bits(builder: Any, start: list[Any], bits: Iterator[tuple[int, Any]]) -> list[Any]:
    """Emit the sum of ``start`` and ``bits``, which are pairs of a level and a vector.

    Returns a vector per level, the lowest first, and the carry out of the highest.
    """
    pending = [[bit] for bit in start] + [[]]
    for level, bit in bits:
        _add_bit(builder, pending, level, bit)
    for level in range(len(start)):
        if len(pending[level]) == 2:
            x, y = pending[level]
            pending[level] = [builder.xor(x, y)]
            _add_bit(builder, pending, level + 1, builder.and_(x, y))
    carry = pending[-1][0]
    for other in pending[-1][1:]:
        carry = builder.or_(carry, other)
    return [slot[0] for slot in pending[:-1]] + [carry]


@_intrinsic
def _address(typing, array, element):  # type: ignore
    """Return the address of an ``element`` of ``array``, numbered as in memory."""
    signature = _ADDRESS(array, types.int64)

    def codegen(context, builder, signature, args):  # type: ignore
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.gep(data, [args[1]])
        return builder.bitcast(place, _WORD.as_pointer())

    return signature, codegen


def _load(builder: Any, address: Any, words: int = 0) -> Any:
    vector = builder.bitcast(builder.gep(address, [_WORD(words)]), _VECTOR.as_pointer())
    return builder.load(vector, align=8)


def _store(builder: Any, vector: Any, address: Any, words: int) -> None:
    place = builder.bitcast(builder.gep(address, [_WORD(words)]), _VECTOR.as_pointer())
    builder.store(vector, place, align=8)


def _spread(builder: Any, address: Any, words: int) -> Any:
    """Emit a vector with the word at ``address`` + ``words`` in every lane."""
    word = builder.load(builder.gep(address, [_WORD(words)]))
    index = ir.IntType(32)
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), word, index(0))
    lanes = ir.Constant(ir.VectorType(index, LANES), [0] * LANES)
    return builder.shuffle_vector(single, ir.Constant(_VECTOR, ir.Undefined), lanes)


def _compare(
    builder: Any, bits: Iterator[tuple[int, Any]], bias: Any, levels: int, sums: Any
) -> Any:
    """Emit the sum of ``bias`` and ``bits``, and store it with the mask of near items at ``sums``.

    Returns 1 if an item is near enough, else 0. The sum is stored in either case, which costs less
    than a branch that is often mispredicted.
    """
    start = [_spread(builder, bias, level) for level in range(levels)]
    *totals, far = _sum_bits(builder, start, bits)
    near = builder.not_(far)
    for place, vector in enumerate([*totals, near]):
        _store(builder, vector, sums, place * LANES)
    wide = ir.IntType(VECTOR_ITEMS)
    return builder.zext(builder.icmp_unsigned("!=", builder.bitcast(near, wide), wide(0)), _WORD)


def farthest(bits: int, weights: int) -> int:
    """Return the largest distance between codes of ``bits`` bits.

    A bit that differs counts as its weight, up to 2^weights - 1; 1 if ``weights`` is 0.
    """
    return bits * max(1, (1 << weights) - 1)


@_intrinsic(prefer_literal=True)
def _near_by_table(typing, bits, table, patterns, bias, sums):  # type: ignore
    """Compare a tabulated vector with a query; see ``_compare``.

    All but ``bits`` are addresses: of the table, and of the query's patterns, bias and sums.
    """
    n_bits = bits.literal_value
    levels, groups = n_bits.bit_length(), -(-n_bits // 3)

    def codegen(context, builder, signature, args):  # type: ignore
        table, patterns, bias, sums = args[1:]
        patterns = builder.bitcast(patterns, ir.IntType(16).as_pointer())

        def differing() -> Iterator[tuple[int, Any]]:
            for group in range(groups):
                number = builder.load(builder.gep(patterns, [_WORD(group)]))
                entry = builder.gep(table, [builder.zext(number, _WORD)])
                yield 0, _load(builder, entry, group * _GROUP_WORDS)
                yield 1, _load(builder, entry, group * _GROUP_WORDS + LANES)

        return _compare(builder, differing(), bias, levels, sums)

    return types.int64(bits, *[_ADDRESS] * 4), codegen


@_intrinsic(prefer_literal=True)
def _near_by_planes(typing, bits, weights, prefetch, planes, masks, bias, sums):  # type: ignore
    """Compare a vector with a query; see ``_compare``.

    A bit that differs counts 1 or, with ``weights``, its weight. ``planes``, ``masks``, ``bias``
    and ``sums`` are addresses: of the vector's first plane, and of what belongs to the query. With
    ``prefetch`` a line ahead is prefetched for each plane.
    """
    n_bits, n_weights = bits.literal_value, weights.literal_value
    levels = farthest(n_bits, n_weights).bit_length()

    def codegen(context, builder, signature, args):  # type: ignore
        planes, masks, bias, sums = args[3:]

        def differing() -> Iterator[tuple[int, Any]]:
            for bit in range(n_bits):
                item_bits = _load(builder, planes, bit * 8)
                if prefetch.literal_value:
                    _ask(builder, planes, bit)
                differs = builder.xor(item_bits, _spread(builder, masks, bit * (1 + n_weights)))
                if not n_weights:
                    yield 0, differs
                for level in range(n_weights):
                    weight = _spread(builder, masks, bit * (1 + n_weights) + 1 + level)
                    yield level, builder.and_(differs, weight)

        return _compare(builder, differing(), bias, levels, sums)

    return types.int64(bits, weights, prefetch, *[_ADDRESS] * 4), codegen


@_intrinsic(prefer_literal=True)
def _tabulate(typing, bits, planes, table):  # type: ignore
    """Fill ``table`` [groups, 8 patterns, 2, LANES] from the vector that begins at ``planes``.

    Both are addresses.
    """
    n_bits = bits.literal_value

    def codegen(context, builder, signature, args):  # type: ignore
        planes, table = args[1:]
        for group in range(-(-n_bits // 3)):
            item_bits = [
                _load(builder, planes, bit * 8) if bit < n_bits else _VECTOR([0] * LANES)
                for bit in range(3 * group, 3 * group + 3)
            ]
            for pattern in range(8):
                differing = [
                    builder.not_(bit) if pattern >> place & 1 else bit
                    for place, bit in enumerate(item_bits)
                ]
                place = group * _GROUP_WORDS + pattern * PATTERN_WORDS
                low, high = _full_add(builder, *differing)
                _store(builder, low, table, place)
                _store(builder, high, table, place + LANES)
        return context.get_dummy_value()

    return types.void(bits, _ADDRESS, _ADDRESS), codegen


def _ask(builder: Any, address: Any, line: int) -> None:
    """Emit a prefetch of the line that is number ``line`` after ``_PREFETCH.lines`` lines."""
    if _PREFETCH:
        ask(builder, address, _WORD((_PREFETCH.lines + line) * LINE), _PREFETCH.level)


@_intrinsic(prefer_literal=True)
def _prefetch_vector(typing, bits, planes):  # type: ignore
    """Prefetch as many lines as a vector has, from ``_PREFETCH.lines`` after address ``planes``."""

    def codegen(context, builder, signature, args):  # type: ignore
        for line in range(bits.literal_value * LANES // _LINE_WORDS):
            _ask(builder, args[1], line)
        return context.get_dummy_value()

    return types.void(bits, _ADDRESS), codegen


@_intrinsic
def _lowest_bit(typing, word):  # type: ignore
    """Return the number of the lowest bit that is set in a word; 64 if there is none."""

    def codegen(context, builder, signature, args):  # type: ignore
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), codegen


@_intrinsic
def _bits_set(typing, word):  # type: ignore
    """Return how many bits are set in a word."""

    def codegen(context, builder, signature, args):  # type: ignore
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), codegen


@njit(cache=True, nogil=True, forceinline=True)
def _narrow(sums: np.ndarray, at: int, levels: int, quota: int) -> int:
    """Reduce the mask of a vector to its ``quota`` smallest sums and all equal to the largest.

    Returns the largest. Sums are selected bit by bit from the highest level: if enough of them have
    a 0 there, those with a 1 are dropped.
    """
    near, equal = at + levels * LANES, at + (levels + 1) * LANES
    sums[equal : equal + LANES] = sums[near : near + LANES]
    largest, smaller = 0, np.uint64(0)
    for level in range(levels - 1, -1, -1):
        plane = at + level * LANES
        zeros = np.uint64(0)
        for lane in range(LANES):
            zeros += _bits_set(sums[equal + lane] & ~sums[plane + lane])
        enough = smaller + zeros >= np.uint64(quota)
        if not enough:
            largest += 1 << level
            smaller += zeros
        for lane in range(LANES):
            ones = sums[equal + lane] & sums[plane + lane]
            if enough:
                sums[near + lane] &= ~ones
                sums[equal + lane] &= ~ones
            else:
                sums[equal + lane] = ones
    return largest


@njit(cache=True, nogil=True, forceinline=True)
def _places(sums: np.ndarray, near: int, places: np.ndarray) -> int:
    """Write the numbers of the bits set in the mask at ``near``, ascending; return how many."""
    count = 0
    for lane in range(LANES):
        mask = sums[near + lane]
        while True:  # most lanes have one bit or none, so the branch at the end is predicted well
            places[np.uint64(count)] = lane * 64 + np.int64(_lowest_bit(mask))
            count += mask != 0
            mask &= mask - np.uint64(1)
            if mask == 0:
                break
    return count


@njit(cache=True, nogil=True, forceinline=True)
def _sum_at(sums: np.ndarray, at: int, levels: int, place: int) -> np.int64:
    """Return the sum of the item at ``place`` in a vector whose sums begin at ``at``."""
    start, bit = np.uint64(at + (place >> 6)), np.uint64(place & 63)
    total = np.uint64(0)
    for level in range(levels):
        word = sums[start + np.uint64(level * LANES)]
        total |= (word >> bit & np.uint64(1)) << np.uint64(level)
    return np.int64(total)


class _Hits(NamedTuple):
    """Vectors that have items near enough to a query, in order, and scratch space.

    ``owners`` int64: the vector's number, with the query's in the lower half. ``accepted`` int64:
    what the query accepted then. ``sums`` uint64: a vector per level, then the mask of near items,
    then scratch space. ``places`` int64: scratch space for the numbers of a vector's items.
    """

    owners: np.ndarray
    accepted: np.ndarray
    sums: np.ndarray
    places: np.ndarray


@njit(cache=True, nogil=True, forceinline=True)
def _no_hits(room: int, levels: int) -> _Hits:
    """Return room for the hits of ``room`` vectors."""
    return _Hits(
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.int64),
        np.empty(room * (levels + 2) * LANES, dtype=np.uint64),
        np.empty(VECTOR_ITEMS + 1, dtype=np.int64),
    )


class _Search(NamedTuple):
    """What is searched and what is wanted; see ``scanner``. ``excluded`` are the positions."""

    planes: np.ndarray
    n_items: int
    k: int
    quotas: np.ndarray
    excluded: np.ndarray


class _Found(NamedTuple):
    """What is known of each query: its state, its counts by distance, and its lists."""

    state: np.ndarray
    counts: np.ndarray
    positions: np.ndarray
    distances: np.ndarray


@njit(cache=True, nogil=True, forceinline=True)
def _compact(row: int, state: np.ndarray, positions: np.ndarray, distances: np.ndarray) -> None:
    """Drop the entries of a query's lists that are beyond its bound."""
    kept = 0
    for place in range(state[row, FOUND]):
        if distances[row, place] <= state[row, BOUND]:
            positions[row, kept] = positions[row, place]
            distances[row, kept] = distances[row, place]
            kept += 1
    state[row, FOUND] = kept


@njit(cache=True, nogil=True)
def _collect(n_hits: int, levels: int, hits: _Hits, search: _Search, found: _Found) -> None:
    """Add the near items of the first ``n_hits`` vectors to the lists and lower the bounds.

    Many vectors are collected at once, as a call with so many arrays takes longer than one of them.
    """
    owners, accepted, sums, places = hits
    n_items, k, quotas, excluded = search.n_items, search.k, search.quotas, search.excluded
    state, counts, positions, distances = found
    listing = positions.shape[1] > 0
    for hit in range(n_hits):
        vector, row, at = owners[hit] >> 32, owners[hit] & 0xFFFFFFFF, hit * (levels + 2) * LANES
        first, quota, bias = vector * VECTOR_ITEMS, quotas[vector], (1 << levels) - accepted[hit]
        accept, bound, inside = state[row, ACCEPT], state[row, BOUND], state[row, INSIDE]
        if listing and state[row, FOUND] + VECTOR_ITEMS > positions.shape[1]:
            _compact(row, state, positions, distances)
        if first == 0 and quota < k:
            bound = min(bound, _narrow(sums, at, levels, quota) - bias)
            accept = bound + 1
        entries, cursor, end = state[row, FOUND], state[row, CURSOR], state[row, END]
        for number in range(_places(sums, at + levels * LANES, places)):
            position = first + places[number]
            distance = _sum_at(sums, at, levels, places[number]) - bias
            if distance >= accept or position >= n_items:
                continue
            while cursor < end and excluded[cursor] < position:
                cursor += 1
            if cursor < end and excluded[cursor] == position:
                continue
            if listing:
                positions[row, entries] = position
                distances[row, entries] = distance
                entries += 1
            counts[row, distance] += 1
            inside += 1
            while inside - counts[row, bound] >= quota:
                inside -= counts[row, bound]
                bound -= 1
            # A list keeps the first of equal distances; counts include all of them.
            accept = bound if listing and inside >= k else bound + 1
        state[row, ACCEPT], state[row, BOUND], state[row, INSIDE] = accept, bound, inside
        state[row, FOUND], state[row, CURSOR] = entries, cursor


@njit(cache=True, nogil=True, forceinline=True)
def _begin(most: int, row: int, indptr: np.ndarray, state: np.ndarray, counts: np.ndarray) -> None:
    """Set the state and the counts of a query that has seen no item."""
    counts[row, :] = 0
    state[row, ACCEPT], state[row, BOUND] = most + 1, most
    state[row, INSIDE], state[row, FOUND] = 0, 0
    state[row, CURSOR], state[row, END] = indptr[row], indptr[row + 1]


@njit(cache=True, nogil=True, forceinline=True)
def _first_short(state: np.ndarray, row: int, wanted: int, most: int) -> int:
    """Return the first query from ``row`` on that too low quotas left with too few items."""
    while row < len(state) and (state[row, INSIDE] >= wanted or state[row, BOUND] == most):
        row += 1
    return row


@njit(cache=True, nogil=True)
def _in_order(
    state: np.ndarray,
    counts: np.ndarray,
    found: np.ndarray,
    levels: np.ndarray,
    positions: np.ndarray,
    distances: np.ndarray,
) -> None:
    """Sort the lists ``found`` and ``levels`` by distance into ``positions`` and ``distances``.

    It is a counting sort of lists in order of position. Places beyond the last item get -1.
    """
    positions[:] = -1
    distances[:] = -1
    k = positions.shape[1]
    slots = np.empty(counts.shape[1] + 1, dtype=np.int64)
    for row in range(len(state)):
        bound = state[row, BOUND]
        slots[0] = 0
        for level in range(bound):
            slots[level + 1] = slots[level] + counts[row, level]
        for place in range(state[row, FOUND]):
            level = levels[row, place]
            if level <= bound and slots[level] < k:
                positions[row, slots[level]] = found[row, place]
                distances[row, slots[level]] = level
                slots[level] += 1


class _Queries(NamedTuple):
    """Queries as ``to_patterns`` or ``to_masks`` makes them, biases, and the rows to scan for."""

    masks: np.ndarray
    biases: np.ndarray
    first: int
    last: int


@njit(cache=True, nogil=True, inline="always")
def _pass(
    bits: int,
    weights: int,
    levels: int,
    tabled: bool,
    queries: _Queries,
    hits: _Hits,
    search: _Search,
    found: _Found,
) -> None:
    """Scan all items for the queries from ``first`` to ``last``.

    The first four are literals of the compiled code; ``levels``: the number of bits of a distance.
    """
    masks, biases, first, last = queries
    state, owners, accepted, sums = found.state, hits.owners, hits.accepted, hits.sums
    planes, n_vectors = search.planes, len(search.quotas)
    table = np.empty((bits + 2) // 3 * _GROUP_WORDS, dtype=np.uint64)
    width = (bits + 2) // 3 if tabled else bits * (1 + weights)  # of a query's row in ``masks``
    n_hits = 0
    for vector in range(n_vectors):
        plane = _address(planes, vector * LANES // 8 * 8 * bits + vector * LANES % 8)
        if tabled:
            _tabulate(bits, plane, _address(table, 0))
        elif _BEFORE_VECTOR:
            _prefetch_vector(bits, _address(planes, vector * bits * LANES))
        for row in range(first, last):
            accept = state[row, ACCEPT]
            if accept > 0:
                owners[n_hits] = vector << 32 | row
                accepted[n_hits] = accept
                query = _address(masks, row * width)
                bias = _address(biases, accept * levels)
                place = _address(sums, n_hits * (levels + 2) * LANES)
                if tabled:
                    n_hits += _near_by_table(bits, _address(table, 0), query, bias, place)
                elif row == first:
                    n_hits += _near_by_planes(bits, weights, _AMONG_SUMS, plane, query, bias, place)
                else:
                    n_hits += _near_by_planes(bits, weights, False, plane, query, bias, place)
        if n_hits >= (1 if tabled or vector < _EARLY else _LATE) or (
            n_hits > 0 and vector == n_vectors - 1
        ):
            _collect(n_hits, levels, hits, search, found)
            n_hits = 0


@lru_cache
def scanner(bits: int, tabled: bool, weights: int = 0) -> Callable[..., None]:
    """Return the scan over codes of ``bits`` bits.

    ``tabled``: whether queries are as ``to_patterns`` makes them, or else as ``to_masks``. With
    ``weights`` they are as ``to_weighted_masks`` makes them, with this many bits per weight, and
    not ``tabled``; distances are sums of the weights of the bits that differ.

    The arguments of the scan are:

    - ``planes``: uint64 [chunks, bits, 8], flat, of ``n_items`` items.
    - ``queries``; ``biases``: uint64 [most + 2, levels].
    - ``wanted``: the number of items to find for each query.
    - ``quotas``: int64 [vectors], how many items must be within a query's bound at each vector
      before the bound is lowered.
    - ``excluded``: ``indptr`` int64 [Q + 1] and positions int32, those of each query between its
      two entries of ``indptr``.
    - ``results``: counts int32 [Q, most + 1], which are filled with the number of items at each
      distance; positions and distances int32 [Q, wanted], which are filled, nearest first, or
      [Q, 0] if they are not needed.

    A query with fewer items within its bound than wanted, although there may be more, had too low
    quotas and is scanned again. All is done in one call: after a pass over the memory, the caches
    hold no other code.
    """
    most = farthest(bits, weights)
    levels = most.bit_length()
    kept = np.int16 if most < 1 << 15 else np.int32  # the narrowest: lists of a batch are large

    @njit(cache=True, nogil=True)
    def scan(  # type: ignore[no-untyped-def]
        planes, n_items, queries, biases, wanted, quotas, excluded, results
    ):
        indptr, excluded_positions = excluded
        counts, positions, distances = results
        n_queries = len(queries)
        list_room = 2 * wanted + VECTOR_ITEMS if positions.shape[1] > 0 else 0
        found = _Found(
            np.empty((n_queries, STATE_COLUMNS), dtype=np.int64),
            counts,
            np.empty((n_queries, list_room), dtype=np.int32),
            np.empty((n_queries, list_room), dtype=kept),
        )
        hits = _no_hits(n_queries + _LATE, levels)
        first, last, enough, checked = 0, n_queries, quotas, 0
        while first < last:
            for row in range(first, last):
                _begin(most, row, indptr, found.state, counts)
            chosen = _Queries(queries, biases, first, last)
            search = _Search(planes, n_items, wanted, enough, excluded_positions)
            _pass(bits, weights, levels, tabled, chosen, hits, search, found)
            checked = _first_short(found.state, checked, wanted, most)
            first = last = checked
            if checked < n_queries:
                last = checked = checked + 1
                enough = np.full_like(quotas, wanted)
        if positions.shape[1] > 0:
            _in_order(found.state, counts, found.positions, found.distances, positions, distances)

    return scan
