"""Gather all checks, check the tables, compare with baselines, and fail if a rule is broken."""

import argparse
import sys
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.errors import InputError
from hashgnn.evaluation.evaluate import SHOWN, Check
from hashgnn.evaluation.statistics import read_metrics
from hashgnn.reporting.tables import to_html, to_markdown, write_text
from hashgnn.stage.command import Facts, run_stage, stage_parser

_NAMED = 10  # broken rules that the message names
_PLACE = ["dataset", "bits", "metric", "n"]
_ROUNDING = 1e-6  # values of users are kept as float32


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = stage_parser(__doc__)
    parser.add_argument("--checks", type=Path, nargs="+", required=True, help="of every training")
    parser.add_argument("--metrics", type=Path, nargs="+", required=True, help="of every training")
    parser.add_argument("--tables", type=Path, nargs="*", default=[], help="that compare methods")
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--md", type=Path, required=True)
    parser.add_argument("--html", type=Path, required=True)
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> Facts:
    compared = pd.DataFrame(
        check_against(args.settings["floors"], read_metrics(args.metrics), SHOWN),
        columns=Check._fields,
    )
    tables = [c for path in args.tables for c in check_table(path.stem, pd.read_csv(path))]
    inspected = [pd.read_csv(path, keep_default_na=False) for path in args.checks]
    own = pd.concat([*inspected, pd.DataFrame(tables, columns=Check._fields)])
    refuse(own)
    if args.settings["baselines"] == "fail":
        refuse(compared)
    checks = pd.concat([own, compared], ignore_index=True)
    write_text(args.csv, checks.to_csv(index=False))
    write_text(args.md, to_markdown(summarize(checks)))
    write_text(args.html, to_html(summarize(checks), "checks"))
    print(to_markdown(summarize(checks)), end="")
    return {"checks": len(checks), "broken": int((~checks.kept).sum())}


def refuse(checks: pd.DataFrame) -> None:
    """Raise ``InputError`` with the broken rules, if there are any."""
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
    """Return a row per rule: how often it was checked and kept, and what broke it."""
    rows = []
    for rule, own in checks.groupby("rule", sort=False):
        broken = own[~own.kept.astype(bool)]
        named = [f"{c.subject} ({c.detail})" for c in broken.itertuples()]
        rows.append((rule, len(own), len(own) - len(broken), "; ".join(named) or "-"))
    return pd.DataFrame(rows, columns=["Rule", "Checked", "Kept", "Broken by"])


def check_against(floors: Sequence[str], metrics: pd.DataFrame, n: int) -> Iterator[Check]:
    """Check that the best search of each model is above each of the models ``floors``.

    ``metrics`` has the rows of all trainings; means over seeds of HR@n are compared, on the data
    sets where the floor was evaluated.
    """
    rates = metrics[(metrics.metric == "hr") & (metrics.n == n)]
    keys = ["dataset", "model", "bits"]
    means = rates.groupby([*keys, "search"], sort=False).value.mean().reset_index()
    best = means.groupby(keys, sort=False).value.max().reset_index()
    learned = best[~best.model.isin(floors)]
    for model in floors:
        own = best[best.model == model].to_dict("records")
        floor = {row["dataset"]: float(row["value"]) for row in own}
        for row in learned[learned.dataset.isin(list(floor))].to_dict("records"):
            least, rate = floor[row["dataset"]], float(row["value"])
            detail = "" if rate > least else f"HR@{n} {rate:.4f}, {model} {least:.4f}"
            subject = f"{row['dataset']}/{row['model']}/bits{row['bits']}"
            yield Check(subject, f"above {model}", rate > least, detail)


def check_table(name: str, table: pd.DataFrame) -> Iterator[Check]:
    """Check that the columns of table 2 or 3 (its CSV; ``name``) are of the same trainings."""
    means = {tuple(row[key] for key in [*_PLACE, "model"]): row["mean"] for row in _rows(table)}
    for row in _rows(table[table["difference"].notna()]):
        place = tuple(row[key] for key in _PLACE)
        expected = row["mean"] - means[(*place, row["reference"])]
        kept = abs(row["difference"] - expected) <= _ROUNDING
        detail = "" if kept else f"{row['difference']:+.6f}, of the means {expected:+.6f}"
        yield Check(_subject(name, row), "differences are those of the means", kept, detail)
    for value, prefix in (("mean", ""), ("difference", "difference_")):
        for row in _rows(table[table[f"{prefix}low"].notna()]):
            low, high = row[f"{prefix}low"] - _ROUNDING, row[f"{prefix}high"] + _ROUNDING
            kept = low <= row[value] <= high
            detail = "" if kept else f"{row[value]:.6f} is not in {low:.6f} to {high:.6f}"
            yield Check(_subject(name, row), "intervals hold their value", kept, detail)


def _rows(table: pd.DataFrame) -> list[dict[Hashable, Any]]:
    return table.to_dict("records")


def _subject(name: str, row: dict[Hashable, Any]) -> str:
    place = f"{row['dataset']}/{row['model']}/bits{row['bits']}"
    return f"{name} {place} {row['metric']}@{row['n']}"


if __name__ == "__main__":
    sys.exit(main())
