"""Q3, figures 4, 6 and 7: guided against plain straight-through estimator."""

from typing import NamedTuple

import pandas as pd

from hashgnn.reporting.claims.claim import Claim, Comparison, Curve, Results, Test, curves, mostly

_GUIDED, _PLAIN = "hashgnn_nr", "hash_ste"
_FALLEN = 0.5  # the p at which the paper sees the guided loss begin to rise


class _Courses(NamedTuple):
    """One quantity in the course of training, by iteration; p of the guided.

    On one data set, with one length of code, which its name tells where there are several.
    """

    dataset: str
    guided: pd.Series
    plain: pd.Series
    p: pd.Series


def _courses(frame: pd.DataFrame, quantity: str) -> list[_Courses]:
    """Means over seeds; nothing where one of the two methods was not trained."""
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
    """The guided one above (``sign`` 1) or below (-1) the plain one."""

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
    """Mean step from row to row in the second half of training."""
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
    """The end of the guided loss against its least before p had fallen to 0.5."""
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
    """HR by fixed p, in numbers."""
    return [curve.numeric() for curve in curves(results["fig7"], "hierarchical")]


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
]
