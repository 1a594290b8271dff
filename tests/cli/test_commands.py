"""The hashgnn command on tiny data: what comes out, and how it fails."""

import dataclasses
import errno
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import faiss
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from hashgnn import HashGNN
from hashgnn.cli.main import main
from hashgnn.recommender.folder import load_model, load_record
from hashgnn.search import Index
from tests.recommender.conftest import GROUPS, ITEMS, SMALL

LAYOUT = ["--separator", ";", "--no-header", "--user", "1", "--item", "2"]
SETTINGS = [f"--set={key}={json.dumps(value)}" for key, value in SMALL.items()]


def run(*arguments: str | Path, given: str = "") -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)), input=given)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that ``hashgnn train`` made from a table with ids of odd text."""
    root = tmp_path_factory.mktemp("cli")
    rng = np.random.default_rng(0)
    table = "".join(
        f"{1 + item % 2};käufer {user};{ITEMS * (user % GROUPS) + item:03d}\n"
        for user in range(300)
        for item in range(ITEMS)
        if rng.random() < 0.6
    )
    (root / "clicks.csv").write_text(table, encoding="utf-8")
    ran = run("train", root / "clicks.csv", *LAYOUT, *SETTINGS, "--output", root / "model")
    assert ran.exit_code == 0, ran.output
    return root / "model"


def test_recommend_answers_as_the_model_does(folder: Path) -> None:
    ran = run("recommend", folder, "--user", "käufer 7", "--user", "käufer 2", "-n", "4")

    found = pd.read_csv(io.StringIO(ran.stdout), dtype={"item": str})
    expected = HashGNN.load(folder).recommend(["käufer 7", "käufer 2"], n=4)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-6)
    assert all(item.startswith("04") or item.startswith("05") for item in found.item[:4])


def test_recommend_reads_users_and_writes_json_lines(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "new/out.jsonl"
    options = ["--users", "-", "-n", "2", "--format", "jsonl", "--search", "hamming"]

    ran = run("recommend", folder, *options, "--output", output, given="käufer 1\n\nkäufer 0\n")

    assert (ran.exit_code, ran.stdout) == (0, "")
    lines = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [line["user"] for line in lines] == ["käufer 1", "käufer 0"]
    expected = HashGNN.load(folder).recommend(["käufer 1"], n=2, search="hamming")
    assert lines[0]["items"] == expected.item.tolist()
    assert lines[0]["scores"] == expected.score.tolist()


def test_recommend_serves_everybody_by_default(folder: Path) -> None:
    rows = run("recommend", folder, "-n", "3", "--include-known").stdout.splitlines()

    assert rows[0] == "user,item,rank,score"
    assert len(rows) == 1 + 3 * 300


def test_faiss_loads_the_export_and_finds_the_same_neighbours(folder: Path, tmp_path: Path) -> None:
    ran = run("export", folder, "--output", tmp_path, "--format", "faiss", "--format", "numpy")
    assert ran.exit_code == 0, ran.output

    peer = faiss.read_index_binary(str(tmp_path / "items.faiss"))
    codes = np.load(tmp_path / "user_codes.npy")
    ids = np.load(tmp_path / "item_ids.npy")
    distances, rows = peer.search(codes, 15)

    model = load_model(folder)
    mine, expected = model.index.hamming(np.asarray(model.users.codes), 15)
    np.testing.assert_array_equal(distances, expected)
    for user, distance in enumerate(distances):
        inside = distance < distance[-1]  # the last level is cut, each in its own way
        theirs = set(ids[rows[user][inside]])
        assert theirs == set(model.item_ids.at(mine[user][inside]))


def test_the_exported_index_is_mapped_into_memory_and_answers_alike(
    folder: Path, tmp_path: Path
) -> None:
    assert run("export", folder, "--output", tmp_path, "--format", "index").exit_code == 0

    index, model = Index.load(tmp_path / "index"), load_model(folder)
    assert isinstance(index.planes, np.memmap)
    wanted = model.users.rows(np.array([0, 7]))
    for mine, expected in zip(
        index.hierarchical(*wanted, k=5), model.index.hierarchical(*wanted, k=5), strict=True
    ):
        np.testing.assert_array_equal(mine, expected)
    ids = np.load(tmp_path / "item_ids.npy")
    np.testing.assert_array_equal(ids, model.item_ids.at(np.arange(len(index))))


def test_parquet_and_numpy_hold_the_same(folder: Path, tmp_path: Path) -> None:
    assert run("export", folder, "--output", tmp_path).exit_code == 0

    for side in ("user", "item"):
        table = pq.read_table(tmp_path / f"{side}s.parquet")
        arrays = {kind: np.load(tmp_path / f"{side}_{kind}.npy") for kind in ("ids", "codes")}
        assert table["id"].to_pylist() == arrays["ids"].tolist()
        assert b"".join(table["code"].to_pylist()) == arrays["codes"].tobytes()
        vectors = np.array(table["vector"].to_pylist(), np.float32)
        np.testing.assert_array_equal(vectors, np.load(tmp_path / f"{side}_vectors.npy"))


def test_info_tells_how_a_model_came_to_be(folder: Path) -> None:
    facts = json.loads(run("info", folder, "--json").stdout)

    assert facts["data set"] == "clicks.csv"
    assert facts["method"] == "hashgnn.models.hashgnn"
    assert (facts["bits"], facts["users"], facts["items"]) == (32, 300, GROUPS * ITEMS)
    assert 1 <= facts["best epoch"] <= SMALL["epochs"]
    assert 0.5 < facts["validation HR@50"] <= 1
    assert facts["versions"]["numpy"] == np.__version__
    text = run("info", folder).stdout
    assert "\nusers             300\n" in text
    assert "item_codes.npy 528" in text  # 100 codes of 4 bytes and a header of 128


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["recommend", "{folder}", "--user", "x"], 2, "error: unknown user: 'x'; the model knows"),
        (["recommend", "{folder}", "-n", "0"], 2, "'-n': 0 is not in the range x>=1"),
        (
            ["recommend", "{empty}"],
            2,
            "error: {empty}: not a result folder, as train.prov",
        ),
        (["recommend", "{empty}/none"], 2, "Directory '{empty}/none' does not exist"),
        (["train", "{clicks}", "--output", "{folder}"], 2, "holds a model; choose another folder"),
        (["train", "{clicks}", "--output", "{empty}"], 2, "no column 'user' for user; there are:"),
        (["train", "{clicks}", "--output", "x", "--set", "epochs"], 2, "'epochs' is not KEY=VALUE"),
        (["train", "{clicks}", "--output", "x", "--set", "=3"], 2, "'=3' is not KEY=VALUE"),
        (
            ["train", "{clicks}", *LAYOUT, "--output", "x", "--set", "learning_rate=1e-3"],
            2,
            "error: parameters.learning_rate: expected a number, got '1e-3', which is a text: "
            "write 1.0e-3 without quotes",
        ),
        (
            ["train", "{clicks}", *LAYOUT, "--output", "x", "--set", "scale.x=1"],
            2,
            "error: scale.x: scale is 0.25, which has no settings in it",
        ),
        (["train", "{clicks}", "--output", "x", "--bits", "0"], 2, "error: bits: expected 1 or"),
        (["train", "{clicks}", "--output", "x", "--seed", "-1"], 2, "error: seed: expected 0 or"),
        (
            ["train", "{clicks}", "--output", "x", "--validation", "nan"],
            2,
            "error: validation: expected a finite number, got nan",
        ),
        (
            ["train", "{clicks}", "--output", "x", "--method", "hashgn"],
            2,
            "did you mean hashgnn?",
        ),
        (["train", "{clicks}"], 2, "Missing option '--output'"),
        (
            ["train", "{clicks}", "--output", "x", "--set", "guidance={{floor: 0.1, floor: 0.2}}"],
            2,
            "--set guidance, line 1",
        ),
        (["export", "{folder}", "--output", "/proc/none"], 1, "No such file or directory"),
        (["inform"], 2, "No such command 'inform'"),
    ],
)
def test_failures_are_one_line_and_a_status(
    folder: Path, tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    named = {"folder": folder, "empty": tmp_path, "clicks": folder.parent / "clicks.csv"}

    ran = run(*(argument.format(**named) for argument in arguments))

    assert ran.exit_code == status
    last = ran.stderr.splitlines()[-1]
    assert message.format(**named) in last


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


@pytest.mark.parametrize(
    ("command", "called", "rest"),
    [
        (
            "train",
            "fitting.fit",
            "; a training goes on from its last saved state, if any",
        ),
        ("recommend", "folder.load_model", ""),
    ],
)
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_an_interrupted_command_says_how_to_go_on(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    called: str,
    rest: str,
    number: int,
    status: int,
) -> None:
    def stopped(*given: object) -> None:
        os.kill(os.getpid(), number)
        time.sleep(5)

    monkeypatch.setattr(f"hashgnn.recommender.{called}", stopped)
    layout = ["--separator", ";", "--no-header", "--user", "1", "--item", "2"]
    train = [folder.parent / "clicks.csv", *layout, "--output", tmp_path / "new"]

    ran = run(command, *(train if command == "train" else [folder]))

    assert ran.exit_code == status
    assert ran.stderr == f"error: interrupted: give the same command again{rest}\n"


EXPECTED = ["user,item,rank,score", "käufer 1,"]


def test_output_goes_into_a_pipe(folder: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        ran = run("recommend", folder, "--user", "käufer 1", "-n", "1", "--output", pipe)
        assert ran.exit_code == 0, ran.output
        written = reader.communicate()[0].decode().splitlines()
    assert [line[: len(start)] for line, start in zip(written, EXPECTED, strict=True)] == EXPECTED
    assert pipe.is_fifo()


def test_output_goes_into_a_process(folder: Path, tmp_path: Path) -> None:
    """As bash's ``--output >(gzip > x.gz)`` does, by the number of an open pipe."""
    read, write = os.pipe()
    ran = run("recommend", folder, "--user", "käufer 1", "-n", "1", "--output", f"/dev/fd/{write}")
    os.close(write)
    assert ran.exit_code == 0, ran.output
    with os.fdopen(read, encoding="utf-8") as file:
        written = file.read().splitlines()
    assert [line[: len(start)] for line, start in zip(written, EXPECTED, strict=True)] == EXPECTED


def test_output_follows_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("real.csv")
    ran = run("recommend", folder, "--user", "käufer 1", "--output", tmp_path / "link.csv")
    assert ran.exit_code == 0, ran.output
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text(encoding="utf-8").startswith(EXPECTED[0])


def test_an_export_replaces_another_as_a_whole(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids of one model beside the index of another would answer, and wrongly."""
    assert run("export", folder, "--output", tmp_path, "--format", "index").exit_code == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    Index.load(tmp_path / "index")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "index")

    monkeypatch.setattr(Index, "save", full)
    ran = run("export", folder, "--output", tmp_path, "--format", "index")
    assert (ran.exit_code, ran.stderr) == (1, "error: index: No space left on device\n")
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.fixture
def other(folder: Path, tmp_path: Path) -> Path:
    """A model of the same items whose record differs."""
    made = HashGNN.load(folder)
    model = made.model_
    made.model_ = dataclasses.replace(model, record={**model.record, "seconds": 0.0})
    made.save(tmp_path / "other")
    return tmp_path / "other"


def test_exports_of_one_model_stand_beside_each_other_and_no_others(
    folder: Path, other: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for name in ("index", "parquet"):
        assert run("export", folder, "--output", out, "--format", name).exit_code == 0
    assert {"index", "item_ids.npy", "items.parquet"} < {path.name for path in out.iterdir()}

    assert run("export", other, "--output", out, "--format", "parquet").exit_code == 0

    left = {path.name for path in out.rglob("*") if path.is_file() and path.name[0] != "."}
    assert left == {"export.json", "items.parquet", "users.parquet"}


def test_no_export_goes_into_a_model(folder: Path) -> None:
    ran = run("export", folder, "--output", folder, "--format", "parquet")
    assert ran.exit_code == 2
    assert ran.stderr == f"error: {folder}: holds a model; choose another folder for the export\n"


def test_help_needs_no_heavy_import_and_completion_knows_the_commands() -> None:
    code = "import sys, hashgnn.cli.main; print({'torch', 'pandas'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert loaded.stdout.strip() == "set()", loaded.stderr

    completing = "from hashgnn.cli.main import main; main(prog_name='hashgnn')"
    words = {"COMP_WORDS": "hashgnn rec", "COMP_CWORD": "1"}
    completed = subprocess.run(
        [sys.executable, "-c", completing],
        capture_output=True,
        text=True,
        env={**os.environ, **words, "_HASHGNN_COMPLETE": "bash_complete"},
    )
    assert completed.stdout.split() == ["plain,recommend"]


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
    known, wanted = ratings[~test], ratings[test]
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
    assert hit_rate(found, wanted) > 1.2 * hit_rate(baseline, wanted)


def hit_rate(found: pd.DataFrame, wanted: pd.DataFrame) -> float:
    hits = found.merge(wanted, on=["user", "item"]).groupby("user").size()
    return float((hits / wanted.groupby("user").size()).fillna(0).mean())
