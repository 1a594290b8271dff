"""Gather all checks, check the tables, compare with popularity, and fail if a rule is broken."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from hashgnn.errors import InputError
from hashgnn.evaluation.statistics import read_metrics
from hashgnn.files import atomic_write
from hashgnn.reporting.checks.check import Check, check_against_popularity
from hashgnn.reporting.checks.inspect_runs import SHOWN
from hashgnn.reporting.checks.tables import check_table
from hashgnn.reporting.tables.formats import to_markdown
from hashgnn.stage.command import Facts, run_stage, stage_parser

_NAMED = 10  # broken rules that the message names


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = stage_parser(__doc__)
    parser.add_argument("--checks", type=Path, nargs="+", required=True, help="of each data set")
    parser.add_argument("--metrics", type=Path, nargs="+", required=True, help="of every training")
    parser.add_argument("--tables", type=Path, nargs="*", default=[], help="that compare methods")
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--md", type=Path, required=True)
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> Facts:
    compared = pd.DataFrame(
        check_against_popularity(read_metrics(args.metrics), SHOWN), columns=Check._fields
    )
    tables = [c for path in args.tables for c in check_table(path.stem, pd.read_csv(path))]
    inspected = [pd.read_csv(path, keep_default_na=False) for path in args.checks]
    own = pd.concat([*inspected, pd.DataFrame(tables, columns=Check._fields)])
    refuse(own)
    if args.settings["popularity"] == "fail":
        refuse(compared)
    checks = pd.concat([own, compared], ignore_index=True)
    with atomic_write(args.csv) as temporary:
        checks.to_csv(temporary, index=False)
    with atomic_write(args.md) as temporary:
        temporary.write_text(to_markdown(summarize(checks)), encoding="utf-8")
    print(to_markdown(summarize(checks)), end="")
    return {"checks": len(checks), "broken": int((~checks.kept).sum())}


def refuse(checks: pd.DataFrame) -> None:
    """``InputError`` that names the rules that are broken, if there are any."""
    broken = checks[~checks.kept.astype(bool)]
    if len(broken):
        named = [f"{c.subject}: {c.rule}: {c.detail}" for c in broken.itertuples()][:_NAMED]
        rest = [f"and {len(broken) - _NAMED} more"] if len(broken) > _NAMED else []
        raise InputError(
            "\n  ".join(
                [f"{len(broken)} of {len(checks)} checks of the results fail:", *named, *rest]
            )
        )


def summarize(checks: pd.DataFrame) -> pd.DataFrame:
    """A row a rule: how often it was checked and kept, and who broke it."""
    rows = []
    for rule, own in checks.groupby("rule", sort=False):
        broken = own[~own.kept.astype(bool)]
        named = [f"{c.subject} ({c.detail})" for c in broken.itertuples()]
        rows.append((rule, len(own), len(own) - len(broken), "; ".join(named) or "-"))
    return pd.DataFrame(rows, columns=["Rule", "Checked", "Kept", "Broken by"])


if __name__ == "__main__":
    sys.exit(main())
