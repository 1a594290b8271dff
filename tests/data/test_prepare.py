"""Reading tables and adjacency lists as users have them."""

import bz2
import gzip
import io
import json
import lzma
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashgnn.data.ids import Pairs, keep_frequent, load_ids, number_ids, save_ids, unique_pairs
from hashgnn.data.interactions import load_interactions
from hashgnn.data.prepare import main, prepare
from hashgnn.data.readers.adjacency import read as read_adjacency
from hashgnn.data.tabular import delimited
from hashgnn.data.tabular.streams import SingleSeparator
from hashgnn.errors import InputError


def table(path, content, columns=None, name=None, **settings):
    path = path / (name or "data.csv")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    settings = {"dataset": "toy", "reader": "table", **settings}
    return prepare([path], {"columns": columns or {"user": "u", "item": "i"}, **settings})


def pairs(prepared):
    """(user id, item id) of each interaction, with its time if it has one."""
    found = prepared.interactions
    columns = [
        prepared.user_ids.take(found.user).to_pylist(),
        prepared.item_ids.take(found.item).to_pylist(),
    ]
    return list(zip(*columns, *([] if found.time is None else [found.time]), strict=True))


def error(path, *args, **settings):
    with pytest.raises(InputError) as caught:
        table(path, *args, **settings)
    assert "\n" not in str(caught.value)
    return str(caught.value)


PLAIN = "u,i\na,x\na,y\nb,x\n"
EXPECTED = [("a", "x"), ("a", "y"), ("b", "x")]


def zipped(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


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
        ("x.csv.gz", gzip.compress(PLAIN.encode()), {}),
        ("x.tsv.bz2", bz2.compress(PLAIN.replace(",", "\t").encode()), {}),
        ("x.csv.xz", lzma.compress(PLAIN.encode()), {}),
        ("x.csv.zst", pa.compress(PLAIN.encode(), "zstd", asbytes=True), {}),
        ("x.zip", zipped({"only.csv": PLAIN, "__MACOSX/._only.csv": "?"}), {}),
        ("y.zip", zipped({"d/a.csv": PLAIN, "b.csv": ""}), {"member": "d/a.csv"}),
    ],
)
def test_every_form_of_the_same_table(tmp_path, name, content, layout):
    prepared = table(tmp_path, content, name=name, format=layout)
    assert pairs(prepared) == EXPECTED
    assert (prepared.interactions.n_users, prepared.interactions.n_items) == (2, 2)


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
    assert pairs(prepare([path], settings)) == [("a", "10", 1), ("a", "9", 2), ("b", "10", 3)]
    few = prepare([path], settings | {"filter": {"rating_at_least": 4.5}})
    assert pairs(few) == [("a", "10", 1), ("a", "9", 2)]


def test_bad_parquet(tmp_path):
    assert "cannot be read as Parquet" in error(tmp_path, "no parquet", name="x.parquet")
    for values, word in (([1.5], "floating-point"), ([[1]], "list"), ([None], "missing")):
        path = tmp_path / "y.parquet"
        pq.write_table(pa.table({"u": values, "i": ["x"]}), path)
        assert word in error(tmp_path, path.read_bytes(), name="y.parquet")


def test_ids_stay_as_they_are(tmp_path):
    ids = ["01", "1", "1.0", " 1", "-7", "99999999999999999999", "NaN", "ü", "日本", "a,b", 'q"q']
    quoted = ['"' + id_.replace('"', '""') + '"' for id_ in ids]
    prepared = table(tmp_path, "u,i\n" + "".join(f"{id_},x\n" for id_ in quoted))
    assert sorted(prepared.user_ids.to_pylist()) == sorted(ids)


def test_positions_without_header(tmp_path):
    prepared = table(
        tmp_path, "x|a|1\n", {"user": 1, "item": 0}, format={"header": False, "separator": "|"}
    )
    assert pairs(prepared) == [("a", "x")]


def test_threshold_and_behaviors(tmp_path):
    text = "u,i,r,b\na,x,3.9,view\na,y,4,view\nb,x, 5 ,buy\n"
    roles = {"user": "u", "item": "i", "rating": "r", "behavior": "b"}
    liked = table(tmp_path, text, roles, filter={"rating_at_least": 4})
    assert pairs(liked) == EXPECTED[1:]
    assert (liked.rows_read, liked.rows_kept) == (3, 2)
    assert pairs(table(tmp_path, text, roles, filter={"behaviors": ["buy"]})) == EXPECTED[2:]


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
    assert pairs(prepared) == [("u", "1", 86_400)]


def test_of_repeats_the_earliest_counts(tmp_path):
    columns = {"user": "u", "item": "i", "time": "t"}
    assert pairs(table(tmp_path, "u,i,t\na,x,7\na,x,5\na,x,6\n", columns)) == [("a", "x", 5)]


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


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("x.zip", b"no archive", "damaged"),
        ("x.zip", zipped({"a.csv": PLAIN * 999})[:-40], "damaged"),
        ("x.zip", zipped({"a.csv": PLAIN, "../b.csv": PLAIN}), "there are: a.csv, ../b.csv"),
        ("x.csv.gz", b"no archive", "damaged"),
        ("x.csv.gz", gzip.compress(PLAIN.encode() * 999)[:-9], "damaged"),
        ("x.csv.bz2", b"no archive", "damaged"),
        ("x.csv.xz", lzma.compress(PLAIN.encode())[:-9], "damaged"),
        ("x.csv.zst", b"no archive", "damaged"),
    ],
)
def test_damaged_archives(tmp_path, name, content, word):
    assert word in error(tmp_path, content, name=name)


def test_wrong_member_lists_those_there(tmp_path):
    message = error(tmp_path, zipped({"a.csv": PLAIN}), name="x.zip", format={"member": "b.csv"})
    assert "no member 'b.csv'; there are: a.csv" in message


def test_lines_are_named_beyond_the_first_block(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "_BLOCK", 64)
    rows = "".join(f"u{row},i\n" for row in range(1000))
    assert "line 1002:" in error(tmp_path, f"u,i\n{rows}u\n")
    assert "line 1002:" in error(tmp_path, f"u,i\n{rows},i\n")


@given(st.text(":a\n", max_size=40), st.integers(1, 5))
def test_separators_across_blocks(text, size):
    stream = SingleSeparator(io.BytesIO(text.encode()), b"::")
    found = b"".join(iter(lambda: stream.read(size), b""))
    assert found == text.encode().replace(b"::", b"\x1f")


def test_adjacency(tmp_path):
    first, second = tmp_path / "train.txt", tmp_path / "test.txt"
    first.write_bytes(b"\xef\xbb\xbf0 5 7 \r\n1\r\n\r\n")
    second.write_bytes(b"0 7 9\n2\t5")
    settings = {"dataset": "toy", "reader": "adjacency"}
    prepared = prepare([first, second], settings)
    assert pairs(prepared) == [("0", "5"), ("0", "7"), ("0", "9"), ("2", "5")]
    assert prepared.interactions.source.tolist() == [0, 0, 1, 1]
    commas = tmp_path / "commas.txt"
    commas.write_text("ann b,x y,z\n")
    batch = next(read_adjacency([commas], {"format": {"separator": ","}}))
    assert (batch.user.to_pylist(), batch.item.to_pylist()) == (["ann b"] * 2, ["x y", "z"])
    for content, word in ((b"", "empty file"), (b"\xff 1\n", "not UTF-8")):
        commas.write_bytes(content)
        with pytest.raises(InputError, match=word):
            prepare([commas], settings)


def test_filter_goes_on_until_both_hold():
    # Item 2 has one pair; without it user 1 has one; without that item 1 has one; and so on.
    user, item = np.array([[0, 0], [0, 1], [1, 1], [1, 2], [2, 0], [2, 3], [3, 0], [3, 3]]).T
    kept = keep_frequent(Pairs(user, item, None, None), 2, 2)
    assert list(zip(kept.user, kept.item, strict=True)) == [(2, 0), (2, 3), (3, 0), (3, 3)]


CELL = st.integers(0, 5)


@given(st.lists(st.tuples(CELL, CELL, st.integers(-9, 9)), min_size=1))
def test_unique_pairs_against_a_dictionary(rows):
    earliest = {}
    for user, item, time in rows:
        earliest[user, item] = min(time, earliest.get((user, item), time))
    user, item, time = np.array(rows, dtype=np.int64).T
    found = unique_pairs(Pairs(user.astype(np.int32), item.astype(np.int32), time, None))
    assert list(zip(found.user, found.item, found.time, strict=True)) == [
        (*pair, earliest[pair]) for pair in sorted(earliest)
    ]
    bare = unique_pairs(Pairs(user.astype(np.int32), item.astype(np.int32), None, None))
    assert np.array_equal(bare.item, found.item)


IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
IDS |= st.integers(-(2**65), 2**65).map(str)
INTEGERS = st.sampled_from(["0", "1", "10", "2", "-3", "01", "-0", "+1", "1.0", "1e1"])
CHUNKS = st.one_of(st.lists(st.lists(ids, max_size=5), min_size=1) for ids in (IDS, INTEGERS))


@given(CHUNKS.filter(any))
def test_numbers_stand_for_their_ids(chunks):
    numbered = number_ids([pa.array(chunk, pa.string()) for chunk in chunks])
    together = [id_ for chunk in chunks for id_ in chunk]
    assert numbered.ids.take(numbered.numbers).to_pylist() == together
    assert numbered.ids.to_pylist() == sorted(set(together))


@given(st.lists(IDS, unique=True))
def test_id_map_is_read_back(tmp_path_factory, ids):
    path = tmp_path_factory.mktemp("ids") / "users.csv"
    save_ids(path, pa.array(ids, pa.string()))
    assert load_ids(path) == ids


def test_command_line(tmp_path, capsys):
    raw = tmp_path / "raw.csv"
    raw.write_text(PLAIN)
    settings = {"dataset": "toy", "reader": "table", "columns": {"user": "u", "item": "i"}}
    names = {
        name: tmp_path / "out" / name for name in ("x.npz", "users.csv", "items.csv", "p.json")
    }
    options = dict(
        zip(("--output", "--users", "--items", "--provenance"), names.values(), strict=True)
    )
    argv = ["--inputs", str(raw), *(f"{key}={path}" for key, path in options.items())]
    assert main([*argv, "--settings", json.dumps(settings)]) == 0
    assert names["users.csv"].read_text() == '"index","id"\n0,"a"\n1,"b"\n'
    assert json.loads(names["p.json"].read_text())["interactions"] == 3
    found = load_interactions(names["x.npz"])
    assert (found.user.dtype, found.user.tolist(), found.item.tolist()) == (
        np.int32,
        [0, 0, 1],
        [0, 1, 0],
    )
    raw.write_text("")
    assert main([*argv, "--settings", json.dumps(settings)]) == 2
    assert capsys.readouterr().err == f"error: {raw}: empty file\n"
