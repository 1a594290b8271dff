"""Test each claim of the paper against the numbers of figures and tables."""

import argparse
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from hashgnn.reporting.claims import Claim, Comparison, searches, training, verdict
from hashgnn.reporting.tables import Printed, to_html, to_markdown, write_text
from hashgnn.stage.command import Facts, run_stage, stage_parser

CLAIMS = [*searches.CLAIMS, *training.CLAIMS]

CAPTION = (
    "What the paper says, and whether the results on the data named here agree. Not run: a figure "
    "or table, or the data that the claim names, are not in the grids."
)
_SHOWN = 2  # comparisons of each kind, for and against, that are printed


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = stage_parser(__doc__)
    parser.add_argument(
        "inputs", type=Path, nargs="*", help="results/NAME.csv of figures and tables"
    )
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--md", type=Path, required=True)
    parser.add_argument("--html", type=Path, required=True)
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> Facts:
    settings = args.settings
    results = {path.stem: of_paper(pd.read_csv(path), settings["places"]) for path in args.inputs}
    tested = [
        Tested(
            claim, claim.comparisons(results, settings["roles"]), _data(claim, results, settings)
        )
        for claim in CLAIMS
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


if __name__ == "__main__":
    sys.exit(main())
