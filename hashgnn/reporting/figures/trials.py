"""Draw a study: the best validation recall so far over seconds, and what the settings matter."""

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from optuna.trial import TrialState, create_trial

from hashgnn.experiment.tune import read_trials
from hashgnn.reporting.figures import run_figure
from hashgnn.reporting.figures.style import Look, look, panels


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    return run_figure(__doc__, make, argv)


def make(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
    """Return the figure and the trials with the best so far, from the record of a study."""
    trials = read_trials(args.inputs[0])
    dataset, model = args.settings["names"]
    figure, (left, right) = panels(2)
    numbers = course(trials)
    draw_course(left, numbers, look(args.settings, trials.model[0]))
    draw_importance(right, importance(trials))
    left.set_title(f"{model} on {dataset}")
    return figure, numbers


def course(trials: pd.DataFrame) -> pd.DataFrame:
    """Return ``trials`` with the seconds at the end of each and the best value so far."""
    compared = trials["value"].where(trials["state"].isin(["complete", "stopped"]))
    ends, so_far = trials["seconds"].cumsum(), compared.cummax().ffill()
    return trials.assign(ended=ends, best=so_far)


def draw_course(panel: Axes, numbers: pd.DataFrame, shown: Look) -> None:
    """Draw each trial as a point, ended ones pale, and the best so far as a line of steps."""
    pruned = numbers[numbers.state == "pruned"]
    others = numbers[numbers.state != "pruned"]
    marks: dict[str, Any] = {"marker": shown.marker, "color": shown.color, "s": 14, "linewidth": 0}
    panel.scatter(pruned.ended, pruned.value, alpha=0.3, **marks)
    panel.scatter(others.ended, others.value, **marks)
    panel.step(numbers.ended, numbers.best, where="post", color=shown.color)
    panel.set(xlabel="seconds", ylabel="validation recall")


def draw_importance(panel: Axes, shares: pd.Series) -> None:
    """Draw the importance of each hyper-parameter as a bar."""
    if shares.empty:
        panel.set_visible(False)
        return
    ordered = shares.sort_values()
    panel.barh(ordered.index.tolist(), ordered.to_numpy(), color="#999999")
    panel.set(xlabel="importance", xlim=(0, 1))


def importance(trials: pd.DataFrame) -> pd.Series:
    """Return the importance of each hyper-parameter, by optuna's PED-ANOVA; they sum to 1.

    Watanabe, Bansal and Hutter (2023), PED-ANOVA: Efficiently Quantifying Hyperparameter
    Importance in Arbitrary Subspaces, IJCAI. Empty with fewer than four trials that ended.
    """
    ended = trials[trials["state"].isin(["complete", "stopped"]) & trials["value"].notna()]
    settings = [json.loads(text) for text in ended["settings"]]
    ranges = _ranges(settings)
    if len(ended) < 4 or not ranges:
        return pd.Series(dtype=float)
    study = optuna.create_study(
        storage=optuna.storages.InMemoryStorage(), study_name="", direction="maximize"
    )
    for values, value in zip(settings, ended["value"], strict=True):
        params = {key: _number_or_text(values[key]) for key in ranges}
        trial = create_trial(
            params=params, distributions=ranges, value=float(value), state=TrialState.COMPLETE
        )
        study.add_trial(trial)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return pd.Series(found, dtype=float).dropna()


def _ranges(
    settings: Sequence[dict[str, Any]],
) -> dict[str, optuna.distributions.BaseDistribution]:
    """Return the range or the choices of each hyper-parameter that differs between trials."""
    found: dict[str, optuna.distributions.BaseDistribution] = {}
    for key in settings[0] if settings else ():
        values = [_number_or_text(one[key]) for one in settings]
        if len(set(values)) == 1:
            continue
        if any(isinstance(value, str) for value in values):
            choices = sorted(set(map(str, values)))
            found[key] = optuna.distributions.CategoricalDistribution(choices)
        else:
            spread = np.asarray(values, dtype=float)
            low, high = float(spread.min()), float(spread.max())
            found[key] = optuna.distributions.FloatDistribution(low, high, log=low > 0)
    return found


def _number_or_text(value: Any) -> float | str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else json.dumps(value)


if __name__ == "__main__":
    sys.exit(main())
