import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from hashgnn.evaluation.statistics import user_values
from hashgnn.files import save_arrays
from hashgnn.reporting import records
from hashgnn.reporting.records import main, pack, unpack
from hashgnn.stage.record import describe_outputs, job_digest, read_record, write_record

CODE = "0123456789abcdef hashgnn.models.m"


def record(path: Path, *outputs: str, commit: str = "c0", **facts: Any) -> None:
    """Write the provenance of files beside it, as a stage does."""
    made = {
        "command": ["/home/me/python", "-m", "hashgnn.models.m", "--code", CODE],
        "settings": {"epochs": 1},
        "outputs": describe_outputs(path, [path.parent / name for name in outputs]),
        "machine": {"processor": "P"},
        "git_commit": commit,
        "finished": "2026-01-01T00:00:00Z",
        "seconds": 2.0,
        "cpu_seconds": 3.0,
        "peak_memory_mb": 100,
        **facts,
    }
    write_record(path, made)


def train(results: Path, seed: int, rate: float, commit: str = "c0") -> Path:
    """Write the results of a training of three users and return their folder."""
    folder = results / f"m/bits8/seed{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.csv").write_text(f"value\n{rate}\n")
    (folder / "history.csv").write_text("epoch,loss\n0,1\n")
    np.save(folder / "item_codes.npy", np.zeros((2, 1), np.uint8))
    save_arrays(
        folder / "per_user.npz",
        values=np.arange(2 * 2 * 2 * 3, dtype=np.float32).reshape(2, 2, 2, 3) + seed,
        searches=np.array(["hamming", "continuous"]),
        metrics=np.array(["ndcg", "hr"]),
        cutoffs=np.array([20, 50]),
    )
    record(folder / "train.provenance.json", "history.csv", "item_codes.npy", commit=commit)
    record(folder / "evaluate.provenance.json", "metrics.csv", "per_user.npz", commit=commit)
    return folder


@pytest.fixture
def results(tmp_path: Path) -> Path:
    made = tmp_path / "results/d"
    train(made, 0, 0.5)
    record(made / "prepare.provenance.json", source="/home/me/data.zip")
    return made


def test_what_is_restored_is_what_was_packed_without_codes(results: Path, tmp_path: Path) -> None:
    run, again = results / "m/bits8/seed0", tmp_path / "again"

    assert pack(results, tmp_path / "d.parquet") == 1
    assert unpack(tmp_path / "d.parquet", again) == 6

    restored = again / "m/bits8/seed0"
    for name in ("metrics.csv", "history.csv"):
        assert (restored / name).read_bytes() == (run / name).read_bytes()
    assert not (restored / "item_codes.npy").exists()
    for search in ("hamming", "continuous"):
        old, new = (user_values(f / "per_user.npz", search, "hr", 50) for f in (run, restored))
        np.testing.assert_array_equal(old, new)
    times = {path.stat().st_mtime_ns for path in again.rglob("*.*")}
    assert len(times) == 1  # no result is newer than another


def test_results_on_the_validation_part_are_kept_too(results: Path, tmp_path: Path) -> None:
    run = results / "m/bits8/seed0"
    (run / "validation").mkdir()
    for name in ("metrics.csv", "per_user.npz"):
        (run / "validation" / name).write_bytes((run / name).read_bytes())
    record(run / "validation/evaluate.provenance.json", "metrics.csv", "per_user.npz")

    assert pack(results, tmp_path / "d.parquet") == 1
    unpack(tmp_path / "d.parquet", tmp_path / "again")

    restored = tmp_path / "again/m/bits8/seed0/validation"
    assert (restored / "metrics.csv").read_bytes() == (run / "metrics.csv").read_bytes()
    assert sorted(path.name for path in restored.iterdir()) == [
        "evaluate.provenance.json",
        "metrics.csv",
        "per_user.npz",
    ]


def test_restored_provenance_holds_and_names_no_folder(results: Path, tmp_path: Path) -> None:
    pack(results, tmp_path / "d.parquet")
    unpack(tmp_path / "d.parquet", tmp_path / "again")

    record = tmp_path / "again/m/bits8/seed0/evaluate.provenance.json"
    found = read_record(record)  # refuses one whose checksum is wrong
    assert found["code"] == CODE
    assert found["outputs"] == describe_outputs(
        record, [record.parent / name for name in ("metrics.csv", "per_user.npz")]
    )
    assert not [
        path for path in (tmp_path / "again").rglob("*.json") if "/home" in path.read_text()
    ]


def test_parts_are_joined_and_newer_ones_replace(results: Path, tmp_path: Path) -> None:
    file, elsewhere = tmp_path / "d.parquet", tmp_path / "elsewhere"
    pack(results, file)
    train(elsewhere, 1, 0.7, "c1")
    (train(elsewhere, 0, 0.6, "c2") / "history.csv").unlink()

    assert pack(elsewhere, file) == 2

    rows = {row["path"]: row for row in parquet.read_table(file).to_pylist()}
    assert rows["m/bits8/seed0/metrics.csv"]["content"] == b"value\n0.6\n"
    assert rows["m/bits8/seed0/metrics.csv"]["commit"] == "c2"
    assert "m/bits8/seed0/history.csv" not in rows
    assert rows["m/bits8/seed1/metrics.csv"]["commit"] == "c1"
    assert rows["prepare.provenance.json"]["commit"] == "c0"


def test_packing_again_makes_the_same_bytes(results: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one.parquet", "other.parquet")]
    for file in files:
        pack(results, file)
    pack(tmp_path / "results/d", files[1])
    assert files[0].read_bytes() == files[1].read_bytes()


def test_trainings_of_the_same_code_and_settings_are_compared(
    results: Path, tmp_path: Path, capsys: Any
) -> None:
    train(results, 1, 0.25)
    train(results, 2, 0.25)
    kept, again = tmp_path / "kept", tmp_path / "again"
    pack(results, kept / "d.parquet")
    train(again / "d", 0, 0.5, "c1")
    other = train(again / "d", 1, 0.375)
    np.save(other / "item_codes.npy", np.ones((2, 1), np.uint8))
    record(other / "train.provenance.json", "history.csv", "item_codes.npy")
    changed = train(again / "d", 2, 0.5)
    record(changed / "train.provenance.json", "item_codes.npy", settings={"epochs": 2})

    assert main(["compare", "--results", str(again), "--with", str(kept)]) == 0

    found = pd.read_csv(kept / records.AGAIN).set_index("result")
    columns = ["same_codes", "largest_difference"]
    assert found[columns].T.to_dict("list") == {
        "m/bits8/seed0": [True, 0.0],
        "m/bits8/seed1": [False, 0.125],
    }
    assert "2 trainings: 1 with the same codes; metrics within 0.12" in capsys.readouterr().out
    assert main(["unpack", "--from", str(kept), "--results", str(tmp_path / "pages")]) == 0
    assert (tmp_path / "pages/again.csv").read_bytes() == (kept / records.AGAIN).read_bytes()


def test_nothing_to_compare_is_said(results: Path, tmp_path: Path, capsys: Any) -> None:
    pack(results, tmp_path / "kept/d.parquet")

    assert main(["compare", "--results", str(tmp_path), "--with", str(tmp_path / "kept")]) == 2
    assert "has no training that" in capsys.readouterr().err


def command(tmp_path: Path, *arguments: str) -> int:
    return main([*arguments, "--results", str(tmp_path / "results")])


def test_an_altered_result_is_not_packed(results: Path, tmp_path: Path, capsys: Any) -> None:
    (results / "m/bits8/seed0/metrics.csv").write_text("value\n0.9\n")

    assert command(tmp_path, "pack", "--into", str(tmp_path / "kept")) == 2
    assert "metrics.csv: altered or damaged since it was made" in capsys.readouterr().err
    assert not (tmp_path / "kept").exists()


def test_other_results_are_not_overwritten(results: Path, tmp_path: Path, capsys: Any) -> None:
    pack(results, tmp_path / "kept/d.parquet")
    restore = ["unpack", "--from", str(tmp_path / "kept"), "--results", str(tmp_path / "again")]
    assert main(restore) == 0
    assert main(restore) == 0  # the same ones are no obstacle
    altered = tmp_path / "again/d/m/bits8/seed0/metrics.csv"
    altered.write_text("value\n0.9\n")

    assert main(restore) == 2
    assert "seed0/metrics.csv: differs from the record in" in capsys.readouterr().err
    assert altered.read_text() == "value\n0.9\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PAR1 damaged", "not a file of records"),
        ("../../.bashrc", "leads out of the folder of results"),
        ("/etc/passwd", "leads out of the folder of results"),
    ],
)
def test_bad_records_are_refused(
    content: bytes | str, message: str, tmp_path: Path, capsys: Any
) -> None:
    file = tmp_path / "kept/d.parquet"
    file.parent.mkdir()
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        row = dict.fromkeys(("commit", "processor", "finished"), "")
        parquet.write_table(pa.Table.from_pylist([{"path": content, **row, "content": b""}]), file)

    assert command(tmp_path, "unpack", "--from", str(file.parent)) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("results/d/prepare.provenance.json", ("d", "", "prepare")),
        ("results/d/m/bits8/seed0/train.provenance.json", ("d", "m/bits8/seed0", "train")),
        ("results/d/triplets5/seed0.provenance.json", ("d", "triplets5/seed0", "triplets")),
    ],
)
def test_a_record_tells_data_set_result_and_stage(
    path: str, expected: tuple[str, str, str]
) -> None:
    assert records._made(Path(path)) == expected


def listed(tmp_path: Path, planned: str, stale: str) -> int:
    made = "results/d/m/bits8/seed0/train.provenance.json"
    settings = {"planned": {made: planned}, "stale": stale}
    outputs = [f"--{kind}={tmp_path}/p.{kind}" for kind in ("csv", "md", "html")]
    return records.provenance([made, "--settings", json.dumps(settings), *outputs])


def test_results_of_other_code_or_settings_are_refused_or_marked(
    results: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    present = job_digest(CODE, {"epochs": 1})

    assert listed(tmp_path, present, "fail") == 0
    assert (tmp_path / "p.csv").read_text().splitlines() == [
        ",".join(records.COLUMNS),
        "d,m/bits8/seed0,train,True,c0,P,,2026-01-01T00:00:00Z,2.0,3.0,100",
    ]
    for other in (
        job_digest(CODE, {"epochs": 2}),
        job_digest("f00 hashgnn.models.m", {"epochs": 1}),
    ):
        assert listed(tmp_path, other, "fail") == 2
        assert "d/m/bits8/seed0 (train)" in capsys.readouterr().err
        assert listed(tmp_path, other, "report") == 0
        assert ",False,c0," in (tmp_path / "p.csv").read_text()
