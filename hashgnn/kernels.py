"""Compile kernels with numba, cache them on disk, and set the threads of searches.

numba caches compiled functions beside the package or in the home folder, and raises an error if
neither is writable, for example in a read-only container. Here the cache is then a folder for
temporary files, or is not used.

Numba's own number of threads is not used: asking for it starts numba's thread pool, which changes
the number of threads of OpenMP, and with it that of torch, in the middle of a training.
"""

import functools
import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, event, types
from numba.extending import intrinsic

from hashgnn import random
from hashgnn.errors import InputError

# Typed as Any, since numba defines its attributes at run time.
config: Any = numba.config

Function = Callable[..., Any]


def njit(**options: Any) -> Callable[[Function], Any]:
    """Return ``numba.njit`` with a cache that works, or has no effect, on read-only systems."""

    def compiled(function: Function) -> Any:
        try:
            return _kept(numba.njit(**options)(function))
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
        folder = _temporary_cache()
        if not folder:
            return numba.njit(**{**options, "cache": False})(function)
        before, config.CACHE_DIR = config.CACHE_DIR, folder
        try:
            return _kept(numba.njit(**options)(function))
        finally:
            config.CACHE_DIR = before

    return compiled


def _kept(kernel: Any) -> Any:
    """Adapt numba's cache of ``kernel``.

    Errors of writing it, such as a full disk, are reported but not raised. A cache with types that
    the code does not have is emptied. A cached kernel is compiled again if its own file changed or
    that of the random generator, which is the only code of another file that the results of kernels
    depend on.
    """
    cache = kernel._cache
    if hasattr(cache, "_cache_file"):
        cache._cache_file._source_stamp = (cache._cache_file._source_stamp, _generator_stamp())
    load, save = cache.load_overload, cache.save_overload

    def loaded(*arguments: Any) -> Any:
        try:
            return load(*arguments)
        except (AttributeError, ImportError):  # numba unpickles the types of all signatures
            cache.flush()
            return None

    def saved(*arguments: Any) -> None:
        try:
            save(*arguments)
        except OSError as error:
            _say(f"kernels are compiled again in each process: {error.strerror}")

    cache.load_overload, cache.save_overload = loaded, saved
    return kernel


@functools.cache
def _generator_stamp() -> bytes:
    return hashlib.sha256(Path(random.__file__).read_bytes()).digest()


@functools.cache
def _temporary_cache() -> str | None:
    """Return a cache folder that only this user can access, as numba unpickles it; else None."""
    try:
        folder = Path(tempfile.gettempdir(), f"hashgnn-kernels-{os.getuid()}")
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
        usable = own and not found.st_mode & 0o077 and os.access(folder, os.W_OK)
    except OSError:
        usable = False
    where = f"are cached in {folder}" if usable else "are compiled again in each process"
    _say(f"kernels {where}: neither the package nor the home folder is writable")
    return str(folder) if usable else None


@functools.cache
def _say(news: str) -> None:
    print(f"{news} (set NUMBA_CACHE_DIR to another folder)", file=sys.stderr)


@functools.cache
def announce_compilation() -> None:
    """Print a line to standard error when the process compiles its first kernel.

    Nothing is printed if all kernels are read from the cache, or if there is no cache, which
    ``njit`` reports.
    """
    event.register("numba:compile", _Announcement())


class _Announcement(event.Listener):
    def on_start(self, compiles: Any) -> None:
        kernel = compiles.data["dispatcher"]
        if kernel.__module__.startswith("hashgnn.") and hasattr(kernel._cache, "_cache_file"):
            _announce()

    def on_end(self, compiles: Any) -> None:
        """Do nothing; numba requires the method."""


@functools.cache
def _announce() -> None:
    print("compiling kernels, once; later runs read them from the cache", file=sys.stderr)


mix = njit(cache=True)(random.mix)

LINE = 64  # bytes of a cache line

_intrinsic: Any = intrinsic  # its type requires an explicit typing context
_BYTE = ir.IntType(8).as_pointer()
_NUMBER = ir.IntType(32)


def ask(builder: Any, address: Any, offset: Any, level: int = 3) -> None:
    """Emit a prefetch of the line ``offset`` bytes after ``address``, which need not be valid.

    ``level`` 3 fetches into the first level of the cache, 2 into the second. Kernels call
    ``prefetch_line``.
    """
    place = builder.gep(builder.bitcast(address, _BYTE), [offset])
    kind = ir.FunctionType(ir.VoidType(), [_BYTE, _NUMBER, _NUMBER, _NUMBER])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    read, data = _NUMBER(0), _NUMBER(1)
    builder.call(function, [place, read, _NUMBER(level), data])


@_intrinsic
def prefetch_line(typing, matrix, row, offset):  # type: ignore
    """Prefetch the line ``offset`` bytes from the start of a ``row`` of the 2-d ``matrix``."""

    def codegen(context, builder, signature, args):  # type: ignore
        array = context.make_array(signature.args[0])(context, builder, args[0])
        row_bytes = cgutils.unpack_tuple(builder, array.strides)[0]
        ask(builder, array.data, builder.add(builder.mul(args[1], row_bytes), args[2]))
        return context.get_dummy_value()

    return types.void(matrix, types.int64, types.int64), codegen


def _allowed() -> int:
    """Return OMP_NUM_THREADS, or else the number of available processors, as torch and FAISS do."""
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if first.isdecimal() and int(first):
        return int(first)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


_threads = _allowed()


def get_threads() -> int:
    """Return the number of threads that searches in this process use."""
    return _threads


def set_threads(threads: int) -> None:
    """Set the number of threads that searches in this process use.

    Results do not depend on it. Raises ``InputError`` if ``threads`` is below 1.
    """
    global _threads
    if threads < 1:
        raise InputError(f"threads: expected 1 or more, got {threads}")
    _threads = threads
