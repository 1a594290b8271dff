"""Asymmetric search beside FAISS's compressed indexes: ``python -m benchmarks.asymmetric``.

Searches of a million items, four bytes each unless they are floats, run in turns in one process, on
one thread. Writes asymmetric.json and asymmetric.provenance.json; ``--into docs/quantization.md``
puts their table between the page's two marks.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads of one library stall another's
os.environ.pop("OPENBLAS_CORETYPE", None)  # where it is set, matrix products are not at their best

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import faiss
import pandas as pd

from benchmarks.pages import fill
from benchmarks.search_measure import Answer, Row, Times, batch, measure, set_threads
from benchmarks.search_peers import Corpus
from hashgnn.files import atomic_write
from hashgnn.reporting.tables import to_markdown
from hashgnn.search import Index
from hashgnn.stage.record import Recorder

# FAISS's names: M parts of b bits; fs is the scan by tables in registers.
PEERS = {
    "FAISS PQ8x4fs": "PQ{pairs}x4fs",
    "FAISS PQ4x8": "PQ{bytes}x8",
    "FAISS RaBitQ": "RaBitQ",
    "FAISS RaBitQ, fast scan": "RaBitQfs",
    "FAISS IndexFlatIP": "Flat",
}
HAMMING, FOUR_BITS = "Hamming", "asymmetric, query of 4 bits"
FLOAT_BYTES, RABITQ_BYTES = 4, 8
_BEGIN, _END = "<!-- times: make bench-asymmetric -->\n", "<!-- end of times -->"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--bits", type=int, default=32, help="of a code, and dimensions")
    parser.add_argument("--k", type=int, default=100, help="items wanted of a query")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("benchmarks"), help="folder")
    parser.add_argument("--into", type=Path, help="page to put the table of an earlier run into")
    args = parser.parse_args(argv)
    path = args.output / "asymmetric.json"
    if args.into:
        put_into(args.into, json.loads(path.read_text()))
        return
    recorder = Recorder({key: str(value) for key, value in vars(args).items()})
    rows = list(compare(args.items, args.bits, args.k, args.threads))
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(rows, indent=1) + "\n")
    recorder.write(args.output / "asymmetric.provenance.json", {}, [path])
    print(table_of(rows))


def compare(n_items: int, bits: int, k: int, threads: int) -> Iterator[Row]:
    """A row for each search: microseconds a query and how often it is as slow as Hamming search."""
    set_threads(threads)
    corpus = Corpus.random(n_items, bits, batch(n_items), with_vectors=True)
    times = measure(answers(corpus, bits, k), len(corpus.queries), threads)
    for name, each in times.items():
        yield {
            **{"search": name, "items": n_items, "bits": bits, "k": k, "threads": threads},
            "bytes": _bytes(name, bits),
            "us_per_query": round(each.median, 3),
            "spread": [round(min(each.rounds), 3), round(max(each.rounds), 3)],
            "queries": each.queries,
            "busy": round(each.busy, 3),
            **_ratios(each, times),
        }


def answers(corpus: Corpus, bits: int, k: int) -> dict[str, Answer]:
    """Our searches of codes and of floats, and FAISS's."""
    codes, vectors = corpus.queries, corpus.query_vectors
    assert vectors is not None
    assert corpus.vectors is not None
    index, floats = Index(corpus.codes), Index(vectors=corpus.vectors)
    made: dict[str, Answer] = {
        HAMMING: lambda n: index.hamming(codes[:n], k),
        FOUR_BITS: lambda n: index.asymmetric(vectors[:n], k, query_bits=4),
        "asymmetric, query of 8 bits": lambda n: index.asymmetric(vectors[:n], k, query_bits=8),
        "asymmetric, float query": lambda n: index.asymmetric(vectors[:n], k),
        "continuous": lambda n: floats.continuous(vectors[:n], k),
    }
    for name, factory in PEERS.items():
        recipe = factory.format(pairs=bits // 4, bytes=bits // 8)
        peer = faiss.index_factory(bits, recipe, faiss.METRIC_INNER_PRODUCT)
        peer.train(corpus.vectors[:100_000])
        peer.add(corpus.vectors)
        made[name] = partial(_search, peer, vectors, k)
    return made


def _search(peer: faiss.Index, vectors: object, k: int, n: int) -> object:
    return peer.search(vectors[:n], k)  # type: ignore[index]


def _bytes(name: str, bits: int) -> int:
    if name in ("continuous", "FAISS IndexFlatIP"):
        return FLOAT_BYTES * bits
    return bits // 8 + (RABITQ_BYTES if "RaBitQ" in name else 0)


def _ratios(each: Times, times: Mapping[str, Times]) -> Row:
    return {
        "times_hamming": round(each.median / times[HAMMING].median, 3),
        "times_four_bits": round(each.median / times[FOUR_BITS].median, 3),
    }


def table_of(rows: Sequence[Row]) -> str:
    """The rows in Markdown; a star where a search did not get its processors."""
    table = pd.DataFrame(
        {
            "search": str(row["search"]),
            "bytes an item": str(row["bytes"]),
            "microseconds a query": f"{row['us_per_query']:,.0f}"
            + ("" if float(str(row["busy"])) >= 0.9 else "*"),
            "to Hamming": f"{row['times_hamming']:.2f}",
            "to asymmetric, 4 bits": f"{row['times_four_bits']:.2f}",
        }
        for row in rows
    )
    return to_markdown(table)


def put_into(page: Path, rows: Sequence[Row]) -> None:
    """Replace what is between the page's two marks by the table and the case that it is of."""
    first = rows[0]
    case = (
        f"{first['items']:,} items, {first['bits']} bits or dimensions, top {first['k']}, "
        f"{first['threads']} thread{'s' * (first['threads'] != 1)}:"
    )
    fill(page, _BEGIN, f"\n{case}\n\n{table_of(rows)}\n", _END)


if __name__ == "__main__":
    main()
