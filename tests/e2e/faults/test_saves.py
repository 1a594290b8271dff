"""Models that are saved at once, killed while they are saved, or damaged afterwards."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hashgnn import HashGNN
from hashgnn.errors import InputError
from hashgnn.files import atomic_write
from tests.e2e.faults.tally import Tally

pytestmark = pytest.mark.faults

# Saves in turns the models in the folders given, in place of each other.
SAVER = """
import itertools, sys
from hashgnn import HashGNN
target, rounds, *sources = sys.argv[1:]
models = [HashGNN.load(source) for source in sources]
print("ready", flush=True)
for model in itertools.islice(itertools.cycle(models), int(rounds)):
    model.save(target)
"""
WRITER = """
import sys
from pathlib import Path
from hashgnn.files import atomic_write
for _ in range(300):
    with atomic_write(Path(sys.argv[1])) as temporary:
        temporary.write_text(sys.argv[2] * 1000)
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two that share no id."""
    root, rng, folders = tmp_path_factory.mktemp("models"), np.random.default_rng(0), []
    for name in "ab":
        users = np.repeat([f"{name}{user}" for user in range(80)], 6)
        items = np.concatenate([rng.choice(40, 6, replace=False) for _ in range(80)])
        HashGNN(16, method="mf", epochs=1).fit((users, items)).save(root / name)
        folders.append(root / name)
    return folders


def lists(folder: Path) -> pd.DataFrame:
    return HashGNN.load(folder).recommend(search="hamming")


def start(target: Path, rounds: int, sources: list[Path]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", SAVER, target, str(rounds), *sources]
    saver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert saver.stdout is not None
    assert saver.stdout.readline() == b"ready\n", saver.communicate()[1]
    return saver


def test_models_saved_into_one_folder_at_once(
    tmp_path: Path, models: list[Path], tally: Tally
) -> None:
    whole = [lists(folder) for folder in models]
    savers = [start(tmp_path / "model", 20, models[::step]) for step in (1, -1, 1, -1)]
    while any(saver.poll() is None for saver in savers):
        if (tmp_path / "model").exists():
            with tally.fault("models saved at once, and read meanwhile"):
                found = lists(tmp_path / "model")
                assert any(found.equals(one) for one in whole)
    for saver in savers:
        with tally.fault("models saved at once, and read meanwhile"):
            assert saver.communicate()[1] == b""
            assert saver.returncode == 0
    assert not list((tmp_path / "model").glob(".*"))


@pytest.mark.parametrize("seed", range(12))
def test_a_save_that_is_killed(tmp_path: Path, models: list[Path], tally: Tally, seed: int) -> None:
    target, whole = tmp_path / "model", [lists(folder) for folder in models]
    HashGNN.load(models[0]).save(target)
    with tally.fault("save killed"), start(target, 10**6, models) as saver:
        time.sleep(random.Random(seed).uniform(0, 0.3))
        saver.send_signal(signal.SIGKILL)
        saver.wait()
        found = lists(target)
        assert any(found.equals(one) for one in whole)
        HashGNN.load(models[1]).save(target)
        assert lists(target).equals(whole[1])
        assert not list(target.glob(".*"))


def test_any_bit_of_a_model_flipped(tmp_path: Path, models: list[Path], tally: Tally) -> None:
    target, expected, chance = tmp_path / "model", lists(models[0]), random.Random(0)
    HashGNN.load(models[0]).save(target)
    files = [path for path in sorted(target.rglob("*")) if path.is_file()]
    for _ in range(1500):
        path = chance.choice(files)
        content = path.read_bytes()
        place = chance.randrange(len(content))
        flipped = bytes([content[place] ^ 1 << chance.randrange(8)])
        path.write_bytes(content[:place] + flipped + content[place + 1 :])
        with tally.fault("a bit of a model flipped"):
            try:
                found = lists(target)
            except InputError as error:
                assert "\n" not in str(error)  # noqa: PT017
            else:
                assert found.equals(expected)
        path.write_bytes(content)


def test_many_writers_of_one_file(tmp_path: Path, tally: Tally) -> None:
    path = tmp_path / "a.txt"
    with atomic_write(path) as temporary:
        temporary.write_text("0")
    command = [sys.executable, "-c", WRITER, path]
    writers = [subprocess.Popen([*command, str(me)], stderr=subprocess.PIPE) for me in range(8)]
    while any(writer.poll() is None for writer in writers):
        assert len(set(path.read_text())) == 1
    for writer in writers:
        with tally.fault("many writers of one file"):
            assert writer.communicate()[1] == b""
    assert list(tmp_path.iterdir()) == [path]
