"""Search side by side with its peers: ``python -m benchmarks.search`` (half an hour).

Writes search.json, a list of comparisons, a figure, and search.provenance.json. All searches of
a size run in one process, in turns, with equal numbers of threads; a figure is the median of the
rounds. What is done is kept: ``--resume`` goes on after the last group of comparisons.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # idle threads of one library stall another's
os.environ.pop("OPENBLAS_CORETYPE", None)  # where it is set, matrix products are not at their best

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import search_cases as cases
from benchmarks.search_approximate import compare_approximate
from benchmarks.search_evaluation import ITEMS, USERS
from benchmarks.search_figure import draw
from benchmarks.search_measure import Row
from hashgnn.files import atomic_write
from hashgnn.stage.record import Recorder

SIZES = (4_096, 40_000, 1_000_000, 10_000_000)
BITS = (32, 64, 128)
CUTOFFS = (50, 100, 500)
PARTS = ("evaluation", "searches", "limits", "approximate")
GROUP = ("part", "items", "bits", "threads")  # comparisons that are made and kept together


def main(argv: Sequence[str] | None = None) -> None:
    args = _parser().parse_args(argv)
    recorder = Recorder({key: str(value) for key, value in vars(args).items()})
    path = args.output / "search.json"
    rows: list[Row] = json.loads(path.read_text()) if args.resume and path.exists() else []
    done = {tuple(row[key] for key in GROUP) for row in rows}
    for group in compare_all(args, done):
        rows += group
        print(*map(json.dumps, group), sep="\n", flush=True)
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(rows, indent=1) + "\n")
    draw(rows, args.figure)
    recorder.write(
        args.output / "search.provenance.json",
        {"resumed_after": len(done)},
        [args.output / "search.json"],
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--items", type=int, nargs="*", default=SIZES, metavar="N")
    add("--bits", type=int, nargs="+", default=BITS, metavar="N", help="of a code, and dimensions")
    add("--k", type=int, nargs="+", default=CUTOFFS, metavar="N", help="items wanted of a query")
    add("--threads", type=int, nargs="+", default=(1, 2), metavar="N")
    add("--large", type=int, default=100_000_000, help="items of 64 bits, codes only; 0: none")
    add("--approximate", type=int, default=10_000_000, help="items of that part; 0: none")
    add("--evaluate", type=int, nargs=2, default=(USERS, ITEMS), metavar=("USERS", "ITEMS"))
    add("--parts", choices=PARTS, nargs="+", default=PARTS, help="searches: batches beside peers; "
        "limits: one query beside what the machine can do; by default all")  # fmt: skip
    add("--output", type=Path, default=Path("benchmarks"), help="folder")
    add("--figure", type=Path, default=Path("docs/search.svg"))
    add("--resume", action="store_true", help="keep what search.json has")
    return parser


def compare_all(args: argparse.Namespace, done: set[tuple[object, ...]]) -> Iterator[list[Row]]:
    """The comparisons group by group; quick ones first."""
    users, catalogue = args.evaluate
    sizes = [(n_items, bits) for n_items in args.items for bits in args.bits]

    def missing(part: str, items: int, bits: int) -> list[int]:
        wanted = args.threads if part in args.parts else []
        return [t for t in wanted if (part, items, bits, t) not in done]

    for threads in missing("evaluation", catalogue, cases.DIMENSIONS):
        yield list(cases.compare_evaluation(users, catalogue, threads))
    for n_items, bits in sizes:
        yield from cases.compare_searches(n_items, bits, args.k, missing("searches", n_items, bits))
    limits = [*sizes, (args.large, cases.LARGE_BITS)] if args.large else sizes
    for n_items, bits in limits:
        yield from cases.compare_limits(n_items, bits, missing("limits", n_items, bits))
    if args.approximate:
        todo = missing("approximate", args.approximate, cases.LARGE_BITS)
        yield from compare_approximate(args.approximate, todo)


if __name__ == "__main__":
    main()
