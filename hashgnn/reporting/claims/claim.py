"""A claim of the paper, the comparisons that test it, and the verdict that follows from them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

Results = Mapping[str, pd.DataFrame]  # the CSV behind each figure and table, by its name


class Comparison(NamedTuple):
    """One place where the claim says something: where, which numbers, and whether it holds."""

    where: str
    numbers: str
    holds: bool


Test = Callable[[Results], list[Comparison]]
Enough = Callable[[int, int], bool]  # from how many of how many comparisons on a claim holds


def always(held: int, of: int) -> bool:
    """Each comparison must hold."""
    return held == of


def nearly_always(held: int, of: int) -> bool:
    """Nine in ten, for "in almost all cases"."""
    return held >= 0.9 * of


def mostly(held: int, of: int) -> bool:
    """More than half, for "in most cases"."""
    return held > 0.5 * of


def several(held: int, of: int) -> bool:
    """Two or more, for "in several cases"."""
    return held >= 2


@dataclass(frozen=True)
class Claim:
    """What the paper says (``text``), where (``section``), and how to test it.

    ``test`` makes the comparisons from the results named in ``needs``; it is not called unless
    all of them are there. ``enough`` is what the paper's words ask for.
    """

    id: str
    section: str
    text: str
    needs: Sequence[str]
    test: Test
    enough: Enough = always

    def comparisons(self, results: Results) -> list[Comparison]:
        """All comparisons that ``results`` allow; none where one of ``needs`` was not made."""
        if any(name not in results for name in self.needs):
            return []
        return self.test(results)


def verdict(claim: Claim, comparisons: Sequence[Comparison]) -> str:
    """``holds``, ``holds in part``, ``does not hold``, or ``not run`` without comparisons."""
    held = sum(comparison.holds for comparison in comparisons)
    if not comparisons:
        return "not run"
    if claim.enough(held, len(comparisons)):
        return "holds"
    return "holds in part" if held else "does not hold"


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


class Curve(NamedTuple):
    """HR (``rates``, means over seeds) by the value of a sweep, on one data set."""

    place: str
    rates: pd.Series

    def numeric(self) -> "Curve":
        """Only the values that are numbers, ascending."""
        values = pd.to_numeric(pd.Series(self.rates.index.astype(str)), errors="coerce")
        numbers = self.rates.set_axis(pd.Index(values))
        return self._replace(rates=numbers[numbers.index.notna()].sort_index())

    def above(self, one: Any, other: Any) -> Comparison:
        """The rate at ``one`` above that at ``other``."""
        a, b = self.rates[one], self.rates[other]
        return Comparison(f"{self.place}, {one:g} to {other:g}", f"{a:.4f} to {b:.4f}", bool(a > b))


def curves(frame: pd.DataFrame, search: str, sweep: str | None = None) -> list[Curve]:
    """A curve a data set and length of code; of ``sweep``, or of the figure's only one.

    A sweep of the length itself has one curve a data set.
    """
    shown = frame[frame.search == search]
    if sweep is not None:
        shown = shown[shown["sweep"] == sweep]
    return [
        Curve(place, rows.groupby("at", sort=False)["value"].mean())
        for (dataset, name), own in shown.groupby(["dataset", "sweep"], sort=False)
        for place, rows in _by_length(f"{dataset}, {name}", own)
    ]


def _by_length(place: str, rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    lengths = rows.groupby("bits", sort=False)
    varied = (pd.to_numeric(rows["at"], errors="coerce") == rows["bits"]).all()
    if len(lengths) == 1 or varied:
        return [(place, rows)]
    return [(f"{place}, {bits} bits", own) for bits, own in lengths]
