"""Claims on figures 4, 6 and 7, the guided estimator, and on figure 5, hyper-parameters."""

from itertools import pairwise
from typing import NamedTuple

import pandas as pd

from hashgnn.reporting.claims import Claim, Comparison, Curve, Results, Test, curves, mostly

_GUIDED, _PLAIN = "hashgnn_nr", "hash_ste"
_FALLEN = 0.5  # the p at which the paper sees the guided loss begin to rise
_STABLE = 0.05  # relative difference up to which a rate counts as the same


class _Courses(NamedTuple):
    """One quantity by iteration on one data set with one code length, and p of the guided method.

    ``dataset`` is its name, with the code length where there are several.
    """

    dataset: str
    guided: pd.Series
    plain: pd.Series
    p: pd.Series


def _courses(frame: pd.DataFrame, quantity: str) -> list[_Courses]:
    """Return means over seeds; none where one of the two methods was not trained."""
    made = []
    shown = frame[frame.quantity == quantity]
    several = shown["bits"].nunique() > 1
    for (dataset, bits), rows in shown.groupby(["dataset", "bits"], sort=False):
        tables = rows.pivot_table(["value", "p"], "iteration", "model", "mean")
        if {_GUIDED, _PLAIN} <= set(rows.model):
            value, p = tables["value"], tables["p"]
            name = f"{dataset} ({bits} bits)" if several else str(dataset)
            made.append(_Courses(name, value[_GUIDED], value[_PLAIN], p[_GUIDED]))
    return made


def _at_each_iteration(name: str, quantity: str, sign: int) -> Test:
    """Return a test that the guided method is above (``sign`` 1) or below (-1) the plain one."""

    def test(results: Results) -> list[Comparison]:
        return [
            Comparison(
                f"{course.dataset} {quantity}, iteration {iteration}",
                f"{course.guided[iteration]:.4f} to {course.plain[iteration]:.4f}",
                bool(sign * (course.guided[iteration] - course.plain[iteration]) > 0),
            )
            for course in _courses(results[name], quantity)
            for iteration in course.guided.index
        ]

    return test


def _jitters_less(results: Results) -> list[Comparison]:
    """Compare the mean steps from row to row in the second half of training."""
    made = []
    for course in _courses(results["fig4"], "loss"):
        half = len(course.guided) // 2
        guided, plain = (
            float(curve.iloc[half:].diff().abs().mean()) for curve in (course.guided, course.plain)
        )
        numbers = f"{guided:.5f} to {plain:.5f}"
        made.append(Comparison(f"{course.dataset}, mean step of the loss", numbers, guided < plain))
    return made


def _rises_late(results: Results) -> list[Comparison]:
    """Compare the last guided loss with its least before p fell to 0.5."""
    made = []
    for course in _courses(results["fig4"], "loss"):
        before = course.guided[course.p > _FALLEN]
        if len(before) and len(before) < len(course.guided):
            least, end = before.min(), course.guided.iloc[-1]
            numbers = f"{least:.4f} to {end:.4f}"
            where = f"{course.dataset}, least loss before p = {_FALLEN} to the last"
            made.append(Comparison(where, numbers, bool(end > least)))
    return made


def _peak(results: Results) -> list[Comparison]:
    made = []
    for curve in _fixed(results):
        peak = float(curve.rates.index[int(curve.rates.argmax())])
        numbers = f"{curve.rates.max():.4f} at p = {peak:g}"
        made.append(Comparison(f"{curve.place}, peak", numbers, abs(peak - 0.6) < 1e-9))
    return made


def _low_p_is_worst(results: Results) -> list[Comparison]:
    return [
        curve.above(1.0, 0.4) for curve in _fixed(results) if {0.4, 1.0} <= set(curve.rates.index)
    ]


def _dynamic(results: Results) -> list[Comparison]:
    made = []
    for curve in curves(results["fig7"], "hierarchical"):
        falling = curve.rates.get("dynamic")
        for p, rate in curve.rates.drop("dynamic", errors="ignore").items():
            numbers = f"{falling:.4f} to {rate:.4f}"
            made.append(
                Comparison(f"{curve.place}, falling p to p = {p}", numbers, bool(falling > rate))
            )
    return made


def _fixed(results: Results) -> list[Curve]:
    """Return HR by fixed p."""
    return [curve.numeric() for curve in curves(results["fig7"], "hierarchical")]


def _curves(results: Results, sweep: str) -> list[Curve]:
    return [curve.numeric() for curve in curves(results["fig5"], "hierarchical", sweep)]


def _near(curve: Curve, values: list[float], reference: float) -> list[Comparison]:
    """Compare rates with ``reference``: they hold within 5 %."""
    return [
        Comparison(
            f"{curve.place}, {value:g}",
            f"{curve.rates[value]:.4f} to {reference:.4f}",
            bool(abs(curve.rates[value] / reference - 1) <= _STABLE),
        )
        for value in values
    ]


def _stable_weight(results: Results) -> list[Comparison]:
    made = []
    for curve in _curves(results, "ranking_weight"):
        around = [w for w in curve.rates.index if 0.3 <= w <= 0.7 and w != 0.5]
        if 0.5 in curve.rates.index:
            made += _near(curve, around, float(curve.rates[0.5]))
    return made


def _no_ranking_is_worst(results: Results) -> list[Comparison]:
    return [
        curve.above(weight, 0)
        for curve in _curves(results, "ranking_weight")
        if 0 in curve.rates.index
        for weight in curve.rates.index
        if weight > 0
    ]


def _few_triplets_suffice(results: Results) -> list[Comparison]:
    made = []
    for curve in _curves(results, "triplets"):
        inside = [number for number in curve.rates.index if 4 <= number <= 10]
        made += _near(curve, inside, float(curve.rates.max()))
    return made


def _longer_is_better(results: Results) -> list[Comparison]:
    return [
        curve.above(longer, shorter)
        for curve in _curves(results, "code_length")
        for shorter, longer in pairwise(curve.rates.index)
    ]


def _gain_slows(results: Results) -> list[Comparison]:
    """Compare the gain from the first doubling with that from the last."""
    made = []
    for curve in _curves(results, "code_length"):
        gains = curve.rates.diff().dropna()
        if len(gains) > 1:
            first, last = gains.iloc[0], gains.iloc[-1]
            where = (
                f"{curve.place}, gain up to {gains.index[0]:g} to gain up to {gains.index[-1]:g}"
            )
            made.append(Comparison(where, f"{first:.4f} to {last:.4f}", bool(first > last)))
    return made


CLAIMS = [
    Claim(
        "guided-loss",
        "Q3, figure 4",
        "The training loss of the guided estimator is lower than that of the plain one",
        ["fig4"],
        _at_each_iteration("fig4", "loss", -1),
        mostly,
    ),
    Claim(
        "guided-stable",
        "Q3, figure 4",
        "After its rapid decrease the guided loss is more stable than the plain one",
        ["fig4"],
        _jitters_less,
    ),
    Claim(
        "guided-rise",
        "Q3, figure 4",
        "The guided loss rises a little once p has fallen to 0.5",
        ["fig4"],
        _rises_late,
    ),
    Claim(
        "guided-auc",
        "Q3, figure 6",
        "The guided estimator has the higher AUC during training",
        ["fig6"],
        _at_each_iteration("fig6", "auc", 1),
        mostly,
    ),
    Claim(
        "peak-p",
        "Q3, figure 7",
        "With fixed p, performance rises from p = 1 to a peak at p = 0.6 and then falls",
        ["fig7"],
        _peak,
    ),
    Claim(
        "low-p",
        "Q3, figure 7",
        "Fixed p = 0.4 is worse than p = 1",
        ["fig7"],
        _low_p_is_worst,
    ),
    Claim(
        "dynamic-p",
        "Q3, figure 7",
        "A p that falls in the course of training is better than every fixed p",
        ["fig7"],
        _dynamic,
    ),
    Claim(
        "lambda-stable",
        "Q4, figure 5c",
        "Performance is stable for lambda around 0.5 (here: from 0.3 to 0.7 within 5 %)",
        ["fig5"],
        _stable_weight,
    ),
    Claim(
        "lambda-zero",
        "Q4, figure 5c",
        "Without the ranking loss (lambda = 0) HashGNN performs worst",
        ["fig5"],
        _no_ranking_is_worst,
    ),
    Claim(
        "triplets",
        "Q4, figure 5a",
        "Performance is stable and high for 4 to 10 triplets (here: within 5 % of the best)",
        ["fig5"],
        _few_triplets_suffice,
    ),
    Claim(
        "longer-codes",
        "Q4, figure 5b",
        "Longer codes are better",
        ["fig5"],
        _longer_is_better,
    ),
    Claim(
        "gains-slow",
        "Q4, figure 5b",
        "The gain is fast while K is small and slows down as K grows",
        ["fig5"],
        _gain_slows,
    ),
]
