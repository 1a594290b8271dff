"""The stage: its inputs, fingerprints, interruptions and TensorBoard."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from hashgnn.data.interactions import Csr, Split, save_split
from hashgnn.errors import InputError
from hashgnn.files import save_array
from hashgnn.stage.code_digest import CodeDigest
from hashgnn.training import train
from hashgnn.training.checkpoint import Checkpoint
from hashgnn.training.monitoring import TrainingProgress
from hashgnn.training.train import board_writer
from tests.training.planted import BITS, SHARED, planted_task

EMPTY = Csr(np.zeros(3, np.int64), np.zeros(0, np.int32))


def run_lsh(folder: Path, items: np.ndarray) -> int:
    save_split(folder / "split.npz", Split(EMPTY, EMPTY, EMPTY, n_users=2, n_items=len(items)))
    for name, array in {"users": np.eye(2, 3, dtype=np.float32), "items": items}.items():
        save_array(folder / f"{name}.npy", array)
    settings = {"method": "hashgnn.models.lsh", "bits": 9, "seed": 0, "parameters": {}}
    paths = [folder / name for name in ("users.npy", "items.npy")]
    return train.main(
        [
            *("--split", f"{folder}/split.npz", "--triplets"),
            *("--pretrained", *map(str, paths), "--settings", json.dumps(settings)),
            *("--device", "cpu", "--output", str(folder)),
        ]
    )


def test_given_vectors_reach_the_method_and_identify_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprints = []

    class Watched(Checkpoint):
        def __init__(self, path: Path, fingerprint: str, every_seconds: float) -> None:
            fingerprints.append(fingerprint)
            super().__init__(path, fingerprint, every_seconds)

    monkeypatch.setattr(train, "Checkpoint", Watched)
    one, other = np.eye(4, 3, dtype=np.float32), -np.eye(4, 3, dtype=np.float32)

    for items in (one, one, other):
        assert run_lsh(tmp_path, items) == 0
        assert np.array_equal(np.load(tmp_path / "item_vectors.npy"), items)
        assert np.load(tmp_path / "item_codes.npy").shape == (4, 2)

    assert fingerprints[0] == fingerprints[1] != fingerprints[2]


def fingerprint(
    device: str = "cpu", checksums: tuple[str, ...] = ("a", "b"), **changes: object
) -> str:
    parameters = {"encoder": "hashgnn.models.encoders.mean", "learning_rate": 0.01}
    settings = {"method": "hashgnn.models.hashgnn", "bits": 8, "seed": 0, "parameters": parameters}
    return train.fingerprint({**settings, **changes}, torch.device(device), checksums)


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {"encoder": "hashgnn.models.encoders.mean", "learning_rate": 0.02}},
        {"parameters": {"encoder": "hashgnn.models.lightgcn", "learning_rate": 0.01}},
        {"method": "hashgnn.models.hash_ste"},
        {"bits": 16},
        {"seed": 1},
        {"device": "cuda"},
        {"checksums": ("a", "c")},
    ],
)
def test_whatever_the_outcome_depends_on_makes_another_training(changes: dict[str, Any]) -> None:
    assert fingerprint() == fingerprint()
    assert fingerprint(**changes) != fingerprint()


def test_an_edit_of_the_code_makes_another_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {"__init__": "", "training/train": "", "training/fit": ""}
    texts |= {"models/own": "from .helper import f\n", "models/helper": "f = 1\n"}
    files = {name: tmp_path / f"hashgnn/{name}.py" for name in texts}

    def found() -> str:
        monkeypatch.setattr(train, "own_code", CodeDigest(tmp_path))
        return fingerprint(method="hashgnn.models.own", parameters={})

    for name, text in texts.items():
        files[name].parent.mkdir(parents=True, exist_ok=True)
        files[name].write_text(text)
    before = found()
    files["models/helper"].write_text("# a comment\nf = 1\n")
    assert found() == before
    files["models/helper"].write_text("f = 2\n")
    assert found() != before
    files["models/helper"].write_text("import importlib\n")
    with pytest.raises(InputError, match="the workflow would not notice edits"):
        found()


RESULTS = ["user_codes.npy", "item_codes.npy", "user_vectors.npy", "item_vectors.npy"]
RESULTS += ["history.csv"]


def command(folder: Path, epochs: int, seed: int = 0) -> list[str]:
    """One training of the planted groups, checkpoints as often as can be."""
    task = planted_task()
    save_split(folder / "split.npz", task.split)
    save_array(folder / "triplets.npy", task.negatives)
    parameters = {**SHARED, "encoder": "hashgnn.models.encoders.mean", "epochs": epochs}
    settings = {"method": "hashgnn.models.hashgnn", "bits": BITS, "seed": seed}
    return [
        *(sys.executable, "-m", "hashgnn.training.train", "--checkpoint-seconds", "0"),
        *("--split", f"{folder}/split.npz", "--triplets", f"{folder}/triplets.npy"),
        *("--settings", json.dumps({**settings, "parameters": parameters}), "--device", "cpu"),
    ]


def run(command: list[str], output: Path) -> str:
    """Run to the end; what it said."""
    whole = [*command, "--output", str(output)]
    done = subprocess.run(whole, capture_output=True, text=True, check=True)
    return done.stderr


def kill_on_its_way(command: list[str], output: Path, after: float) -> None:
    """Kill the process ``after`` some seconds from its first new checkpoint on."""
    checkpoint = output / "checkpoint.pt"
    before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
    given = [*command, "--output", str(output)]
    process = subprocess.Popen(given, stderr=subprocess.DEVNULL)
    while not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before:
        assert process.poll() is None, "it came to its end, or failed, before it could be killed"
        time.sleep(0.002)
    time.sleep(after)
    process.kill()
    assert process.wait() == -9, "it came to its end before it could be killed"


def resumed_at(stderr: str) -> int:
    found = re.search(r"resumed after iteration (\d+)", stderr)
    return int(found[1]) if found else 0


def check_kills(folder: Path, kills: int, epochs: int, latest: float) -> None:
    """``kills`` at random moments, at most ``latest`` seconds after a checkpoint."""
    rng = np.random.default_rng()
    given = command(folder, epochs)
    whole, killed = folder / "whole", folder / "killed"
    for _ in range(kills):
        kill_on_its_way(given, killed, after=rng.uniform(0, latest))
    assert resumed_at(run(given, killed)) >= kills  # each life came further than the last
    assert resumed_at(run(given, whole)) == 0

    for name in RESULTS:
        assert (killed / name).read_bytes() == (whole / name).read_bytes(), name
    assert not (killed / "checkpoint.pt").exists()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_an_interrupted_training_ends_with_one_line_and_goes_on(
    tmp_path: Path, number: int, status: int
) -> None:
    given = [*command(tmp_path, epochs=10), "--output", str(tmp_path / "model")]
    process = subprocess.Popen(given, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "model/checkpoint.pt").exists():
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1].splitlines()

    assert process.returncode == status, said
    assert said[-1] == (
        "error: interrupted: run the same command again; a training resumes from its last "
        "checkpoint, if any"
    )
    assert not any("Traceback" in line or "KeyboardInterrupt" in line for line in said)
    assert resumed_at(run(command(tmp_path, epochs=10), tmp_path / "model")) > 0


def test_killed_once_it_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    check_kills(tmp_path, kills=1, epochs=15, latest=0.2)


@pytest.mark.slow
def test_killed_ten_times_it_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    check_kills(tmp_path, kills=10, epochs=400, latest=1.0)


@pytest.mark.slow
def test_the_same_command_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        run(command(tmp_path, epochs=2, seed=seed), tmp_path / name)

    first, again, other = (
        [(tmp_path / name / result).read_bytes() for result in RESULTS]
        for name in ("first", "again", "other")
    )
    assert first == again
    assert first != other


MODULE = "torch.utils.tensorboard"


def test_numbers_are_written_by_iteration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written = []

    class Writer:
        def __init__(self, folder: str) -> None:
            written.append(folder)

        def add_scalar(self, *scalar: object) -> None:
            written.append(scalar)

        def flush(self) -> None:
            pass

    monkeypatch.setitem(sys.modules, MODULE, SimpleNamespace(SummaryWriter=Writer))

    board_writer(tmp_path)(TrainingProgress(7, 9, "message", {"loss": 0.5, "p": 1.0}))

    assert written == [str(tmp_path), ("loss", 0.5, 7), ("p", 1.0, 7)]
    assert capsys.readouterr().err == "message\n"


def test_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)

    with pytest.raises(InputError, match="pip install tensorboard"):
        board_writer(tmp_path)
