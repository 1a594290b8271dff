"""Asking the memory for cache lines ahead of their use, from numba kernels."""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

LINE = 64  # bytes of a cache line

_intrinsic: Any = intrinsic  # of a type that denies the call without the typing context
_BYTE = ir.IntType(8).as_pointer()
_NUMBER = ir.IntType(32)


def ask(builder: Any, address: Any, offset: Any, level: int = 3) -> None:
    """Ask for the line that lies ``offset`` bytes after ``address``; it may lie nowhere.

    ``level`` 3: into the first level of the cache, 2: into the second. Emits instructions; kernels
    call ``prefetch_line``.
    """
    place = builder.gep(builder.bitcast(address, _BYTE), [offset])
    kind = ir.FunctionType(ir.VoidType(), [_BYTE, _NUMBER, _NUMBER, _NUMBER])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    read, data = _NUMBER(0), _NUMBER(1)
    builder.call(function, [place, read, _NUMBER(level), data])


@_intrinsic
def prefetch_line(typing, matrix, row, offset):  # type: ignore
    """Ask for the line ``offset`` bytes into a ``row`` of the 2-d ``matrix``, or beyond its end."""

    def codegen(context, builder, signature, args):  # type: ignore
        array = context.make_array(signature.args[0])(context, builder, args[0])
        row_bytes = cgutils.unpack_tuple(builder, array.strides)[0]
        ask(builder, array.data, builder.add(builder.mul(args[1], row_bytes), args[2]))
        return context.get_dummy_value()

    return types.void(matrix, types.int64, types.int64), codegen
