"""Assess each claim of the paper against the numbers of figures and tables."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from hashgnn.files import atomic_write
from hashgnn.reporting.claims import (
    alibaba,
    efficiency,
    guidance,
    hamming,
    hierarchical,
    introduction,
    sensitivity,
)
from hashgnn.reporting.claims.claim import Claim, Comparison, verdict
from hashgnn.reporting.tables.formats import to_markdown
from hashgnn.stage.command import Facts, run_stage, stage_parser

CLAIMS = [
    *introduction.CLAIMS,
    *hamming.CLAIMS,
    *hierarchical.CLAIMS,
    *alibaba.CLAIMS,
    *efficiency.CLAIMS,
    *guidance.CLAIMS,
    *sensitivity.CLAIMS,
]

# The figures and tables that some claim is tested on.
NEEDED = sorted({name for claim in CLAIMS for name in claim.needs})


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
    results = {path.stem: pd.read_csv(path) for path in args.inputs}
    tested = [(claim, claim.comparisons(results)) for claim in CLAIMS]
    with atomic_write(args.csv) as temporary:
        pd.DataFrame([_row(*pair) for pair in tested]).to_csv(temporary, index=False)
    printed = pd.DataFrame([_printed(*pair) for pair in tested])
    with atomic_write(args.md) as temporary:
        temporary.write_text(to_markdown(printed), encoding="utf-8")
    return {"verdicts": printed["Verdict"].value_counts().to_dict()}


def _row(claim: Claim, comparisons: Sequence[Comparison]) -> dict[str, object]:
    """All of a claim: for the CSV."""
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
    """For people: a few of the comparisons, those against it first."""
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
