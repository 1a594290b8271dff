"""Checks of codes, vectors, recommended lists and metrics."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from hashgnn.data.interactions import Csr


class Check(NamedTuple):
    """``rule`` about ``subject``, whether it is kept, and what was seen where it is not."""

    subject: str
    rule: str
    kept: bool
    detail: str = ""


def check_codes(subject: str, codes: np.ndarray, rows: int, bits: int) -> Iterator[Check]:
    """uint8 [rows, ceil(bits / 8)]; the bits beyond the last one are zero."""
    shape = (rows, -(-bits // 8))
    fits = codes.dtype == np.uint8 and codes.shape == shape
    seen = f"{codes.dtype} {list(codes.shape)}, expected uint8 {list(shape)}"
    yield Check(
        subject, "codes have a row each and a bit for each of K", fits, "" if fits else seen
    )
    if fits:
        padding = np.unpackbits(codes[:, -1:], axis=1, bitorder="little")[:, (bits - 1) % 8 + 1 :]
        strays = int(np.count_nonzero(padding.any(axis=1)))
        rule = "padding bits of codes are zero"
        yield Check(subject, rule, strays == 0, f"{strays} rows have others" if strays else "")


def check_vectors(subject: str, vectors: np.ndarray, rows: int) -> Iterator[Check]:
    """A finite row each."""
    fits = vectors.ndim == 2 and len(vectors) == rows
    seen = f"{list(vectors.shape)}, expected {rows} rows"
    yield Check(subject, "vectors have a row each", fits, "" if fits else seen)
    odd = int(np.count_nonzero(~np.isfinite(vectors)))
    yield Check(subject, "vectors are finite", odd == 0, f"{odd} numbers are not" if odd else "")


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


_GROWING = ("hr", "any_hit")  # a longer list can only find more
_ROUNDING = 1e-9  # of a mean whose terms are rounded


def check_metrics(subject: str, metrics: pd.DataFrame) -> Iterator[Check]:
    """Rules of one ``metrics.csv``."""
    outside = metrics[~metrics.value.between(0, 1 + _ROUNDING)]
    detail = "" if outside.empty else f"{len(outside)} are not, such as {_name(outside.iloc[0])}"
    yield Check(subject, "metrics lie between 0 and 1", outside.empty, detail)
    falling = [
        f"{metric} by {search} search"
        for (search, metric), rows in metrics.groupby(["search", "metric"], sort=False)
        if metric in _GROWING and not rows.sort_values("n").value.is_monotonic_increasing
    ]
    rule = "hit rates do not fall as lists grow"
    yield Check(subject, rule, not falling, ", ".join(falling))


def check_against_popularity(metrics: pd.DataFrame, n: int) -> Iterator[Check]:
    """Each learned method's best search above popularity, where that was evaluated.

    ``metrics``: of all runs; means over seeds of HR@n count.
    """
    rates = metrics[(metrics.metric == "hr") & (metrics.n == n)]
    keys = ["dataset", "model", "bits"]
    means = rates.groupby([*keys, "search"], sort=False).value.mean().reset_index()
    best = means.groupby(keys, sort=False).value.max().reset_index()
    popular = best.model == "popularity"
    floors = {row["dataset"]: float(row["value"]) for row in best[popular].to_dict("records")}
    for row in best[~popular & best.dataset.isin(list(floors))].to_dict("records"):
        floor, rate = floors[row["dataset"]], float(row["value"])
        detail = "" if rate > floor else f"HR@{n} {rate:.4f}, popularity {floor:.4f}"
        subject = f"{row['dataset']}/{row['model']}/bits{row['bits']}"
        yield Check(subject, "above popularity", rate > floor, detail)


def _name(row: pd.Series) -> str:
    return f"{row.metric}@{row.n} by {row.search} search, {row.value}"
