"""Result folders of the workflow recommend, as models of their own do."""

import pandas as pd

from hashgnn import HashGNN
from tests.workflow.project import CONFIG, Project

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
