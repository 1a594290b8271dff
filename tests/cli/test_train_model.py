"""The tables and settings that ``hashgnn train`` reads, and how it names what is wrong."""

import gzip
import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from hashgnn.cli import streams
from hashgnn.cli.train_model import read_tables
from hashgnn.data.interactions import load_interactions
from hashgnn.errors import InputError
from hashgnn.recommender.folder import load_record
from tests.cli.conftest import LAYOUT, SETTINGS
from tests.data.files import fed, parquet, zipped
from tests.helpers import run_hashgnn as run

# More than a look at the header takes, and than a pipe holds.
LARGE = "user,item\n" + "".join(f"u{row % 4000},i{row % 61}\n" for row in range(48_000))


OPTIONS = {
    "user": "user",
    "item": "item",
    "header": True,
    "quote": True,
    **dict.fromkeys(("rating", "rating_at_least", "user_interactions", "item_interactions")),
    **dict.fromkeys(("separator", "encoding", "member")),
}


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where copies of pipes go, none of which stays."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.glob("hashgnn-tables-*")) == []


@pytest.mark.parametrize("size", [20, 4096, len(LARGE)])
@pytest.mark.parametrize("name", ["x", "x.tsv", "x.csv.gz", "x.parquet", "x.zip"])
def test_a_pipe_is_read_as_the_file_is(tmp_path: Path, name: str, size: int) -> None:
    """Whatever its name: of what comes from a pipe, only the content tells."""
    content = (LARGE[:size].rpartition("\n")[0] + "\n").encode()
    if name == "x.tsv":
        content = content.replace(b",", b"\t")
    elif name == "x.csv.gz":
        content = gzip.compress(content)
    elif name == "x.zip":
        content = zipped(**{"y.csv": content})
    elif name == "x.parquet":
        content = parquet_of(content)
    (tmp_path / "file").mkdir()
    file = tmp_path / "file" / name
    file.write_bytes(content)
    pipe = fed(tmp_path / name, content)

    expected, sums = read_tables((file,), OPTIONS)
    found, same = read_tables((pipe,), OPTIONS)

    assert same == {str(pipe): sums[str(file)]}
    assert sums[str(file)] == "sha256:" + hashlib.sha256(content).hexdigest()
    assert found.users.text.equals(expected.users.text)
    assert found.items.text.equals(expected.items.text)
    for column in ("user", "item"):
        ours, theirs = (getattr(g.interactions, column) for g in (found, expected))
        assert ours.tolist() == theirs.tolist()


def parquet_of(content: bytes) -> bytes:
    file = io.BytesIO()
    pq.write_table(pyarrow.csv.read_csv(io.BytesIO(content)), file)
    return file.getvalue()


@pytest.mark.parametrize("standard_input", [False, True])
def test_training_from_a_pipe_records_what_was_read(tmp_path: Path, standard_input: bool) -> None:
    table = LARGE.encode()
    pipe = "-" if standard_input else fed(tmp_path / "pipe", table)
    options = ["--method", "mf", "--set", "epochs=1", "--set", "batch_size=8192"]

    ran = run("train", pipe, "--output", tmp_path / "m", *options, given=table)

    assert ran.exit_code == 0, ran.output
    facts = json.loads(run("info", tmp_path / "m", "--json").stdout)
    pairs = set(LARGE.splitlines()[1:])
    assert (facts["users"], facts["interactions"]) == (4000, len(pairs))
    record = json.loads((tmp_path / "m/train.provenance.json").read_text())
    assert record["inputs"] == {str(pipe): f"sha256:{hashlib.sha256(table).hexdigest()}"}


def test_several_tables_and_one_named_twice(tmp_path: Path) -> None:
    one, two = (
        fed(tmp_path / "one", b"user,item\na,x\n"),
        fed(tmp_path / "two", b"user,item\nb,y\n"),
    )
    found, sums = read_tables((one, two, one), OPTIONS)
    assert found.users.text.tolist() == ["a", "b"]
    assert list(sums) == [str(one), str(two)]


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_a_device_is_refused(tmp_path: Path, device: str) -> None:
    ran = run("train", device, "--output", tmp_path / "m")
    assert ran.exit_code == 2
    assert ran.stderr == f"error: {device}: neither a regular file nor a pipe; give one\n"


def test_a_pipe_that_does_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(streams.shutil, "copyfileobj", full)
    with pytest.raises(InputError, match=r"pipe: cannot be copied to .* set TMPDIR"):
        read_tables((fed(tmp_path / "pipe", b"x"),), OPTIONS)


def test_a_file_that_changes_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.csv"
    path.write_text("user,item\na,x\n")

    def meddled(paths: list[Path], settings: Any) -> None:
        path.write_text("user,item\nb,y\nc,z\n")

    monkeypatch.setattr("hashgnn.data.prepare.prepare", meddled)
    with pytest.raises(InputError, match=r"x\.csv: changed while it was read"):
        read_tables((path,), OPTIONS)


ZIP = zipped(**{"a.csv": b"user,item\na,x\n", "b.csv": b"user;item\na;x\nb;x\n"})


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (ZIP, {}, "name the member to read in --member; there are: a.csv, b.csv"),
        (ZIP, {"member": "c.csv"}, "no member 'c.csv'"),
        (b"user,item\n\xff,x\n", {}, "set --encoding"),
        (b"user,item\na,x\n", {"encoding": "no"}, "--encoding 'no': no such encoding"),
        (b'user,item\na,"x\nb,y\n', {}, "set --no-quote if quotes are ordinary"),
        (b"a,x\n", {"header": False}, "--user is 'user', but with --no-header"),
        (b"user,item\na,x\n", {"separator": ""}, "--separator is empty"),
        (b"user,item\na,x\n", {"separator": "\n"}, "--separator is '\\n'"),
        (b"user,item\na,x\n", {"rating_at_least": 3}, "--rating-at-least needs to know the"),
        (b"user,item\na,x\n", {"item": "user"}, "--user and --item are the same column"),
        (b"user,item\na,x\nb\n", {}, "line 3: Expected 2 columns, got 1"),
        (b"", {}, "empty file"),
        (b"user,item\n", {}, "the data hold no interactions"),
    ],
)
@pytest.mark.parametrize("piped", [False, True])
def test_errors_name_what_was_given(
    tmp_path: Path, content: bytes, options: dict[str, Any], words: str, piped: bool
) -> None:
    path = tmp_path / "x.dat"
    if piped:
        fed(path, content)
    else:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_tables((path,), OPTIONS | options)
    message = str(caught.value)
    assert words in message
    assert not [word for word in ("format.", "columns.", "filter.", "scratch") if word in message]
    assert str(path) in message or message.startswith("--")


def test_the_options_that_errors_name_are_there(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(ZIP)
    help_text = run("train", "--help").stdout
    for option in ("--member", "--encoding", "--no-quote", "--no-header", "--rating-at-least"):
        assert option in help_text
    found, _ = read_tables((path,), OPTIONS | {"member": "b.csv", "separator": ";"})
    assert found.users.text.tolist() == ["a", "b"]


def test_names_come_before_positions(tmp_path: Path) -> None:
    """As pandas writes a frame whose columns have no names."""
    path = tmp_path / "x.csv"
    path.write_text(",0,1\n0,a,x\n1,b,y\n")
    found, _ = read_tables((path,), OPTIONS | {"user": "0", "item": "1"})
    assert (found.users.text.tolist(), found.items.text.tolist()) == (["a", "b"], ["x", "y"])
    path.write_bytes(parquet())
    found, _ = read_tables((path,), OPTIONS | {"user": "1", "item": "0"})
    assert found.users.text.tolist() == ["x", "y"]


@pytest.mark.parametrize(
    "changes",
    [
        ["--set=guidance={floor: 0.4}"],
        ["--set=guidance.floor=0.4"],
        ["--set=guidance={step: 0.1, floor: 0.4}", "--set=guidance={step: 0.05}"],
    ],
)
def test_a_nested_setting_given_in_part_keeps_the_rest(
    folder: Path, tmp_path: Path, changes: list[str]
) -> None:
    table = folder.parent / "clicks.csv"
    few = [*SETTINGS, "--set=epochs=1", *changes]
    ran = run("train", table, *LAYOUT, *few, "--output", tmp_path / "model")
    assert ran.exit_code == 0, ran.output

    whole, partly = (load_record(made)["settings"] for made in (folder, tmp_path / "model"))
    expected = {**whole["parameters"]["guidance"], "floor": 0.4}
    assert partly["parameters"]["guidance"] == expected


@pytest.fixture
def described(tmp_path: Path) -> tuple[Path, Path]:
    """Clicks of 30 users with counts, and goods, of which the last has no clicks."""
    clicks, goods = tmp_path / "clicks.csv", tmp_path / "goods.csv"
    rows = [f"u{user},i{item},{item + 1}" for user in range(30) for item in range(user % 3, 12)]
    clicks.write_text("\n".join(["user,item,n", *rows]) + "\n")
    goods.write_text("item,color\n" + "".join(f"i{n},c{n % 3}\n" for n in range(13)))
    return clicks, goods


SHORT = ("--bits", "8", "--set", "epochs=1", "--no-refit")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ((), "repeated rows dropped  3\n"),
        (("--weight", "n"), "repeated rows added up  3\n"),
        # Of the items that are kept, that is of the rows that the core leaves: all the same.
        (("--item-interactions", "11"), "repeated rows dropped  3\n"),
    ],
)
def test_the_summary_counts_repeated_rows(
    described: tuple[Path, Path], tmp_path: Path, options: tuple[str, ...], line: str
) -> None:
    clicks, _ = described
    run_once = ("--method", "als", *SHORT, *options)
    assert "repeated" not in run("train", clicks, "--output", tmp_path / "m", *run_once).stdout

    clicks.write_text(clicks.read_text() + "u0,i0,1\nu0,i0,1\nu5,i2,9\n")
    ran = run("train", clicks, "--output", tmp_path / "again", *run_once)
    assert line in ran.stdout


def test_weights_are_a_column(described: tuple[Path, Path], tmp_path: Path) -> None:
    clicks, _ = described
    weighed = ("--weight", "n", "--method", "als", *SHORT)
    assert run("train", clicks, "--output", tmp_path / "m", *weighed).exit_code == 0
    assert load_interactions(tmp_path / "m/interactions.npz").weight is not None

    clicks.write_text(clicks.read_text().replace(",5\n", ",-5\n", 1))
    ran = run("train", clicks, "--output", tmp_path / "other", *weighed)
    line = clicks.read_text().split("\n").index("u0,i4,-5") + 1
    assert ran.stderr == f"error: {clicks}, line {line}: expected a weight above 0, got '-5'\n"
    ran = run("train", clicks, "--output", tmp_path / "other", "--weight", "count", *SHORT)
    assert "no column 'count' for weight" in ran.stderr


def test_features_are_tables(described: tuple[Path, Path], tmp_path: Path) -> None:
    clicks, goods = described
    options = ("--output", tmp_path / "m", "--item-features", goods, *SHORT)
    assert run("train", clicks, *options).exit_code == 0
    inputs = load_record(tmp_path / "m")["inputs"]
    assert list(inputs) == [str(clicks), str(goods)]
    found = run("recommend", tmp_path / "m", "--user", "u0", "-n", "13").stdout
    assert "i12" in found

    today, new = tmp_path / "today.csv", tmp_path / "new.csv"
    today.write_text("user,item\nu1,i99\n")
    ran = run("update", tmp_path / "m", today)
    assert (ran.exit_code, ran.stderr.count("\n")) == (2, 1)
    assert ran.stderr.startswith("error: item_features: new item 'i99'; the model was trained with")
    new.write_text("item,color\ni99,c1\n")
    ran = run("update", tmp_path / "m", today, "--item-features", new)
    assert ran.stdout == "1 new interactions, 0 new users, 1 new items\n"

    goods.write_text("item,color\ni0,c1\n")
    ran = run("train", clicks, *options, "--overwrite")
    assert ran.stderr.startswith(
        f"error: {goods}: no row for item 'i1', 'i10', 'i11' and 8 more; give"
    )


MOVIELENS = Path(os.environ.get("HASHGNN_MIRROR", "."), "movielens/ml-1m.zip")


# The data may not be redistributed, so they are not in the repository.
@pytest.mark.slow
@pytest.mark.skipif(
    not MOVIELENS.exists(),
    reason="no MovieLens-1M: set HASHGNN_MIRROR to a mirror that holds movielens/ml-1m.zip",
)
def test_movielens_from_table_to_recommendations(tmp_path: Path) -> None:
    """Trained on 70 % of MovieLens, it finds more of the rest than popularity does."""
    with zipfile.ZipFile(MOVIELENS) as archive, archive.open("ml-1m/ratings.dat") as file:
        names = ["user", "item", "stars", "time"]
        ratings = pd.read_csv(file, sep="::", names=names, engine="python", dtype=str)
    test = np.random.default_rng(0).random(len(ratings)) < 0.3
    known, held_out = ratings[~test], ratings[test]
    known.to_csv(tmp_path / "known.tsv", sep="\t", index=False)

    assert (
        run("train", tmp_path / "known.tsv", "--set=epochs=6", "--output", tmp_path / "m").exit_code
        == 0
    )
    ran = run("recommend", tmp_path / "m", "-n", "50", "--output", tmp_path / "found.csv")
    assert ran.exit_code == 0, ran.output

    found = pd.read_csv(tmp_path / "found.csv", dtype={"user": str, "item": str})
    assert found.groupby("user").size().eq(50).all()
    assert found.merge(known, on=["user", "item"]).empty
    popular = known.item.value_counts().index
    seen = known.groupby("user").item.agg(set)
    rows = [(u, i) for u in seen.index for i in [p for p in popular if p not in seen[u]][:50]]
    baseline = pd.DataFrame(rows, columns=["user", "item"])
    assert recall(found, held_out) > 1.2 * recall(baseline, held_out)


def recall(found: pd.DataFrame, held_out: pd.DataFrame) -> float:
    hits = found.merge(held_out, on=["user", "item"]).groupby("user").size()
    return float((hits / held_out.groupby("user").size()).fillna(0).mean())
