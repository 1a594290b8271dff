"""Seconds of training until a validation HR: what a user waits for."""

import math
import time
from collections.abc import Iterator

import torch

from benchmarks.training_data import Case
from hashgnn.models import hashgnn
from hashgnn.models.method import Task
from hashgnn.training.fit import TrainingProgress, fit

PAPER = {"batch_size": 256, "learning_rate": 0.001, "history_every": 10**9}
LARGE = {
    "batch_size": 4096,
    "learning_rate": 0.01,
    "learning_rate_end": 0.1,
    "embedding_dropout": 0.2,
    "history_every": 10**9,
}
SHARED = {"initialization": "glorot", "initial_deviation": 0.1, "scale": 0.25}
GUIDANCE = {"start": 1.0, "step": 0.05, "every": 0.75, "unit": "epochs", "floor": 0.5}
CLOSE = 0.99  # of the best HR of the small batches


def compare_quality(case: Case, epochs: int) -> Iterator[dict[str, object]]:
    """The large batches' time to 99 % of the best HR of batch 256, beside that one's own."""
    small, large = (course(case, epochs, settings) for settings in (PAPER, LARGE))
    best = max(hr for _, hr in small)
    seconds = [next((s for s, hr in run if hr >= CLOSE * best), math.nan) for run in (large, small)]
    yield {
        "engine": "sampled",
        "peer": "ours at batch 256",
        "dataset": case.name,
        "batch": LARGE["batch_size"],
        "threads": 1,
        "validation_hr": round(CLOSE * best, 4),
        "seconds_to_hr": round(seconds[0], 1),
        "peer_seconds_to_hr": round(seconds[1], 1),
        "ratio_to_hr": round(seconds[1] / seconds[0], 2),
        "course": large,
        "peer_course": small,
    }


def course(case: Case, epochs: int, settings: dict[str, float]) -> list[tuple[float, float]]:
    """Seconds from the start, and validation HR, at the end of each epoch."""
    found, start = [], time.perf_counter()

    def note(progress: TrainingProgress) -> None:
        if "validation_hr" in progress.values:
            seconds = round(time.perf_counter() - start, 2)
            found.append((seconds, round(progress.values["validation_hr"], 5)))

    parameters = {**SHARED, **settings, "epochs": epochs, "guidance": GUIDANCE}
    task = Task(case.split, 32, 0, torch.device("cpu"), case.triplets)
    fit(hashgnn.METHOD, task, parameters, callback=note)
    return found
