"""The training process, killed with SIGKILL and given the same command again."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hashgnn.data.interactions import save_split
from hashgnn.files import save_array
from tests.training.planted import BITS, planted_task

RESULTS = ["user_codes.npy", "item_codes.npy", "user_vectors.npy", "item_vectors.npy"]
RESULTS += ["history.csv"]


def command(folder: Path, epochs: int, seed: int = 0) -> list[str]:
    """One training of the planted groups, checkpoints as often as can be."""
    task = planted_task(epochs=epochs)
    save_split(folder / "split.npz", task.split)
    save_array(folder / "triplets.npy", task.triplets)
    parameters = {"encoder": "hashgnn.models.encoders.mean", **task.parameters}
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
    given = [*command(tmp_path, epochs=60), "--output", str(tmp_path / "model")]
    process = subprocess.Popen(given, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "model/checkpoint.pt").exists():
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1].splitlines()

    assert process.returncode == status, said
    assert said[-1] == (
        "error: interrupted: give the same command again; a training goes on from its last saved "
        "state, if any"
    )
    assert not any("Traceback" in line or "KeyboardInterrupt" in line for line in said)
    assert resumed_at(run(command(tmp_path, epochs=60), tmp_path / "model")) > 0


def test_killed_once_it_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    check_kills(tmp_path, kills=1, epochs=30, latest=0.2)


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
