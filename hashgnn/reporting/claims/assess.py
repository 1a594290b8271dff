"""Test each claim of the paper against the numbers of figures and tables."""

import argparse
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import pandas as pd

from hashgnn.reporting.claims import Claim, Comparison, searches, training, verdict
from hashgnn.reporting.tables import to_markdown, write_text
from hashgnn.stage.command import Facts, run_stage, stage_parser

CLAIMS = [*searches.CLAIMS, *training.CLAIMS]

_SHOWN = 2  # comparisons of each kind, for and against, that the Markdown shows


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = stage_parser(__doc__)
    parser.add_argument(
        "inputs", type=Path, nargs="*", help="results/NAME.csv of figures and tables"
    )
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--md", type=Path, required=True)
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> Facts:
    results = {
        path.stem: of_paper(pd.read_csv(path), args.settings["places"]) for path in args.inputs
    }
    tested = [(claim, claim.comparisons(results)) for claim in CLAIMS]
    write_text(args.csv, pd.DataFrame([_row(*pair) for pair in tested]).to_csv(index=False))
    printed = pd.DataFrame([_printed(*pair) for pair in tested])
    write_text(args.md, to_markdown(printed))
    return {"verdicts": printed["Verdict"].value_counts().to_dict()}


def of_paper(frame: pd.DataFrame, places: Collection[str]) -> pd.DataFrame:
    """Return the rows of methods with a place in the paper: its claims speak of no others.

    Frames of sweeps, whose models are variants of one method, stay whole.
    """
    if "sweep" in frame:
        return frame
    return frame[frame["model"].isin(list(places))]


def _row(claim: Claim, comparisons: Sequence[Comparison]) -> dict[str, object]:
    """Return all about a claim, for the CSV."""
    return {
        "claim": claim.id,
        "section": claim.section,
        "text": claim.text,
        "verdict": verdict(claim, comparisons),
        "held": sum(comparison.holds for comparison in comparisons),
        "comparisons": len(comparisons),
        "asked": claim.enough.__name__.replace("_", " "),
        "from": " ".join(claim.needs),
        "numbers": "; ".join(_text(comparison) for comparison in comparisons),
    }


def _printed(claim: Claim, comparisons: Sequence[Comparison]) -> dict[str, str]:
    """Return a claim with a few of its comparisons, those against it first, for the Markdown."""
    against = [_text(c) for c in comparisons if not c.holds]
    held = [_text(c) for c in comparisons if c.holds]
    shown = [*against[:_SHOWN], *held[:_SHOWN]]
    rest = len(comparisons) - len(shown)
    return {
        "Claim": claim.text,
        "Section": claim.section,
        "Verdict": verdict(claim, comparisons),
        "Cases": f"{len(held)} of {len(comparisons)}" if comparisons else "-",
        "Numbers": "; ".join(shown) + (f"; and {rest} more" if rest else ""),
    }


def _text(comparison: Comparison) -> str:
    return f"{comparison.where}: {comparison.numbers}" + ("" if comparison.holds else " (against)")


if __name__ == "__main__":
    sys.exit(main())
