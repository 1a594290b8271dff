"""Training side by side with its peers, one thread: ``python -m benchmarks.training``.

Writes training.json, a list of comparisons, a figure and training.provenance.json. The engines
of a case run in turns in one process; a figure is the median of the rounds, an edge a training
interaction with its negatives.
"""

import argparse
import json
import multiprocessing
import os
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop("OPENBLAS_CORETYPE", None)  # where it is set, matrix products are not at their best

import torch

from benchmarks import training_data as data
from benchmarks import training_peers as peers
from benchmarks.training_figure import draw
from benchmarks.training_quality import LARGE, compare_quality
from hashgnn.errors import InputError
from hashgnn.evaluation.time_searches import in_turns
from hashgnn.files import atomic_write
from hashgnn.stage.record import Recorder, peak_memory_mb
from hashgnn.training.train import keep_freed_memory

Row = dict[str, object]

SECONDS = 1.5  # a round, if a step takes less
ROUNDS = 3
LOADER_BATCH = 256  # PyG's loader is measured at this size alone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--movielens", type=Path, help="split.npz; without it, one is generated")
    parser.add_argument("--gowalla", type=Path, help="the same")
    parser.add_argument("--synthetic", type=int, nargs="*", default=[10**6, 10**7, 28_500_000])
    parser.add_argument("--batches", type=int, nargs="+", default=[256, 2048, 8192])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of a round")
    parser.add_argument("--quality", type=int, default=12, help="epochs; 0: no times to an HR")
    parser.add_argument(
        "--only", nargs="*", choices=("movielens", "gowalla"), help="of these; both by default"
    )
    parser.add_argument("--output", type=Path, default=Path("benchmarks"))
    parser.add_argument("--figure", type=Path, default=Path("docs/training.svg"))
    parser.add_argument("--resume", action="store_true", help="keep what training.json has")
    args = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    recorder = Recorder({key: str(value) for key, value in vars(args).items()})
    path = args.output / "training.json"
    rows: list[Row] = json.loads(path.read_text()) if args.resume and path.exists() else []
    done: set[tuple[object, ...]] = {(row["dataset"], row["batch"]) for row in rows}
    for group in compare_all(args, done):
        rows += group
        print(*map(json.dumps, group), sep="\n", flush=True)
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(rows, indent=1) + "\n")
    draw(rows, args.figure)
    recorder.write(args.output / "training.provenance.json", {"resumed_after": len(done)}, [path])


def compare_all(args: argparse.Namespace, done: set[tuple[object, ...]]) -> Iterator[list[Row]]:
    """The comparisons of each data set and batch; whole trainings last: their threads stay, and
    a process that has some cannot be forked to measure its memory (``peak_of``)."""
    for name in args.only or ("movielens", "gowalla"):
        case = data.real_or_alike(name, getattr(args, name))
        for batch in _missing(case, args, done):
            yield list(compare(case, batch, args.seconds))
    for size in args.synthetic:
        case = data.synthetic(size)
        for batch in _missing(case, args, done):
            yield list(compare_alone(case, batch, args.seconds))
    case = data.real_or_alike("movielens", args.movielens)
    if args.quality and (case.name, LARGE["batch_size"]) not in done:
        yield list(compare_quality(case, args.quality))


def _missing(case: data.Case, args: argparse.Namespace, done: set[tuple[object, ...]]) -> list[int]:
    return [batch for batch in args.batches if (case.name, batch) not in done]


def compare(case: data.Case, batch: int, seconds: float) -> Iterator[Row]:
    """Both of our engines with every peer that is there."""
    engines = {name: peers.ours(case, batch, name) for name in ("sampled", "full")}
    others: dict[str, Callable[[data.Case, int], peers.Step]] = {
        "torch_csr": peers.full_csr,
        "lightgcn_pytorch": peers.lightgcn,
    }
    if batch == LOADER_BATCH:
        others |= {"pyg_loader": peers.pyg_loader, "plain_torch": peers.plain_torch}
    steps = dict(engines)
    for name, make in others.items():
        try:
            steps[name] = make(case, batch)
            steps[name]()
        except ImportError as error:
            steps.pop(name, None)
            yield _case(case, batch) | {"peer": name, "skipped": str(error).splitlines()[0]}
    rates = measure(steps, batch, seconds)
    for engine in engines:
        peak = peak_of(case, batch, engine)
        for peer in rates.keys() - engines.keys():
            yield _compared(case, batch, engine, peer, rates) | {"peak_mb": peak}


def compare_alone(case: data.Case, batch: int, seconds: float) -> Iterator[Row]:
    """Ours on a graph that grows; the edges a second say how the cost does."""
    rates = measure({"sampled": peers.ours(case, batch, "sampled")}, batch, seconds)
    row = _compared(case, batch, "sampled", "sampled", rates)
    graph_edges = len(case.split.train.indices)
    seconds_per_million = 1e6 / float(str(row["edges_per_s"]))
    yield row | {
        "peak_mb": peak_of(case, batch, "sampled"),
        "training_interactions": graph_edges,
        "seconds_per_million_edges": round(seconds_per_million, 2),
    }


def measure(steps: dict[str, peers.Step], batch: int, seconds: float) -> dict[str, list[float]]:
    """Edges a second of each, round by round, in turns."""
    runs, counts = {}, {}
    for name, step in steps.items():
        step()  # compiles, warms
        once = in_turns({name: step}, 1, 1)[name][0].seconds
        counts[name] = max(1, round(seconds / once))
        runs[name] = _repeated(step, counts[name])
    times = in_turns(runs, ROUNDS, 1)
    return {
        name: [counts[name] * batch / one.seconds for one in rounds]
        for name, rounds in times.items()
    }


def peak_of(case: data.Case, batch: int, engine: str) -> int:
    """Megabytes at the most of a process that holds the data and takes three steps."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_take_steps, args=(case, batch, engine, sender))
    process.start()
    sender.close()
    try:
        peak = int(receiver.recv())
    except EOFError as error:
        raise InputError(f"{case.name}, batch {batch}: the process died; memory?") from error
    process.join()
    return peak


def _take_steps(case: data.Case, batch: int, engine: str, sender: object) -> None:
    step = peers.ours(case, batch, engine)
    for _ in range(3):
        step()
    sender.send(peak_memory_mb())  # type: ignore[attr-defined]


def _repeated(step: peers.Step, count: int) -> peers.Step:
    def run() -> None:
        for _ in range(count):
            step()

    return run


def _case(case: data.Case, batch: int) -> Row:
    return {"dataset": case.name, "batch": batch, "threads": 1}


def _compared(
    case: data.Case, batch: int, engine: str, peer: str, rates: dict[str, list[float]]
) -> Row:
    ours, theirs = statistics.median(rates[engine]), statistics.median(rates[peer])
    return {
        "engine": engine,
        "peer": peer,
        **_case(case, batch),
        "edges_per_s": round(ours, 1),
        "peer_edges_per_s": round(theirs, 1),
        "ratio": round(ours / theirs, 3),
        "spread": [round(min(rates[engine]), 1), round(max(rates[engine]), 1)],
        "peer_spread": [round(min(rates[peer]), 1), round(max(rates[peer]), 1)],
    }


if __name__ == "__main__":
    main()
