"""Tables of text as users have them."""

import bz2
import gzip
import io
import lzma

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashgnn.data import delimited
from hashgnn.data.delimited import _SeparatorReplacer
from tests.data.files import error, table, timed_pairs, zipped

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
