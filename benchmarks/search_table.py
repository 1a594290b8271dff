"""The tables of docs/search.md, from search.json: ``python -m benchmarks.search_table``.

``--into docs/search.md`` puts them between the page's two marks instead of printing them.
"""

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.pages import show
from hashgnn.reporting.tables import to_markdown

Rows = Sequence[dict[str, Any]]

_THEIRS = "peer_us_per_query"
_PEERS = ("FAISS IndexBinaryFlat", "FAISS IndexFlatIP over +-1", "FAISS IndexFlatIP", "continuous")
_HIERARCHICAL = tuple(f"hierarchical, {candidates} candidates" for candidates in (200, 500))


_BEGIN, _END = "<!-- figures: make bench-search -->\n", "<!-- end of figures -->"
_LARGE = 10_000_000  # items from which on time is extrapolated
_K = 100  # other lengths are in search.json


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/search.json"))
    parser.add_argument("--into", type=Path, help="page to put the tables into")
    args = parser.parse_args(argv)
    show(args.into, _BEGIN, figures_of(args.json), _END)


def figures_of(path: Path) -> str:
    """All tables, in Markdown."""
    rows = [row for row in json.loads(path.read_text()) if "skipped" not in row]
    text = ""
    for number in sorted({row["threads"] for row in rows}):
        own = [row for row in rows if row["threads"] == number]
        threads = "one thread" if number == 1 else f"{number} threads"
        for title, table in tables(own):
            if table:
                text += f"\n### {title}, {threads}\n\n{to_markdown(pd.DataFrame(table).fillna(''))}"
    return text + "\n"


def tables(rows: Rows) -> Iterable[tuple[str, list[dict[str, str]]]]:
    """Title and lines of each table, for one number of threads."""
    searches = [row for row in rows if row["part"] == "searches" and row["k"] == _K]
    yield f"Hamming search, top {_K}", [_hamming(case) for case in _cases(searches)]
    with_vectors = [case for case in _cases(searches) if _first(case, "continuous")]
    yield f"Search by vectors, top {_K}", [_vectors(case) for case in with_vectors]
    parts: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, str]]]] = {
        "limits": ("One query alone, and the machine's limits", _limit),
        "evaluation": ("Evaluation of all users", _evaluation),
        "approximate": ("Approximate search", _recall),
    }
    for part, (title, line) in parts.items():
        yield title, [line(row) for row in rows if row["part"] == part]


def _cases(rows: Rows) -> list[list[dict[str, Any]]]:
    keys = dict.fromkeys((row["items"], row["bits"]) for row in rows)
    return [[row for row in rows if (row["items"], row["bits"]) == key] for key in keys]


def _first(case: Rows, search: str, peer: str | None = None) -> dict[str, Any] | None:
    chosen = (row for row in case if row["search"] == search and peer in (None, row["peer"]))
    return next(chosen, None)


def _hamming(case: Rows) -> dict[str, str]:
    line = _size(case[0])
    line["ours"] = _us(case[0]["us_per_query"], case[0]["busy"])
    for peer in (*_PEERS[:1], "USearch exact", "numpy bitwise_count", *_PEERS[1:]):
        row = _first(case, "hamming", peer)
        line[peer if peer != "continuous" else "our continuous"] = _peer(row)
    return line


def _vectors(case: Rows) -> dict[str, str]:
    """Our searches by vector, and how many times as fast they are as the fastest peer."""
    line = _size(case[0])
    of_continuous = [row for row in case if row["search"] == "continuous"]
    fastest = min(of_continuous, key=lambda row: row["peer_us_per_query"])["peer"]
    for search in ("continuous", *_HIERARCHICAL):
        row = _first(case, search, fastest)
        assert row is not None
        line[search] = f"{_us(row['us_per_query'], row['busy'])} ({row['ratio']:.3g} x)"
        line["fastest peer"] = f"{fastest}: {_us(row['peer_us_per_query'], row['peer_busy'])}"
    return line


def _limit(row: dict[str, Any]) -> dict[str, str]:
    return {
        **_size(row),
        "search": row["search"],
        "us": _us(row["us_per_query"], row["busy"]),
        "GB/s": f"{row['bytes_a_second'] / 1e9:.1f}",
        "beside": row["peer"],
        "its us": _us(row["peer_us_per_query"], row["peer_busy"]),
        "ratio": f"{row['ratio']:.2f}",
        "a billion items": _billion(row) if row["items"] >= _LARGE else "",
        "index MB": str(row.get("index_mb", "")),
    }


def _billion(row: dict[str, Any]) -> str:
    """Time grows with the items, so this is the same number of times as long."""
    return f"{row['us_per_query'] * 1e9 / row['items'] / 1e6:.2f} s"


def _evaluation(row: dict[str, Any]) -> dict[str, str]:
    seconds, theirs = (row[key] * row["queries"] / 1e6 for key in ("us_per_query", _THEIRS))
    return {
        "search": row["search"],
        "seconds": f"{seconds:.3f}",
        row["peer"]: f"{theirs:.2f}",
        "ratio": f"{row['ratio']:.1f}",
        "peak MB": str(row["peak_memory_mb"]),
    }


def _recall(row: dict[str, Any]) -> dict[str, str]:
    return {
        "codes": row["codes"],
        **_size(row),
        "index": row["search"],
        "recall": f"{row['recall']:.3f}",
        "us": _us(row["us_per_query"], row["busy"]),
        "exact scan": _us(row[_THEIRS], row["peer_busy"]),
        "ratio": f"{row['ratio']:.2f}",
        "built in": f"{row['seconds_to_build']:.0f} s",
    }


def _size(row: dict[str, Any]) -> dict[str, str]:
    return {"items": f"{row['items']:,}", "bits": str(row["bits"])}


def _peer(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    return f"{_us(row[_THEIRS], row['peer_busy'])} ({row['ratio']:.3g} x)"


def _us(value: float, busy: float) -> str:
    """Three digits; a star where the search did not get its processors."""
    digits = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return digits + ("" if busy >= 0.9 else "*")


if __name__ == "__main__":
    main()
