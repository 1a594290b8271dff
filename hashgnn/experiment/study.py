"""Choose hyper-parameters of a method on the validation part: a study, and the stage that runs it.

A study consists of trials, which may be pruned and resumed. A trial trains the method with a
setting. The first setting is the default, so that what is chosen is never worse on validation. The
others are drawn by the tree-structured Parzen estimator of optuna: Bergstra, Bardenet, Bengio and
Kegl (2011), Algorithms for Hyper-Parameter Optimization, NeurIPS. Successive halving ends a trial
after an epoch in which it is behind others: Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt,
Recht and Talwalkar (2020), A System for Massively Parallel Hyperparameter Tuning, MLSys.
"""

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import optuna
import pandas as pd
import yaml
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from hashgnn.config.base import parse
from hashgnn.config.methods import Dimension, value_of, with_values
from hashgnn.data.interactions import load_split
from hashgnn.errors import InputError
from hashgnn.files import atomic_write, file_checksum
from hashgnn.models.method import Method, Task
from hashgnn.stage.command import Facts, run_stage
from hashgnn.training.checkpoint import Checkpoint
from hashgnn.training.fit import fit, load_method
from hashgnn.training.monitoring import Callback, TrainingProgress, print_progress
from hashgnn.training.train import (
    choose_device,
    describe_device,
    fingerprint,
    keep_freed_memory,
    task_of,
    training_parser,
)

# Significant digits of drawn numbers: the records show exactly what was trained.
_DIGITS = 3

# Trials that are drawn without regard to earlier ones.
_BLIND = 6

JOURNAL = "study.journal"


class Problem(NamedTuple):
    """What a study chooses hyper-parameters for."""

    method: Method[Any]
    task: Task
    parameters: Mapping[str, Any]
    """The defaults."""

    space: Mapping[str, Dimension]
    """By hyper-parameter; dots in keys lead into nested ones."""


class Limits(NamedTuple):
    """When a study and its trials end."""

    trials: int
    seconds: float
    clock: Callable[[], float]
    """Returns the seconds that the process has used: of the processor, or of the wall clock."""

    reduction: int
    """One of so many trials goes on at each rung."""

    least_epochs: int
    """Epochs of the first rung."""


State = Literal["complete", "pruned", "stopped", "failed"]


class Trial(NamedTuple):
    """A setting and what it reached."""

    number: int
    state: State
    """``stopped``: ended by the limit of the study, and compared all the same."""

    value: float
    """The best validation recall; NaN if no epoch was validated."""

    epochs: int
    seconds: float
    values: dict[str, Any]


class _Ended(Exception):  # noqa: N818
    """Raised in a training to end it after an epoch."""

    def __init__(self, state: State) -> None:
        self.state = state


class Study:
    """A study, which resumes from its journal if it has a folder.

    Args:
        problem: What is tuned.
        limits: When it ends.
        fingerprint: Digest of everything that a trial's result depends on but for its setting. A
            journal with another one is not used.
        folder: Where the journal and the state of the running trial are kept.
        callback: Called with the progress of each trial.
    """

    def __init__(
        self,
        problem: Problem,
        limits: Limits,
        fingerprint: str,
        folder: Path | None,
        callback: Callback,
    ) -> None:
        if not len(problem.task.split.validation.indices):
            raise InputError("tuning compares settings on the validation part, which is empty")
        self.problem = problem
        self.limits = limits
        self.fingerprint = fingerprint
        self.folder = folder
        self.callback = callback
        self.defaults = {key: _default(problem.parameters, key) for key in problem.space}
        self.space = {
            key: _distribution(dimension, self.defaults[key])
            for key, dimension in problem.space.items()
        }
        self._study = _opened(folder, fingerprint, limits)
        if not self._study.trials:
            own = self.defaults.items()
            self._study.enqueue_trial({key: _encoded(self.space[key], v) for key, v in own})

    def run(self) -> list[Trial]:
        """Run trials until a limit is reached, and return all.

        Raises:
            InputError: If the training with the defaults fails.
        """
        while not self._is_over():
            number = self._next()
            self._run_trial(number)
            if number == 0 and (first := self._study.trials[0]).state == TrialState.FAIL:
                raise InputError(first.user_attrs["reason"])
        return [_trial(frozen, self._values(frozen)) for frozen in self._ended()]

    def _is_over(self) -> bool:
        ended = self._ended()
        return len(ended) >= self.limits.trials or self._used() >= self.limits.seconds

    def _ended(self) -> list[FrozenTrial]:
        return [trial for trial in self._study.trials if trial.state.is_finished()]

    def _used(self) -> float:
        return sum(trial.user_attrs.get("seconds", 0.0) for trial in self._study.trials)

    def _next(self) -> int:
        """Return the number of the interrupted trial, if there is one, else of a new one."""
        for trial in self._study.trials:
            if trial.state == TrialState.RUNNING:
                return trial.number
        number = len(self._ended())
        # A sampler of its own for each trial: a resumed study draws the same settings.
        self._study.sampler = optuna.samplers.TPESampler(
            n_startup_trials=_BLIND,
            seed=int(np.random.default_rng([self.problem.task.seed, number]).integers(2**31)),
        )
        return self._study.ask().number

    def _run_trial(self, number: int) -> None:
        trial = optuna.trial.Trial(self._study, number)  # ids are numbers, of the only study
        for key, distribution in self.space.items():
            _suggest(trial, key, distribution)
        frozen = self._study.trials[number]
        if (same := self._repeated(frozen)) is not None:
            return self._end(trial, _state(same), _best(same))
        values, follow = self._values(frozen), _Follower(self, trial, frozen)
        checkpoint = self._checkpoint(number, values)
        try:
            parameters = with_values(self.problem.parameters, values)
            fit(self.problem.method, self.problem.task, parameters, checkpoint, follow)
            state: State = "complete"
        except _Ended as ended:
            state = ended.state
        except InputError as error:
            trial.set_user_attr("reason", str(error))
            state = "failed"
        self._end(trial, state, follow.best)
        if checkpoint:
            checkpoint.remove()
        return None

    def _end(self, trial: optuna.trial.Trial, state: State, best: float) -> None:
        trial.set_user_attr("state", state)
        if state == "failed":
            self._study.tell(trial, state=TrialState.FAIL)
        elif state == "pruned":
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            self._study.tell(trial, best)

    def _repeated(self, frozen: FrozenTrial) -> FrozenTrial | None:
        """Return an earlier trial of the same setting, which need not be trained again."""
        values = self._values(frozen)
        for earlier in self._study.trials[: frozen.number]:
            if self._values(earlier) == values and _state(earlier) in ("complete", "pruned"):
                return earlier
        return None

    def _values(self, frozen: FrozenTrial) -> dict[str, Any]:
        """Return the setting of a trial; the first one has the defaults to the last digit."""
        if frozen.number == 0:
            return dict(self.defaults)
        return {key: _decoded(frozen.params[key]) for key in self.space}

    def _checkpoint(self, number: int, values: Mapping[str, Any]) -> Checkpoint | None:
        if self.folder is None:
            return None
        fingerprint = f"{self.fingerprint} {json.dumps(values, sort_keys=True)}"
        return Checkpoint(self.folder / f"trial{number}.pt", fingerprint)


class _Follower:
    """The callback of a trial's training: report each epoch, and end it if it is behind."""

    def __init__(self, study: Study, trial: optuna.trial.Trial, frozen: FrozenTrial) -> None:
        self._study = study
        self._trial = trial
        self._reported = max(frozen.intermediate_values, default=0)
        self._before = frozen.user_attrs.get("seconds", 0.0)
        self._used = study._used() - self._before  # by other trials
        self._began = study.limits.clock()
        self.best = max(frozen.intermediate_values.values(), default=float("nan"))

    def __call__(self, progress: TrainingProgress) -> None:
        """Report ``progress``; raise ``_Ended`` after an epoch with which the trial is over."""
        message = f"trial {self._trial.number + 1}: {progress.message}"
        self._study.callback(progress._replace(message=message, values={}))
        if progress.epoch is None:
            return
        self.best = float(np.fmax(self.best, progress.recall))
        seconds = self._before + self._study.limits.clock() - self._began
        self._trial.set_user_attr("seconds", round(seconds, 3))
        self._trial.set_user_attr("epochs", progress.epoch)
        is_last = progress.iteration >= progress.iterations
        if progress.epoch > self._reported:  # else the training was resumed before this epoch
            self._trial.report(self.best, progress.epoch)
            if not is_last and self._trial.should_prune():
                raise _Ended("pruned")
        if not is_last and self._used + seconds >= self._study.limits.seconds:
            raise _Ended("stopped")


def best(trials: list[Trial]) -> Trial | None:
    """Return the trial with the highest value, the earliest of equal ones; None if none has one."""
    compared = [trial for trial in trials if trial.state in ("complete", "stopped")]
    compared = [trial for trial in compared if not np.isnan(trial.value)]
    return max(compared, key=lambda trial: trial.value, default=None)


def _opened(folder: Path | None, fingerprint: str, limits: Limits) -> optuna.study.Study:
    """Return the study in ``folder``, or a new one."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage: Any = optuna.storages.InMemoryStorage()
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        journal = folder / JOURNAL
        _mend(journal)
        storage = _storage(journal)
        found = [study.study_name for study in storage.get_all_studies()]
        if found not in ([], [fingerprint]):
            message = f"{journal}: of other settings, code, device or data; the study starts anew"
            print(message, file=sys.stderr, flush=True)
            journal.unlink()
            storage = _storage(journal)
    pruner = optuna.pruners.SuccessiveHalvingPruner(
        min_resource=limits.least_epochs, reduction_factor=limits.reduction
    )
    return optuna.create_study(
        storage=storage,
        study_name=fingerprint,
        direction="maximize",
        pruner=pruner,
        load_if_exists=True,
    )


class _Journal(JournalFileBackend):
    """A journal that is named by the error of a full disk, which names no file."""

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        try:
            super().append_logs(logs)
        except OSError as error:
            error.filename = error.filename or self._file_path
            raise


def _storage(journal: Path) -> Any:
    return optuna.storages.JournalStorage(_Journal(str(journal)))


def _mend(journal: Path) -> None:
    """Remove what a process that was killed while it wrote leaves: a lock, a part of a line."""
    journal.with_name(f"{journal.name}.lock").unlink(missing_ok=True)
    if journal.exists():
        text = journal.read_bytes()
        if not text.endswith(b"\n"):
            journal.write_bytes(text[: text.rfind(b"\n") + 1])


def _default(parameters: Mapping[str, Any], key: str) -> Any:
    try:
        return value_of(parameters, key)
    except KeyError:
        raise InputError(f"{key} is to be tuned, but has no value: set it in parameters") from None


def _suggest(
    trial: optuna.trial.Trial, key: str, distribution: optuna.distributions.BaseDistribution
) -> None:
    """Draw a value, unless the trial has one."""
    if isinstance(distribution, optuna.distributions.CategoricalDistribution):
        trial.suggest_categorical(key, distribution.choices)
    elif isinstance(distribution, optuna.distributions.IntDistribution):
        trial.suggest_int(key, distribution.low, distribution.high, log=distribution.log)
    elif isinstance(distribution, optuna.distributions.FloatDistribution):
        trial.suggest_float(key, distribution.low, distribution.high, log=distribution.log)


def _distribution(dimension: Dimension, default: Any) -> optuna.distributions.BaseDistribution:
    """Return the values to draw from, of which the default is one."""
    if dimension.choices is not None:
        choices = [_plain(choice) for choice in dimension.choices]
        choices += [] if _plain(default) in choices else [_plain(default)]
        return optuna.distributions.CategoricalDistribution([json.dumps(c) for c in choices])
    assert dimension.low is not None
    assert dimension.high is not None
    low, high = min(dimension.low, default), max(dimension.high, default)
    whole = isinstance(dimension.low, int) and isinstance(dimension.high, int)
    log = dimension.log and low > 0  # a default of 0 has no logarithm
    if whole and isinstance(default, int):
        return optuna.distributions.IntDistribution(low, high, log)
    return optuna.distributions.FloatDistribution(low, high, log)


def _encoded(distribution: optuna.distributions.BaseDistribution, value: Any) -> Any:
    if not isinstance(distribution, optuna.distributions.CategoricalDistribution):
        return value
    return next(c for c in distribution.choices if json.loads(str(c)) == _plain(value))


def _decoded(value: Any) -> Any:
    if isinstance(value, str):
        return json.loads(value)
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _plain(value: Any) -> Any:
    """Return a tuple as a list."""
    return list(value) if isinstance(value, tuple) else value


def _state(frozen: FrozenTrial) -> State:
    state: State = frozen.user_attrs.get("state", "failed")
    return state


def _best(frozen: FrozenTrial) -> float:
    if frozen.value is not None:
        return frozen.value
    return max(frozen.intermediate_values.values(), default=float("nan"))


def _trial(frozen: FrozenTrial, values: dict[str, Any]) -> Trial:
    attributes = frozen.user_attrs
    seconds, epochs = attributes.get("seconds", 0.0), attributes.get("epochs", 0)
    return Trial(frozen.number, _state(frozen), _best(frozen), epochs, seconds, values)


# The stage.

# Settings of the stage that a longer study may change; its trials stay as they are.
_LIMITS = ("trials", "seconds", "reduction", "least_epochs")

COLUMNS = ("dataset", "model", "study", "trial", "state", "value", "epochs", "seconds", "settings")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = training_parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the study is kept")
    parser.add_argument("--trials", type=Path, required=True, help="CSV of all trials")
    parser.add_argument("--tuned", type=Path, required=True, help="YAML of the chosen values")
    return run_stage(parser, _run, argv, "run the same command again; the study resumes")


def _run(args: argparse.Namespace) -> Facts:
    keep_freed_memory()
    settings = args.settings
    device = choose_device(args.device)
    inputs = (args.split, args.triplets, *args.pretrained, args.features)
    checksums = [str(file_checksum(path, "sha256")) for path in inputs if path]
    fixed = {key: value for key, value in settings.items() if key not in _LIMITS}
    task = task_of(args, load_split(args.split), device)
    space = {key: parse(Dimension, block, key) for key, block in settings["space"].items()}
    problem = Problem(load_method(settings["method"]), task, settings["parameters"], space)
    limits = Limits(clock=time.process_time, **{key: settings[key] for key in _LIMITS})
    digest = fingerprint(fixed, device, checksums)
    trials = Study(problem, limits, digest, args.folder, print_progress).run()
    chosen = best(trials)
    if chosen is None:
        raise InputError(
            f"no epoch ended within tuning.seconds, {settings['seconds']:,}: raise it, or make "
            "an epoch shorter"
        )
    _write(args, trials, chosen)
    gained = {"default": trials[0].value, "chosen": chosen.value, "trials": len(trials)}
    return {"device": describe_device(device), "device_option": args.device, **gained}


def _write(args: argparse.Namespace, trials: Sequence[Trial], chosen: Trial) -> None:
    settings = args.settings
    with atomic_write(args.trials) as temporary:
        table(settings, trials).to_csv(temporary, index=False)
    with atomic_write(args.tuned) as temporary:
        temporary.write_text(yaml.safe_dump(chosen.values), encoding="utf-8")


def table(settings: Mapping[str, Any], trials: Sequence[Trial]) -> pd.DataFrame:
    """Return the record of a study with the stage's ``settings``, a row per trial.

    The hyper-parameters of a trial are JSON; ``study`` is the digest of ``settings``.
    """
    study = settings["dataset"], settings["model"], study_digest(settings)
    rows = [
        (
            *study,
            t.number,
            t.state,
            t.value,
            t.epochs,
            t.seconds,
            json.dumps(t.values, sort_keys=True),
        )
        for t in trials
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def study_digest(settings: Mapping[str, Any]) -> str:
    """Return twelve hexadecimal digits that identify the settings of the stage."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def read_trials(path: Path) -> pd.DataFrame:
    """Return the records of studies in a CSV file."""
    return pd.read_csv(path, dtype={"study": str}, float_precision="round_trip")


def chosen_rows(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the row of the chosen trial of each study, as ``best`` chooses it."""
    compared = trials[trials["state"].isin(["complete", "stopped"]) & trials["value"].notna()]
    places = compared.groupby(["dataset", "model"], sort=False)["value"].idxmax()
    return compared.loc[places]


if __name__ == "__main__":
    sys.exit(main())
