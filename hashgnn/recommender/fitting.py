"""Train on interactions at hand, by the workflow's own split, negatives and training loop."""

import hashlib
import math
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from hashgnn.data.interactions import Interactions, Split
from hashgnn.data.negatives import write_negatives
from hashgnn.data.split import split
from hashgnn.errors import InputError
from hashgnn.evaluation.representation import Encoded
from hashgnn.files import load_array
from hashgnn.models.task import Fitted, Moment, Task, print_news
from hashgnn.recommender.adapter import Given
from hashgnn.recommender.defaults import Recipe, recipe
from hashgnn.recommender.model import Model
from hashgnn.recommender.options import Options
from hashgnn.search import Index
from hashgnn.stage.record import Recorder
from hashgnn.training.checkpoint import Checkpoint
from hashgnn.training.train import choose_device, describe_device, fingerprint


def silent(moment: Moment) -> None:
    """Nothing."""


class Bar:
    """A progress bar on a terminal, lines elsewhere; to stderr."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def __call__(self, moment: Moment) -> None:
        """Move on to ``moment``."""
        if not sys.stderr.isatty():
            print_news(moment)
            return
        if self._bar is None:
            self._bar = tqdm(total=moment.iterations, unit="step", desc="training")
        self._bar.set_postfix_str(moment.news, refresh=False)
        self._bar.update(moment.iteration - self._bar.n)

    def close(self) -> None:
        """Leave the bar where it is: a training may stop before its last epoch."""
        if self._bar is not None:
            self._bar.close()


Watch = Callable[[Moment], None]


def fit(
    given: Given,
    options: Options,
    watch: Watch,
    checkpoint: Path | None = None,
) -> tuple[Model, pd.DataFrame]:
    """Train, and return the model and the course of its training.

    ``checkpoint``: where an interrupted training leaves its state and goes on from; it is removed
    at the end.
    """
    device = choose_device(options.device)
    parts = _split(given.interactions, options)
    chosen = recipe(options.method, options.parameters, len(parts.train.indices))
    settings = {
        "model": options.method,
        "method": chosen.module,
        "bits": options.bits,
        "seed": options.seed,
        "validation": options.validation,
        "negatives": chosen.negatives,
        "parameters": chosen.parameters,
    }
    recorder = Recorder(settings)
    state = _checkpoint(checkpoint, settings, options, given.interactions)
    fitted = _train(parts, chosen, options, device, state, watch)
    if checkpoint:
        state.remove()
    facts = {
        **fitted.recorded(),
        "integer_ids": {"user": given.users.integer, "item": given.items.integer},
        "device": describe_device(device),
        "device_option": options.device,
    }
    return _model(given, fitted, recorder.record(facts)), fitted.history


def _split(interactions: Interactions, options: Options) -> Split:
    shares = {"by": "random", "test": 0.0, "validation": options.validation}
    parts = split(interactions, {**shares, "seed": options.seed})
    if not len(parts.validation.indices):
        raise InputError(
            f"no user has enough interactions to hold out {options.validation:.0%} of them, by "
            "which the best epoch is chosen; give more interactions or a larger validation"
        )
    return parts


def _checkpoint(
    path: Path | None, settings: Mapping[str, Any], options: Options, interactions: Interactions
) -> Checkpoint:
    if path is None:
        return Checkpoint(Path(os.devnull), "", every_seconds=math.inf)
    given = (interactions.user, interactions.item, interactions.user_key, interactions.item_key)
    checksums = [hashlib.sha256(array.tobytes()).hexdigest() for array in given]
    return Checkpoint(path, fingerprint(settings, choose_device(options.device), checksums))


def _train(
    parts: Split,
    chosen: Recipe,
    options: Options,
    device: torch.device,
    checkpoint: Checkpoint,
    watch: Watch,
) -> Fitted:
    with tempfile.TemporaryDirectory(prefix="hashgnn-") as folder:
        negatives = Path(folder, "triplets.npy")
        if chosen.negatives is not None:
            write_negatives(negatives, parts, chosen.negatives, chosen.rounds, options.seed)
        task = Task(
            split=parts,
            triplets=load_array(negatives, memory_map=True) if negatives.exists() else None,
            bits=options.bits,
            seed=options.seed,
            parameters=chosen.parameters,
            device=device,
            checkpoint=checkpoint,
            watch=watch,
        )
        return import_module(chosen.module).fit(task)


def _model(given: Given, fitted: Fitted, record: Mapping[str, Any]) -> Model:
    users = Encoded(fitted.user_codes, fitted.user_vectors)
    items = Encoded(fitted.item_codes, fitted.item_vectors)
    return Model(given.users, given.items, users, items, Index(*items), given.interactions, record)
