"""The Hamming scan: distances of 256 or 512 items at a time, by adding bits, not by popcount.

Codes lie in bit planes (``planes.py``). Item bits that differ from the query's are summed by
carry-save adders over whole vectors, so one vector instruction works on as many items as it has
bits, and the sum starts at 2^levels - accept, so its carry says which items are too far. Only
the few that are near enough are looked at one by one (``_collect``).

For a batch of queries every three planes are first tabulated: for each of the eight patterns that
three query bits can have, how many of the three item bits differ. That saves a first layer of
adders for all queries; one or few queries add the planes themselves, and wait for the memory. On
some processors it helps to ask for the planes to come (``_Asking``).
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

# Words a vector: as wide as the machine's registers. The results do not depend on it.
_FEATURES = binding.get_host_cpu_features()
LANES = 8 if _FEATURES.get("avx512f") else 4
VECTOR_ITEMS = 64 * LANES
PATTERN_WORDS = 2 * LANES  # a tabulated sum of three bits: low and high bit
_GROUP_WORDS = 8 * PATTERN_WORDS
_LINE_WORDS = LINE // 8

# Columns of a query's state.
ACCEPT = 0  # items at this distance or beyond are passed over
BOUND = 1  # the distance that held the last of the wanted items so far
INSIDE = 2  # items seen at the bound or nearer
FOUND = 3  # entries in the lists
CURSOR = 4  # the next excluded position, and the end of them
END = 5
STATE_COLUMNS = 6

# A single query's hits are rare after so many vectors, and wait until there are so many of them: a
# branch for each would be mispredicted, and the scan read nothing ahead meanwhile.
_EARLY, _LATE = 8, 16


class _Asking(NamedTuple):
    """How a single query asks for planes ahead: all of a vector's at once, or among its sums.

    ``lines`` ahead, into the ``level`` of ``hashgnn.kernels.ask``.
    """

    among_sums: bool
    lines: int
    level: int


def _asking() -> _Asking | None:
    """What was fastest on processors of this kind (docs/search.md); None: not to ask."""
    if LANES < 8:
        return _Asking(among_sums=False, lines=32, level=3)
    by_amd = _FEATURES.get("sse4a")
    return None if by_amd else _Asking(among_sums=True, lines=72, level=2)


_ASKING = _asking()
_ASK_AMONG_SUMS = _ASKING is not None and _ASKING.among_sums
_ASK_AT_ONCE = _ASKING is not None and not _ASKING.among_sums

_intrinsic: Any = intrinsic  # of a type that denies the call without the typing context
_ODD, _MOST = 0x96, 0xE8  # of three bits
_WORD = ir.IntType(64)
_VECTOR = ir.VectorType(_WORD, LANES)


def _of_three(builder: Any, table: int, x: Any, y: Any, z: Any) -> Any:
    """A function of three bits: bit 4 x + 2 y + z of ``table`` is its value."""
    number = ir.IntType(32)
    kind = ir.FunctionType(_VECTOR, [_VECTOR, _VECTOR, _VECTOR, number])
    name = "llvm.x86.avx512.pternlog.q.512"
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, [x, y, z, number(table)])


def _full_add(builder: Any, x: Any, y: Any, carry: Any) -> tuple[Any, Any]:
    """Sum and carry: by AVX-512 an instruction each, which the compiler does not find itself."""
    if LANES == 8:
        return tuple(_of_three(builder, table, x, y, carry) for table in (_ODD, _MOST))
    half = builder.xor(x, y)
    both = builder.or_(builder.and_(x, y), builder.and_(half, carry))
    return builder.xor(half, carry), both


def _add_bit(builder: Any, pending: list[list[Any]], level: int, bit: Any) -> None:
    """Add a vector of weight 2^level; three of a weight become one and one of the next."""
    slot = pending[level]
    slot.append(bit)
    if len(slot) == 3 and level < len(pending) - 1:
        oldest, middle, newest = slot
        total, carry = _full_add(builder, middle, newest, oldest)
        pending[level] = [total]
        _add_bit(builder, pending, level + 1, carry)


def _sum_bits(builder: Any, start: list[Any], bits: Iterator[tuple[int, Any]]) -> list[Any]:
    """The sum of ``start`` and ``bits`` (level, vector): a vector a level, and the carry out."""
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


def _pointer(context: Any, builder: Any, kind: Any, array: Any, *words: Any) -> Any:
    """Address of an array's element number sum(words)."""
    address = context.make_array(kind)(context, builder, array).data
    for word in words:
        address = builder.gep(address, [word])
    return address


def _load(builder: Any, address: Any, words: int = 0) -> Any:
    vector = builder.bitcast(builder.gep(address, [_WORD(words)]), _VECTOR.as_pointer())
    return builder.load(vector, align=8)


def _store(builder: Any, vector: Any, address: Any, words: int) -> None:
    place = builder.bitcast(builder.gep(address, [_WORD(words)]), _VECTOR.as_pointer())
    builder.store(vector, place, align=8)


def _spread(builder: Any, address: Any, words: int) -> Any:
    """A word loaded into every lane."""
    word = builder.load(builder.gep(address, [_WORD(words)]))
    index = ir.IntType(32)
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), word, index(0))
    lanes = ir.Constant(ir.VectorType(index, LANES), [0] * LANES)
    return builder.shuffle_vector(single, ir.Constant(_VECTOR, ir.Undefined), lanes)


def _compare(
    builder: Any, bits: Iterator[tuple[int, Any]], bias: Any, levels: int, sums: Any
) -> Any:
    """Store the sums and the mask of items that are near enough; return 1 if there are any.

    They are stored unasked: a branch would often be mispredicted, and cost more than that.
    """
    start = [_spread(builder, bias, level) for level in range(levels)]
    *totals, far = _sum_bits(builder, start, bits)
    near = builder.not_(far)
    for place, vector in enumerate([*totals, near]):
        _store(builder, vector, sums, place * LANES)
    wide = ir.IntType(VECTOR_ITEMS)
    return builder.zext(builder.icmp_unsigned("!=", builder.bitcast(near, wide), wide(0)), _WORD)


def farthest(bits: int, weights: int) -> int:
    """Return the largest distance between codes of ``bits``, each weighing up to 2^weights - 1.

    Without ``weights`` a bit weighs 1.
    """
    return bits * max(1, (1 << weights) - 1)


@_intrinsic(prefer_literal=True)
def _near_by_table(typing, bits, table, patterns, row, biases, accept, sums, at):  # type: ignore
    """``_compare`` of the vector that ``table`` holds with query ``row``."""
    place = types.int64
    signature = types.int64(bits, table, patterns, place, biases, place, sums, place)
    n_bits, levels = bits.literal_value, bits.literal_value.bit_length()
    groups = -(-n_bits // 3)

    def codegen(context, builder, signature, args):  # type: ignore
        kinds = signature.args
        tabled = _pointer(context, builder, kinds[1], args[1])
        first = builder.mul(args[3], _WORD(groups))
        pattern = _pointer(context, builder, kinds[2], args[2], first)
        bias = _pointer(context, builder, kinds[4], args[4], builder.mul(args[5], _WORD(levels)))

        def differing() -> Iterator[tuple[int, Any]]:
            for group in range(groups):
                number = builder.load(builder.gep(pattern, [_WORD(group)]))
                entry = builder.gep(tabled, [builder.zext(number, _WORD)])
                yield 0, _load(builder, entry, group * _GROUP_WORDS)
                yield 1, _load(builder, entry, group * _GROUP_WORDS + LANES)

        sums = _pointer(context, builder, kinds[6], args[6], args[7])
        return _compare(builder, differing(), bias, levels, sums)

    return signature, codegen


@_intrinsic(prefer_literal=True)
def _near_by_planes(  # type: ignore
    typing, bits, weights, ask, planes, word, masks, row, biases, accept, sums, at
):
    """``_compare`` of the vector at ``word`` of ``planes`` with query ``row``.

    A bit that differs counts once, or with ``weights`` as often as the query says. With ``ask`` the
    planes ahead are asked for meanwhile.
    """
    place = types.int64
    signature = types.int64(
        bits, weights, ask, planes, place, masks, place, biases, place, sums, place
    )
    n_bits, n_weights = bits.literal_value, weights.literal_value
    levels = farthest(n_bits, n_weights).bit_length()
    n_masks = n_bits * (1 + n_weights)

    def codegen(context, builder, signature, args):  # type: ignore
        kinds = signature.args
        plane = _pointer(context, builder, kinds[3], args[3], args[4])
        mask = _pointer(context, builder, kinds[5], args[5], builder.mul(args[6], _WORD(n_masks)))
        bias = _pointer(context, builder, kinds[7], args[7], builder.mul(args[8], _WORD(levels)))

        def differing() -> Iterator[tuple[int, Any]]:
            for bit in range(n_bits):
                item_bits = _load(builder, plane, bit * 8)
                if ask.literal_value:
                    _ask(builder, plane, bit)
                differs = builder.xor(item_bits, _spread(builder, mask, bit * (1 + n_weights)))
                if not n_weights:
                    yield 0, differs
                for level in range(n_weights):
                    weight = _spread(builder, mask, bit * (1 + n_weights) + 1 + level)
                    yield level, builder.and_(differs, weight)

        sums = _pointer(context, builder, kinds[9], args[9], args[10])
        return _compare(builder, differing(), bias, levels, sums)

    return signature, codegen


@_intrinsic(prefer_literal=True)
def _tabulate(typing, bits, planes, word, table):  # type: ignore
    """Fill ``table`` [groups, 8 patterns, 2, LANES] from the vector at ``word`` of ``planes``."""
    signature = types.void(bits, planes, types.int64, table)
    n_bits = bits.literal_value

    def codegen(context, builder, signature, args):  # type: ignore
        plane = _pointer(context, builder, signature.args[1], args[1], args[2])
        tabled = _pointer(context, builder, signature.args[3], args[3])
        for group in range(-(-n_bits // 3)):
            item_bits = [
                _load(builder, plane, bit * 8) if bit < n_bits else _VECTOR([0] * LANES)
                for bit in range(3 * group, 3 * group + 3)
            ]
            for pattern in range(8):
                differing = [
                    builder.not_(bit) if pattern >> place & 1 else bit
                    for place, bit in enumerate(item_bits)
                ]
                place = group * _GROUP_WORDS + pattern * PATTERN_WORDS
                low, high = _full_add(builder, *differing)
                _store(builder, low, tabled, place)
                _store(builder, high, tabled, place + LANES)
        return context.get_dummy_value()

    return signature, codegen


def _ask(builder: Any, address: Any, line: int) -> None:
    """Ask for a line after those on which the scan works at ``address``."""
    if _ASKING:
        ask(builder, address, _WORD((_ASKING.lines + line) * LINE), _ASKING.level)


@_intrinsic(prefer_literal=True)
def _ask_for_planes(typing, bits, planes, vector):  # type: ignore
    """Ask for the planes that the scan reaches some lines after those of ``vector``."""
    signature = types.void(bits, planes, types.int64)
    words = bits.literal_value * LANES

    def codegen(context, builder, signature, args):  # type: ignore
        start = builder.mul(args[2], _WORD(words))
        address = _pointer(context, builder, signature.args[1], args[1], start)
        for line in range(words // _LINE_WORDS):
            _ask(builder, address, line)
        return context.get_dummy_value()

    return signature, codegen


@_intrinsic
def _lowest_bit(typing, word):  # type: ignore
    """Number of the lowest bit set in a word; 64 if none is."""

    def codegen(context, builder, signature, args):  # type: ignore
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), codegen


@_intrinsic
def _bits_set(typing, word):  # type: ignore
    """How many bits are set in a word."""

    def codegen(context, builder, signature, args):  # type: ignore
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), codegen


@njit(cache=True, nogil=True, forceinline=True)
def _narrow(sums: np.ndarray, at: int, levels: int, quota: int) -> int:
    """Leave in the mask only the ``quota`` smallest sums and their equals; return the largest.

    A selection bit by bit, from the highest: are there enough that have a 0 here?
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
    """The places of the bits set in the mask at ``near``, ascending; return their number."""
    count = 0
    for lane in range(LANES):
        mask = sums[near + lane]
        while True:  # most lanes have one bit or none: a loop that ends as predicted
            places[np.uint64(count)] = lane * 64 + np.int64(_lowest_bit(mask))
            count += mask != 0
            mask &= mask - np.uint64(1)
            if mask == 0:
                break
    return count


@njit(cache=True, nogil=True, forceinline=True)
def _sum_at(sums: np.ndarray, at: int, levels: int, place: int) -> np.int64:
    start, bit = np.uint64(at + (place >> 6)), np.uint64(place & 63)
    total = np.uint64(0)
    for level in range(levels):
        word = sums[start + np.uint64(level * LANES)]
        total |= (word >> bit & np.uint64(1)) << np.uint64(level)
    return np.int64(total)


@njit(cache=True, nogil=True, forceinline=True)
def _compact(row: int, state: np.ndarray, positions: np.ndarray, distances: np.ndarray) -> None:
    """Drop the entries that lie beyond the bound by now."""
    kept = 0
    for place in range(state[row, FOUND]):
        if distances[row, place] <= state[row, BOUND]:
            positions[row, kept] = positions[row, place]
            distances[row, kept] = distances[row, place]
            kept += 1
    state[row, FOUND] = kept


@njit(cache=True, nogil=True)
def _collect(
    hits: int,
    owners: np.ndarray,
    accepted: np.ndarray,
    sums: np.ndarray,
    levels: int,
    n_items: int,
    wanted: int,
    quotas: np.ndarray,
    excluded: np.ndarray,
    places: np.ndarray,
    state: np.ndarray,
    counts: np.ndarray,
    positions: np.ndarray,
    distances: np.ndarray,
) -> None:
    """Take in the items that are near enough by their sums, and draw the queries' bounds closer.

    Many hits at once: passing arrays to a function costs more than a hit. ``owners``: the vector
    and, in the lower half, the query of each; ``accepted``: what the query accepted then.
    """
    listing = positions.shape[1] > 0
    for hit in range(hits):
        vector, row, at = owners[hit] >> 32, owners[hit] & 0xFFFFFFFF, hit * (levels + 2) * LANES
        first, quota, bias = vector * VECTOR_ITEMS, quotas[vector], (1 << levels) - accepted[hit]
        accept, bound, inside = state[row, ACCEPT], state[row, BOUND], state[row, INSIDE]
        if listing and state[row, FOUND] + VECTOR_ITEMS > positions.shape[1]:
            _compact(row, state, positions, distances)
        if first == 0 and quota < wanted:
            bound = min(bound, _narrow(sums, at, levels, quota) - bias)
            accept = bound + 1
        found, cursor, end = state[row, FOUND], state[row, CURSOR], state[row, END]
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
                positions[row, found] = position
                distances[row, found] = distance
                found += 1
            counts[row, distance] += 1
            inside += 1
            while inside - counts[row, bound] >= quota:
                inside -= counts[row, bound]
                bound -= 1
            # In a list the later of two equals comes second; a count wants all of them.
            accept = bound if listing and inside >= wanted else bound + 1
        state[row, ACCEPT], state[row, BOUND], state[row, INSIDE] = accept, bound, inside
        state[row, FOUND], state[row, CURSOR] = found, cursor


@njit(cache=True, nogil=True, forceinline=True)
def _begin(most: int, row: int, indptr: np.ndarray, state: np.ndarray, counts: np.ndarray) -> None:
    """The state of a query that has seen nothing yet."""
    counts[row, :] = 0
    state[row, ACCEPT], state[row, BOUND] = most + 1, most
    state[row, INSIDE], state[row, FOUND] = 0, 0
    state[row, CURSOR], state[row, END] = indptr[row], indptr[row + 1]


@njit(cache=True, nogil=True)
def _in_order(
    state: np.ndarray,
    counts: np.ndarray,
    found: np.ndarray,
    levels: np.ndarray,
    positions: np.ndarray,
    distances: np.ndarray,
) -> None:
    """Sort what was found by distance, by counting; it is in order of position already.

    Places beyond the found ones get -1.
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


@lru_cache
def scanner(bits: int, tabled: bool, weights: int = 0) -> Callable[..., None]:
    """The scan over codes of ``bits``, for queries as ``to_patterns`` (or else ``to_masks``).

    With ``weights`` the queries are as ``to_weighted_masks`` makes them, with so many bits of
    weight, and are not ``tabled``; distances are sums of the weights of the bits that differ.

    It takes planes uint64 [chunks, bits, 8], flat; number of items; queries; biases uint64
    [most + 2, levels]; items wanted of each query; quotas int64 [vectors], how many items must
    be within the bound at each vector before it is drawn closer; excluded positions int32, those of
    a query from one ``indptr`` int64 to the next. It fills counts int32 [Q, most + 1], and
    positions and distances int32 [Q, wanted], nearest first, or [Q, 0] if they are not needed. A
    query of which fewer items than wanted are within the bound, although there may be more, had
    too low quotas, and is scanned anew.

    One call does all, for its own time: after a pass over the memory no other code is in a cache.
    """
    most = farthest(bits, weights)
    levels = most.bit_length()
    sum_words = (levels + 2) * LANES
    # As narrow as the distances allow: the lists of a batch are large.
    kept = np.int16 if most < 1 << 15 else np.int32

    @njit(cache=True, nogil=True)
    def scan(
        planes: np.ndarray,
        n_items: int,
        queries: np.ndarray,
        biases: np.ndarray,
        wanted: int,
        quotas: np.ndarray,
        indptr: np.ndarray,
        excluded: np.ndarray,
        counts: np.ndarray,
        positions: np.ndarray,
        distances: np.ndarray,
    ) -> None:
        n_queries = len(queries)
        state = np.empty((n_queries, STATE_COLUMNS), dtype=np.int64)
        list_room = 2 * wanted + VECTOR_ITEMS if positions.shape[1] > 0 else 0
        listed = np.empty((n_queries, list_room), dtype=np.int32)
        listed_distances = np.empty((n_queries, list_room), dtype=kept)
        table = np.empty((bits + 2) // 3 * _GROUP_WORDS, dtype=np.uint64)
        room = n_queries + _LATE
        sums = np.empty(room * sum_words, dtype=np.uint64)
        owners = np.empty(room, dtype=np.int64)
        accepted = np.empty(room, dtype=np.int64)
        places = np.empty(VECTOR_ITEMS + 1, dtype=np.int64)
        first, last, enough = 0, n_queries, quotas
        checked = 0
        while first < last:
            for row in range(first, last):
                _begin(most, row, indptr, state, counts)
            hits = 0
            for vector in range(len(enough)):
                word = vector * LANES // 8 * 8 * bits + vector * LANES % 8
                if tabled:
                    _tabulate(bits, planes, word, table)
                elif _ASK_AT_ONCE:
                    _ask_for_planes(bits, planes, vector)
                for row in range(first, last):
                    accept, at = state[row, ACCEPT], hits * sum_words
                    if accept > 0:
                        owners[hits] = vector << 32 | row
                        accepted[hits] = accept
                        if tabled:
                            hits += _near_by_table(
                                bits, table, queries, row, biases, accept, sums, at
                            )
                        elif row == first:
                            hits += _near_by_planes(
                                bits, weights, _ASK_AMONG_SUMS, planes, word, queries, row, biases,
                                accept, sums, at,
                            )  # fmt: skip
                        else:
                            hits += _near_by_planes(
                                bits, weights, False, planes, word, queries, row, biases, accept,
                                sums, at,
                            )  # fmt: skip
                if hits >= (1 if tabled or vector < _EARLY else _LATE) or (
                    hits > 0 and vector == len(enough) - 1
                ):
                    _collect(
                        hits, owners, accepted, sums, levels, n_items, wanted, enough,
                        excluded, places, state, counts, listed, listed_distances,
                    )  # fmt: skip
                    hits = 0
            while checked < n_queries and (
                state[checked, INSIDE] >= wanted or state[checked, BOUND] == most
            ):
                checked += 1
            if checked < n_queries:
                enough = np.full_like(quotas, wanted)
                first, last = checked, checked + 1
                checked += 1
            else:
                last = first
        if positions.shape[1] > 0:
            _in_order(state, counts, listed, listed_distances, positions, distances)

    return scan
