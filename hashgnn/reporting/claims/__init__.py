"""Test claims of the paper by comparisons of numbers, and derive verdicts.

Methods of the config that the paper does not have are left out before any claim is tested.
"""

import argparse
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from hashgnn.reporting.tables import Printed, to_html, to_markdown, write_text
from hashgnn.stage.command import Facts, run_stage, stage_parser

Results = Mapping[str, pd.DataFrame]  # the CSV behind each figure and table, by its name


class Comparison(NamedTuple):
    """One case of a claim: where, which numbers, and whether the claim holds there."""

    where: str
    numbers: str
    holds: bool


Test = Callable[[Results], list[Comparison]]
Enough = Callable[[int, int], bool]  # takes how many cases hold, and how many there are


def always(held: int, of: int) -> bool:
    """Return whether all comparisons hold."""
    return held == of


def nearly_always(held: int, of: int) -> bool:
    """Return whether nine in ten hold, for "in almost all cases"."""
    return held >= 0.9 * of


def mostly(held: int, of: int) -> bool:
    """Return whether more than half hold, for "in most cases"."""
    return held > 0.5 * of


def several(held: int, of: int) -> bool:
    """Return whether two or more hold, for "in several cases"."""
    return held >= 2


@dataclass(frozen=True)
class Claim:
    """A statement of the paper and its test.

    Attributes:
        id: Short name.
        section: Where the paper says it.
        text: What the paper says.
        needs: Names of the figures and tables whose numbers ``test`` compares.
        test: Returns the comparisons; called only if all of ``needs`` were made.
        enough: In how many of the cases the paper's words say that it holds.
        data: Data set (its id, or the name of what it stands in for) that ``text`` names, by the
            figure or table that must show it.
    """

    id: str
    section: str
    text: str
    needs: Sequence[str]
    test: Test
    enough: Enough = always
    data: Mapping[str, str] = field(default_factory=dict)

    def used(self, results: Results, roles: Mapping[str, str]) -> Results:
        """Return the results that the claim speaks of; none where one of ``needs`` lacks its data.

        ``roles`` gives the data set that each data set stands in for.
        """
        found = {name: results[name] for name in self.needs if name in results}
        for name, data in self.data.items():
            if name in found:
                shown = found[name].dataset.map(lambda id: roles.get(id, id))
                found[name] = found[name][shown == data]
        complete = len(found) == len(self.needs) and not any(f.empty for f in found.values())
        return found if complete else {}

    def comparisons(self, results: Results, roles: Mapping[str, str]) -> list[Comparison]:
        """Return all comparisons; none where a figure or table, or its data, are missing."""
        used = self.used(results, roles)
        return self.test(used) if used else []


def verdict(claim: Claim, comparisons: Sequence[Comparison]) -> str:
    """Return holds, holds in part, does not hold, or not run (without comparisons)."""
    held = sum(comparison.holds for comparison in comparisons)
    if not comparisons:
        return "not run"
    if claim.enough(held, len(comparisons)):
        return "holds"
    return "holds in part" if held else "does not hold"


_KEYS = ["dataset", "bits", "search", "metric", "n"]


def level(frame: pd.DataFrame, model: str) -> pd.Series:
    """Return the mean over seeds of each metric of ``model``, by data set, bits, metric and n.

    ``frame`` has a row per seed (``value``) or means over them (``mean``). A method shown by
    several searches counts by the first of continuous, hamming and hierarchical.
    """
    own = frame[frame.model == model]
    column = "mean" if "mean" in frame else "value"
    means = own.groupby(_KEYS, sort=False)[column].mean().reset_index(level="search")
    means = means.sort_values("search", kind="stable")
    return means[~means.index.duplicated()][column].sort_index()


def beats(frame: pd.DataFrame, better: str, worse: Iterable[str]) -> list[Comparison]:
    """Compare ``better`` with each of ``worse``, wherever both were measured."""
    return [
        comparison
        for other in worse
        for comparison in above(level(frame, better), level(frame, other), (better, other))
    ]


def above(one: pd.Series, other: pd.Series, names: tuple[str, str]) -> list[Comparison]:
    """Compare ``one`` with ``other`` at each place of the index that both have."""
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
    """Return a data set, a code length, a metric and n as text."""
    dataset, bits, metric, n = place
    return f"{dataset} {str(metric).upper()}@{n} ({bits} bits)"


def others(frame: pd.DataFrame, *but: str) -> list[str]:
    """Return the methods in ``frame`` but those named."""
    return [model for model in frame.model.unique() if model not in but]


class Curve(NamedTuple):
    """HR (``rates``, means over seeds) by the value of a sweep, on one data set."""

    place: str
    rates: pd.Series

    def numeric(self) -> "Curve":
        """Return the curve at the values that are numbers, ascending."""
        values = pd.to_numeric(pd.Series(self.rates.index.astype(str)), errors="coerce")
        numbers = self.rates.set_axis(pd.Index(values))
        return self._replace(rates=numbers[numbers.index.notna()].sort_index())

    def above(self, one: Any, other: Any) -> Comparison:
        """Compare the rate at ``one`` with that at ``other``."""
        a, b = self.rates[one], self.rates[other]
        return Comparison(f"{self.place}, {one:g} to {other:g}", f"{a:.4f} to {b:.4f}", bool(a > b))


def curves(frame: pd.DataFrame, search: str, sweep: str | None = None) -> list[Curve]:
    """Return a curve per data set and code length, of ``sweep`` or of the figure's only one.

    A sweep of the code length itself has one curve per data set.
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


# The table of all claims.

CAPTION = (
    "What the paper says, and whether the results on the data named here agree. Not run: a figure "
    "or table, or the data that the claim names, are not in the grids."
)
_SHOWN = 2  # comparisons of each kind, for and against, that are printed


def claims(argv: Sequence[str] | None = None) -> int:
    """Test each claim of the paper against the numbers of figures and tables."""
    parser = stage_parser(claims.__doc__)
    parser.add_argument(
        "inputs", type=Path, nargs="*", help="results/NAME.csv of figures and tables"
    )
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--md", type=Path, required=True)
    parser.add_argument("--html", type=Path, required=True)
    return run_stage(parser, _run, argv)


def all_claims() -> list[Claim]:
    """Return the claims of the paper, in its order: about searches, then about training."""
    # Imported here because these modules need the definitions above.
    from hashgnn.reporting.claims import searches, training

    return [*searches.CLAIMS, *training.CLAIMS]


def _run(args: argparse.Namespace) -> Facts:
    settings = args.settings
    results = {path.stem: of_paper(pd.read_csv(path), settings["places"]) for path in args.inputs}
    tested = [
        Tested(
            claim, claim.comparisons(results, settings["roles"]), _data(claim, results, settings)
        )
        for claim in all_claims()
    ]
    write_text(args.csv, pd.DataFrame(map(_row, tested)).to_csv(index=False))
    printed = Printed(pd.DataFrame(map(_printed, tested)), CAPTION)
    write_text(args.md, to_markdown(printed))
    write_text(args.html, to_html(printed, "claims"))
    return {"verdicts": printed.rows["Verdict"].value_counts().to_dict()}


class Tested(NamedTuple):
    """A claim, its comparisons, and the names of the data sets that they are on."""

    claim: Claim
    comparisons: Sequence[Comparison]
    data: str


def _data(claim: Claim, results: Mapping[str, pd.DataFrame], settings: Mapping[str, Any]) -> str:
    used = claim.used(results, settings["roles"]).values()
    ids = dict.fromkeys(id for frame in used for id in frame.dataset)
    return ", ".join(settings["datasets"].get(id, id) for id in ids) or "-"


def of_paper(frame: pd.DataFrame, places: Collection[str]) -> pd.DataFrame:
    """Return the rows of methods with a place in the paper: its claims speak of no others.

    Frames of sweeps, whose models are variants of one method, stay whole.
    """
    if "sweep" in frame:
        return frame
    return frame[frame["model"].isin(list(places))]


def _row(tested: Tested) -> dict[str, object]:
    """Return all about a claim, for the CSV."""
    claim, comparisons, data = tested
    return {
        "claim": claim.id,
        "section": claim.section,
        "text": claim.text,
        "data": data,
        "verdict": verdict(claim, comparisons),
        "held": sum(comparison.holds for comparison in comparisons),
        "comparisons": len(comparisons),
        "asked": claim.enough.__name__.replace("_", " "),
        "from": " ".join(claim.needs),
        "numbers": "; ".join(_text(comparison) for comparison in comparisons),
    }


def _printed(tested: Tested) -> dict[str, str]:
    """Return a claim with a few of its comparisons, those against it first, to read."""
    claim, comparisons, data = tested
    against = [_text(c) for c in comparisons if not c.holds]
    held = [_text(c) for c in comparisons if c.holds]
    shown = [*against[:_SHOWN], *held[:_SHOWN]]
    rest = len(comparisons) - len(shown)
    return {
        "Claim": claim.text,
        "Section": claim.section,
        "Data": data,
        "Verdict": verdict(claim, comparisons),
        "Cases": f"{len(held)} of {len(comparisons)}" if comparisons else "-",
        "Numbers": "; ".join(shown) + (f"; and {rest} more" if rest else ""),
    }


def _text(comparison: Comparison) -> str:
    return f"{comparison.where}: {comparison.numbers}" + ("" if comparison.holds else " (against)")
