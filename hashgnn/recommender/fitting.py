"""Train on interactions at hand, by the workflow's own split, negatives and training loop."""

import hashlib
import sys
import tempfile
from collections.abc import Mapping
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
from hashgnn.models.method import Task
from hashgnn.recommender.adapter import Given
from hashgnn.recommender.defaults import Recipe, recipe
from hashgnn.recommender.model import Model
from hashgnn.recommender.options import Options
from hashgnn.search import Index
from hashgnn.stage.record import Recorder
from hashgnn.training.checkpoint import Checkpoint
from hashgnn.training.fit import Callback, Fitted, TrainingProgress, load_method, print_progress
from hashgnn.training.fit import fit as fit_method
from hashgnn.training.train import choose_device, describe_device, fingerprint


def silent(progress: TrainingProgress) -> None:
    """Show nothing."""


class Bar:
    """Show progress on stderr: a bar on a terminal, lines elsewhere."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def __call__(self, progress: TrainingProgress) -> None:
        """Show ``progress``."""
        if not sys.stderr.isatty():
            print_progress(progress)
            return
        if self._bar is None:
            self._bar = tqdm(total=progress.iterations, unit="step", desc="training")
        self._bar.set_postfix_str(progress.message, refresh=False)
        self._bar.update(progress.iteration - self._bar.n)

    def close(self) -> None:
        """Leave the bar where it is: a training may stop before its last epoch."""
        if self._bar is not None:
            self._bar.close()


def fit(
    given: Given,
    options: Options,
    callback: Callback,
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
    fitted = _train(parts, chosen, options, device, state, callback)
    if state:
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
) -> Checkpoint | None:
    if path is None:
        return None
    given = (interactions.user, interactions.item, interactions.user_key, interactions.item_key)
    checksums = [hashlib.sha256(array.tobytes()).hexdigest() for array in given]
    return Checkpoint(path, fingerprint(settings, choose_device(options.device), checksums))


def _train(
    parts: Split,
    chosen: Recipe,
    options: Options,
    device: torch.device,
    checkpoint: Checkpoint | None,
    callback: Callback,
) -> Fitted:
    with tempfile.TemporaryDirectory(prefix="hashgnn-") as folder:
        negatives = Path(folder, "triplets.npy")
        if chosen.negatives is not None:
            write_negatives(negatives, parts, chosen.negatives, chosen.rounds, options.seed)
        task = Task(
            split=parts,
            bits=options.bits,
            seed=options.seed,
            device=device,
            negatives=load_array(negatives, memory_map=True) if negatives.exists() else None,
        )
        method = load_method(chosen.module)
        return fit_method(method, task, chosen.parameters, checkpoint, callback)


def _model(given: Given, fitted: Fitted, record: Mapping[str, Any]) -> Model:
    users = Encoded(fitted.user_codes, fitted.user_vectors)
    items = Encoded(fitted.item_codes, fitted.item_vectors)
    return Model(given.users, given.items, users, items, Index(*items), given.interactions, record)
