"""Compute inner products of queries with all items, and keep the items that may be among the best.

Sixteen or 32 items at a time are transposed into a panel, which each query is multiplied by. Only
products above the query's floor, a lower bound of its k-th best product, are stored for longer than
a panel. A product is summed in order of the dimensions by fused multiply-add instructions, so the
result does not depend on the width of the machine's vectors.
"""

from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from hashgnn.kernels import njit, prefetch_line

RESULTS_VERSION = 1

_LANES = 16 if binding.get_host_cpu_features().get("avx512f") else 8
_REGISTERS = 2  # vectors of items per load of a query
PANEL_ITEMS = _REGISTERS * _LANES
ROWS = 6  # queries per load of a panel

# Columns of a query's state.
FOUND = 0  # keys kept
CURSOR = 1  # index of the next excluded position
END = 2  # index of the end of the excluded positions
STATE_COLUMNS = 3

EMPTY = np.uint64(2**64 - 1)  # worse than any key

_intrinsic: Any = intrinsic  # its type requires an explicit typing context
_VECTOR = ir.VectorType(ir.FloatType(), _LANES)
_FLAGS = ir.VectorType(ir.IntType(1), _LANES)
_MASK = ir.IntType(_LANES)
_INDEX = ir.IntType(64)


def _fused(builder: Any, *terms: Any) -> Any:
    """Emit the first of three terms times the second plus the third, rounded once."""
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    name = f"llvm.fma.v{_LANES}f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), terms)


def _spread(builder: Any, value: Any) -> Any:
    """Emit a vector with ``value`` in every lane."""
    index = ir.IntType(32)
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, index(0))
    lanes = ir.Constant(ir.VectorType(index, _LANES), [0] * _LANES)
    return builder.shuffle_vector(single, ir.Constant(_VECTOR, ir.Undefined), lanes)


def _vector(builder: Any, address: Any, offset: Any) -> Any:
    return builder.bitcast(builder.gep(address, [offset]), _VECTOR.as_pointer())


class _Kept(NamedTuple):
    """Queries with a product above their floor in a panel.

    ``products`` float32 [kept, PANEL_ITEMS], flat: all their products. ``owners``: their rows.
    """

    products: np.ndarray
    owners: np.ndarray


class _Found(NamedTuple):
    """What is known of each query; see ``multiply``."""

    state: np.ndarray
    floors: np.ndarray
    keys: np.ndarray


@_intrinsic(prefer_literal=True)
def _multiply(typing, together, panel, queries, row, floors, kept, n_kept):  # type: ignore
    """Multiply ``together`` queries from ``row`` on with the panel, and add to ``kept``.

    ``n_kept`` are kept before. Returns how many are kept then.
    """
    place = types.int64
    signature = place(together, panel, queries, place, floors, kept, place)

    def codegen(context, builder, signature, args):  # type: ignore
        def data(kind: Any, array: Any) -> Any:
            return context.make_array(kind)(context, builder, array).data

        panel, floors = (data(signature.args[number], args[number]) for number in (1, 4))
        matrix = context.make_array(signature.args[2])(context, builder, args[2])
        queries, size = matrix.data, builder.extract_value(matrix.shape, 1)
        products, owners = (
            data(signature.args[5][number], builder.extract_value(args[5], number))
            for number in (0, 1)
        )
        kept = args[6]
        rows = [builder.add(args[3], _INDEX(number)) for number in range(together.literal_value)]
        zero = ir.Constant(_VECTOR, [0.0] * _LANES)
        totals = [[cgutils.alloca_once(builder, _VECTOR) for _ in range(_REGISTERS)] for _ in rows]
        for total in chain.from_iterable(totals):
            builder.store(zero, total)
        with cgutils.for_range(builder, size) as loop:
            start = builder.mul(loop.index, _INDEX(PANEL_ITEMS))
            items = []
            for part in range(_REGISTERS):
                address = _vector(builder, panel, builder.add(start, _INDEX(part * _LANES)))
                items.append(builder.load(address, align=4))
            for row, parts in zip(rows, totals, strict=True):
                cell = builder.add(builder.mul(row, size), loop.index)
                weight = _spread(builder, builder.load(builder.gep(queries, [cell])))
                for item, part in zip(items, parts, strict=True):
                    builder.store(_fused(builder, weight, item, builder.load(part)), part)
        for row, parts in zip(rows, totals, strict=True):
            floor = _spread(builder, builder.load(builder.gep(floors, [row])))
            builder.store(row, builder.gep(owners, [kept]))
            above = ir.Constant(_FLAGS, [0] * _LANES)
            for number, part in enumerate(parts):
                total = builder.load(part)
                offset = builder.mul(kept, _INDEX(PANEL_ITEMS))
                offset = builder.add(offset, _INDEX(number * _LANES))
                builder.store(total, _vector(builder, products, offset), align=4)
                above = builder.or_(above, builder.fcmp_ordered(">", total, floor))
            some = builder.icmp_unsigned("!=", builder.bitcast(above, _MASK), _MASK(0))
            kept = builder.add(kept, builder.zext(some, _INDEX))
        return kept

    return signature, codegen


@_intrinsic
def _transpose(typing, items, row, column, panel, place):  # type: ignore
    """Transpose ``_LANES`` rows and columns of ``items`` into ``panel`` at column ``place``.

    Each round interleaves the rows that are half a square apart, which rotates the bits of a
    number's place by one. After log2(_LANES) rounds, rows and columns have changed places.
    """
    signature = types.void(items, types.int64, types.int64, panel, types.int64)

    def codegen(context, builder, signature, args):  # type: ignore
        source = context.make_array(signature.args[0])(context, builder, args[0])
        size = builder.extract_value(source.shape, 1)
        target = context.make_array(signature.args[3])(context, builder, args[3]).data
        rows = []
        for number in range(_LANES):
            start = builder.mul(builder.add(args[1], _INDEX(number)), size)
            address = _vector(builder, source.data, builder.add(start, args[2]))
            rows.append(builder.load(address, align=4))
        half = _LANES // 2
        index = ir.IntType(32)
        places = [lane // 2 + lane % 2 * _LANES for lane in range(2 * _LANES)]
        low, high = (
            ir.Constant(ir.VectorType(index, _LANES), places[start : start + _LANES])
            for start in (0, _LANES)
        )
        for _ in range(_LANES.bit_length() - 1):
            pairs = zip(rows[:half], rows[half:], strict=True)
            rows = [
                builder.shuffle_vector(one, other, which)
                for one, other in pairs
                for which in (low, high)
            ]
        for number, row in enumerate(rows):
            line = builder.mul(builder.add(args[2], _INDEX(number)), _INDEX(PANEL_ITEMS))
            builder.store(row, _vector(builder, target, builder.add(line, args[4])), align=4)
        return context.get_dummy_value()

    return signature, codegen


@_intrinsic
def _bits_of(typing, number):  # type: ignore
    """Return the 32 bits of a float."""

    def codegen(context, builder, signature, args):  # type: ignore
        return builder.bitcast(args[0], ir.IntType(32))

    return types.uint32(types.float32), codegen


@_intrinsic
def _float_of(typing, bits):  # type: ignore
    """Return the float with these 32 bits."""

    def codegen(context, builder, signature, args):  # type: ignore
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.uint32), codegen


@_intrinsic
def _fma(typing, one, other, term):  # type: ignore
    """Return the product of two floats plus a third, rounded once."""

    def codegen(context, builder, signature, args):  # type: ignore
        return builder.fma(*args)

    return types.float32(types.float32, types.float32, types.float32), codegen


@njit(cache=True, nogil=True, forceinline=True)
def _key(product: np.float32, position: int) -> np.uint64:
    """Return a key that orders items: the larger product first, equal ones by position."""
    bits = _bits_of(product + np.float32(0))  # -0 becomes 0
    flipped = bits if bits >> np.uint32(31) else bits ^ np.uint32(0x7FFFFFFF)
    return np.uint64(flipped) << np.uint64(32) | np.uint64(position)


@njit(cache=True, nogil=True, forceinline=True)
def _product(key: np.uint64) -> np.float32:
    """Return the product of a key."""
    flipped = np.uint32(key >> np.uint64(32))
    return _float_of(flipped if flipped >> np.uint32(31) else flipped ^ np.uint32(0x7FFFFFFF))


@njit(cache=True, nogil=True)
def _fill(items: np.ndarray, first: int, panel: np.ndarray) -> None:
    """Transpose the items from ``first`` on into ``panel`` [d, PANEL_ITEMS], padded with zeros."""
    count = min(PANEL_ITEMS, len(items) - first)
    size = items.shape[1]
    if count == PANEL_ITEMS and size >= _LANES:
        for place in range(0, PANEL_ITEMS, _LANES):
            for column in range(0, size, _LANES):
                # Processors do not prefetch by themselves in this order.
                for row in range(first + PANEL_ITEMS + place, first + PANEL_ITEMS + place + _LANES):
                    prefetch_line(items, np.int64(row), np.int64(column * items.itemsize))
                _transpose(items, first + place, min(column, size - _LANES), panel, place)
        return
    panel[:] = 0
    for item in range(count):
        for column in range(size):
            panel[column * PANEL_ITEMS + item] = items[first + item, column]


@njit(cache=True, nogil=True)
def _collect(
    n_kept: int,
    kept: _Kept,
    first: int,
    n_items: int,
    quota: int,
    excluded: np.ndarray,
    found: _Found,
) -> None:
    """Add the products above the floors to the keys; shorten long lists and raise their floors."""
    products, owners = kept
    state, floors, keys = found
    for hit in range(n_kept):
        row = owners[hit]
        floor, entries = floors[row], state[row, FOUND]
        cursor, end = state[row, CURSOR], state[row, END]
        for place in range(PANEL_ITEMS):
            position, product = first + place, products[hit * PANEL_ITEMS + place]
            if not product > floor or position >= n_items:
                continue
            while cursor < end and excluded[cursor] < position:
                cursor += 1
            if cursor < end and excluded[cursor] == position:
                continue
            keys[row, entries] = _key(product, position)
            entries += 1
        if entries >= 2 * quota + PANEL_ITEMS:
            keys[row, :entries] = np.partition(keys[row, :entries], quota - 1)
            floors[row] = _product(keys[row, quota - 1])
            keys[row, quota:entries] = EMPTY
            entries = quota
        state[row, FOUND], state[row, CURSOR] = entries, cursor


@njit(cache=True, nogil=True)
def multiply(
    items: np.ndarray,
    queries: np.ndarray,
    quotas: np.ndarray,
    excluded: np.ndarray,
    state: np.ndarray,
    floors: np.ndarray,
    keys: np.ndarray,
) -> None:
    """Fill ``keys`` with the keys of each query's best items and of some others, in any order.

    Args:
        items: float32 [I, d].
        queries: float32 [Q, d]; Q is less than ``ROWS`` or a multiple of it.
        quotas: int64 [panels], how many items to keep at each panel.
        excluded: positions int32; ``state`` has the bounds of each query's.
        state: int64 [Q, STATE_COLUMNS].
        floors: float32 [Q], what a product must exceed.
        keys: uint64 [Q, 2 (largest quota + PANEL_ITEMS)], filled with ``EMPTY``.
    """
    size = items.shape[1]
    panel = np.empty(size * PANEL_ITEMS, dtype=np.float32)
    kept = _Kept(
        np.empty((len(queries) + 1) * PANEL_ITEMS, dtype=np.float32),
        np.empty(len(queries) + 1, dtype=np.int64),
    )
    found = _Found(state, floors, keys)
    for first in range(0, len(items), PANEL_ITEMS):
        _fill(items, first, panel)
        n_kept = 0
        if len(queries) < ROWS:
            for row in range(len(queries)):
                n_kept = _multiply(1, panel, queries, row, floors, kept, n_kept)
        else:
            for row in range(0, len(queries), ROWS):
                n_kept = _multiply(ROWS, panel, queries, row, floors, kept, n_kept)
        quota = quotas[first // PANEL_ITEMS]
        _collect(n_kept, kept, first, len(items), quota, excluded, found)


@njit(cache=True, nogil=True)
def multiply_candidates(
    items: np.ndarray, queries: np.ndarray, candidates: np.ndarray, keys: np.ndarray
) -> None:
    """Fill ``keys`` uint64 [Q, C] with the keys of the ``candidates``; -1 becomes ``EMPTY``.

    ``candidates`` int32 [Q, C] are positions.
    """
    n_candidates = candidates.shape[1] if len(items) else 0
    keys[:] = EMPTY
    for row in range(len(queries)):
        # Four sums at a time, as each addition has to wait for the previous one of its own sum.
        for start in range(0, n_candidates, 4):
            last = n_candidates - 1
            a = candidates[row, start]
            b = candidates[row, min(start + 1, last)]
            c = candidates[row, min(start + 2, last)]
            d = candidates[row, min(start + 3, last)]
            sum_a = sum_b = sum_c = sum_d = np.float32(0)
            for column in range(items.shape[1]):
                weight = queries[row, column]
                sum_a = _fma(weight, items[a, column], sum_a)
                sum_b = _fma(weight, items[b, column], sum_b)
                sum_c = _fma(weight, items[c, column], sum_c)
                sum_d = _fma(weight, items[d, column], sum_d)
            keys[row, start] = _key(sum_a, a)
            keys[row, min(start + 1, last)] = _key(sum_b, b)
            keys[row, min(start + 2, last)] = _key(sum_c, c)
            keys[row, min(start + 3, last)] = _key(sum_d, d)
        for place in range(n_candidates):
            if candidates[row, place] < 0:
                keys[row, place] = EMPTY
