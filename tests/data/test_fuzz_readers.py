"""Whatever the bytes, a reader gives a right result or one clear error."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashgnn.data.prepare import prepare
from hashgnn.errors import InputError

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
