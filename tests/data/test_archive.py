"""Files under any name, compressed and in archives: the table in them, or one error."""

import bz2
import gzip
import lzma
import os
from pathlib import Path

import pytest

from hashgnn.data.archive import describe_data, open_data
from hashgnn.data.download import fetch
from hashgnn.data.prepare import main
from hashgnn.errors import InputError
from hashgnn.experiment.resources import raw_rows
from tests.data.files import (
    CSV,
    LITTER,
    ROWS,
    TSV,
    error,
    fed,
    pairs,
    parquet,
    read,
    refusal,
    tarred,
    told,
    zipped,
    zstd,
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("S.PARQUET", parquet()),
        ("s.pq", parquet()),
        ("df.parquet.gzip", parquet("gzip")),  # as in the documentation of pandas: no gzip file
        ("df.parquet.gzip", gzip.compress(parquet())),
        ("df.snappy.parquet", parquet("snappy")),
        ("df.parquet.zstd", parquet("zstd")),
        ("no suffix", parquet()),
        ("S.CSV", CSV),
        ("S.CSV.GZ", gzip.compress(CSV)),
        ("s.csv.gzip", gzip.compress(CSV)),
        ("s.Csv.Bz2", bz2.compress(CSV)),
        ("s.CSV.XZ", lzma.compress(CSV)),
        ("s.csv.zstd", zstd(CSV)),
        ("s.csv.ZST", zstd(CSV)),
        *((f"no suffix {n}", pack(CSV)) for n, pack in enumerate((gzip.compress, bz2.compress))),
        *((f"no suffix {n}", pack(CSV)) for n, pack in enumerate((lzma.compress, zstd), start=2)),
        ("S.TSV", TSV),
        ("S.Tab", TSV),
        ("s.TSV.GZ", gzip.compress(TSV)),
        ("a.zip", zipped(**{"x.parquet": parquet()})),
        ("A.ZIP", zipped(**{"d/X.TSV": TSV})),
        ("no suffix 4", zipped(**{"x.csv": CSV})),
        ("a.zip", zipped(**{"x.tsv.gz": gzip.compress(TSV)})),
        ("a.zip", zipped(**{"b.zip": zipped(**{"x.tsv": TSV})})),
        ("a.csv.gz", gzip.compress(gzip.compress(CSV))),
        ("a.zip", zipped(**LITTER, **{"d/x.tsv": TSV})),
    ],
    ids=told,
)
def test_the_name_and_the_content_tell_the_form(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    assert pairs(read(path)) == ROWS
    assert raw_rows(path, {"reader": "table"}) >= 0


def test_a_file_of_text_that_begins_as_others_do_stays_text(tmp_path: Path) -> None:
    for start in ("PAR1", "BZh9", "PK", "Rar!"):
        path = tmp_path / "x.csv"
        path.write_text(f"{start},u,i\n1,a,x\n2,a,y\n3,b,x\n")
        assert pairs(read(path)) == ROWS


def test_a_hidden_member_may_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped(**{".hidden.tsv": TSV, "x.csv": b"?"}))
    assert pairs(read(path, member=".hidden.tsv")) == ROWS


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.zip", zipped(**{"a.csv": CSV, "b.csv": CSV}), "format.member; there are: a.csv, b.csv"),
        ("a.zip", zipped(**LITTER), "format.member; there are: none"),
        ("a.tar.gz", tarred(CSV), "is a tar archive"),
        ("a.csv.gz", CSV, "damaged or not what its name says"),
        ("a.parquet", CSV, "cannot be read as Parquet"),
        ("a.parquet", parquet()[:-9], "cannot be read as Parquet"),
        ("a.zip", zipped(**{"a.csv.gz": gzip.compress(CSV)[:-5]}), "damaged"),
    ],
    ids=told,
)
def test_what_cannot_be_read_is_one_line(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    message = refusal(path)
    assert words in message
    assert message.startswith(f"{path}: ")


def test_layers_without_end_are_not_followed(tmp_path: Path) -> None:
    content = CSV
    for _ in range(5):
        content = gzip.compress(content)
    (tmp_path / "x.gz").write_bytes(content)
    assert "more than 4 times" in refusal(tmp_path / "x.gz")


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xe9"))
    path.write_bytes(parquet())
    assert pairs(read(path)) == ROWS


@pytest.fixture(params=["x", "x.csv", "x.csv.gz", "x.parquet", "x.zip", "x.txt"])
def pipe(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A pipe that somebody writes into."""
    return fed(tmp_path / request.param, CSV)


def test_a_pipe_is_refused_where_it_would_be_read_twice(
    pipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for reader in ("table", "adjacency"):
        assert refusal(pipe, reader).startswith(f"{pipe}: is no regular file")
    with pytest.raises(InputError, match="no regular file"), open_data(pipe):
        pass
    with pytest.raises(InputError, match="no regular file"):
        describe_data(pipe)
    assert raw_rows(pipe, {"reader": "table"}) == 0
    outputs = [f"--{name}={pipe.parent / name}" for name in ("output", "users", "items")]
    settings = '{"dataset": "toy", "reader": "adjacency"}'
    assert main(["--inputs", str(pipe), *outputs, "--settings", settings]) == 2
    assert capsys.readouterr().err.startswith(f"error: {pipe}: is no regular file")


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_devices_are_refused(tmp_path: Path, device: str) -> None:
    assert "is no regular file" in refusal(Path(device))
    with pytest.raises(InputError, match="is no regular file"):
        fetch(device, tmp_path / "target")


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("x.zip", b"no archive", "damaged"),
        ("x.zip", zipped(**{"a.csv": CSV * 999})[:-40], "damaged"),
        ("x.zip", zipped(**{"a.csv": CSV, "../b.csv": CSV}), "there are: a.csv, ../b.csv"),
        ("x.csv.gz", b"no archive", "damaged"),
        ("x.csv.gz", gzip.compress(CSV * 999, mtime=0)[:-9], "damaged"),
        ("x.csv.bz2", b"no archive", "damaged"),
        ("x.csv.xz", lzma.compress(CSV)[:-9], "damaged"),
        ("x.csv.zst", b"no archive", "damaged"),
    ],
)
def test_damaged_archives(tmp_path, name, content, word):
    assert word in error(tmp_path, content, name=name)


def test_wrong_member_lists_those_there(tmp_path):
    message = error(tmp_path, zipped(**{"a.csv": CSV}), name="x.zip", format={"member": "b.csv"})
    assert "no member 'b.csv'; there are: a.csv" in message
