"""List what made every result: code, settings, machine, date, time and memory.

Fails if a result was made by other code or settings than the present ones, as results that were
restored from records may be, unless ``checks.stale`` is ``report``.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from hashgnn.errors import InputError
from hashgnn.files import atomic_write
from hashgnn.reporting.records import portable
from hashgnn.reporting.tables import Printed, to_html, to_markdown, write_text
from hashgnn.stage.command import Facts, run_stage, stage_parser
from hashgnn.stage.record import SUFFIX, job_digest, read_record

COLUMNS = [
    *("dataset", "result", "stage", "current", "git_commit", "processor", "threads"),
    *("finished", "seconds", "cpu_seconds", "peak_memory_mb"),
]
CAPTION = "What the results took, and how many commits of the code made them."
_NAMED = 10  # stale results that the message names


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = stage_parser(__doc__)
    parser.add_argument("records", type=Path, nargs="+", help="provenance of all results")
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--md", type=Path, required=True, help="by stage")
    parser.add_argument("--html", type=Path, required=True, help="the same")
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> Facts:
    rows = describe(args.records, args.settings["planned"])
    stale = rows[~rows.current]
    if len(stale) and args.settings["stale"] == "fail":
        named = [f"{row.dataset}/{row.result} ({row.stage})" for row in stale.itertuples()]
        rest = [f"and {len(stale) - _NAMED} more"] if len(stale) > _NAMED else []
        raise InputError(
            "\n  ".join(
                [
                    f"{len(stale)} of {len(rows)} results were made by other code or settings; "
                    "delete them to make them again:",
                    *named[:_NAMED],
                    *rest,
                ]
            )
        )
    with atomic_write(args.csv) as temporary:
        rows.to_csv(temporary, index=False)
    printed = Printed(by_stage(rows), CAPTION, "Data set")
    write_text(args.md, to_markdown(printed))
    write_text(args.html, to_html(printed, "provenance"))
    return {"results": len(rows), "stale": len(stale)}


def describe(paths: Iterable[Path], planned: Mapping[str, str]) -> pd.DataFrame:
    """Return a row per provenance record, with the columns ``COLUMNS``.

    Args:
        paths: Records below ``results/``.
        planned: ``job_digest`` of the present code and settings, by path of the record.
    """
    rows = []
    for path in paths:
        record = portable(read_record(path))
        _, dataset, *between, name = path.parts
        found = {
            "dataset": dataset,
            "result": "/".join(between),
            "stage": name.removesuffix(SUFFIX),
            "current": job_digest(record["code"], record["settings"]) == planned[str(path)],
            "processor": record["machine"]["processor"],
        }
        rows.append({key: found.get(key, record.get(key)) for key in COLUMNS})
    return pd.DataFrame(rows, columns=COLUMNS)


def by_stage(rows: pd.DataFrame) -> pd.DataFrame:
    """Return results, processor hours, hours and largest memory of each stage and data set."""
    grouped = rows.groupby(["dataset", "stage"], sort=False)
    found = grouped.agg(
        results=("stage", "size"),
        processor_hours=("cpu_seconds", lambda seconds: f"{seconds.sum() / 3600:.2f}"),
        hours=("seconds", lambda seconds: f"{seconds.sum() / 3600:.2f}"),
        memory=("peak_memory_mb", "max"),
        commits=("git_commit", "nunique"),
    ).reset_index()
    return found.set_axis(
        [
            *("Data set", "Stage", "Results", "Processor hours", "Hours", "Peak memory (MB)"),
            "Commits",
        ],
        axis=1,
    )


if __name__ == "__main__":
    sys.exit(main())
