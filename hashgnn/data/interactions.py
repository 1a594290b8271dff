"""Interactions of users with items, whole and split, the ids of both, and their files."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from hashgnn.errors import InputError
from hashgnn.files import atomic_write, load_arrays, save_arrays

PARTS = ("train", "validation", "test")
MOST_FILES = 64  # whose pairs can be told apart
_WEIGHTS = ("train_weight", "validation_weight")


class Csr(NamedTuple):
    """The items of each user: row u is ``indices[indptr[u]:indptr[u + 1]]``, ascending."""

    indptr: np.ndarray  # int64 [users + 1]
    indices: np.ndarray  # int32 [interactions]


def take_rows(csr: Csr, rows: np.ndarray) -> Csr:
    """Return the rows ``rows`` of ``csr``, in that order."""
    lengths = np.diff(csr.indptr)[rows]
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    places = np.arange(indptr[-1]) + np.repeat(csr.indptr[rows] - indptr[:-1], lengths)
    return Csr(indptr, csr.indices[places])


@dataclass(frozen=True)
class Interactions:
    """Unique (user, item) pairs, sorted by user, then item.

    ``user_key``, ``item_key``: the keys of the ids, by ``hashgnn.data.interactions.id_keys``.
    ``time``: seconds since 1970, the earliest of a pair's rows; None if the data have no times.
    ``files``: bit n is set if file n holds the pair; None if the files are not told apart, as there
    is only one or are more than ``MOST_FILES``. ``file_names``: of the files, or of the members of
    an archive, in the order of reading. ``weight``: how much a pair counts, more than 0, the sum of
    its rows; None if all count alike.
    """

    user: np.ndarray  # int32 [interactions]
    item: np.ndarray  # int32 [interactions]
    n_users: int
    n_items: int
    user_key: np.ndarray  # uint64 [users]
    item_key: np.ndarray  # uint64 [items]
    time: np.ndarray | None = None  # int64 [interactions]
    files: np.ndarray | None = None  # unsigned [interactions]
    file_names: tuple[str, ...] = ()
    weight: np.ndarray | None = None  # float64 [interactions]

    def csr(self, keep: np.ndarray) -> Csr:
        """Return the pairs where ``keep`` (bool [interactions]) is set, by user."""
        user, item = self.user[keep], self.item[keep]
        indptr = np.zeros(self.n_users + 1, dtype=np.int64)
        np.cumsum(np.bincount(user, minlength=self.n_users), out=indptr[1:])
        return Csr(indptr, item)


@dataclass(frozen=True)
class Split:
    """Disjoint parts of the interactions; each has a row for every user.

    ``train_weight``, ``validation_weight``: how much the interactions of a part count, float64, in
    their order; None if all count alike.
    """

    train: Csr
    validation: Csr
    test: Csr
    n_users: int
    n_items: int
    train_weight: np.ndarray | None = None
    validation_weight: np.ndarray | None = None


def join_parts(split: Split) -> Split:
    """Return a split with training and validation interactions to train on, and no other parts.

    Users who would have all items, so that none were left as a negative, keep their training part.
    """
    train, validation = split.train, split.validation
    sizes, held_out = np.diff(train.indptr), np.diff(validation.indptr)
    joined = sizes + np.where(sizes + held_out < split.n_items, held_out, 0)
    numbers = np.arange(split.n_users)
    users = np.concatenate([np.repeat(numbers, sizes), np.repeat(numbers, held_out)])
    items = np.concatenate([train.indices, validation.indices])
    kept = np.ones(len(users), dtype=bool)
    kept[len(train.indices) :] = np.repeat(joined > sizes, held_out)
    users, items = users[kept], items[kept]
    indptr = np.zeros_like(train.indptr)
    np.cumsum(joined, out=indptr[1:])
    nothing = Csr(np.zeros_like(indptr), items[:0])
    order = np.lexsort((items, users))
    whole, weight = Csr(indptr, items[order]), None
    if split.train_weight is not None and split.validation_weight is not None:
        weight = np.concatenate([split.train_weight, split.validation_weight])[kept][order]
    return Split(whole, nothing, nothing, split.n_users, split.n_items, weight)


def save_interactions(path: Path, interactions: Interactions) -> None:
    """Write ``interactions`` as ``.npz``, atomically."""
    optional = {name: getattr(interactions, name) for name in ("time", "files", "weight")}
    if interactions.files is not None:
        optional["file_names"] = np.array(interactions.file_names)
    save_arrays(
        path,
        user=interactions.user,
        item=interactions.item,
        user_key=interactions.user_key,
        item_key=interactions.item_key,
        **_sizes(interactions.n_users, interactions.n_items),
        **{name: array for name, array in optional.items() if array is not None},
    )


def load_interactions(path: Path) -> Interactions:
    """Read what ``save_interactions`` wrote; ``InputError`` if the file is anything else."""
    arrays = _load(path, ("user", "item", "user_key", "item_key", "n_users", "n_items"))
    n_users, n_items = (_size(path, name, arrays) for name in ("n_users", "n_items"))
    user, item = arrays["user"], arrays["item"]
    _check_numbers(path, "user", user, len(user) if user.ndim else 0, n_users)
    _check_numbers(path, "item", item, len(user), n_items)
    key = user.astype(np.int64) << 32 | item
    if (key[1:] <= key[:-1]).any():
        raise _unfit(path, "user and item", "pairs that do not ascend", "pairs in order, each once")
    _check_array(path, "user_key", arrays["user_key"], np.uint64, n_users)
    _check_array(path, "item_key", arrays["item_key"], np.uint64, n_items)
    if "time" in arrays:
        _check_array(path, "time", arrays["time"], np.int64, len(user))
    if "files" in arrays:
        _check_files(path, arrays, len(user))
    if "weight" in arrays:
        _check_weight(path, "weight", arrays["weight"], len(user))
    return Interactions(
        user,
        item,
        n_users,
        n_items,
        arrays["user_key"],
        arrays["item_key"],
        arrays.get("time"),
        arrays.get("files"),
        tuple(arrays["file_names"].tolist()) if "files" in arrays else (),
        arrays.get("weight"),
    )


def save_split(path: Path, split: Split) -> None:
    """Write ``split`` as ``.npz``, atomically."""
    arrays = _sizes(split.n_users, split.n_items)
    for part in PARTS:
        csr: Csr = getattr(split, part)
        arrays |= {f"{part}_indptr": csr.indptr, f"{part}_items": csr.indices}
    for name in _WEIGHTS:
        if (weight := getattr(split, name)) is not None:
            arrays[name] = weight
    save_arrays(path, **arrays)


def load_split(path: Path) -> Split:
    """Read what ``save_split`` wrote; ``InputError`` if the file is anything else."""
    names = [f"{part}_{kind}" for part in PARTS for kind in ("indptr", "items")]
    arrays = _load(path, (*names, "n_users", "n_items"))
    n_users, n_items = (_size(path, name, arrays) for name in ("n_users", "n_items"))
    parts = {part: Csr(arrays[f"{part}_indptr"], arrays[f"{part}_items"]) for part in PARTS}
    for part, csr in parts.items():
        _check_rows(path, part, csr, n_users, n_items)
    weights = {name: arrays[name] for name in _WEIGHTS if name in arrays}
    for name, weight in weights.items():
        _check_weight(path, name, weight, len(parts[name.removesuffix("_weight")].indices))
    sizes = {"n_users": n_users, "n_items": n_items}
    return Split(**parts, **sizes, **weights)  # type: ignore[arg-type]  # by name


def _sizes(n_users: int, n_items: int) -> dict[str, np.ndarray]:
    return {"n_users": np.array(n_users, np.int64), "n_items": np.array(n_items, np.int64)}


def _load(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    arrays = load_arrays(path)
    if missing := [name for name in names if name not in arrays]:
        raise InputError(
            f"{path}: lacks {', '.join(missing)}; delete it and run the same command again"
        )
    return arrays


def _size(path: Path, name: str, arrays: dict[str, np.ndarray]) -> int:
    size = arrays[name]
    if size.ndim or size.dtype.kind not in "iu" or not 0 <= size < 2**31:
        raise _unfit(path, name, _form(size), "a whole number below 2^31")
    return int(size)


def _check_rows(path: Path, part: str, csr: Csr, n_users: int, n_items: int) -> None:
    """Require consecutive rows of ascending items."""
    indptr, items = csr
    _check_array(path, f"{part}_indptr", indptr, np.int64, n_users + 1)
    _check_numbers(path, f"{part}_items", items, len(items) if items.ndim else 0, n_items)
    if indptr[0] != 0 or indptr[-1] != len(items) or (indptr[1:] < indptr[:-1]).any():
        raise _unfit(path, f"{part}_indptr", "other bounds", f"bounds from 0 to {len(items)}")
    ascends = items[1:] > items[:-1]
    starts = indptr[(indptr > 0) & (indptr < len(items))]
    ascends[starts - 1] = True
    if not ascends.all():
        raise _unfit(path, f"{part}_items", "items out of order", "a user's in order, each once")


def _check_numbers(path: Path, name: str, array: np.ndarray, length: int, count: int) -> None:
    """Require ``length`` numbers from 0 to ``count`` - 1, int32."""
    _check_array(path, name, array, np.int32, length)
    if length and not (array.min() >= 0 and array.max() < count):
        raise _unfit(path, name, f"{array.min()} to {array.max()}", f"0 to {count - 1}")


def _check_files(path: Path, arrays: dict[str, np.ndarray], length: int) -> None:
    """Require a name for each file, and an unsigned number with a bit for each."""
    names = arrays.get("file_names", np.empty(0))
    if names.dtype.kind != "U" or names.ndim != 1 or not 1 < len(names) <= MOST_FILES:
        raise _unfit(path, "file_names", _form(names), f"text [2 to {MOST_FILES}]")
    most = (1 << len(names)) - 1
    files = arrays["files"]
    _check_array(path, "files", files, np.min_scalar_type(most), length)
    if length and not (files.min() > 0 and files.max() <= most):
        raise _unfit(path, "files", f"{files.min()} to {files.max()}", f"1 to {most}")


def _check_weight(path: Path, name: str, array: np.ndarray, length: int) -> None:
    _check_array(path, name, array, np.float64, length)
    if length and not (array.min() > 0 and np.isfinite(array.sum())):
        raise _unfit(path, name, f"{array.min()} to {array.max()}", "numbers above 0")


def _check_array(path: Path, name: str, array: np.ndarray, kind: Any, length: int) -> None:
    if array.dtype != kind or array.shape != (length,):
        raise _unfit(path, name, _form(array), f"{np.dtype(kind)} [{length}]")


def _form(array: np.ndarray) -> str:
    return f"{array.dtype} {list(array.shape)}"


def _unfit(path: Path, name: str, found: str, expected: str) -> InputError:
    return InputError(
        f"{path}: {name}: found {found}, expected {expected}; delete {path} and run the same "
        "command again"
    )


# Ids and pairs.

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
