"""Curves of figures 5 and 7: hit rate by the value of a hyper-parameter."""

from typing import Any, NamedTuple

import pandas as pd

from hashgnn.claims.claim import Comparison


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
