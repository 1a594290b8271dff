"""Time the three searches of a method for all its users, and continuous search in PyTorch."""

import argparse
import csv
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from hashgnn.config.base import Count, parse
from hashgnn.config.evaluation import TimingSettings
from hashgnn.errors import InputError
from hashgnn.evaluation.statistics import read_rows
from hashgnn.files import atomic_write, load_array
from hashgnn.kernels import get_threads, set_threads
from hashgnn.search import Index
from hashgnn.stage.command import run_stage, stage_parser

BUSY = 0.9  # least share of its processors' time that makes a run a valid measurement
_TRIES = 10

Run = Callable[[], object]


class Round(NamedTuple):
    """One timed run: wall-clock seconds, and CPU seconds / (wall-clock seconds x threads)."""

    seconds: float
    busy: float


def in_turns(runs: Mapping[str, Run], rounds: int, threads: int) -> dict[str, list[Round]]:
    """Time every run once per round, so that disturbances of the machine affect all alike.

    Call each run once before, as the first call compiles.
    """
    times: dict[str, list[Round]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(time_alone(run, threads))
    return times


def time_alone(run: Run, threads: int, tries: int = _TRIES) -> Round:
    """Repeat a run until it gets its processors, at most ``tries`` times.

    Returns the first run whose ``busy`` reaches ``BUSY``, or else the busiest; the latter is no
    valid measurement, as other processes were computing.
    """
    tried = []
    for _ in range(tries):
        tried.append(time_once(run, threads))
        if tried[-1].busy >= BUSY:
            break
    return max(tried, key=lambda one: one.busy)


def time_once(run: Run, threads: int) -> Round:
    """Time one run."""
    start, cpu = time.perf_counter(), time.process_time()
    run()
    seconds = time.perf_counter() - start
    return Round(seconds, (time.process_time() - cpu) / seconds / threads)


CASE = (
    *("dataset", "model", "bits", "users", "items", "k", "candidates", "threads"),
    *("seed", "search"),
)
COLUMNS = (*CASE, "round", "seconds", "busy")


def write_times(
    path: Path, times: Mapping[str, Sequence[Round]], case: Mapping[str, object]
) -> None:
    """Write the rounds of each search as CSV, with the columns ``CASE`` taken from ``case``."""
    shared = {key: case[key] for key in CASE if key in case}
    with atomic_write(path) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for search, rounds in times.items():
            for number, each in enumerate(rounds):
                writer.writerow({**shared, "search": search, "round": number, **each._asdict()})


def read_times(paths: Iterable[Path]) -> pd.DataFrame:
    """Return the rows of several ``timing.csv``; raise ``InputError`` for other columns."""
    return read_rows(paths, COLUMNS, "time again")


_TORCH_BLOCK = 64  # users at a time


class SearchTiming(TimingSettings):
    """The config's section ``timing``, with ``candidates`` of ``evaluation``."""

    candidates: Count = 500
    """Items that hierarchical search re-ranks."""

    def check(self) -> None:
        """Raise ``InputError`` if this job may not use that many threads."""
        if self.threads > (available := get_threads()):
            raise InputError(
                f"threads: {self.threads}, but this job may use {available}; give Snakemake that "
                f"many cores (-j{self.threads}), or ask for fewer threads"
            )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage from the command line."""
    parser = timing_parser(__doc__)
    parser.add_argument(
        "--output", type=Path, required=True, help="CSV of a row per search and round"
    )
    return run_stage(parser, _run, argv)


def timing_parser(description: str | None) -> argparse.ArgumentParser:
    """Return the parser of a stage that times searches of a run's codes and vectors."""
    parser = stage_parser(description)
    for name in ("user-codes", "item-codes", "user-vectors", "item-vectors"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    return parser


def _run(args: argparse.Namespace) -> dict[str, object]:
    settings = parse(SearchTiming, args.settings["timing"], "timing")
    users = load_array(args.user_codes), load_array(args.user_vectors)
    items = load_array(args.item_codes), load_array(args.item_vectors)
    set_threads(settings.threads)
    torch.set_num_threads(settings.threads)
    runs = searches(users, items, settings)
    for run in runs.values():
        run()  # compiles, fills caches
    times = in_turns(runs, settings.rounds, settings.threads)
    sizes = {"users": len(users[0]), "items": len(items[0])}
    write_times(args.output, times, {**args.settings, **args.settings["timing"], **sizes})
    return {"search_threads": settings.threads, "idle_machine": _all_busy(times)}


def searches(
    users: tuple[np.ndarray, np.ndarray],
    items: tuple[np.ndarray, np.ndarray],
    settings: SearchTiming,
) -> dict[str, Run]:
    """Return the searches to time, by name; no item is excluded.

    ``users`` and ``items``: their codes uint8 [rows, bytes] and vectors float32 [rows, d].
    """
    index, (codes, vectors), k = Index(*items), users, settings.k
    candidates = max(k, settings.candidates)
    return {
        "continuous": lambda: index.continuous(vectors, k),
        "hierarchical": lambda: index.hierarchical(codes, vectors, k, candidates=candidates),
        "hamming": lambda: index.hamming(codes, k),
        "continuous, PyTorch": lambda: _torch_search(vectors, items[1], k),
    }


def _torch_search(users: np.ndarray, items: np.ndarray, k: int) -> None:
    """Search as a user of plain PyTorch would."""
    item_vectors = torch.from_numpy(items).T
    for block in torch.from_numpy(users).split(_TORCH_BLOCK):
        torch.topk(block @ item_vectors, min(k, len(items)))


def _all_busy(times: Mapping[str, Sequence[Round]]) -> bool:
    return all(each.busy >= BUSY for rounds in times.values() for each in rounds)


if __name__ == "__main__":
    sys.exit(main())
