"""Training on a GPU beside its peers and beside the CPU: ``python -m benchmarks.gpu``.

Writes gpu.json, a list of rows, and gpu.provenance.json. A row belongs to one of three parts:

- ``throughput``: interactions a second and peak memory of HashGNN and HashGNN+ with their default
  settings, in float32 and in mixed precision, and of other libraries at the same batch size;
- ``training``: validation recall after some epochs on the CPU and on the GPU, by seed, and the
  seconds of a whole training on the GPU;
- ``engine``: what ``engine: auto`` chooses.

The run ends within ``--limit`` seconds: rows are written as they come, a part whose time is over
says so in its last row, and a peer that cannot be measured has a row with the reason.
"""

import argparse
import json
import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

os.environ.pop("OPENBLAS_CORETYPE", None)  # where it is set, matrix products are not at their best

import torch

from benchmarks import training_data as data
from benchmarks import training_peers as peers
from hashgnn.config.base import parse
from hashgnn.data.negatives import DrawnNegatives
from hashgnn.errors import InputError
from hashgnn.evaluation.time_searches import time_once
from hashgnn.files import atomic_write
from hashgnn.models.method import Progress, Task
from hashgnn.recommender.defaults import MethodDefaults, method_defaults
from hashgnn.stage.record import Recorder
from hashgnn.training.fit import fit, load_method
from hashgnn.training.loop import Training
from hashgnn.training.monitoring import TrainingProgress
from hashgnn.training.train import choose_device, describe_device, keep_freed_memory

Row = dict[str, Any]
Make = Callable[[], peers.Step]

METHODS = ("hashgnn_plus", "hashgnn")
PEERS: dict[str, Callable[[data.Case, int, torch.device], peers.Step]] = {
    "lightgcn_pytorch": peers.lightgcn,
    "pyg_loader": peers.pyg_loader,
    "plain_torch": peers.plain_torch,
}
ROUNDS = 3
SEEDS = (0, 1)
WHOLE: dict[str, object] = {}  # changes of the default settings for whole trainings


class Run(NamedTuple):
    """What all parts are measured with."""

    device: torch.device
    cases: dict[str, data.Case]
    seconds: float
    epochs: int


class Key(NamedTuple):
    """What is trained: a method or a peer, whether in mixed precision, and the batch size."""

    trained: str
    mixed: bool
    batch: int


class OutOfTime(BaseException):
    """Raised where a part has used its time; no error of what is measured."""


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--movielens", type=Path, help="split.npz; without it, one is generated")
    parser.add_argument("--gowalla", type=Path, help="the same")
    parser.add_argument("--device", default="cuda", help="cpu tries the script without a GPU")
    parser.add_argument("--seconds", type=float, default=1.0, help="of a round")
    parser.add_argument("--epochs", type=int, default=3, help="of the trainings on both devices")
    parser.add_argument("--limit", type=float, default=420, help="seconds of the whole run")
    parser.add_argument("--output", type=Path, default=Path("benchmarks"))
    args = parser.parse_args(argv)
    ends = time.monotonic() + args.limit
    keep_freed_memory()
    device = choose_device(args.device)
    recorder = Recorder({key: str(value) for key, value in vars(args).items()})
    cases = {name: data.real_or_alike(name, getattr(args, name)) for name in data.SIZES}
    run = Run(device, cases, args.seconds, args.epochs)
    path, rows = args.output / "gpu.json", []
    for row in measure_all(run, ends):
        rows.append(row)
        print(json.dumps(row), flush=True)
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(rows, indent=1) + "\n")
    facts = {"device": describe_device(device)}
    recorder.write(args.output / "gpu.provenance.json", facts, [path])


def measure_all(run: Run, ends: float) -> Iterator[Row]:
    """Yield the rows of all parts, the most important first."""
    parts = [("throughput", throughput), ("training", trainings), ("engine", engines)]
    todo = [(name, part, rows) for part, rows in parts for name in run.cases]
    for number, (name, part, rows) in enumerate(todo, start=1):
        # Half of what is left, so that a part that takes long leaves time to the others.
        left = ends - time.monotonic()
        share = left if number == len(todo) else left / 2
        case = run.cases[name]
        yield from limited(partial(rows, run, case), share, {"part": part, "dataset": case.name})


def limited(rows: Callable[[], Iterator[Row]], seconds: float, about: Row) -> Iterator[Row]:
    """Yield rows until there are no more, the time is over or one cannot be made."""
    ends, iterator = time.monotonic() + seconds, rows()
    while True:
        try:
            with within(ends - time.monotonic()):
                row = next(iterator, None)
        except OutOfTime:
            row = {"skipped": f"the time of this part, {seconds:.0f} seconds, was over"}
        except Exception as error:  # the other parts may work
            row = {"skipped": reason(error)}
        if row is None:
            return
        yield {**about, **row}


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise ``OutOfTime`` in the block after so many seconds."""

    def stop(*_: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(0.001, seconds))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def reason(error: Exception) -> str:
    """The class and the first line of an error."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def throughput(run: Run, case: data.Case) -> Iterator[Row]:
    """Both methods in both precisions and LightGCN in turns, then the other peers."""
    makers: dict[Key, Make] = {}
    for method in METHODS:
        batch = defaults_of(case, method).parameters["batch_size"]
        for mixed in (False, True):
            makers[Key(method, mixed, batch)] = partial(stepping, case, method, run.device, mixed)
    batches = sorted({key.batch for key in makers})
    of_peers = {
        name: {Key(name, False, batch): partial(make, case, batch, run.device) for batch in batches}
        for name, make in PEERS.items()
    }
    first, *others = of_peers.values()
    yield from measured({**makers, **first}, run)
    for other in others:
        yield from measured(other, run)


def measured(makers: Mapping[Key, Make], run: Run) -> Iterator[Row]:
    """The speed of several steps in turns; what cannot be made or run has a row with the reason."""
    steps, peaks = {}, {}
    for key, make in makers.items():
        try:
            steps[key], peaks[key] = started(make, run.device)
        except Exception as error:  # a peer that is missing ends nothing
            yield {**key._asdict(), "skipped": reason(error)}
    for key, rates in rates_of(steps, run).items():
        rate = statistics.median(rates)
        yield {
            **key._asdict(),
            "interactions_per_s": round(rate, 1),
            "spread": [round(min(rates), 1), round(max(rates), 1)],
            "ms_a_step": round(1000 * key.batch / rate, 3),
            "peak_gpu_mb": peaks[key],
        }


def started(make: Make, device: torch.device) -> tuple[peers.Step, int]:
    """A step after three, which compile kernels, and the megabytes of GPU memory it needs."""
    cuda = device.type == "cuda"
    before = torch.cuda.memory_allocated(device) if cuda else 0
    if cuda:
        torch.cuda.reset_peak_memory_stats(device)
    step = make()
    for _ in range(3):
        step()
    peak = torch.cuda.max_memory_allocated(device) if cuda else 0
    return step, (peak - before) >> 20


def stepping(case: data.Case, method: str, device: torch.device, mixed: bool) -> peers.Step:
    """A step of the training of a method, its batch included."""
    made = training_of(case, method, device, mixed_precision=mixed)
    stream, rng = peers.forever(made.batches.epoch), torch.Generator(device)
    progress = Progress(0, len(made.batches))
    return lambda: peers.ignore(made.steps(next(stream), progress, rng))


def training_of(case: data.Case, method: str, device: torch.device, **changes: object) -> Training:
    """The training of a method with the default settings, before its first step."""
    defaults = defaults_of(case, method, **changes)
    declared: Any = load_method(defaults.module)
    parameters = parse(declared.parameters, {**defaults.parameters, **declared.fixed}, "parameters")
    task, graph = task_of(case, defaults, device, 0), peers.graph_of(case)
    torch.manual_seed(0)
    model = declared.model(graph, task.bits, parameters).to(device).train()
    return Training(model, graph, parameters, task, None, lambda progress: None)


def defaults_of(case: data.Case, method: str, **changes: object) -> MethodDefaults:
    """The default settings, with changes, but no rows of the history, which cost time."""
    changed = {"history_every": 10**9, **changes}
    return method_defaults(method, changed, len(case.split.train.indices))


def task_of(case: data.Case, defaults: MethodDefaults, device: torch.device, seed: int) -> Task:
    assert defaults.negatives is not None
    drawn = DrawnNegatives(case.split, defaults.negatives, defaults.rounds, seed)
    return Task(case.split, peers.BITS, seed, device, drawn)


def rates_of(steps: Mapping[Key, peers.Step], run: Run) -> dict[Key, list[float]]:
    """Interactions a second of each, by round."""
    counts = {
        key: max(1, round(2 * run.seconds / seconds_of(step, 2, run.device)))
        for key, step in steps.items()
    }
    rates: dict[Key, list[float]] = {key: [] for key in steps}
    for _ in range(ROUNDS):
        for key, step in steps.items():
            seconds = seconds_of(step, counts[key], run.device)
            rates[key].append(counts[key] * key.batch / seconds)
    return rates


def seconds_of(step: peers.Step, count: int, device: torch.device) -> float:
    def repeated() -> None:
        for _ in range(count):
            step()
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return time_once(repeated, 1).seconds


def trainings(run: Run, case: data.Case) -> Iterator[Row]:
    """Whole trainings on the device, and some epochs by seed on both devices, on one data set."""
    cpu = torch.device("cpu")
    for method in METHODS:
        for mixed in (False, True):
            changes = {**WHOLE, "mixed_precision": mixed}
            yield {"whole": True, **course(case, method, run.device, 0, **changes)}
    if case is not next(iter(run.cases.values())):
        return
    for method in METHODS:
        for seed in SEEDS:
            for device, mixed in ((run.device, False), (run.device, True), (cpu, False)):
                yield course(case, method, device, seed, epochs=run.epochs, mixed_precision=mixed)


def course(case: data.Case, method: str, device: torch.device, seed: int, **changes: object) -> Row:
    """A training: its seconds and its best validation recall."""
    defaults = defaults_of(case, method, **changes)
    epochs: list[TrainingProgress] = []
    began = time.perf_counter()
    fitted = fit(
        load_method(defaults.module),
        task_of(case, defaults, device, seed),
        defaults.parameters,
        callback=epochs.append,
    )
    return {
        "trained": method,
        "device": device.type,
        "mixed": bool(changes.get("mixed_precision")),
        "seed": seed,
        "epochs": max(progress.epoch or 0 for progress in epochs),
        "validation_hr": round(fitted.facts["validation_hr"], 5),
        "seconds": round(time.perf_counter() - began, 2),
    }


def engines(run: Run, case: data.Case) -> Iterator[Row]:
    """The choice of ``engine: auto``, which times both engines."""
    for method in METHODS:
        made = training_of(case, method, run.device, engine="auto")
        about = {"trained": method, "batch": made.batches.batch_size}
        yield {**about, "engine": made.choice.engine, "reason": made.choice.reason}


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        raise SystemExit(f"error: {error}") from error
