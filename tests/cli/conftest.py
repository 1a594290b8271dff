"""Models that the commands answer from."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hashgnn import HashGNN
from tests.helpers import run_hashgnn as run
from tests.recommender.conftest import GROUPS, ITEMS, SMALL

LAYOUT = ["--separator", ";", "--no-header", "--user", "1", "--item", "2"]
SETTINGS = ["--seed=1", *(f"--set={key}={json.dumps(value)}" for key, value in SMALL.items())]


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


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight users, one of whom has all 20 items; the ids are integers."""
    rows = [(user, (3 * user + step) % 20) for user in range(1, 8) for step in range(10)]
    rows += [(99, item) for item in range(20)]
    path = tmp_path_factory.mktemp("streams") / "model"
    HashGNN(method="mf", epochs=1).fit(pd.DataFrame(rows, columns=["user", "item"])).save(path)
    return path


@pytest.fixture(scope="session")
def unicode_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with ids of text that is not ASCII."""
    rows = [(f"kä{user}", f"商{(user + step) % 20}") for user in range(8) for step in range(10)]
    path = tmp_path_factory.mktemp("streams") / "named"
    HashGNN(method="mf", epochs=1).fit(pd.DataFrame(rows, columns=["user", "item"])).save(path)
    return path
