"""Tables and adjacency lists: filters, times, Parquet, and whatever bytes there may be."""

import csv
import gzip
import io
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashgnn.data.prepare import prepare
from hashgnn.data.readers import read_adjacency
from hashgnn.data.split import split
from hashgnn.errors import InputError
from tests.data.files import error, table, timed_pairs, zipped


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_parquet(tmp_path, suffix):
    path = tmp_path / f"data.parquet{suffix}"
    columns = {
        "u": pa.array(["a", "a", "b"]).dictionary_encode(),
        "i": pa.array([10, 9, 10], pa.int64()),
        "r": pa.array([5.0, 4.5, 4.0]),
        "t": pa.array([1_000, 2_000, 3_000], pa.timestamp("ms")),
    }
    pq.write_table(pa.table(columns), path)
    if suffix:
        path.write_bytes(gzip.compress(path.read_bytes()))
    roles = {"user": "u", "item": 1, "rating": "r", "time": "t"}
    settings = {"dataset": "toy", "reader": "table", "columns": roles}
    assert timed_pairs(prepare([path], settings)) == [("a", "10", 1), ("a", "9", 2), ("b", "10", 3)]
    few = prepare([path], settings | {"filter": {"rating_at_least": 4.5}})
    assert timed_pairs(few) == [("a", "10", 1), ("a", "9", 2)]


def test_bad_parquet(tmp_path):
    assert "cannot be read as Parquet" in error(tmp_path, "no parquet", name="x.parquet")
    for values, word in (([1.5], "floating-point"), ([[1]], "list"), ([None], "missing")):
        path = tmp_path / "y.parquet"
        pq.write_table(pa.table({"u": values, "i": ["x"]}), path)
        assert word in error(tmp_path, path.read_bytes(), name="y.parquet")


def test_threshold_and_behaviors(tmp_path):
    text = "u,i,r,b\na,x,3.9,view\na,y,4,view\nb,x, 5 ,buy\n"
    roles = {"user": "u", "item": "i", "rating": "r", "behavior": "b"}
    liked = table(tmp_path, text, roles, filter={"rating_at_least": 4})
    assert timed_pairs(liked) == [("a", "y"), ("b", "x")]
    assert (liked.rows_read, liked.rows_kept, liked.repeats) == (3, 2, 0)
    assert timed_pairs(table(tmp_path, text, roles, filter={"behaviors": ["buy"]})) == [("b", "x")]


def test_weights_of_repeats_are_added(tmp_path):
    text = "u,i,n\na,y,2\na,x,1\nb,x, 0.5 \na,y,3\n"
    read = table(tmp_path, text, {"user": "u", "item": "i", "weight": "n"})
    assert read.repeats == 1
    assert timed_pairs(read) == [("a", "x"), ("a", "y"), ("b", "x")]
    assert read.interactions.weight.tolist() == [1, 5, 0.5]
    rated = {"user": "u", "item": "i", "weight": "n", "rating": "n"}
    kept = table(tmp_path, text, rated, filter={"rating_at_least": 1})
    assert kept.interactions.weight.tolist() == [1, 5]


def test_a_split_takes_the_weights_along(tmp_path):
    rows = "".join(f"a,{item},{item + 1}\n" for item in range(10))
    read = table(tmp_path, "u,i,n\n" + rows, {"user": "u", "item": "i", "weight": "n"})
    parts = split(read.interactions, {"by": "random", "test": 0.3, "validation": 0.2, "seed": 0})
    assert parts.train_weight.tolist() == (parts.train.indices + 1).tolist()
    assert parts.validation_weight.tolist() == (parts.validation.indices + 1).tolist()


@pytest.mark.parametrize("weight", ["0", "-1", "nan", "inf", "", "many", "1e10"])
def test_what_is_no_weight_is_refused_by_its_line(tmp_path, weight):
    text = f"u,i,n\na,y,2\na,x,{weight}\n"
    message = error(tmp_path, text, columns={"user": "u", "item": "i", "weight": "n"})
    assert ", line 3: expected a " in message
    assert "weight" in message


@pytest.mark.parametrize(
    ("unit", "cells", "seconds"),
    [
        ("seconds", ["0", "1.9", "-1"], [0, 1, -1]),
        ("milliseconds", ["999", "1000", "1511544070000"], [0, 1, 1511544070]),
        ("iso", ["1970-01-02", "1970-01-01T00:00:01", "1970-01-01 00:00:02.5"], [86400, 1, 2]),
        (
            "iso",
            ["1970-01-01T00:00:00Z", "1970-01-01T00:00:01+00:00", "1970-01-01T01:00:02+01:00"],
            [0, 1, 2],
        ),
    ],
)
def test_times(tmp_path, unit, cells, seconds):
    text = "u,i,t\n" + "".join(f"u,{row},{cell}\n" for row, cell in enumerate(cells))
    columns = {"user": "u", "item": "i", "time": "t"}
    prepared = table(tmp_path, text, columns, format={"time": unit})
    assert prepared.interactions.time.tolist() == seconds
    assert prepared.interactions.time.dtype == np.int64


def test_span_of_time(tmp_path):
    text = "u,i,t\nu,0,1970-01-01\nu,1,1970-01-02\nu,2,1970-01-03\n"
    span = {"time_from": "1970-01-02", "time_before": "1970-01-03T00:00+00:00"}
    columns = {"user": "u", "item": "i", "time": "t"}
    prepared = table(tmp_path, text, columns, format={"time": "iso"}, filter=span)
    assert timed_pairs(prepared) == [("u", "1", 86_400)]


MEMBERS = {
    "t/.DS_Store": b"\0",
    "__MACOSX/t/._view.txt": b"\0",
    "t/view.txt": b"a x\na y\n",
    "t/buy.txt": b"b x\na x\n",
    "t/cart.txt": b"c\n",
}
VIEWED = {"name": "t/view.txt", "behavior": "view"}
BOUGHT = {"name": "t/buy.txt", "behavior": "buy"}


def archive_of(path, members, archived=MEMBERS, **settings):
    path.write_bytes(zipped(**archived))
    layout = {"members": members, "separator": " ", "header": False}
    columns = {"user": 0, "item": 1}
    entry = {"dataset": "toy", "reader": "table", "columns": columns, "format": layout}
    return prepare([path], {**entry, **settings})


@pytest.mark.parametrize("reader", ["table", "adjacency"])
def test_members_of_an_archive_are_read_in_order(tmp_path, reader):
    found = archive_of(tmp_path / "x.zip", [BOUGHT, VIEWED], reader=reader)
    assert timed_pairs(found) == [("a", "x"), ("a", "y"), ("b", "x")]
    assert found.interactions.file_names == ("t/buy.txt", "t/view.txt")
    assert found.interactions.files.tolist() == [0b11, 0b10, 0b01]
    assert (found.rows_read, found.rows_kept) == (4, 4)


def test_behaviors_of_members_are_filtered(tmp_path):
    keep = {"filter": {"behaviors": ["buy"]}}
    found = archive_of(tmp_path / "x.zip", [VIEWED, BOUGHT], **keep)
    assert timed_pairs(found) == [("a", "x"), ("b", "x")]
    assert found.interactions.files is None
    with pytest.raises(InputError, match="hold no interactions"):
        archive_of(tmp_path / "x.zip", [VIEWED], **keep)


def test_bad_members(tmp_path):
    path = tmp_path / "x.zip"
    with pytest.raises(InputError, match=r"no member 'v'; there are: t/view.txt, t/buy.txt, t/car"):
        archive_of(path, [VIEWED, {"name": "v"}])
    with pytest.raises(InputError, match=r"x.zip: t/cart.txt.*(column|line 1)"):
        archive_of(path, [VIEWED, {"name": "t/cart.txt"}])
    with pytest.raises(InputError, match="expected one archive, found 2 files"):
        prepare([path, path], {"reader": "adjacency", "format": {"members": [VIEWED]}})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t/view.txt", "a x\n")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("t/view.txt", "b x\n")
    layout = {"members": [VIEWED]}
    with pytest.raises(InputError, match=r"holds several members 't/view\.txt'"):
        prepare([path], {"dataset": "toy", "reader": "adjacency", "format": layout})


def test_of_repeats_the_earliest_counts(tmp_path):
    columns = {"user": "u", "item": "i", "time": "t"}
    assert timed_pairs(table(tmp_path, "u,i,t\na,x,7\na,x,5\na,x,6\n", columns)) == [("a", "x", 5)]


def test_adjacency(tmp_path):
    first, second = tmp_path / "train.txt", tmp_path / "test.txt"
    first.write_bytes(b"\xef\xbb\xbf0 5 7 \r\n1\r\n\r\n")
    second.write_bytes(b"0 7 9\n2\t5")
    settings = {"dataset": "toy", "reader": "adjacency"}
    prepared = prepare([first, second], settings)
    assert timed_pairs(prepared) == [("0", "5"), ("0", "7"), ("0", "9"), ("2", "5")]
    assert prepared.interactions.files.tolist() == [1, 3, 2, 2]
    assert prepared.interactions.file_names == ("train.txt", "test.txt")
    commas = tmp_path / "commas.txt"
    commas.write_text("ann b,x y,z\n")
    batch = next(read_adjacency([commas], {"format": {"separator": ","}}))
    assert (batch.user.to_pylist(), batch.item.to_pylist()) == (["ann b"] * 2, ["x y", "z"])
    for content, word in ((b"", "empty file"), (b"\xff 1\n", "not UTF-8")):
        commas.write_bytes(content)
        with pytest.raises(InputError, match=word):
            prepare([commas], settings)


NAMES = ["x.csv", "x.tsv", "x.parquet", "x.csv.gz", "x.csv.bz2", "x.csv.xz", "x.csv.zst", "x.zip"]


COLUMNS = {"user": 0, "item": 1}


ODD = [
    "a",
    "1",
    "-1",
    "01",
    "1e400",
    "nan",
    "inf",
    "",
    " ",
    '"',
    '""',
    '"a,b"',
    "ü",
    "\ufeff",
    "\0",
]


TIMES = ["1511544070", "1511544070000", "2017-11-25", "2017-11-25T01:02:03Z", "99999-01-01"]


CELL = st.sampled_from(ODD + TIMES)


BREAK = st.sampled_from([",", "\t", "\n", "\r\n", "\r", "::", " ", "§"])


TEXT = st.lists(CELL | BREAK).map("".join)


LAYOUT = st.fixed_dictionaries(
    {},
    optional={
        "header": st.booleans(),
        "separator": st.sampled_from([",", "\t", "::", " ", "§", "|", "a"]),
        "quote": st.booleans(),
        "encoding": st.sampled_from(["utf-8", "latin-1", "utf-16", "no such"]),
        "time": st.sampled_from(["seconds", "milliseconds", "iso"]),
    },
)


POSITION = st.integers(0, 2)


ROLES = st.fixed_dictionaries(
    {"user": POSITION, "item": POSITION}, optional={"rating": POSITION, "time": POSITION}
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


def survive(path, content, **entry):
    path.write_bytes(content)
    try:
        found = prepare([path], {"dataset": "toy", **entry}).interactions
    except InputError:
        return
    assert 0 <= found.user.min() <= found.user.max() < found.n_users
    assert 0 <= found.item.min() <= found.item.max() < found.n_items


@settings(max_examples=150, deadline=None)
@given(TEXT, LAYOUT, ROLES)
def test_text_of_any_kind(folder, text, layout, columns):
    survive(folder / "x.csv", text.encode(), reader="table", columns=columns, format=layout)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NAMES), st.binary())
def test_bytes_of_any_kind(folder, name, content):
    survive(folder / name, content, reader="table", columns=COLUMNS, format={"header": False})
    survive(folder / name, content, reader="adjacency")


PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1)


@settings(deadline=None)
@given(st.lists(st.tuples(PLAIN, PLAIN), min_size=1), st.sampled_from([",", "\t", ";", "|"]))
def test_what_was_written_is_read(folder, rows, separator):
    file = io.StringIO()
    writer = csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerows([("user", "item"), *rows])
    path = folder / "written.csv"
    path.write_bytes(file.getvalue().encode())
    columns = {"user": "user", "item": "item"}
    layout = {"separator": separator}
    found = prepare(
        [path], {"dataset": "toy", "reader": "table", "columns": columns, "format": layout}
    )
    users = found.user_ids.take(found.interactions.user).to_pylist()
    items = found.item_ids.take(found.interactions.item).to_pylist()
    assert sorted(zip(users, items, strict=True)) == sorted(set(rows))
