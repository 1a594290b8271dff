"""The tables of docs/training.md on GPUs, from gpu.json: ``python -m benchmarks.gpu_table``.

``--into docs/training.md`` puts them between the page's two marks instead of printing them.
"""

import argparse
import json
import statistics
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.pages import show
from hashgnn.reporting.tables import to_markdown

Row = dict[str, Any]

BEGIN, END = "<!-- GPU: make bench-gpu -->\n", "<!-- end of the GPU -->\n"
NAMES = {
    "hashgnn": "HashGNN",
    "hashgnn_plus": "HashGNN+",
    "lightgcn_pytorch": "LightGCN-PyTorch",
    "pyg_loader": "PyTorch Geometric's loader",
    "plain_torch": "plain torch",
}
LIGHTGCN, LOADER = "lightgcn_pytorch", "pyg_loader"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/gpu.json"))
    parser.add_argument("--into", type=Path, help="page to put the tables into")
    args = parser.parse_args(argv)
    record = args.json.with_suffix(".provenance.json")
    made = tables(json.loads(args.json.read_text()), json.loads(record.read_text()))
    show(args.into, BEGIN, f"\n{made}\n", END)


def tables(rows: Sequence[Row], record: Row) -> str:
    """Return the machine, the tables and what is missing in them, in Markdown."""
    versions = record["versions"]
    processor = record["machine"]["processor"]
    text = f"One {record['device']} beside {record['threads']} threads of an {processor}, "
    text += f"torch {versions['torch']}.\n"
    parts = [
        [throughput(row, rows) for row in rows if "interactions_per_s" in row],
        trainings([row for row in rows if "seed" in row]),
        [engine(row) for row in rows if "engine" in row],
    ]
    for part in filter(None, parts):
        text += "\n" + to_markdown(pd.DataFrame(part).fillna(""))
    skipped = dict.fromkeys(missing(row) for row in rows if "skipped" in row)
    return text + "".join(["\nNot measured:\n\n", *skipped] if skipped else [])


def throughput(row: Row, rows: Sequence[Row]) -> Row:
    """A line of the table of speed, with ratios to the peers at the same batch size."""
    line = {
        "data set": row["dataset"],
        "trained": NAMES[row["trained"]],
        "layers in": "bfloat16" if row["mixed"] else "float32",
        "batch": f"{row['batch']:,}",
        "interactions a second": f"{row['interactions_per_s']:,.0f}",
        "ms a step": f"{row['ms_a_step']:.3g}",
        "peak MB": f"{row['peak_gpu_mb']:,}",
    }
    for peer in (LIGHTGCN, LOADER):
        other = [r for r in rows if r.get("trained") == peer and "interactions_per_s" in r]
        same = [r for r in other if (r["dataset"], r["batch"]) == (row["dataset"], row["batch"])]
        ratio = row["interactions_per_s"] / same[0]["interactions_per_s"] if same else None
        line[f"times {NAMES[peer]}"] = f"{ratio:.1f}" if ratio else ""
    return line


def trainings(rows: Sequence[Row]) -> list[Row]:
    """The lines of the table of trainings: recall over the seeds, and seconds."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        key = row["dataset"], row["trained"], row["epochs"], row["device"], row["mixed"]
        groups.setdefault((*key, row.get("whole", False)), []).append(row)
    return [_trained(group) for group in groups.values()]


def _trained(group: Sequence[Row]) -> Row:
    first, recalls = group[0], [row["validation_hr"] for row in group]
    spread = f" ({min(recalls):.4f} to {max(recalls):.4f})" if len(group) > 1 else ""
    return {
        "data set": first["dataset"],
        "trained": NAMES[first["trained"]],
        "epochs": str(first["epochs"]),
        "device": {"cuda": "GPU", "cpu": "CPU"}[first["device"]],
        "layers in": "bfloat16" if first["mixed"] else "float32",
        "seeds": str(len(group)),
        "validation HR@50": f"{statistics.mean(recalls):.4f}{spread}",
        "seconds": f"{statistics.median(row['seconds'] for row in group):.3g}",
    }


def engine(row: Row) -> Row:
    """A line of the table of choices."""
    return {
        "data set": row["dataset"],
        "trained": NAMES[row["trained"]],
        "batch": f"{row['batch']:,}",
        "engine": row["engine"],
        "because": row["reason"],
    }


def missing(row: Row) -> str:
    """A line on what was not measured."""
    name = NAMES[row["trained"]] if "trained" in row else row["part"]
    line = f"- {row['dataset']}, {name}: {row['skipped']}"
    return textwrap.fill(line, 100, subsequent_indent="  ") + "\n"


if __name__ == "__main__":
    main()
