"""What studies of tuning found: a figure of each, and a table of all."""

import argparse
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from optuna.trial import TrialState, create_trial

from hashgnn.experiment.study import chosen_rows, read_trials
from hashgnn.reporting.figures import run_figure
from hashgnn.reporting.figures.style import Look, look, panels
from hashgnn.reporting.tables import Printed, to_html, to_markdown, write_text
from hashgnn.stage.command import Facts, run_stage, stage_parser

_CAPTION = (
    "What tuning chose, by recall on the validation part. The first trial of a study has the "
    "settings of the config; all studies have the same limits of trials and processor seconds."
)


def study(argv: Sequence[str] | None = None) -> int:
    """Draw a study: best validation recall so far over seconds, and what the settings matter."""
    return run_figure(study.__doc__, make_study, argv)


def tuning(argv: Sequence[str] | None = None) -> int:
    """Make the table of tuning: what each study chose, what that gained, and what it cost."""
    parser = stage_parser(tuning.__doc__)
    parser.add_argument("inputs", type=Path, nargs="+", help="trials.csv of every study")
    parser.add_argument("--csv", type=Path, required=True, help="all trials")
    parser.add_argument("--md", type=Path, required=True, help="one row per study")
    parser.add_argument("--html", type=Path, required=True, help="the same")
    return run_stage(parser, _write_tuning, argv)


def make_study(args: argparse.Namespace) -> tuple[Figure, pd.DataFrame]:
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
    told = optuna.create_study(
        storage=optuna.storages.InMemoryStorage(), study_name="", direction="maximize"
    )
    for values, value in zip(settings, ended["value"], strict=True):
        params = {key: _number_or_text(values[key]) for key in ranges}
        trial = create_trial(
            params=params, distributions=ranges, value=float(value), state=TrialState.COMPLETE
        )
        told.add_trial(trial)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        evaluator = optuna.importance.PedAnovaImportanceEvaluator()
        found = optuna.importance.get_param_importances(told, evaluator=evaluator)
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


def _write_tuning(args: argparse.Namespace) -> Facts:
    trials = pd.concat(map(read_trials, args.inputs), ignore_index=True)
    printed = print_studies(trials, args.settings)
    write_text(args.csv, trials.to_csv(index=False))
    write_text(args.md, to_markdown(printed))
    write_text(args.html, to_html(printed, "tuning"))
    return {}


def print_studies(trials: pd.DataFrame, settings: Mapping[str, Any]) -> Printed:
    """Return a row per study: validation recall of the default and of the chosen setting, costs.

    Args:
        trials: The records of all studies.
        settings: ``names`` of data sets and models by id, and the limits ``trials`` and
            ``seconds`` of a study.
    """
    names, rows = settings["names"], []
    for _, chosen in chosen_rows(trials).iterrows():
        own = trials[(trials.dataset == chosen.dataset) & (trials.model == chosen.model)]
        default = own[own.trial == 0].iloc[0]
        seconds = own.seconds.sum()
        rows.append(
            {
                "Data set": names[chosen.dataset],
                "Method": names[chosen.model],
                "Default": f"{default.value:.4f}",
                "Chosen": f"{chosen.value:.4f}",
                "Gain": f"{chosen.value - default.value:+.4f}",
                "Setting": changed(json.loads(default.settings), json.loads(chosen.settings)),
                "Trials": f"{len(own)} of {settings['trials']}",
                "Processor seconds": f"{seconds:,.0f} of {settings['seconds']:,}",
            }
        )
    return Printed(pd.DataFrame(rows), _CAPTION, "Data set")


def changed(default: Mapping[str, Any], chosen: Mapping[str, Any]) -> str:
    """Return the values of ``chosen`` that differ from ``default``, for people."""
    differing = {key: value for key, value in chosen.items() if value != default.get(key)}
    return ", ".join(f"{key} = {value}" for key, value in differing.items()) or "default"
