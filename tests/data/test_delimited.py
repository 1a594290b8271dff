"""Tables of text as users have them, odd separators, encodings and columns: ids, or one error."""

import bz2
import csv
import datetime
import gzip
import io
import lzma
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashgnn.data import delimited
from hashgnn.data.delimited import NameOrPosition, _SeparatorReplacer, parse_separator
from hashgnn.data.prepare import prepare
from hashgnn.errors import InputError
from tests.data.files import COLUMNS, ROWS, error, pairs, read, refusal, table, timed_pairs, zipped
from tests.data.reading import check_message

PLAIN = "u,i\na,x\na,y\nb,x\n"


EXPECTED = [("a", "x"), ("a", "y"), ("b", "x")]


@pytest.mark.parametrize(
    ("name", "content", "layout"),
    [
        ("plain.csv", PLAIN, {}),
        ("rows in another order.csv", "u,i\nb,x\na,y\na,x\n", {}),
        ("bom.csv", "\ufeff" + PLAIN, {}),
        ("crlf.csv", PLAIN.replace("\n", "\r\n"), {}),
        ("empty lines.csv", "\n" + PLAIN.replace("\n", "\n\n"), {}),
        ("no end.csv", PLAIN.rstrip(), {}),
        ("quoted.csv", '"u","i"\n"a","x"\na,"y"\nb,x\n', {}),
        ("repeats.csv", PLAIN + "a,x\n", {}),
        ("more columns.csv", "junk,i,u\n1,x,a\n2,y,a\n3,x,b\n", {}),
        ("tabs.tsv", PLAIN.replace(",", "\t"), {}),
        ("semicolon.txt", PLAIN.replace(",", ";"), {"separator": ";"}),
        ("free quotes.csv", 'n,u,i\n"1,a,x\n2",a,y\n"3,b,x\n', {"quote": False}),
        ("sections.dat", PLAIN.replace(",", "§"), {"separator": "§"}),
        ("colons.dat", PLAIN.replace(",", "::"), {"separator": "::"}),
        ("utf16.csv", PLAIN.encode("utf-16"), {"encoding": "utf-16"}),
        ("x.csv.gz", gzip.compress(PLAIN.encode(), mtime=0), {}),
        ("x.tsv.bz2", bz2.compress(PLAIN.replace(",", "\t").encode()), {}),
        ("x.csv.xz", lzma.compress(PLAIN.encode()), {}),
        ("x.csv.zst", pa.compress(PLAIN.encode(), "zstd", asbytes=True), {}),
        ("x.zip", zipped(**{"only.csv": PLAIN.encode(), "__MACOSX/._only.csv": b"?"}), {}),
        ("y.zip", zipped(**{"d/a.csv": PLAIN.encode(), "b.csv": b""}), {"member": "d/a.csv"}),
    ],
)
def test_every_form_of_the_same_table(tmp_path, name, content, layout):
    prepared = table(tmp_path, content, name=name, format=layout)
    assert timed_pairs(prepared) == EXPECTED
    assert (prepared.interactions.n_users, prepared.interactions.n_items) == (2, 2)


def test_ids_stay_as_they_are(tmp_path):
    ids = ["01", "1", "1.0", " 1", "-7", "99999999999999999999", "NaN", "ü", "日本", "a,b", 'q"q']
    quoted = ['"' + id_.replace('"', '""') + '"' for id_ in ids]
    prepared = table(tmp_path, "u,i\n" + "".join(f"{id_},x\n" for id_ in quoted))
    assert sorted(prepared.user_ids.to_pylist()) == sorted(ids)


def test_positions_without_header(tmp_path):
    prepared = table(
        tmp_path, "x|a|1\n", {"user": 1, "item": 0}, format={"header": False, "separator": "|"}
    )
    assert timed_pairs(prepared) == [("a", "x")]


RATED = {"user": "u", "item": "i", "rating": "r"}


TIMED = {"user": "u", "item": "i", "time": "t"}


@pytest.mark.parametrize(
    ("content", "settings", "words"),
    [
        ("", {}, ["empty file"]),
        ("\n\r\n", {}, ["empty file"]),
        ("u,i\n", {}, ["toy: the data hold no interactions"]),
        ("user,i\na,x\n", {}, ["no column 'u' for user; there are: 'user', 'i'"]),
        ("u;i\na;x\n", {}, ["there are: 'u;i'; if ';' separates fields, set format.separator"]),
        ("u,u,i\na,b,x\n", {}, ["several columns 'u'"]),
        (
            "u,i\na,x\n",
            {"columns": {"user": 0, "item": 2}},
            ["no column 2 for item; there are 0 to 1"],
        ),
        ("a,x\n", {"format": {"header": False}}, ["give a position, 0 to 1"]),
        ("u,i\na,x\n\nb\n", {}, ["data.csv, line 4: Expected 2 columns, got 1"]),
        ("u,i\na,x\nb,\n", {}, ["data.csv, line 3: the item is missing"]),
        ("u,i\n\n,x\n", {}, ["data.csv, line 3: the user is missing"]),
        ('u,i\na,"x\nb,y\n', {}, ["2 lines make 1 rows", "format.quote: false"]),
        ('u,i,"t\na,x,"1"\n', {}, ["cannot parse the header line", "unexpected end of data"]),
        (b"u,i\na,x\n\xff,y\n", {}, ["data.csv, line 3", "set format.encoding"]),
        (b"\xff,i\na,x\n", {}, ["not utf-8 text", "set format.encoding"]),
        (
            "u,i,r\na,x,5\nb,x,good\n",
            {"columns": RATED},
            ["line 3: expected a number as rating, got 'good'"],
        ),
        (
            "u,i,r\na,x,nan\n",
            {"columns": RATED},
            ["line 2: expected a number as rating, got 'nan'"],
        ),
        ("u,i,r\na,x,\n", {"columns": RATED}, ["line 2: expected a number as rating"]),
        ("u,i,r\na,x,\x1c5\n", {"columns": RATED}, ["line 2: expected a number as rating"]),
        ("u,i,t\na,x,1511544070000\n", {"columns": TIMED}, ["line 2", "format.time"]),
        (
            "u,i,t\na,x,soon\n",
            {"columns": TIMED, "format": {"time": "iso"}},
            ["line 2: expected a time", "'soon'"],
        ),
        (
            "u,i,t\na,x,2020-01-01\na,y,2020-01-01T00:00Z\n",
            {"columns": TIMED, "format": {"time": "iso"}},
            ["line 3"],
        ),
        (
            "u,i,r\na,x,3\n",
            {"columns": RATED, "filter": {"rating_at_least": 4}},
            ['{"rating_at_least": 4}', "nothing of 1 rows"],
        ),
        (
            PLAIN,
            {"filter": {"user_interactions": 3, "item_interactions": None}},
            ['{"user_interactions": 3}', "nothing of 3 interactions"],
        ),
        (PLAIN, {"filter": {"time_from": "2020-01-01"}}, ["set columns.time"]),
        (PLAIN, {"filter": {"rating_at_least": 3}}, ["set columns.rating"]),
        (PLAIN, {"reader": "magic"}, ["expected one of adjacency, synthetic, table"]),
        (PLAIN, {"format": {"member": "a.csv"}}, ["no zip archive"]),
        ("u::i\na\x1f::x\n", {"format": {"separator": "::"}}, ["0x1f"]),
    ],
)
def test_bad_tables(tmp_path, content, settings, words):
    message = error(tmp_path, content, **settings)
    assert all(word in message for word in words), message


def test_lines_are_named_beyond_the_first_block(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "_BLOCK", 64)
    rows = "".join(f"u{row},i\n" for row in range(1000))
    assert "line 1002:" in error(tmp_path, f"u,i\n{rows}u\n")
    assert "line 1002:" in error(tmp_path, f"u,i\n{rows},i\n")


@given(st.text(":a\n", max_size=40), st.integers(1, 5))
def test_separators_across_blocks(text, size):
    stream = _SeparatorReplacer(io.BytesIO(text.encode()), b"::")
    found = b"".join(iter(lambda: stream.read(size), b""))
    assert found == text.encode().replace(b"::", b"\x1f")


def written(path: Path, separator: str, encoding: str = "utf-8") -> Path:
    lines = [("u", "i"), *ROWS]
    path.write_bytes("".join(separator.join(line) + "\n" for line in lines).encode(encoding))
    return path


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("\\t", "\t"), ("\\x01", "\x01"), ("\\u00a7", "§"), ("\\", "\\"), ("||", "||"), (" ", " ")],
)
def test_a_separator_as_typed(tmp_path: Path, typed: str, meant: str) -> None:
    assert parse_separator(typed) == meant
    assert pairs(read(written(tmp_path / "x.csv", meant), separator=typed)) == ROWS
    adjacency = tmp_path / "x.txt"
    adjacency.write_text(meant.join("axy") + "\n" + meant.join("bx") + "\n", encoding="utf-8")
    assert pairs(read(adjacency, "adjacency", separator=typed)) == ROWS


@pytest.mark.parametrize("typed", ["", "\n", "\r", "a\n", '"', '","', "\0", "\udce9", "\\ud800"])
@pytest.mark.parametrize("reader", ["table", "adjacency"])
def test_what_can_be_no_separator(tmp_path: Path, reader: str, typed: str) -> None:
    message = refusal(written(tmp_path / "x.csv", ","), reader, separator=typed)
    assert message.startswith("format.separator is ")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "UTF8", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", "::", "§"])
def test_separators_in_every_encoding(tmp_path: Path, encoding: str, separator: str) -> None:
    path = written(tmp_path / "x.csv", separator, encoding)
    assert pairs(read(path, separator=separator, encoding=encoding)) == ROWS


def test_a_separator_is_no_part_of_a_character(tmp_path: Path) -> None:
    """In Shift JIS the second byte of some characters is a bar."""
    path = tmp_path / "x.csv"
    path.write_bytes("u||i\nポ||x\n".encode("shift_jis"))
    found = read(path, separator="||", encoding="shift_jis")
    assert pairs(found) == [("ポ", "x")]


@pytest.mark.parametrize("encoding", ["no such", "hex", "", "\0", "\udce9"])
def test_what_is_no_encoding(tmp_path: Path, encoding: str) -> None:
    message = refusal(written(tmp_path / "x.csv", ","), encoding=encoding)
    assert "format.encoding" in message


def test_an_id_without_end_is_refused_by_its_row(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"u,i\na,x\n{'b' * 10_001},x\n")
    message = "the user is longer than 10,000 bytes, the longest id allowed"
    assert refusal(path) == f"{path}, line 3: {message}"
    path.write_text(f"a x\nb {'y' * 200_000}\n")
    assert "the item is longer" in refusal(path, "adjacency")
    path.write_text(f"u,i\na,x\n{'b' * 10_000},x\n")
    assert len(read(path).user_ids) == 2


def write_parquet(path: Path, users: pa.Array, **more: Any) -> Path:
    pq.write_table(pa.table({"u": users, "i": ["x"] * len(users), **more}), path)
    return path


@pytest.mark.parametrize(
    "users",
    [
        pa.array([b"ab", b"\xff1"], pa.binary()),
        pa.array([b"ab", b"\xff1"], pa.large_binary()),
        pa.array([b"ab", b"\xff1"], pa.binary()).dictionary_encode(),
        pa.array([bytes(16), bytes(15) + b"\1"], pa.binary(16)),
        pa.array([uuid.UUID(int=1), uuid.UUID(int=2)]),
    ],
)
def test_bytes_are_no_ids(tmp_path: Path, users: pa.Array) -> None:
    path = write_parquet(tmp_path / "x.parquet", users)
    row = 2 if b"ab" in users.to_pylist() else 1
    assert refusal(path).startswith(f"{path}, row {row}: expected text as user, got ")


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        (pa.array([b"ab", "ü".encode()], pa.binary()), ["ab", "ü"]),  # text that is not marked so
        (pa.array(["b", "a"], pa.large_string()), ["a", "b"]),
        (pa.array(["b", "a"], pa.string_view()), ["a", "b"]),
        (pa.array([2**64 - 1, 2**63], pa.uint64()), [str(2**64 - 1), str(2**63)]),
        (pa.array([Decimal(12), Decimal(7)], pa.decimal128(38, 0)), ["12", "7"]),
    ],
)
def test_ids_of_other_types(tmp_path: Path, users: pa.Array, expected: list[str]) -> None:
    assert read(write_parquet(tmp_path / "x.parquet", users)).user_ids.to_pylist() == expected


ODD = [
    pa.array([b"\xff"], pa.binary()),
    pa.array([True]),
    pa.array([datetime.date(2020, 1, 1)]),
    pa.array([datetime.time(1)]),
    pa.array([datetime.timedelta(1)]),
    pa.nulls(1),
    pa.array([Decimal("1.5")]),
    pa.array([uuid.UUID(int=1)]),
    pa.array([2**64 - 1], pa.uint64()),
    pa.array(["x"], pa.large_string()),
]


@pytest.mark.parametrize("role", ["user", "rating", "time", "behavior"])
@pytest.mark.parametrize("column", ODD, ids=lambda column: str(column.type))
def test_every_type_of_column_is_read_or_refused(
    tmp_path: Path, role: str, column: pa.Array
) -> None:
    path = write_parquet(tmp_path / "x.parquet", pa.array(["a"]), odd=column)
    settings = {"dataset": "toy", "reader": "table", "columns": {**COLUMNS, role: "odd"}}
    if role == "behavior":
        settings["filter"] = {"behaviors": ["x"]}
    try:
        prepare([path], settings)
    except InputError as error:
        check_message(error)


def test_columns_of_one_name_and_one_column_for_both(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table([["a"], ["x"]], names=["c", "c"]), path)
    for columns, word in (
        ({"user": 0, "item": 1}, "several columns 'c'"),
        ({"user": "c", "item": "c"}, "several columns 'c'"),
        ({"user": 1, "item": 1}, "are the same column"),
    ):
        with pytest.raises(InputError, match=word):
            prepare([path], {"dataset": "toy", "reader": "table", "columns": columns})


@pytest.mark.parametrize(
    ("typed", "names", "meant"),
    [
        ("1", ["", "0", "1"], "1"),  # as pandas names columns that have no name
        ("1", ["a", "b"], 1),
        ("1", None, 1),
        ("²", None, "²"),
        ("٣", None, "٣"),
        ("9" * 5000, None, "9" * 5000),
        ("-1", None, "-1"),
    ],
)
def test_a_column_as_typed_is_a_name_first(
    typed: str, names: list[str] | None, meant: str | int
) -> None:
    assert NameOrPosition(typed).resolve(names) == meant


@given(st.text(max_size=4))
def test_every_separator_is_one_or_is_refused(text: str) -> None:
    """What is accepted separates, as the csv module does where it takes the separator."""
    try:
        separator = parse_separator(text)
    except InputError as error:
        check_message(error)
        return
    assert separator.encode()
    if len(separator) == 1:
        assert next(csv.reader(io.StringIO(f"a{separator}"), delimiter=separator))
