"""The table of docs/training.md from training.json: ``python -m benchmarks.training_table``."""

import argparse
import json
from pathlib import Path
from typing import Any

HEAD = "| data set | batch | ours | interactions a second | peer | its own | ratio | peak MB |\n"
HEAD += "|---|---:|---|---:|---|---:|---:|---:|"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=Path, default=Path("benchmarks/training.json"))
    args = parser.parse_args()
    print(table(json.loads(args.rows.read_text())))


def table(rows: list[dict[str, Any]]) -> str:
    """A line a comparison with a peer, in Markdown."""
    compared = [row for row in rows if "edges_per_s" in row and row["peer"] != row["engine"]]
    return "\n".join([HEAD, *map(_line, compared)])


def _line(row: dict[str, Any]) -> str:
    cells = [row["dataset"], f"{row['batch']:,}", row["engine"], f"{row['edges_per_s']:,.0f}"]
    cells += [row["peer"], f"{row['peer_edges_per_s']:,.0f}", f"{row['ratio']:.1f}"]
    return "| " + " | ".join([*cells, f"{row['peak_mb']:,}"]) + " |"


if __name__ == "__main__":
    main()
