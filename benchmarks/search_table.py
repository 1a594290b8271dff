"""The tables of docs/search.md, from search.json: ``python -m benchmarks.search_table``."""

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.tables.formats import to_markdown

Rows = Sequence[dict[str, Any]]

_PEERS = ("FAISS IndexBinaryFlat", "FAISS IndexFlatIP over +-1", "FAISS IndexFlatIP", "continuous")
_HIERARCHICAL = tuple(f"hierarchical, {candidates} candidates" for candidates in (200, 500))


def main(argv: Sequence[str]) -> None:
    path = Path(argv[0]) if argv else Path("benchmarks/search.json")
    rows = [row for row in json.loads(path.read_text()) if "skipped" not in row]
    for number in sorted({row["threads"] for row in rows}):
        own = [row for row in rows if row["threads"] == number]
        for title, table in tables(own):
            if table:
                print(f"### {title}, threads: {number}\n")
                print(to_markdown(pd.DataFrame(table).fillna("")))


def tables(rows: Rows) -> Iterable[tuple[str, list[dict[str, str]]]]:
    """Title and lines of each table, for one number of threads."""
    searches = [row for row in rows if row["part"] == "searches"]
    for k in sorted({row["k"] for row in searches}):
        of_k = [row for row in searches if row["k"] == k]
        yield f"Hamming search, top {k}", [_hamming(case) for case in _cases(of_k)]
        with_vectors = [case for case in _cases(of_k) if _first(case, "continuous")]
        yield f"Continuous and hierarchical search, top {k}", list(map(_vectors, with_vectors))
    for part, line in (("limits", _limit), ("evaluation", _evaluation), ("approximate", _recall)):
        chosen = [row for row in rows if row["part"] == part]
        yield part.capitalize(), [line(row) for row in chosen]


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
        "a billion items": f"{row['us_per_query'] * 1e9 / row['items'] / 1e6:.2f} s",
        "peak MB": f"{row.get('peak_memory_mb', '')}",
    }


def _evaluation(row: dict[str, Any]) -> dict[str, str]:
    seconds, theirs = (row[key] * row["queries"] / 1e6 for key in ("us_per_query", _THEIRS))
    return {
        "search": row["search"],
        "seconds": f"{seconds:.3f}",
        row["peer"]: f"{theirs:.2f}",
        "ratio": f"{row['ratio']:.1f}",
        "peak MB": str(row["peak_memory_mb"]),
    }


_THEIRS = "peer_us_per_query"


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
    main(sys.argv[1:])
