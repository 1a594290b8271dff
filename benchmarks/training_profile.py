"""Where the time of a training goes: ``python -m benchmarks.training_profile SPLIT...``.

Trains methods of the config on each split for some epochs, on one thread, and prints as Markdown
processor milliseconds per step, the share of each part, and the multiply-adds a second of the
products as a share of those of large matrices on this machine. With ``--into`` the table replaces
the one between the markers of a page.
"""

import argparse
import functools
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
import yaml

from benchmarks.pages import fill
from hashgnn.config.methods import negatives, parameters
from hashgnn.config.model import resolve
from hashgnn.data.interactions import load_split
from hashgnn.data.negatives import DrawnNegatives
from hashgnn.graph import aggregate
from hashgnn.models.graph_hasher import GraphHasher
from hashgnn.models.method import Task
from hashgnn.training import loop, steps
from hashgnn.training.fit import fit, load_method
from hashgnn.training.monitoring import TrainingProgress
from hashgnn.training.optimizer import DenseAdam, TouchedAdam
from hashgnn.training.steps import Batches
from hashgnn.training.train import keep_freed_memory

PARTS = (
    "sampling",
    "gather",
    "products",
    "loss",
    "backward",
    "update",
    "validation",
    "history",
    "rest",
)
BEGIN, END = "<!-- Profile: benchmarks/training_profile.py. -->\n", "<!-- End of the profile. -->\n"


class Clock:
    """Processor seconds by part; the time of a part within another one counts for the inner one.

    Attributes:
        seconds: By part.
        multiply_adds: Number of those in products.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.multiply_adds = 0
        self._running = ["rest"]
        self._since = time.process_time()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time of a block for ``name``."""
        self._switch()
        self._running.append(name)
        try:
            yield
        finally:
            self._switch()
            self._running.pop()

    def _switch(self) -> None:
        now = time.process_time()
        self.seconds[self._running[-1]] += now - self._since
        self._since = now

    def within(self, *names: str) -> bool:
        """Return whether one of these parts is running."""
        return any(name in self._running for name in names)


def timed(clock: Clock, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function`` with its time counted, but for what validation and history call."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if clock.within("validation", "history"):
            return function(*args, **kwargs)
        with clock.part(name):
            if name == "products":
                clock.multiply_adds += args[0].shape[0] * args[0].shape[1] * args[1].shape[1]
            return function(*args, **kwargs)

    return call


def watch(clock: Clock, model: type[GraphHasher]) -> ExitStack:
    """Count the time of the parts of a training until the stack is closed."""
    places: list[tuple[Any, str, str]] = [
        (Batches, "_batch", "sampling"),
        (aggregate, "gather", "gather"),
        (aggregate, "scatter", "gather"),
        (aggregate, "multiply", "products"),
        (model, "batch_loss", "loss"),
        (torch.Tensor, "backward", "backward"),
        (DenseAdam, "step", "update"),
        (TouchedAdam, "step", "update"),
        (loop.Training, "_validate", "validation"),
        (loop.Training, "_close_interval", "history"),
        (steps, "drop", "gather"),
    ]
    stack = ExitStack()
    for owner, name, part in places:
        stack.enter_context(patch.object(owner, name, timed(clock, part, getattr(owner, name))))
    return stack


class _Compiled(Exception):  # noqa: N818
    """Raised when a step and a row of the history are done."""


def _end_when_compiled(progress: TrainingProgress) -> None:
    if progress.values:
        raise _Compiled


def profile(path: Path, model: str, epochs: int, config: Any) -> tuple[Clock, int]:
    """Return the clock of a training, after a step that compiles kernels, and its steps."""
    split, data = load_split(path), path.parent.name
    used = {**parameters(config, data, model), "epochs": epochs}
    drawn = DrawnNegatives(split, negatives(config, model), 4, 0)
    task = Task(split, 32, 0, torch.device("cpu"), drawn)
    method = load_method(config["models"][model]["module"])
    count = [0]
    step = steps.Steps.__call__

    def counted(*args: Any) -> float:
        count[0] += 1
        return step(*args)

    with suppress(_Compiled):
        fit(method, task, {**used, "history_every": 1}, callback=_end_when_compiled)
    with patch.object(steps.Steps, "__call__", counted):
        clock = Clock()
        with watch(clock, method.model):  # type: ignore[attr-defined]
            fit(method, task, used, callback=lambda progress: None)
            with clock.part("end"):
                pass
    return clock, count[0]


def multiply_adds() -> float:
    """Return the multiply-adds a second of large products, by NumPy's BLAS."""
    size, best = 1536, 0.0
    a, b = (np.random.default_rng(n).standard_normal((size, size), np.float32) for n in (0, 1))
    for _ in range(5):
        began = time.process_time()
        a @ b
        best = max(best, size**3 / (time.process_time() - began))
    return best


def table(cases: Sequence[Path], models: Sequence[str], epochs: int) -> str:
    """Return the Markdown table of all trainings."""
    config = resolve(yaml.safe_load(Path("config/config.yaml").read_text(encoding="utf-8")))
    limit = multiply_adds()
    heads = " | ".join(PARTS)
    lines = [f"| data set | method | ms a step | {heads} | products of the limit |"]
    lines.append("|---|---|" + "---:|" * (len(PARTS) + 2))
    for path in cases:
        for model in models:
            clock, count = profile(path, model, epochs, config)
            total = sum(clock.seconds.values())
            shares = [f"{clock.seconds[part] / total:.0%}" for part in PARTS]
            reached = clock.multiply_adds / max(1e-9, clock.seconds["products"]) / limit
            name = config["models"][model]["name"]
            cells = [path.parent.name, name, f"{1000 * total / count:.0f}", *shares]
            lines.append("| " + " | ".join([*cells, f"{reached:.0%}"]) + " |")
            print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("splits", type=Path, nargs="+", help="results/DATASET/split.npz")
    parser.add_argument("--models", nargs="+", default=["hashgnn", "hashgnn_plus", "graphsage"])
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--into", type=Path, help="page with the markers")
    args = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    made = table(args.splits, args.models, args.epochs)
    if args.into:
        fill(args.into, BEGIN, f"\n{made}\n", END)


if __name__ == "__main__":
    main()
