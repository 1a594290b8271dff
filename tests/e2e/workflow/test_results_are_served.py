"""Result folders of the workflow recommend, as models of their own do."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from hashgnn import HashGNN
from tests.e2e.workflow.project import CONFIG, Project

RUN = "results/shop/hashgnn/bits8/seed0"


def test_a_run_recommends_by_the_ids_of_its_data(project: Project) -> None:
    shop = pd.read_csv(project.root / "odd.tsv", sep="\t")
    kept = shop[shop.stars >= CONFIG["datasets"]["shop"]["filter"]["rating_at_least"]]
    users = ["käufer 3", "käufer 20"]

    found = HashGNN.load(project.root / RUN).recommend(users, n=3, search="hamming")

    assert found.user.tolist() == [user for user in users for _ in range(3)]
    assert set(found.item) <= set(kept["product"])
    known = kept.rename(columns={"customer": "user", "product": "item"})
    assert found.merge(known, on=["user", "item"]).empty


@pytest.mark.parametrize(
    ("run", "method", "known"),
    [
        (RUN, "hashgnn", {"negatives": 2, "ranking_weight": 0.55}),
        ("results/tiny/hash_ste/bits8/seed0", "hash_ste", {"negatives": 2}),
        ("results/tiny/hashgnn@ranking_weight=0/bits8/seed0", "hashgnn", {"ranking_weight": 0}),
        ("results/tiny/pte/bits8/seed0", "pte", {"passes": 1, "negatives": 5}),
    ],
)
def test_a_run_is_loaded_with_what_it_was_trained_by(
    project: Project, run: str, method: str, known: dict[str, Any]
) -> None:
    loaded = HashGNN.load(project.root / run)

    arguments = loaded.bits, loaded.method, loaded.seed, loaded.validation, loaded.device
    assert arguments == (8, method, 0, 0.1, "auto")
    recorded = loaded.model_.record["settings"]["parameters"]
    taken = loaded.get_params()
    assert taken == {**taken, **recorded, **known}


def test_what_was_loaded_from_a_run_trains(project: Project) -> None:
    loaded = HashGNN.load(project.root / RUN)
    before = loaded.model_.record["settings"]
    rng = np.random.default_rng(0)
    pairs = rng.permutation([(user, item) for user in range(40) for item in range(30)])[:600]

    again = loaded.fit(tuple(pairs.T)).model_.record["settings"]

    assert again == before
