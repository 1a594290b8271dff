"""Comparisons of methods in the CSV files of figures and tables."""

from collections.abc import Iterable, Sequence

import pandas as pd

from hashgnn.claims.claim import Comparison

_KEYS = ["dataset", "bits", "search", "metric", "n"]


def level(frame: pd.DataFrame, model: str) -> pd.Series:
    """Mean over seeds of every measurement of ``model``, by data set, bits, metric and n.

    ``frame`` is one of seeds (``value``) or of means over them (``mean``). A method that is
    shown by several searches counts by the first of continuous, hamming and hierarchical.
    """
    own = frame[frame.model == model]
    column = "mean" if "mean" in frame else "value"
    means = own.groupby(_KEYS, sort=False)[column].mean().reset_index(level="search")
    means = means.sort_values("search", kind="stable")
    return means[~means.index.duplicated()][column].sort_index()


def beats(frame: pd.DataFrame, better: str, worse: Iterable[str]) -> list[Comparison]:
    """``better`` above each of ``worse``, wherever both were measured."""
    return [
        comparison
        for other in worse
        for comparison in above(level(frame, better), level(frame, other), (better, other))
    ]


def above(one: pd.Series, other: pd.Series, names: tuple[str, str]) -> list[Comparison]:
    """``one`` above ``other`` at each place of the index that both have."""
    places = one.index.intersection(other.index)
    return [
        Comparison(
            f"{place_name(place)}, {names[0]} to {names[1]}",
            f"{one[place]:.4f} to {other[place]:.4f}",
            bool(one[place] > other[place]),
        )
        for place in places
    ]


def place_name(place: Sequence[object]) -> str:
    """A data set, a length of code, a metric and n, as text."""
    dataset, bits, metric, n = place
    return f"{dataset} {str(metric).upper()}@{n} ({bits} bits)"


# The methods that the paper compares: what it says of "all" is said of these.
PAPER = (
    *("hashgnn", "hashgnn_nr", "hashgnn_sp", "hash_ste", "hash_gumb", "hashnet", "lsh"),
    *("graphsage", "mf", "pte", "bine"),
)


def others(frame: pd.DataFrame, *but: str) -> list[str]:
    """The paper's methods in ``frame`` without those named."""
    return [model for model in frame.model.unique() if model in PAPER and model not in but]
