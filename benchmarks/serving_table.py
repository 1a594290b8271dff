"""The table of docs/serving.md, from serving.json: ``python -m benchmarks.serving_table``.

``--into docs/serving.md`` puts it between the page's two marks instead of printing it.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.pages import show
from hashgnn.reporting.tables import to_markdown

_BEGIN, _END = "<!-- figures: make bench-serving -->\n", "<!-- end of figures -->"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/serving.json"))
    parser.add_argument("--into", type=Path, help="page to put the table into")
    args = parser.parse_args(argv)
    table = to_markdown(pd.DataFrame(map(_line, json.loads(args.json.read_text()))))
    show(args.into, _BEGIN, f"\n{table}\n", _END)


def _line(row: dict[str, Any]) -> dict[str, str]:
    return {
        "items": f"{row['items']:,}",
        "threads": str(row["threads"]),
        "search": row["search"],
        "first answer, s": f"{row['first_seconds']:.2f}",
        "median, ms": f"{row['p50_ms']:.3g}",
        "99 %, ms": f"{row['p99_ms']:.3g}",
        "queries a second, in batches": f"{row['queries_a_second']:,.0f}"
        + ("" if row["undisturbed"] else "*"),
    }


if __name__ == "__main__":
    main()
