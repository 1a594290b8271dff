"""A saved model of random codes, vectors and interactions, to measure what loads and serves it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from hashgnn.data.interactions import Interactions, id_keys
from hashgnn.recommender.folder import save_model
from hashgnn.recommender.queries import Ids
from hashgnn.recommender.trained_model import Model
from hashgnn.search import Index, Representation

Sizes = tuple[int, int, int]  # numbers of users, items and interactions


def write(folder: Path, sizes: Sizes, bits: int, seed: int = 0) -> None:
    """A model whose users are u0, u1, ... and whose items are sku-0000000, ..., as ALS makes it."""
    n_users, n_items, n_interactions = sizes
    random = np.random.default_rng(seed)
    users, items = (_side(random, rows, bits) for rows in (n_users, n_items))
    user_ids = [f"u{n:07}" for n in range(n_users)]
    item_ids = [f"sku-{n:07}" for n in range(n_items)]
    drawn = random.integers(0, n_users, n_interactions) * np.int64(n_items)
    pairs = np.unique(drawn + random.integers(0, n_items, n_interactions))
    interactions = Interactions(
        (pairs // n_items).astype(np.int32),
        (pairs % n_items).astype(np.int32),
        n_users,
        n_items,
        id_keys(pa.array(user_ids)),
        id_keys(pa.array(item_ids)),
    )
    settings = {"model": "als", "method": "hashgnn.models.als", "bits": bits, "seed": seed}
    record = {"settings": {**settings, "parameters": {}}, "versions": {}}
    named, listed = (Ids(pd.Index(texts, dtype="str")) for texts in (user_ids, item_ids))
    model = Model(named, listed, users, items, Index(*items), interactions, record)
    save_model(folder, model, pd.DataFrame())


def _side(random: np.random.Generator, rows: int, bits: int) -> Representation:
    vectors = random.standard_normal((rows, bits), dtype=np.float32)
    return Representation(np.packbits(vectors >= 0, axis=1, bitorder="little"), vectors)
