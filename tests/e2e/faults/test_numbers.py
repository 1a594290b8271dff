"""Every method at the edges of what may be asked, through the stages of training and evaluation."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from hashgnn.config.methods import negatives, parameters, takes_training
from hashgnn.data.interactions import Csr, Split, save_split
from hashgnn.data.negatives import write_negatives
from hashgnn.evaluation import evaluate
from hashgnn.files import load_array, save_array
from hashgnn.training import train
from tests.e2e.faults.tally import Tally

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[3]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())
SMALL = {"embedding_width": 8, "widths": [8, 6], "fanouts": [3, 2], "batch_size": 32}
SMALL |= {"history_every": 3}
USERS, ITEMS, CUTOFF = 12, 15, 5

CASES: dict[str, dict[str, Any]] = {
    "one bit": {"bits": 1},
    "1,024 bits": {"bits": 1024},
    "a batch larger than the data": {"shared": {"batch_size": 10**6}},
    "embeddings that are all equal": {"shared": {"initial_deviation": 0}},
    "nothing held out for validation": {"validation": 0},
    "a user with every item": {"greedy": True},
    "a rate that ruins every weight": {"shared": {"learning_rate": 1e30}},
}


def split(validation: int = 1, greedy: bool = False) -> Split:
    """Eight items a user, of which two are tested; the first user may have all in training."""
    rng = np.random.default_rng(0)
    rows: dict[str, list[np.ndarray]] = {"train": [], "validation": [], "test": []}
    for user in range(USERS):
        items = rng.permutation(ITEMS)[:8].astype(np.int32)
        ends = [0, 6 - validation, 6, 8]
        parts = [items[a:b] for a, b in pairwise(ends)]
        if greedy and user == 0:
            parts = [np.arange(ITEMS, dtype=np.int32), items[:0], items[:0]]
        for name, part in zip(rows, parts, strict=True):
            rows[name].append(np.sort(part))
    made = {
        name: Csr(np.cumsum([0, *map(len, several)]), np.concatenate(several))
        for name, several in rows.items()
    }
    return Split(**made, n_users=USERS, n_items=ITEMS)


def command(folder: Path, model: str, case: dict[str, Any]) -> list[str]:
    """Of the training stage, its inputs written."""
    entry, data = (
        CONFIG["models"][model],
        split(case.get("validation", 1), case.get("greedy", False)),
    )
    save_split(folder / "split.npz", data)
    given = parameters(CONFIG, "synthetic", model)
    if takes_training(CONFIG, model):
        given = {**given, **SMALL, **case.get("shared", {})}
        if model == "hashgnn_plus":
            given |= {"widths": [8], "fanouts": [3], "length": "epochs"}
        write_negatives(folder / "n.npy", data, negatives(CONFIG, model), 2, 0)
    given |= {"epochs": 2} if "epochs" in given else {}
    settings = {"method": entry["module"], "bits": case.get("bits", 8), "seed": 0}
    found = ["--triplets", f"{folder}/n.npy"] if takes_training(CONFIG, model) else []
    if "pretrained" in entry:
        rng = np.random.default_rng(1)
        for side, count in (("user", USERS), ("item", ITEMS)):
            vectors = rng.standard_normal((count, settings["bits"])).astype(np.float32)
            save_array(folder / f"{side}.npy", vectors)
        found += ["--pretrained", f"{folder}/user.npy", f"{folder}/item.npy"]
    settings["parameters"] = given
    found += ["--split", f"{folder}/split.npz", "--output", f"{folder}/run", "--device", "cpu"]
    return [*found, "--settings", json.dumps(settings)]


def evaluated(folder: Path) -> pd.DataFrame:
    """What the evaluation stage writes."""
    names = [f"{side}_{kind}" for side in ("user", "item") for kind in ("codes", "vectors")]
    files = [f"--{name.replace('_', '-')}={folder}/run/{name}.npy" for name in names]
    settings = {"dataset": "x", "model": "x", "bits": 8, "seed": 0}
    settings["evaluation"] = {"cutoffs": [CUTOFF], "candidates": ITEMS}
    outputs = [f"--metrics={folder}/metrics.csv", f"--per-user={folder}/per_user.npz"]
    outputs += [f"--checks={folder}/checks.csv"]
    given = [f"--split={folder}/split.npz", "--settings", json.dumps(settings)]
    assert evaluate.main([*files, *given, *outputs]) == 0
    return pd.read_csv(folder / "metrics.csv")


def plain_hit_rate(data: Split, users: np.ndarray, items: np.ndarray) -> float:
    """HR@5 by inner products, one user after the other."""
    rates = []
    for user in range(USERS):
        wanted = set(row(data.test, user))
        if not wanted:
            continue
        known = {*row(data.train, user), *row(data.validation, user)}
        scores = users[user].astype(np.float64) @ items.astype(np.float64).T
        ranked = [item for item in np.argsort(-scores) if item not in known]
        rates.append(len(wanted & set(ranked[:CUTOFF])) / len(wanted))
    return float(np.mean(rates))


def row(csr: Csr, user: int) -> list[int]:
    return csr.indices[csr.indptr[user] : csr.indptr[user + 1]].tolist()


def ties(users: np.ndarray, items: np.ndarray) -> bool:
    """Whether two items are as near to a user, but for rounding."""
    scores = np.sort(users.astype(np.float64) @ items.astype(np.float64).T, axis=1)
    return bool((np.diff(scores) < 1e-5 * np.abs(scores).max(initial=1e-30)).any())


def possible(model: str, case: str) -> bool:
    """Whether the method takes such settings, and negatives can be drawn for it at all.

    Where none can be, test_inputs.py has what the drawing of them says.
    """
    if takes_training(CONFIG, model):
        return not CASES[case].get("greedy")
    return "shared" not in CASES[case]


@pytest.mark.parametrize(
    ("model", "case"),
    [(model, case) for case in CASES for model in CONFIG["models"] if possible(model, case)],
)
def test_a_right_result_or_one_clear_error(
    tmp_path: Path, tally: Tally, capfd: pytest.CaptureFixture[str], model: str, case: str
) -> None:
    asked = CASES[case]
    with tally.input("numerical edges, trained and evaluated"):
        arguments = command(tmp_path, model, asked)
        status = train.main(arguments)
        said = capfd.readouterr().err
        if status:
            assert status == 2
            assert said.count("error: ") == 1
            assert not (tmp_path / "run" / "user_codes.npy").exists()
            assert (model, case) in REFUSED or case.startswith("a rate")
            return
        check(tmp_path, asked)


# More dimensions than the data have, or than a code may have bits: the noise is one more.
REFUSED = {("puresvd", "1,024 bits"), ("pte", "1,024 bits")}


def check(folder: Path, asked: dict[str, Any]) -> None:
    """Codes and vectors are numbers, of the size asked for, and ranked as they say."""
    users, items = (load_array(folder / f"run/{side}_vectors.npy") for side in ("user", "item"))
    codes = load_array(folder / "run/user_codes.npy")
    assert np.isfinite(users).all()
    assert np.isfinite(items).all()
    assert len(users) == len(codes) == USERS
    metrics = evaluated(folder)
    assert metrics.value.between(0, 1).all()
    if not ties(users, items):
        found = metrics[(metrics.search == "continuous") & (metrics.metric == "hr")].value.item()
        data = split(asked.get("validation", 1), asked.get("greedy", False))
        assert found == pytest.approx(plain_hit_rate(data, users, items), abs=1e-5)
