"""28.5 million interactions from a raw file to codes: ``python -m benchmarks.training_large``.

Each stage runs as the workflow runs it, in a process of its own, on one thread; the peak is what
the kernel says of that process. Training takes a number of steps and then makes the codes of all
users and items. Writes training_large.json, a list of stages.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.training_data import DENSITY
from benchmarks.training_peers import BITS, FANOUTS
from hashgnn.data.interactions import load_split
from hashgnn.data.prepare import prepare
from hashgnn.files import atomic_write, load_array
from hashgnn.graph import NeighborSampler, bipartite_graph
from hashgnn.models.hashgnn import HashGnnModel, Parameters
from hashgnn.models.method import Progress
from hashgnn.stage.record import Recorder
from hashgnn.training.steps import Batches, Steps, choose_engine
from hashgnn.training.train import keep_freed_memory

Row = dict[str, object]
ROWS_WRITTEN = 1_000_000


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--interactions", type=int, default=28_500_000)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--iterations", type=int, default=2000)
    parser.add_argument("--folder", type=Path, default=Path("large"), help="for the data")
    parser.add_argument("--output", type=Path, default=Path("benchmarks"))
    parser.add_argument("--stage", choices=["generate", "train"], help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.stage:
        {"generate": generate, "train": train}[args.stage](args)
    else:
        _run_all(args)


def _run_all(args: argparse.Namespace) -> None:
    args.folder.mkdir(parents=True, exist_ok=True)
    recorder = Recorder({key: str(value) for key, value in vars(args).items()})
    rows: list[Row] = []
    for name, command in _stages(args).items():
        rows.append({"stage": name, **measured([sys.executable, "-m", *command])})
        print(json.dumps(rows[-1]), flush=True)
        with atomic_write(args.output / "training_large.json") as temporary:
            temporary.write_text(json.dumps(rows, indent=1) + "\n")
    made = [args.output / "training_large.json"]
    recorder.write(args.output / "training_large.provenance.json", {}, made)


def _stages(args: argparse.Namespace) -> dict[str, list[str]]:
    """Command of each stage, after ``python -m``."""
    at = {name: str(args.folder / name) for name in _FILES}
    own = ["benchmarks.training_large", "--folder", str(args.folder)]
    size = ["--interactions", str(args.interactions)]
    steps = ["--batch", str(args.batch), "--iterations", str(args.iterations)]
    prepare = _stage("hashgnn.data.prepare", _READ, at["interactions.npz"])
    split = _stage("hashgnn.data.split", _SPLIT, at["split.npz"])
    triplets = _stage("hashgnn.data.negatives", _TRIPLETS, at["triplets.npy"])
    prepare += ["--users", at["users.csv"], "--items", at["items.csv"]]
    return {
        "generate": [*own, *size, "--stage", "generate"],
        "prepare": [*prepare, "--inputs", at["raw.csv"]],
        "split": [*split, "--interactions", at["interactions.npz"]],
        "triplets": [*triplets, "--split", at["split.npz"]],
        "train": [*own, *steps, "--stage", "train"],
    }


_FILES = ("raw.csv", "interactions.npz", "users.csv", "items.csv", "split.npz", "triplets.npy")
_READ = {
    "dataset": "large",
    "reader": "table",
    "format": {"separator": ",", "header": True},
    "columns": {"user": "user", "item": "item"},
}
_SPLIT = {"by": "random", "test": 0.3, "validation": 0.1, "seed": 0}
_TRIPLETS = {"per_interaction": 5, "rounds": 1, "seed": 0}


def _stage(module: str, settings: Mapping[str, object], output: str) -> list[str]:
    wanted = ["--output", output, "--provenance", f"{output}.provenance.json"]
    return [module, "--settings", json.dumps(settings), *wanted]


_ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def measured(command: Sequence[str]) -> Row:
    """Seconds and the peak of memory of a process that must succeed."""
    began = time.perf_counter()
    pid = os.posix_spawn(command[0], list(command), {**os.environ, **_ONE_THREAD})
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(command)}")
    return {
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mb": usage.ru_maxrss // 1024,
    }


def generate(args: argparse.Namespace) -> None:
    """Write the raw file: a line an interaction, in random order."""
    side = (args.interactions / DENSITY[2]) ** 0.5
    sizes = {"users": round(DENSITY[0] * side), "items": round(DENSITY[1] * side)}
    generator = {**sizes, "interactions": args.interactions}
    made = prepare([], {"dataset": "large", "reader": "synthetic", "generator": generator})
    user, item = made.interactions.user, made.interactions.item
    order = np.random.default_rng(0).permutation(len(user))
    with (args.folder / "raw.csv").open("w") as file:
        for start in range(0, len(order), ROWS_WRITTEN):
            rows = order[start : start + ROWS_WRITTEN]
            table = pd.DataFrame({"user": user[rows], "item": item[rows]})
            table.to_csv(file, index=False, header=start == 0)


def train(args: argparse.Namespace) -> None:
    """Take the steps, then make and write all codes."""
    keep_freed_memory()
    split = load_split(args.folder / "split.npz")
    graph = bipartite_graph(split.train, split.n_items)
    settings = Parameters(batch_size=args.batch)
    negatives = load_array(args.folder / "triplets.npy", memory_map=True)
    device = torch.device("cpu")
    batches = Batches(
        split.train, negatives, NeighborSampler(graph, FANOUTS), args.batch, 0, device
    )
    model, rng = HashGnnModel(graph, BITS, settings), torch.Generator()
    choice = choose_engine(model, graph, batches, settings)
    steps = Steps(model, graph, batches, settings, choice)
    began = time.perf_counter()
    for number, batch in zip(range(args.iterations), batches.epoch(0), strict=False):
        steps(batch, Progress(number, len(batches)), rng)
    seconds = time.perf_counter() - began
    print(f"{seconds / args.iterations * 1e3:.1f} ms an iteration", flush=True)
    nodes = model.eval().propagate(graph).split(graph.n_users)
    for side, encoded in zip(("users", "items"), nodes, strict=True):
        np.save(args.folder / f"codes.{side}.npy", encoded.codes())


if __name__ == "__main__":
    main()
