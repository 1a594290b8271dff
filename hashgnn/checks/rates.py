"""Checks of what was measured."""

from collections.abc import Iterator

import pandas as pd

from hashgnn.checks.check import Check

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
