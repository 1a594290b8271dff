"""Number users and items, save the ids of the numbers, and filter (user, item) pairs."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from hashgnn.errors import InputError
from hashgnn.files import atomic_write

_AT_ONCE = 1 << 16  # ids converted to Python objects at a time, which take much memory


class Numbered(NamedTuple):
    """Ids as numbers: number n stands for ``ids[n]``, and ``ids`` ascend by code point.

    The order makes the numbers independent of the order of the rows and of the frequency of the
    ids, so that they carry no information that a method could use.
    """

    numbers: np.ndarray  # int32 [rows]
    ids: pa.Array  # string [distinct ids]


def number_ids(chunks: list[pa.Array]) -> Numbered:
    """Number the ids (string, or dictionary of strings) of the concatenated ``chunks``."""
    whole = pa.chunked_array(chunks)
    if not pa.types.is_dictionary(whole.type):
        whole = _as_integers(whole).dictionary_encode()
    unified = whole.unify_dictionaries()
    ids = unified.chunk(0).dictionary.cast(pa.string())
    order = pc.sort_indices(ids)
    rank = np.empty(len(ids), dtype=np.int32)
    rank[order] = np.arange(len(ids), dtype=np.int32)
    numbers = np.concatenate([rank[chunk.indices.to_numpy()] for chunk in unified.chunks])
    return Numbered(numbers, ids.take(order))


def _as_integers(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return ids that are all integers in plain notation as integers, which hash faster."""
    try:
        integers = ids.cast(pa.int64())
    except pa.ArrowInvalid:
        return ids
    plain = pc.equal(integers.cast(pa.string()), ids)
    return integers if pc.all(plain).as_py() else ids


def id_keys(ids: pa.Array) -> np.ndarray:
    """Return a key for each of ``ids``, uint64: the BLAKE2b hash of its text in UTF-8.

    Random draws by key rather than by number stay the same when other ids are added or removed.
    """
    digests = bytearray()
    for start in range(0, len(ids), _AT_ONCE):
        for text in ids.slice(start, _AT_ONCE).cast(pa.binary()).to_pylist():
            digests += hashlib.blake2b(text, digest_size=8).digest()
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def save_ids(path: Path, ids: pa.Array) -> None:
    """Write the ids as CSV with columns index and id, atomically."""
    table = pa.table({"index": np.arange(len(ids)), "id": ids})
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        pyarrow.csv.write_csv(table, file)


def load_ids(path: Path) -> pa.StringArray:
    """Read the ids that ``save_ids`` wrote; ``InputError`` if the file is anything else."""
    types = {"index": pa.int64(), "id": pa.string()}
    try:
        table = pyarrow.csv.read_csv(
            path,
            # Threads take twice the processor time and memory.
            read_options=pyarrow.csv.ReadOptions(use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=types, strings_can_be_null=False
            ),
        )
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read ({reason})") from error
    numbered = table.column_names == list(types) and not table["index"].null_count
    if not numbered or not np.array_equal(table["index"].to_numpy(), np.arange(len(table))):
        raise InputError(f"{path}: expected columns index and id, and rows numbered from 0 on")
    ids = table["id"].combine_chunks()
    del table
    # Ids of one training ascend, which is quick to see; those of an update follow them.
    ascend = pc.all(pc.less(ids[:-1], ids[1:])).as_py() if len(ids) > 1 else True
    if not ascend and pc.count_distinct(ids).as_py() < len(ids):
        raise InputError(f"{path}: ids occur more than once")
    return ids


class Pairs(NamedTuple):
    """(user, item) pairs with time, file and weight of each, where known; arrays are [pairs]."""

    user: np.ndarray  # int32
    item: np.ndarray  # int32
    time: np.ndarray | None  # int64 seconds
    files: np.ndarray | None  # unsigned; bit n is set for pairs of file n
    weight: np.ndarray | None = None  # float64

    def take(self, rows: np.ndarray) -> "Pairs":
        """Return the pairs at ``rows``: indices, or a bool mask."""
        time = None if self.time is None else self.time[rows]
        files = None if self.files is None else self.files[rows]
        weight = None if self.weight is None else self.weight[rows]
        return Pairs(self.user[rows], self.item[rows], time, files, weight)


def unique_pairs(pairs: Pairs) -> Pairs:
    """Return each pair once, sorted by user, then item.

    A pair has its least time, all its files, and the sum of its weights.
    """
    n_items = int(pairs.item.max()) + 1
    key = pairs.user * np.int64(n_items) + pairs.item
    order = None
    if pairs.time is None and pairs.files is None and pairs.weight is None:
        key.sort()
    else:
        order = np.argsort(key)
        key = key[order]
    first = np.flatnonzero(np.diff(key, prepend=-1))
    user, item = np.divmod(key[first], n_items)
    return Pairs(
        user.astype(np.int32),
        item.astype(np.int32),
        _joined(np.minimum, pairs.time, order, first),
        _joined(np.bitwise_or, pairs.files, order, first),
        _joined(np.add, pairs.weight, order, first),
    )


def _joined(
    join: np.ufunc, column: np.ndarray | None, order: np.ndarray | None, first: np.ndarray
) -> np.ndarray | None:
    return None if column is None else join.reduceat(column[order], first)


def keep_frequent(pairs: Pairs, of_user: int, of_item: int) -> Pairs:
    """Drop users with fewer than ``of_user`` pairs and items with fewer than ``of_item``.

    This is repeated until both hold (the k-core), as dropping the one makes the other rarer.
    """
    while len(pairs.user):
        enough = np.bincount(pairs.user)[pairs.user] >= of_user
        enough &= np.bincount(pairs.item)[pairs.item] >= of_item
        if enough.all():
            break
        pairs = pairs.take(enough)
    return pairs


def renumber(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers 0 to n - 1 in the same order (int32), and the old number of each."""
    present = np.zeros(int(numbers.max()) + 1, dtype=bool)
    present[numbers] = True
    new = np.cumsum(present, dtype=np.int32) - np.int32(1)
    return new[numbers], np.flatnonzero(present)


class Batch(NamedTuple):
    """Interactions as read: ids as in the file, repeats included."""

    user: pa.Array  # string, or dictionary of strings
    item: pa.Array  # string, or dictionary of strings
    time: np.ndarray | None  # int64 seconds since 1970
    source: int  # number of the file, or of the member of an archive, that it came from
    rows: int  # rows read, including those that filters dropped
    weight: np.ndarray | None = None  # float64, more than 0
