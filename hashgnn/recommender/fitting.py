"""Train a model on a user's own interactions, by the workflow's training loop; tune it before."""

import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from tqdm import tqdm

from hashgnn.config.base import parse
from hashgnn.config.evaluation import ValidationSettings
from hashgnn.config.methods import Tuning, with_values
from hashgnn.data.interactions import Csr, Interactions, Split
from hashgnn.data.negatives import DrawnNegatives, write_negatives
from hashgnn.data.split import split
from hashgnn.errors import InputError, did_you_mean
from hashgnn.experiment.study import Limits, Problem, Study, best
from hashgnn.files import load_array
from hashgnn.models.method import GraphMethod, Method, Task
from hashgnn.recommender.adapter import TrainingData
from hashgnn.recommender.defaults import (
    MethodDefaults,
    TrainingSettings,
    method_defaults,
    seconds_of,
)
from hashgnn.recommender.trained_model import Model
from hashgnn.search import Index, Representation
from hashgnn.stage.record import Recorder
from hashgnn.training.checkpoint import Checkpoint
from hashgnn.training.fit import Fitted, load_method
from hashgnn.training.fit import fit as fit_method
from hashgnn.training.monitoring import Callback, TrainingProgress, print_progress
from hashgnn.training.train import choose_device, describe_device, fingerprint

# Tuning within a time limit.

# More settings than any time limit allows; it ends the study of a space that is tried whole.
_TRIALS = 200


class Tuned(NamedTuple):
    """What a study chose."""

    parameters: dict[str, Any]
    """All hyper-parameters, with the chosen ones."""

    facts: dict[str, Any]
    """For the record: ``trials``, ``seconds``, the validation recall of the ``default`` setting and
    of the ``chosen`` one, and the values that were ``changed``."""


def tune(
    task: Task,
    defaults: MethodDefaults,
    seconds: float,
    fingerprint: str,
    folder: Path | None,
    callback: Callback,
) -> Tuned:
    """Choose hyper-parameters on the validation part of ``task``.

    Args:
        task: What trainings are given.
        defaults: The method, its defaults and its search space.
        seconds: Wall-clock time of the study. The running trial ends after its epoch.
        fingerprint: Digest of the data, the settings and the code.
        folder: Where the study is kept, to resume after an interruption.
        callback: Called with the progress of each trial.

    Raises:
        InputError: If the method has nothing to tune.
    """
    if not defaults.space:
        raise InputError("tune: this method has no hyper-parameters that tuning could choose")
    problem = Problem(load_method(defaults.module), task, defaults.parameters, defaults.space)
    rungs = Tuning(datasets=("own",))
    limits = Limits(_TRIALS, seconds, time.monotonic, rungs.reduction, rungs.least_epochs)
    trials = Study(problem, limits, fingerprint, folder, callback).run()
    chosen = best(trials) or trials[0]
    changed = {k: v for k, v in chosen.values.items() if v != trials[0].values[k]}
    facts = {
        "trials": len(trials),
        "seconds": round(sum(trial.seconds for trial in trials)),
        "default": trials[0].value,
        "chosen": chosen.value,
        "changed": changed,
    }
    cutoff = task.validation.validation_cutoff
    callback(TrainingProgress(1, 1, summary(facts, cutoff)))
    return Tuned(with_values(defaults.parameters, changed), facts)


def summary(facts: Mapping[str, Any], cutoff: int) -> str:
    """Return a line that says what was chosen and what it gained over the defaults."""
    tried = f"tuned with {facts['trials']} trials in {facts['seconds']:,} s: "
    measured = f"validation recall@{cutoff} {facts['default']:.4f} with the defaults"
    if not facts["changed"]:
        return f"{tried}{measured}, which are kept"
    values = ", ".join(f"{key} = {value}" for key, value in facts["changed"].items())
    return f"{tried}{measured}, {facts['chosen']:.4f} with {values}"


# Training.


def ignore_progress(progress: TrainingProgress) -> None:
    """Do nothing; a callback for a silent training."""


class ProgressBar:
    """A callback that draws a progress bar on a terminal, and prints lines elsewhere, to stderr."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def __call__(self, progress: TrainingProgress) -> None:
        """Show ``progress``."""
        if not sys.stderr.isatty():
            print_progress(progress)
            return
        if self._bar is None:
            self._bar = tqdm(total=progress.iterations, unit="step", desc="training")
        if progress.iteration < self._bar.n:  # a refit or a trial has begun
            self._bar.reset(progress.iterations)
        self._bar.set_postfix_str(progress.message, refresh=False)
        self._bar.update(progress.iteration - self._bar.n)

    def close(self) -> None:
        """Stop drawing; the bar is not filled, as a training may stop before its last epoch."""
        if self._bar is not None:
            self._bar.close()


class Validations:
    """A callback that calls another one, and keeps the validation recall of each epoch."""

    def __init__(self, callback: Callback) -> None:
        self._callback = callback
        self._rows: list[dict[str, float]] = []

    def __call__(self, progress: TrainingProgress) -> None:
        """Keep what ``progress`` tells of validation."""
        if progress.epoch is not None:
            found = {"epoch": progress.epoch, "validation_hr": progress.recall}
            self._rows.append({"iteration": progress.iteration, **found})
        self._callback(progress)

    def joined(self, history: pd.DataFrame) -> pd.DataFrame:
        """Return ``history`` with the column validation_hr, and rows where it was measured alone.

        Epochs before an interruption have no validation recall.
        """
        columns = ["iteration", "epoch", "validation_hr"]
        found = pd.DataFrame(self._rows, columns=columns)
        found = found.astype({"iteration": "int64", "epoch": "int64"})
        typed = history.astype({"iteration": "int64", "epoch": "int64"})
        return typed.merge(found, how="outer", on=columns[:2], sort=True)


def check_parameters(method: str, parameters: Mapping[str, Any], others: Iterable[str]) -> None:
    """Raise ``InputError`` for hyper-parameters that ``method`` does not take.

    ``others``: further names that a misspelt one may stand for.
    """
    defaults = method_defaults(method, parameters, n_interactions=1)
    declared = load_method(defaults.module)
    known = sorted(declared.parameters.model_fields)
    for name in defaults.parameters:
        if name not in known:
            nearest = did_you_mean(name, [*known, "negatives", *others])
            raise InputError(
                f"{name}: unknown parameter of method {method}; known: {', '.join(known)}{nearest}"
            )
    parse(declared.parameters, {**defaults.parameters, **declared.fixed}, "parameters")


def fit(
    data: TrainingData,
    settings: TrainingSettings,
    callback: Callback,
    checkpoint: Path | None = None,
) -> tuple[Model, pd.DataFrame]:
    """Train a model, and return it with the history of its training.

    Args:
        data: Interactions and ids.
        settings: The method and how to train it.
        callback: Called with the progress of the training.
        checkpoint: File in which an interrupted training keeps its state and from which it
            resumes; removed at the end.
    """
    device = choose_device(settings.device)
    parts = _split(data.interactions, settings)
    defaults = method_defaults(settings.method, settings.parameters, len(parts.train.indices))
    tuned = None
    if settings.tune is not None:
        tuned = _tune(data, parts, defaults, settings, checkpoint, callback)
        defaults = defaults._replace(parameters=tuned.parameters)
    recorded = _recorded(settings, defaults)
    recorder = Recorder(recorded)
    state = _checkpoint(checkpoint, recorded, settings.device, data)
    validations = Validations(callback)
    method = load_method(defaults.module)
    if parts.train_weight is not None and not method.takes_weights:
        raise InputError(
            f"weight: {settings.method} does not use weights; train without them, or another method"
        )
    features = None if data.features is None else data.features.of_nodes()
    fitted = train(method, parts, defaults, settings, state, validations, features)
    if checkpoint and state:
        state.remove()
        shutil.rmtree(_study_folder(checkpoint), ignore_errors=True)
    facts = {
        **fitted.recorded(),
        **({"tuning": tuned.facts} if tuned else {}),
        "integer_ids": {"user": data.users.integer, "item": data.items.integer},
        "device": describe_device(device),
        "device_option": settings.device,
    }
    return as_model(data, fitted, recorder.record(facts)), validations.joined(fitted.history)


def _recorded(settings: TrainingSettings, defaults: MethodDefaults) -> dict[str, Any]:
    return {
        "model": settings.method,
        "method": defaults.module,
        "bits": settings.bits,
        "seed": settings.seed,
        "validation": settings.validation,
        **({"refit": True} if settings.refit else {}),
        "negatives": defaults.negatives,
        "parameters": defaults.parameters,
        **ValidationSettings().model_dump(),
    }


def _tune(
    data: TrainingData,
    parts: Split,
    defaults: MethodDefaults,
    settings: TrainingSettings,
    checkpoint: Path | None,
    callback: Callback,
) -> Tuned:
    """Run a study, which is kept beside the ``checkpoint`` until the training is over."""
    device, assigned = choose_device(settings.device), None
    if (number := defaults.negatives) is not None:
        assigned = DrawnNegatives(parts, number, defaults.rounds, settings.seed)
    features = None if data.features is None else data.features.of_nodes()
    task = Task(parts, settings.bits, settings.seed, device, assigned, features=features)
    digest = _fingerprint(_recorded(settings, defaults), settings.device, data)
    folder = _study_folder(checkpoint) if checkpoint else None
    assert settings.tune is not None
    return tune(task, defaults, seconds_of(settings.tune), digest, folder, callback)


def _study_folder(checkpoint: Path) -> Path:
    return checkpoint.with_name("study")


def _split(interactions: Interactions, settings: TrainingSettings) -> Split:
    shares = {"by": "random", "test": 0.0, "validation": settings.validation}
    parts = split(interactions, {**shares, "seed": settings.seed})
    if not len(parts.validation.indices):
        raise InputError(
            f"no user has enough interactions to hold out {settings.validation:.0%} of them, by "
            "which the best epoch is chosen; give more interactions or a larger validation"
        )
    return parts


def _checkpoint(
    path: Path | None, recorded: Mapping[str, Any], device: str, data: TrainingData
) -> Checkpoint | None:
    """Return a checkpoint at ``path`` that holds for the same settings, device and data only."""
    if path is None:
        return None
    return Checkpoint(path, _fingerprint(recorded, device, data))


def _fingerprint(recorded: Mapping[str, Any], device: str, data: TrainingData) -> str:
    interactions = data.interactions
    names = ("user", "item", "user_key", "item_key", "weight")
    arrays = [array for name in names if (array := getattr(interactions, name)) is not None]
    if data.features is not None:
        arrays += data.features.of_nodes()
    checksums = [hashlib.sha256(array.tobytes()).hexdigest() for array in arrays]
    return fingerprint(recorded, choose_device(device), checksums)


def train(
    method: Method[Any],
    parts: Split,
    defaults: MethodDefaults,
    settings: TrainingSettings,
    checkpoint: Checkpoint | None,
    callback: Callback,
    features: Csr | None = None,
) -> Fitted:
    """Train ``method`` on ``parts``, with negatives drawn for them, and ``features`` of nodes."""
    if features is not None and not isinstance(method, GraphMethod):
        raise InputError(
            f"features: {settings.method} does not use them; train without, or a graph method"
        )
    with tempfile.TemporaryDirectory(prefix="hashgnn-") as folder:
        negatives = Path(folder, "triplets.npy")
        if defaults.negatives is not None:
            write_negatives(negatives, parts, defaults.negatives, defaults.rounds, settings.seed)
        task = Task(
            split=parts,
            bits=settings.bits,
            seed=settings.seed,
            device=choose_device(settings.device),
            negatives=load_array(negatives, memory_map=True) if negatives.exists() else None,
            features=features,
        )
        parameters = defaults.parameters
        return fit_method(method, task, parameters, checkpoint, callback, settings.refit)


def as_model(data: TrainingData, fitted: Fitted, record: Mapping[str, Any]) -> Model:
    """Return a trained model with its index."""
    users = Representation(fitted.user_codes, fitted.user_vectors)
    items = Representation(fitted.item_codes, fitted.item_vectors)
    return Model(
        data.users,
        data.items,
        users,
        items,
        Index(*items),
        data.interactions,
        record,
        fitted.weights,
        data.features,
    )
