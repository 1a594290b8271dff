"""Inner products of many queries with all items, kept only where they may be among the best.

Sixteen or 32 items at a time lie transposed in a panel; every query multiplies it, and only
products above what the query's k-th best is so far leave the registers for good. A product is
summed in order of the dimensions, by fused multiply and add, whatever the machine's vectors.
"""

from itertools import chain
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from hashgnn.kernels import njit, prefetch_line

RESULTS_VERSION = 1

_LANES = 16 if binding.get_host_cpu_features().get("avx512f") else 8
_REGISTERS = 2  # vectors of items that share a query's loads
PANEL_ITEMS = _REGISTERS * _LANES
ROWS = 6  # queries that share a panel's loads

# Columns of a query's state.
FOUND = 0  # keys kept
CURSOR = 1  # the next excluded position, and the end of them
END = 2
STATE_COLUMNS = 3

EMPTY = np.uint64(2**64 - 1)  # worse than any key

_intrinsic: Any = intrinsic  # of a type that denies the call without the typing context
_VECTOR = ir.VectorType(ir.FloatType(), _LANES)
_FLAGS = ir.VectorType(ir.IntType(1), _LANES)
_MASK = ir.IntType(_LANES)
_INDEX = ir.IntType(64)


def _fused(builder: Any, *terms: Any) -> Any:
    """The first times the second plus the third, rounded once."""
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    name = f"llvm.fma.v{_LANES}f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), terms)


def _spread(builder: Any, value: Any) -> Any:
    """A float in every lane."""
    index = ir.IntType(32)
    single = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, index(0))
    lanes = ir.Constant(ir.VectorType(index, _LANES), [0] * _LANES)
    return builder.shuffle_vector(single, ir.Constant(_VECTOR, ir.Undefined), lanes)


def _vector(builder: Any, address: Any, offset: Any) -> Any:
    return builder.bitcast(builder.gep(address, [offset]), _VECTOR.as_pointer())


@_intrinsic(prefer_literal=True)
def _multiply(  # type: ignore
    typing, together, panel, size, queries, row, floors, products, owners, kept
):
    """Products of queries, so many together, with the panel; those above the floors are kept.

    All products of a query that has one above its floor go to ``products`` [kept, PANEL_ITEMS],
    the query's row to ``owners``. Returns ``kept``, one more for each such query.
    """
    place = types.int64
    signature = place(together, panel, place, queries, place, floors, products, owners, place)

    def codegen(context, builder, signature, args):  # type: ignore
        def data(number: int) -> Any:
            return context.make_array(signature.args[number])(context, builder, args[number]).data

        panel, queries, floors, products, owners = (data(number) for number in (1, 3, 5, 6, 7))
        size, kept = args[2], args[8]
        rows = [builder.add(args[4], _INDEX(number)) for number in range(together.literal_value)]
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
    """A square of items, ``_LANES`` rows and columns, into ``panel`` at column ``place``.

    In every round neighbors are those that lay half a square apart, and are interleaved; when all
    bits of a place have gone round so, rows are columns.
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
    """The 32 bits of a float."""

    def codegen(context, builder, signature, args):  # type: ignore
        return builder.bitcast(args[0], ir.IntType(32))

    return types.uint32(types.float32), codegen


@_intrinsic
def _float_of(typing, bits):  # type: ignore
    """The float that has these 32 bits."""

    def codegen(context, builder, signature, args):  # type: ignore
        return builder.bitcast(args[0], ir.FloatType())

    return types.float32(types.uint32), codegen


@_intrinsic
def _fma(typing, one, other, term):  # type: ignore
    """The product of two floats plus a third, rounded once."""

    def codegen(context, builder, signature, args):  # type: ignore
        return builder.fma(*args)

    return types.float32(types.float32, types.float32, types.float32), codegen


@njit(cache=True, nogil=True, forceinline=True)
def _key(product: np.float32, position: int) -> np.uint64:
    """A number that is smaller the better: by product, the larger first, then by position."""
    bits = _bits_of(product + np.float32(0))  # -0 becomes 0
    flipped = bits if bits >> np.uint32(31) else bits ^ np.uint32(0x7FFFFFFF)
    return np.uint64(flipped) << np.uint64(32) | np.uint64(position)


@njit(cache=True, nogil=True, forceinline=True)
def _product(key: np.uint64) -> np.float32:
    flipped = np.uint32(key >> np.uint64(32))
    return _float_of(flipped if flipped >> np.uint32(31) else flipped ^ np.uint32(0x7FFFFFFF))


@njit(cache=True, nogil=True)
def _fill(items: np.ndarray, first: int, panel: np.ndarray) -> None:
    """Transpose the items from ``first`` on into ``panel`` [d, PANEL_ITEMS]; zeros at the end."""
    count = min(PANEL_ITEMS, len(items) - first)
    size = items.shape[1]
    if count == PANEL_ITEMS and size >= _LANES:
        for place in range(0, PANEL_ITEMS, _LANES):
            for column in range(0, size, _LANES):
                # Reading a column of squares is no order that the processor would foresee.
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
    kept: int,
    owners: np.ndarray,
    products: np.ndarray,
    first: int,
    n_items: int,
    quota: int,
    excluded: np.ndarray,
    state: np.ndarray,
    floors: np.ndarray,
    keys: np.ndarray,
) -> None:
    """Take in the products above the floors; long lists shrink to the quota and lift the floor."""
    for hit in range(kept):
        row = owners[hit]
        floor, found = floors[row], state[row, FOUND]
        cursor, end = state[row, CURSOR], state[row, END]
        for place in range(PANEL_ITEMS):
            position, product = first + place, products[hit * PANEL_ITEMS + place]
            if not product > floor or position >= n_items:
                continue
            while cursor < end and excluded[cursor] < position:
                cursor += 1
            if cursor < end and excluded[cursor] == position:
                continue
            keys[row, found] = _key(product, position)
            found += 1
        if found >= 2 * quota + PANEL_ITEMS:
            keys[row, :found] = np.partition(keys[row, :found], quota - 1)
            floors[row] = _product(keys[row, quota - 1])
            keys[row, quota:found] = EMPTY
            found = quota
        state[row, FOUND], state[row, CURSOR] = found, cursor


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
    """Leave the keys of each query's best items, in no order and with others, in ``keys``.

    ``items`` [I, d] float32; ``queries`` [Q, d] float32, Q < ``ROWS`` or a multiple; ``quotas``
    int64 [panels], how many items to keep at each panel; ``excluded`` positions int32; ``state``
    int64 [Q, 3]; ``floors`` float32 [Q], what a product must exceed; ``keys`` uint64
    [Q, 2 (largest quota + PANEL_ITEMS)], filled with ``EMPTY``.
    """
    size = items.shape[1]
    panel = np.empty(size * PANEL_ITEMS, dtype=np.float32)
    products = np.empty((len(queries) + 1) * PANEL_ITEMS, dtype=np.float32)
    owners = np.empty(len(queries) + 1, dtype=np.int64)
    for first in range(0, len(items), PANEL_ITEMS):
        _fill(items, first, panel)
        kept = 0
        if len(queries) < ROWS:
            for row in range(len(queries)):
                kept = _multiply(1, panel, size, queries, row, floors, products, owners, kept)
        else:
            for row in range(0, len(queries), ROWS):
                kept = _multiply(ROWS, panel, size, queries, row, floors, products, owners, kept)
        _collect(
            kept, owners, products, first, len(items), quotas[first // PANEL_ITEMS],
            excluded, state, floors, keys,
        )  # fmt: skip


@njit(cache=True, nogil=True)
def multiply_candidates(
    items: np.ndarray, queries: np.ndarray, candidates: np.ndarray, keys: np.ndarray
) -> None:
    """Keys uint64 [Q, C] of the ``candidates`` int32 [Q, C], positions; -1 becomes ``EMPTY``."""
    n_candidates = candidates.shape[1] if len(items) else 0
    keys[:] = EMPTY
    for row in range(len(queries)):
        # Four sums side by side, since each has to wait for its own last addition.
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
