"""Check what a training gave: its codes, vectors, lists and metrics."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from hashgnn.data.interactions import Csr, take_rows
from hashgnn.search import Index, Representation

SHOWN = 50  # items in a list
_MOST_USERS = 2000  # whose lists are made, evenly spread over all
_GROWING = ("hr", "any_hit")  # metrics that cannot fall as lists grow
_ROUNDING = 1e-9  # of a mean whose terms are rounded


class Check(NamedTuple):
    """A ``rule`` about ``subject``, whether it is kept, and what was seen where it is not."""

    subject: str
    rule: str
    kept: bool
    detail: str = ""


def check_run(
    subject: str,
    users: Representation,
    items: Representation,
    seen: Csr,
    n_items: int,
    bits: int | None,
    candidates: int,
) -> Iterator[Check]:
    """Yield the checks of codes, vectors and lists.

    Args:
        subject: Name of the training.
        users: Codes and vectors of the users.
        items: Codes and vectors of the items.
        seen: Items that may not be recommended, per user.
        n_items: Number of items.
        bits: Length of the codes; None for codes that are the signs of vectors of any length.
        candidates: Most items that hierarchical search re-ranks.
    """
    if bits is None and items.vectors is not None:
        bits = items.vectors.shape[1]
    arrays = [
        *_check_arrays(f"{subject} users", users, len(seen.indptr) - 1, bits),
        *_check_arrays(f"{subject} items", items, n_items, bits),
    ]
    yield from arrays
    if all(check.kept for check in arrays):  # else nothing can be searched
        yield from _check_searches(subject, users, items, seen, candidates)


def _check_arrays(
    subject: str, arrays: Representation, rows: int, bits: int | None
) -> Iterator[Check]:
    if arrays.codes is not None and bits is not None:
        yield from check_codes(subject, arrays.codes, rows, bits)
    if arrays.vectors is not None:
        yield from check_vectors(subject, arrays.vectors, rows)


def check_codes(subject: str, codes: np.ndarray, rows: int, bits: int) -> Iterator[Check]:
    """Check that codes are uint8 [rows, ceil(bits / 8)] and that padding bits are zero."""
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
    """Check that vectors have the right number of rows and are finite."""
    fits = vectors.ndim == 2 and len(vectors) == rows
    seen = f"{list(vectors.shape)}, expected {rows} rows"
    yield Check(subject, "vectors have a row each", fits, "" if fits else seen)
    odd = int(np.count_nonzero(~np.isfinite(vectors)))
    yield Check(subject, "vectors are finite", odd == 0, f"{odd} numbers are not" if odd else "")


def _check_searches(
    subject: str, users: Representation, items: Representation, seen: Csr, candidates: int
) -> Iterator[Check]:
    index = Index(*items)
    sample = np.unique(np.linspace(0, len(seen.indptr) - 2, _MOST_USERS).astype(np.int64))
    seen, queries = take_rows(seen, sample), users.rows(sample)
    for search, lists, looked_at in _lists(index, queries, seen, candidates):
        yield from check_lists(f"{subject} {search}", lists, seen, len(index), looked_at)


def _lists(
    index: Index, queries: Representation, seen: Csr, candidates: int
) -> Iterator[tuple[str, np.ndarray, int]]:
    codes, vectors = queries
    if codes is not None:
        yield "hamming", index.hamming(codes, SHOWN, seen)[0], len(index)
    if vectors is not None:
        yield "continuous", index.continuous(vectors, SHOWN, seen)[0], len(index)
    if codes is not None and vectors is not None:
        lists, _ = index.hierarchical(codes, vectors, SHOWN, seen, candidates)
        yield "hierarchical", lists, candidates


def check_lists(
    subject: str, lists: np.ndarray, excluded: Csr, n_items: int, candidates: int
) -> Iterator[Check]:
    """Check recommended lists.

    Args:
        subject: Name of what is checked.
        lists: int32 [users, k], -1 where no item is left.
        excluded: Items that a user may not get: those of training and validation.
        n_items: Number of items in all.
        candidates: Most items that the search looks at.
    """
    users, k = lists.shape
    rows = np.repeat(np.arange(users), k)
    shown = lists.ravel() >= 0
    pairs = rows[shown] * n_items + lists.ravel()[shown].astype(np.int64)
    sizes = np.diff(excluded.indptr)
    forbidden = np.repeat(np.arange(users), sizes) * n_items + excluded.indices
    strays = int(np.isin(pairs, forbidden).sum())
    detail = f"{strays} are" if strays else ""
    yield Check(subject, "no training or validation item is recommended", not strays, detail)
    repeats = len(pairs) - len(np.unique(pairs))
    detail = f"{repeats} are" if repeats else ""
    yield Check(subject, "no item is recommended twice to a user", not repeats, detail)
    full = np.minimum(min(k, candidates), n_items - sizes)
    short = int(np.count_nonzero((lists >= 0).sum(1) < full))
    detail = f"{short} users have shorter ones" if short else ""
    yield Check(subject, "every user with candidates has a full list", not short, detail)


def check_metrics(subject: str, metrics: pd.DataFrame) -> Iterator[Check]:
    """Check the rows of one ``metrics.csv``."""
    largest = metrics.metric.eq("novelty").map({True: np.inf, False: 1 + _ROUNDING})  # in bits
    outside = metrics[~metrics.value.between(0, largest)]
    detail = "" if outside.empty else f"{len(outside)} are not, such as {_name(outside.iloc[0])}"
    yield Check(subject, "metrics lie between 0 and 1", outside.empty, detail)
    falling = [
        f"{metric} by {search} search"
        for (search, metric), rows in metrics.groupby(["search", "metric"], sort=False)
        if metric in _GROWING and not rows.sort_values("n").value.is_monotonic_increasing
    ]
    rule = "hit rates do not fall as lists grow"
    yield Check(subject, rule, not falling, ", ".join(falling))


def _name(row: pd.Series) -> str:
    return f"{row.metric}@{row.n} by {row.search} search, {row.value}"
