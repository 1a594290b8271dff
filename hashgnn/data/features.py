"""Read features of users and items from tables, and describe each row by hashed features.

A cell of text is a category; text with bars, as in ``Action|Comedy``, and lists are several. A
column of numbers is divided at quantiles if it has many different values; else each value is a
category. A feature is the hash of the kind (user or item), its column and its value, so no table of
all values is kept. Empty cells are no features.

Settings: ``user`` and ``item``, each with ``id``, the column of ids in its table.
"""

import argparse
import json
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from hashgnn.data.delimited import ids
from hashgnn.data.interactions import Csr, id_keys, load_ids
from hashgnn.errors import InputError, did_you_mean
from hashgnn.files import load_arrays, save_arrays
from hashgnn.stage.command import run_stage, stage_parser

KINDS = ("user", "item")
_CATEGORIES = 32  # different numbers up to which each is a category
_BINS = 16  # of a column with more
_FEW_OTHERS = 0.1  # share of other cells below which a column is taken for one of numbers
_BAR = "|"  # between the values of a cell

# How the columns of a kind are read: the bounds between bins of numbers, None for categories.
Columns = dict[str, list[float] | None]


class Table(NamedTuple):
    """The features of users or items as they were given.

    ``kind`` is user or item, ``where`` names the table in messages, ``ids`` are text, each once,
    and ``columns`` has the features by name, an array of as many rows each.
    """

    kind: str
    where: str
    ids: pa.Array
    columns: dict[str, pa.Array]


class Features(NamedTuple):
    """Hashed features of users and of items: ascending uint64 hashes, a row per user or item.

    ``columns``: how the columns are read, by kind.
    """

    user: Csr
    item: Csr
    columns: dict[str, Columns]

    def of_nodes(self) -> Csr:
        """Return the hashes of all nodes of the graph, users first."""
        return Csr(
            np.concatenate([self.user.indptr, self.user.indptr[-1] + self.item.indptr[1:]]),
            np.concatenate([self.user.indices, self.item.indices]),
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from its command line; return the exit status."""
    parser = stage_parser(__doc__)
    parser.add_argument("--users", type=Path, required=True, help="CSV of the users' ids")
    parser.add_argument("--items", type=Path, required=True, help="CSV of the items' ids")
    parser.add_argument("--tables", type=Path, nargs="+", help="of users, then of items")
    parser.add_argument("--output", type=Path, required=True)
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> dict[str, object]:
    given = [kind for kind in KINDS if kind in args.settings]
    tables = {
        kind: read_file(path, kind, args.settings[kind]["id"])
        for kind, path in zip(given, args.tables, strict=True)
    }
    sides = {"user": load_ids(args.users).to_pylist(), "item": load_ids(args.items).to_pylist()}
    features = describe(sides, tables)
    save_features(args.output, features)
    return {f"{kind}_columns": list(columns) for kind, columns in features.columns.items()}


def describe(sides: Mapping[str, Sequence[str]], tables: Mapping[str, Table]) -> Features:
    """Return the features of all users and items, whose ids ``sides`` has by kind.

    ``InputError`` if one has no row in the table of its kind. A kind without a table has none.
    """
    made, columns = {}, {}
    for kind, names in sides.items():
        if kind not in tables:
            nobody = Csr(np.zeros(1, np.int64), np.empty(0, np.uint64))
            made[kind] = placed(nobody, np.full(len(names), -1))
            continue
        table = tables[kind]
        rows = rows_of(table, names)
        refuse_without_rows(table, [name for name, row in zip(names, rows, strict=True) if row < 0])
        columns[kind] = learn(table)
        made[kind] = placed(encode(table, columns[kind]), rows)
    return Features(**made, columns=columns)


def rows_of(table: Table, names: Sequence[str]) -> np.ndarray:
    """Return the row of each of the ids ``names`` in ``table``; -1 where there is none."""
    rows: np.ndarray = pd.Index(table.ids.to_pandas()).get_indexer(np.array(names, object))
    return rows


def refuse_without_rows(table: Table, lacking: Sequence[str]) -> None:
    """Raise ``InputError`` if ids lack a row in ``table``."""
    if len(lacking):
        more = f" and {len(lacking) - 3:,} more" if len(lacking) > 3 else ""
        raise InputError(
            f"{table.where}: no row for {table.kind} {', '.join(map(repr, lacking[:3]))}{more}; "
            "give each a row, with empty cells where nothing is known"
        )


def save_features(path: Path, features: Features) -> None:
    """Write ``features`` as ``.npz``, atomically."""
    arrays = {
        f"{kind}_{name}": array
        for kind in KINDS
        for name, array in getattr(features, kind)._asdict().items()
    }
    save_arrays(path, **arrays, columns=np.array(json.dumps(features.columns)))


def load_features(path: Path) -> Features:
    """Read what ``save_features`` wrote; ``InputError`` if the file is anything else."""
    arrays = load_arrays(path)
    try:
        user, item = (Csr(arrays[f"{kind}_indptr"], arrays[f"{kind}_indices"]) for kind in KINDS)
        return Features(user, item, json.loads(str(arrays["columns"])))
    except (KeyError, ValueError) as error:
        raise InputError(f"{path}: lacks {error}; make it again") from error


def read_file(path: Path, kind: str, id_column: str) -> Table:
    """Read a table of features: CSV or TSV with column names (UTF-8), or Parquet.

    Args:
        path: The file, by whose name it is read; CSV may be compressed.
        kind: user or item.
        id_column: Name of the column of ids; all others are features.

    Raises:
        InputError: The file cannot be read, or its ids are missing or repeated.
    """
    name = path.name.lower()
    try:
        table = pq.read_table(path) if name.endswith((".parquet", ".pq")) else _read_text(path)
    except (pa.ArrowException, OSError, UnicodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: cannot be read as a table ({reason})") from error
    columns = dict(zip(table.column_names, table.columns, strict=True))
    if len(columns) < table.num_columns:
        raise InputError(f"{path}: columns of the same name; rename them")
    # The header is line 1 of a text; rows of Parquet count from 1.
    first = 1 if name.endswith((".parquet", ".pq")) else 2
    unit = "row" if first == 1 else "line"
    return make_table(kind, str(path), columns, id_column, unit, first)


def check_columns(path: Path, kind: str, id_column: str) -> None:
    """Raise ``InputError`` unless the table, read as by ``read_file``, has the column of ids."""
    with suppress(pa.ArrowException, OSError, UnicodeError):  # which reading reports
        if path.name.lower().endswith((".parquet", ".pq")):
            names = pq.read_schema(path).names
        else:
            names = _open_text(path)[0].schema.names
        if id_column not in names:
            raise _without_ids(str(path), kind, id_column, names)


def _without_ids(where: str, kind: str, id_column: str, names: Collection[str]) -> InputError:
    listed, nearest = ", ".join(names), did_you_mean(id_column, names)
    return InputError(
        f"{where}: no column {id_column!r} of {kind} ids; there are: {listed}{nearest}"
    )


def _open_text(path: Path) -> tuple[pa.csv.CSVStreamingReader, pa.csv.ParseOptions]:
    parse = pa.csv.ParseOptions(delimiter="\t" if ".tsv" in path.name.lower() else ",")
    return pa.csv.open_csv(path, parse_options=parse), parse


def _read_text(path: Path) -> pa.Table:
    opened, parse = _open_text(path)
    convert = pa.csv.ConvertOptions(column_types=dict.fromkeys(opened.schema.names, pa.string()))
    return pa.csv.read_csv(path, parse_options=parse, convert_options=convert)


def make_table(
    kind: str,
    where: str,
    columns: Mapping[str, pa.Array | pa.ChunkedArray],
    id_column: str,
    unit: str = "row",
    first: int = 0,
) -> Table:
    """Return a table whose ids are each there once.

    Args:
        kind: user or item.
        where: What the table is called in messages.
        columns: All columns by name.
        id_column: Name of the column of ids.
        unit: What a row is called in messages, from number ``first`` on.
        first: Number of the first row in messages.
    """
    if id_column not in columns:
        raise _without_ids(where, kind, id_column, columns)
    given = _whole(columns[id_column])
    if pa.types.is_dictionary(given.type):
        given = given.dictionary_decode()
    names = ids(given, kind, lambda row: f"{where}, {unit} {row + first}")
    index = pd.Index(names.to_pandas())
    if index.has_duplicates:
        row = int(np.flatnonzero(index.duplicated())[0])
        raise InputError(
            f"{where}, {unit} {row + first}: {kind} {index[row]!r} has a row already; give each "
            f"{kind} one"
        )
    features = {name: _whole(column) for name, column in columns.items() if name != id_column}
    if not features:
        raise InputError(f"{where}: no column besides {id_column!r}; the others are features")
    for name, column in features.items():
        values = column.type.value_type if _is_list(column.type) else column.type
        if pa.types.is_nested(values) or pa.types.is_temporal(values) or _is_binary(values):
            raise InputError(f"{where}: column {name!r} holds {column.type}; give text or numbers")
    return Table(kind, where, names, features)


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def learn(table: Table) -> Columns:
    """Return how the columns of ``table`` are to be read, from the values in it.

    Raises:
        InputError: A column of numbers holds a few cells that are none.
    """
    learned: Columns = {}
    for name, column in table.columns.items():
        rows, values = _cells(column)
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(float)
        learned[name] = None
        finite = np.isfinite(numbers)
        if len(np.unique(numbers[finite])) <= _CATEGORIES:
            continue
        if _FEW_OTHERS > 1 - finite.mean() > 0:
            odd = int(np.flatnonzero(~finite)[0])
            raise InputError(
                f"{table.where}: column {name!r} holds {values[odd]!r} among numbers, for "
                f"{table.kind} {table.ids[rows[odd]]!r}; leave the cell empty or give a number"
            )
        if finite.all():
            ends = np.quantile(numbers, np.linspace(0, 1, _BINS + 1)[1:-1])
            learned[name] = np.unique(ends).tolist()
    return learned


def encode(table: Table, learned: Columns) -> Csr:
    """Return the hashes of each row's features, ascending and each once.

    Raises:
        InputError: A column is missing or unknown, or holds other text among numbers.
    """
    _check_columns(table, learned)
    rows, keys = [np.empty(0, np.int64)], [np.empty(0, np.uint64)]
    for name, bounds in learned.items():
        places, values = _cells(table.columns[name])
        named = _categories(values) if bounds is None else _bins(table, name, values, bounds)
        distinct, number = np.unique(named.to_numpy(str), return_inverse=True)
        texts = [f"{table.kind}\x1f{name}\x1f{value}" for value in distinct]
        keys.append(id_keys(pa.array(texts, pa.string()))[number])
        rows.append(places)
    row, key = np.concatenate(rows), np.concatenate(keys)
    order = np.lexsort((key, row))
    row, key = row[order], key[order]
    new = np.ones(len(row), dtype=bool)
    new[1:] = (row[1:] != row[:-1]) | (key[1:] != key[:-1])
    sizes = np.bincount(row[new], minlength=len(table.ids))
    return Csr(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), key[new])


def _check_columns(table: Table, learned: Columns) -> None:
    for name in learned:
        if name not in table.columns:
            raise InputError(f"{table.where}: no column {name!r}, which the model was trained with")
    for name in table.columns:
        if name not in learned:
            raise InputError(
                f"{table.where}: unknown column {name!r}; the model was trained with "
                f"{', '.join(learned)}{did_you_mean(name, learned)}"
            )


def _cells(column: pa.Array) -> tuple[np.ndarray, pd.Series]:
    """Return the values of a column that are not empty as text, and the row of each."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_list(column.type):
        rows = pc.list_parent_indices(column).to_numpy().astype(np.int64)
        values = pc.list_flatten(column)
    else:
        rows, values = np.arange(len(column)), column
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    cells = values.cast(pa.string()).to_numpy(zero_copy_only=False)
    text = pd.Series(cells, index=rows, dtype=object).dropna()
    if not pa.types.is_floating(values.type):
        text = text.str.split(_BAR, regex=False).explode()
    text = text.str.strip()
    text = text[text != ""]
    return text.index.to_numpy(np.int64), text.reset_index(drop=True)


def _categories(values: pd.Series) -> pd.Series:
    """Return names of categories: numbers are the same in every notation, 5 and 5.0."""
    numbers = pd.to_numeric(values, errors="coerce")
    return values.where(~np.isfinite(numbers), numbers.map(lambda number: repr(float(number))))


def _bins(table: Table, name: str, values: pd.Series, bounds: list[float]) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce")
    if len(odd := values[~np.isfinite(numbers)]):
        raise InputError(
            f"{table.where}: column {name!r}: expected numbers, as the model was trained with, got "
            f"{odd.iloc[0]!r}"
        )
    return pd.Series(np.searchsorted(bounds, numbers, side="right")).map(str)


def placed(encoded: Csr, rows: np.ndarray) -> Csr:
    """Return the rows ``rows`` of ``encoded``; row -1 is empty."""
    sizes = np.diff(encoded.indptr)
    lengths = np.where(rows < 0, 0, sizes[rows]) if len(sizes) else np.zeros_like(rows)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    starts = np.where(rows < 0, 0, encoded.indptr[rows]) if len(sizes) else np.zeros_like(rows)
    places = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], lengths)
    return Csr(indptr, encoded.indices[places])


if __name__ == "__main__":
    sys.exit(main())
