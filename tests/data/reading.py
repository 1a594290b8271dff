"""What holds of whatever is read, split and drawn for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hashgnn.data.interactions import PARTS, Interactions, Split, load_ids, save_ids
from hashgnn.data.negatives import write_negatives
from hashgnn.data.prepare import Prepared, prepare
from hashgnn.data.split import split
from hashgnn.errors import InputError
from tests.data.written_tables import Read


def accepted(path: Path, settings: dict[str, Any]) -> Prepared | None:
    """What is read, or None after one clear error."""
    try:
        return prepare([path], settings)
    except InputError as error:
        check_message(error)
        return None


def check_message(error: InputError) -> None:
    """It is one line."""
    assert str(error).strip()
    assert "\n" not in str(error)


def check_read(found: Prepared, expected: Read, folder: Path) -> None:
    """Pairs, times and ids are those of the plain reader; ids map back from their file."""
    got = found.interactions
    users, items = found.user_ids.to_pylist(), found.item_ids.to_pylist()
    assert users == sorted(set(users))
    assert items == sorted(set(items))
    times = [None] * len(got.user) if got.time is None else got.time.tolist()
    pairs = [(users[u], items[i]) for u, i in zip(got.user, got.item, strict=True)]
    assert dict(zip(pairs, times, strict=True)) == expected.pairs
    assert len(pairs) == len(expected.pairs)
    assert found.rows_read == expected.rows
    for name, ids in (("users", found.user_ids), ("items", found.item_ids)):
        save_ids(folder / f"{name}.csv", ids)
        assert load_ids(folder / f"{name}.csv").equals(ids)


def check_split(interactions: Interactions, settings: dict[str, Any], folder: Path) -> None:
    """Parts are disjoint and add up, of the sizes asked for; negatives are none of training."""
    parts = split(interactions, settings)
    together: list[tuple[int, int]] = []
    for part in PARTS:
        together += pairs_of(parts, part)
    whole = list(zip(interactions.user.tolist(), interactions.item.tolist(), strict=True))
    assert sorted(together) == whole
    sizes = np.bincount(interactions.user)
    held = [np.diff(getattr(parts, part).indptr) for part in PARTS]
    assert (held[0] >= 1).all()  # each user can be trained on
    tested = np.minimum([int(settings["test"] * size + 0.5 + 1e-9) for size in sizes], sizes - 1)
    assert held[2].tolist() == tested.tolist()
    if settings["by"] == "time":
        _check_latest(interactions, parts)
    check_negatives(parts, folder)


def pairs_of(parts: Split, part: str) -> list[tuple[int, int]]:
    """(user, item) of one part."""
    csr = getattr(parts, part)
    users = np.repeat(np.arange(parts.n_users), np.diff(csr.indptr))
    return list(zip(users.tolist(), csr.indices.tolist(), strict=True))


def _check_latest(interactions: Interactions, parts: Split) -> None:
    assert interactions.time is not None
    rows = zip(interactions.user, interactions.item, interactions.time, strict=True)
    time = {(int(user), int(item)): int(second) for user, item, second in rows}
    for earlier, later in (("train", "validation"), ("validation", "test"), ("train", "test")):
        last = {}
        for user, item in pairs_of(parts, earlier):
            last[user] = max(last.get(user, 0), time[user, item])
        for user, item in pairs_of(parts, later):
            assert time[user, item] >= last.get(user, 0)


def check_negatives(parts: Split, folder: Path) -> None:
    """Or one clear error, where a user has every item."""
    full = (np.diff(parts.train.indptr) >= parts.n_items).any()
    if full:
        with pytest.raises(InputError, match="no negative exists"):
            write_negatives(folder / "negatives.npy", parts, per_interaction=2, rounds=2, seed=3)
        return
    write_negatives(folder / "negatives.npy", parts, per_interaction=2, rounds=2, seed=3)
    negatives = np.load(folder / "negatives.npy", allow_pickle=False)
    positives, trained = pairs_of(parts, "train"), set(pairs_of(parts, "train"))
    assert negatives.shape == (2, len(positives), 2)
    assert 0 <= negatives.min() <= negatives.max() < parts.n_items
    for drawn in negatives:
        for (user, _), row in zip(positives, drawn.tolist(), strict=True):
            assert not {(user, item) for item in row} & trained
