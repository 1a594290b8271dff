"""Checks of recommended lists."""

from collections.abc import Iterator

import numpy as np

from hashgnn.checks.check import Check
from hashgnn.data.interactions import Csr


def check_lists(
    subject: str, lists: np.ndarray, known: Csr, n_items: int, candidates: int
) -> Iterator[Check]:
    """Rules of the ``lists`` int32 [users, k], -1 where nothing is left.

    ``known``: items that no user may get (training and validation); ``candidates``: how many
    items a search looks at, at most.
    """
    users, k = lists.shape
    rows = np.repeat(np.arange(users), k)
    shown = lists.ravel() >= 0
    pairs = rows[shown] * n_items + lists.ravel()[shown].astype(np.int64)
    owned = np.repeat(np.arange(users), np.diff(known.indptr)) * n_items + known.indices
    barred = int(np.isin(pairs, owned).sum())
    detail = f"{barred} are" if barred else ""
    yield Check(subject, "no training or validation item is recommended", not barred, detail)
    repeats = len(pairs) - len(np.unique(pairs))
    detail = f"{repeats} are" if repeats else ""
    yield Check(subject, "no item is recommended twice to a user", not repeats, detail)
    left = n_items - np.diff(known.indptr)
    short = int(np.count_nonzero((lists >= 0).sum(1) < np.minimum(min(k, candidates), left)))
    detail = f"{short} users have shorter ones" if short else ""
    yield Check(subject, "every user with candidates has a full list", not short, detail)
