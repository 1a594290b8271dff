"""Tune a method on a user's own interactions, within a time limit."""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hashgnn.config.methods import with_values
from hashgnn.config.studies import Tuning
from hashgnn.errors import InputError, shown
from hashgnn.experiment.study import Limits, Problem, Study, best
from hashgnn.models.method import Task
from hashgnn.recommender.defaults import MethodDefaults
from hashgnn.training.fit import load_method
from hashgnn.training.monitoring import Callback, TrainingProgress

_UNITS = {"s": 1, "m": 60, "h": 3600}

# More settings than any time limit allows; it ends the study of a space that is tried whole.
_TRIALS = 200


class Tuned(NamedTuple):
    """What a study chose."""

    parameters: dict[str, Any]
    """All hyper-parameters, with the chosen ones."""

    facts: dict[str, Any]
    """For the record: ``trials``, ``seconds``, the validation recall of the ``default`` setting and
    of the ``chosen`` one, and the values that were ``changed``."""


def seconds_of(duration: str | int | float) -> float:
    """Return the seconds of a duration such as ``90s``, ``10m`` or ``1.5h``; a number is seconds.

    Raises:
        InputError: If it is no duration above 0.
    """
    found = re.fullmatch(r"([0-9]*\.?[0-9]+)([smh]?)", str(duration).strip())
    seconds = float(found[1]) * _UNITS.get(found[2], 1) if found else 0.0
    if seconds <= 0:
        raise InputError(f"tune: expected a duration such as 90s, 10m or 1h, got {shown(duration)}")
    return seconds


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
