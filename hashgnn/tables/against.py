"""Every method against one of them, by users and seeds."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from hashgnn.metrics.per_user import values_of_seeds
from hashgnn.metrics.significance import difference, holm

KEYS = ["dataset", "model", "bits", "search", "metric", "n"]
FOUND = ["reference", "difference", "difference_low", "difference_high", "p"]


def runs_of(
    runs: Sequence[Sequence[object]], per_user: Sequence[Path], continuous: Sequence[str]
) -> pd.DataFrame:
    """A row a training: dataset, model, bits, seed, its ``path`` and the ``search`` it is for."""
    frame = pd.DataFrame(list(runs), columns=["dataset", "model", "bits", "seed"])
    own = {True: "continuous", False: "hierarchical"}
    return frame.assign(
        path=pd.Series(per_user, dtype=object), search=frame.model.isin(continuous).map(own)
    )


def compare(trained: pd.DataFrame, reference: str, metric: str, n: int) -> pd.DataFrame:
    """Mean difference of each method to ``reference``, its 95 % interval and p.

    See ``hashgnn.metrics.significance.difference``; p is corrected by Holm's method for all
    comparisons of the table. ``trained``: what ``runs_of`` gives.
    """
    rows = list(_comparisons(trained, reference, metric, n))
    found = pd.DataFrame(rows, columns=[*KEYS, *FOUND])
    found["p"] = holm(found["p"].to_list())
    return found


def _comparisons(
    trained: pd.DataFrame, reference: str, metric: str, n: int
) -> Iterator[tuple[object, ...]]:
    for (dataset, bits), group in trained.groupby(["dataset", "bits"], sort=False):
        values = {
            (model, search): values_of_seeds(own["path"].to_list(), str(search), metric, n)
            for (model, search), own in group.groupby(["model", "search"], sort=False)
        }
        base = next((value for (model, _), value in values.items() if model == reference), None)
        if base is None:
            continue
        for (model, search), value in values.items():
            if model != reference:
                found = difference(value, base)
                yield (dataset, model, bits, search, metric, n, reference, *found)
