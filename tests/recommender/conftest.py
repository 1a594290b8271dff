"""Planted tastes: users and items of five groups, and a model that has learned them."""

import numpy as np
import pandas as pd
import pytest

from hashgnn import HashGNN

GROUPS, ITEMS = 5, 20
SMALL = {
    "embedding_width": 16,
    "widths": [16, 12],
    "fanouts": [4, 3],
    "batch_size": 64,
    "learning_rate": 0.03,
    "initial_deviation": 0.3,
    "epochs": 15,
}


@pytest.fixture(scope="session")
def planted() -> pd.DataFrame:
    """Each of 300 users (text ids) has 10 of the 20 items (integer ids) of its group."""
    rng = np.random.default_rng(0)
    rows = [
        (f"üser {user}", 7000 + ITEMS * (user % GROUPS) + item)
        for user in range(300)
        for item in rng.permutation(ITEMS)[:10]
    ]
    return pd.DataFrame(rows, columns=["user", "item"])


@pytest.fixture(scope="session")
def fitted(planted: pd.DataFrame) -> HashGNN:
    return HashGNN(bits=12, **SMALL).fit(planted)


def own_group(recommended: pd.DataFrame) -> float:
    """Share of recommended items that belong to the user's group."""
    users = recommended.user.str.removeprefix("üser ").astype(int)
    return float(((recommended.item - 7000) // ITEMS == users % GROUPS).mean())
