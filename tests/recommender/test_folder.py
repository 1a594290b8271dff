"""Model folders: replaced atomically, verified, and refused with one line if damaged."""

import csv
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from hashgnn import HashGNN
from hashgnn.cli.main import main
from hashgnn.errors import InputError
from hashgnn.files import reserve_folder
from hashgnn.recommender.folder import RECORD, save_model
from hashgnn.search import Index
from hashgnn.stage.record import CHECKSUM, record_checksum
from tests import damages

ARRAYS = ("user_codes.npy", "item_codes.npy", "user_vectors.npy", "item_vectors.npy")
INDEX = ("index/order.npy", "index/planes.npy", "index/vectors.npy", "index/index.json")
TEXTS = ("users.csv", "items.csv", RECORD)
FILES = (*ARRAYS, *INDEX, *TEXTS, "interactions.npz", "weights.npy")


def table(users: int, items: int, prefix: str = "u") -> tuple[list[str], list[str]]:
    rng = np.random.default_rng(users)
    pairs = [
        (f"{prefix}{user}", f"i{item}")
        for user in range(users)
        for item in rng.choice(items, 6, False)
    ]
    return [user for user, _ in pairs], [item for _, item in pairs]


@pytest.fixture(scope="module")
def model() -> HashGNN:
    return HashGNN(16, method="mf", epochs=1).fit(table(40, 30))


@pytest.fixture(scope="module")
def other() -> HashGNN:
    return HashGNN(16, method="mf", epochs=1).fit(table(60, 50, "v"))


@pytest.fixture(scope="module")
def original(model: HashGNN, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    model.save(folder)
    return folder


@pytest.fixture
def saved(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "model")


def forget_checksums(folder: Path) -> None:
    """As a model that was saved before there were any."""
    for path, key in ((folder / RECORD, "outputs"), (folder / "index/index.json", "checksums")):
        told = json.loads(path.read_text())
        told.pop(key, None)
        told.pop(CHECKSUM, None)
        path.write_text(json.dumps(told))


def recommend(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["recommend", str(folder), *options])


def check(folder: Path, model: HashGNN, refused: bool | None = None) -> None:
    """By the command and from Python: one line, or the right answer; None: either."""
    for search in ("hierarchical", "hamming"):
        ran = recommend(folder, "--search", search)
        assert refused in (None, bool(ran.exit_code))
        if ran.exit_code:
            assert ran.exit_code == 2, ran.output
            assert re.fullmatch(f"error: {folder}[/:].*\n", ran.stderr)
            with pytest.raises(InputError):
                HashGNN.load(folder)
        else:
            expected = model.recommend(search=search)  # type: ignore[arg-type]
            pd.testing.assert_frame_equal(HashGNN.load(folder).recommend(search=search), expected)  # type: ignore[arg-type]
    informed = CliRunner().invoke(main, ["info", str(folder), "--json"])
    assert informed.exit_code in (0, 2), informed.output
    assert informed.exit_code == 0 or informed.stderr.count("\n") == 1


def told_by_checksums_alone(name: str, how: str) -> bool:
    """Whether a damage leaves a file that could have been saved: of other numbers, but whole."""
    return how.startswith("a bit") or (name.startswith("index/p") and how == "garbage")


@pytest.mark.parametrize("how", damages.BYTES)
@pytest.mark.parametrize("name", FILES)
def test_damaged_bytes(saved: Path, model: HashGNN, name: str, how: str) -> None:
    damages.damage_bytes(saved / name, how)
    check(saved, model, refused=None if name.endswith(".json") else True)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        (name, how)
        for name in FILES
        for how in damages.BYTES
        if not told_by_checksums_alone(name, how)
    ],
)
def test_damaged_bytes_of_a_model_without_checksums(
    saved: Path, model: HashGNN, name: str, how: str
) -> None:
    forget_checksums(saved)
    damages.damage_bytes(saved / name, how)
    check(saved, model, refused=None)


@pytest.mark.parametrize("checksums", [True, False])
@pytest.mark.parametrize("how", [damages.remove, damages.make_folder])
@pytest.mark.parametrize("name", FILES)
def test_missing_files(
    saved: Path, model: HashGNN, name: str, how: Callable[[Path], None], checksums: bool
) -> None:
    if not checksums:
        forget_checksums(saved)
    how(saved / name)
    check(saved, model, refused=True)


@pytest.mark.parametrize("checksums", [True, False])
@pytest.mark.parametrize(
    ("name", "how"),
    [(name, how) for name in (*ARRAYS, *INDEX[:3]) for how in damages.ARRAYS]
    + [(name, how) for name in (*ARRAYS[2:], INDEX[2]) for how in damages.FLOATS]
    + [(INDEX[0], how) for how in damages.INTEGERS],
)
def test_unfit_arrays(saved: Path, model: HashGNN, name: str, how: str, checksums: bool) -> None:
    if not checksums:
        forget_checksums(saved)
    damages.damage_array(saved / name, how)
    flat = name == "index/order.npy" and how == "fewer dimensions"
    check(saved, model, refused=None if flat else True)


def change_record(folder: Path, change: Callable[[dict[str, Any]], Any], signed: bool) -> None:
    path = folder / RECORD
    record = json.loads(path.read_text())
    change(record)
    if signed:  # with a checksum that holds, as a program would write it
        record[CHECKSUM] = record_checksum(record)
    else:
        record.pop(CHECKSUM)
    path.write_text(json.dumps(record))


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (lambda record: record.update(outputs=None), True),
        (lambda record: record.update(outputs=[1]), True),
        (lambda record: record.update(outputs={"users.csv": None}), True),
        (lambda record: record.update(outputs={"users.csv": {"a": [1]}}), True),
        (lambda record: record.update(settings=None), True),
        (lambda record: record.pop("settings"), True),
        (lambda record: record["settings"].update(bits="16"), True),
        (lambda record: record["settings"].update(bits=True), True),
        (lambda record: record["settings"].update(method=None), True),
        (lambda record: record["settings"].update(parameters=[]), True),
        (lambda record: record["settings"].pop("seed"), True),
        (lambda record: record.update(integer_ids=3), True),
        (lambda record: record.update(integer_ids={"item": True}), True),
        (lambda record: record.update(versions="1"), True),
        (lambda record: record.update(inputs=None), True),
        (lambda record: record.pop("inputs"), False),
        (lambda record: record.pop("versions"), False),
        (lambda record: record.pop("device"), False),
        (lambda record: record.update(device=nested(400), finished={"a": 1}), False),
        (lambda record: record.update(versions={"numpy": nested(400)}, seconds=None), False),
    ],
)
def test_records_that_no_training_writes(
    saved: Path, model: HashGNN, change: Callable[[Any], Any], refused: bool, signed: bool
) -> None:
    change_record(saved, change, signed)
    check(saved, model, refused)


@pytest.mark.parametrize(
    "text",
    [
        "index,id\n",
        "index,id\n0,u1\n",
        "id,index\n0,u1\n",
        "index,id\n0\n",
        "index,id\n1,u1\n",
        "\n",
        "index,id\n" + "".join(f"{row},u1\n" for row in range(40)),
        'index,id\n0,"u1',
        "a\0b",
    ],
)
def test_ids_that_are_not_those_of_the_rows(saved: Path, model: HashGNN, text: str) -> None:
    forget_checksums(saved)
    (saved / "users.csv").write_text(text)
    check(saved, model, refused=True)


def test_an_older_folder_without_checksums_answers(saved: Path, model: HashGNN) -> None:
    forget_checksums(saved)
    check(saved, model, refused=False)


@pytest.mark.parametrize("name", [*ARRAYS, "index/planes.npy", "interactions.npz", "users.csv"])
def test_a_file_of_another_model_is_refused(
    saved: Path, other: HashGNN, tmp_path: Path, name: str
) -> None:
    other.save(tmp_path / "other")
    if name != "index/planes.npy":  # of few items, which are of one size
        forget_checksums(saved)
    (tmp_path / "other" / name).replace(saved / name)
    with pytest.raises(InputError, match=re.escape(str(saved))):
        HashGNN.load(saved)


def test_without_verification_only_altered_bits_go_unnoticed(saved: Path, model: HashGNN) -> None:
    damages.damage_bytes(saved / "item_vectors.npy", "a bit flipped at the end")
    with pytest.raises(InputError, match="altered or damaged since it was made"):
        HashGNN.load(saved)
    loaded = HashGNN.load(saved, verify=False)
    pd.testing.assert_frame_equal(loaded.recommend(), model.recommend())  # by the index's own
    damages.damage_array(saved / "item_vectors.npy", "shorter array")
    with pytest.raises(InputError, match="expected float32"):
        HashGNN.load(saved, verify=False)


@pytest.mark.parametrize("thing", [object(), {1, 2}, 1j])
def test_what_cannot_be_saved_leaves_the_model_that_is_there(
    saved: Path, model: HashGNN, thing: object
) -> None:
    odd = replace(model.model_, record={**model.model_.record, "odd": thing})
    with pytest.raises(InputError, match="cannot be written as JSON"):
        save_model(saved, odd, pd.DataFrame())
    check(saved, model, refused=False)
    assert not list(saved.glob(".*"))


def test_numbers_of_numpy_are_saved_as_numbers(saved: Path, model: HashGNN) -> None:
    odd = replace(model.model_, record={**model.model_.record, "seconds": np.float32(0.5)})
    save_model(saved, odd, pd.DataFrame())
    assert json.loads((saved / RECORD).read_text())["seconds"] == 0.5


def test_a_model_replaces_another_while_that_is_in_use(
    saved: Path, model: HashGNN, other: HashGNN
) -> None:
    in_use = HashGNN.load(saved)
    (saved / "notes.txt").write_text("mine")
    other.save(saved)
    pd.testing.assert_frame_equal(in_use.recommend(), model.recommend())
    pd.testing.assert_frame_equal(HashGNN.load(saved).recommend(), other.recommend())
    assert (saved / "notes.txt").read_text() == "mine"


def test_arrays_that_the_new_model_does_not_have_go(saved: Path, model: HashGNN) -> None:
    users, items = model.model_.users, model.model_.items
    codes = replace(
        model.model_,
        users=users._replace(vectors=None),
        items=items._replace(vectors=None),
        index=Index(items.codes),
    )
    save_model(saved, codes, pd.DataFrame())
    assert not list(saved.rglob("*vectors.npy"))
    assert recommend(saved, "--search", "hamming").exit_code == 0


SAVER = """
import sys
from hashgnn import HashGNN
model, folder = HashGNN.load(sys.argv[1]), sys.argv[2]
expected = model.recommend()
for _ in range(5):
    model.save(folder)
    HashGNN.load(folder).recommend()
"""


def test_saves_at_once_leave_one_whole_model(
    model: HashGNN, other: HashGNN, tmp_path: Path
) -> None:
    model.save(tmp_path / "0")
    other.save(tmp_path / "1")
    savers = [
        subprocess.Popen(
            [sys.executable, "-c", SAVER, tmp_path / str(number % 2), tmp_path / "model"],
            stderr=subprocess.PIPE,
        )
        for number in range(3)
    ]
    for saver in savers:
        error = saver.communicate()[1]
        assert saver.returncode == 0, error.decode()
    found = HashGNN.load(tmp_path / "model").recommend()
    assert any(found.equals(one.recommend()) for one in (model, other))
    assert not list((tmp_path / "model").glob(".*"))


def test_a_second_training_into_the_same_folder_is_refused_at_its_start(tmp_path: Path) -> None:
    users, items = table(40, 30)
    with (tmp_path / "t.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("user", "item"), *zip(users, items, strict=True)])
    arguments = ["train", str(tmp_path / "t.csv"), "--output", str(tmp_path / "model")]
    arguments += ["--method", "mf", "--set", "epochs=100000"]
    command = [sys.executable, "-c", "from hashgnn.cli.main import main; main()", *arguments]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as first:
        while not taken(tmp_path / "model"):
            assert first.poll() is None
            time.sleep(0.05)
        second = CliRunner().invoke(main, arguments)
        assert first.poll() is None
        first.kill()
    assert second.exit_code == 2
    assert re.fullmatch(f"error: {tmp_path}/model: another process is training .*\n", second.stderr)


def taken(folder: Path) -> bool:
    try:
        with reserve_folder(folder):
            return False
    except InputError:
        return True
