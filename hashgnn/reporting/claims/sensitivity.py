"""Q4 and figure 5: HashGNN's hyper-parameters, in hierarchical search."""

from itertools import pairwise

from hashgnn.reporting.claims.claim import Claim, Comparison, Curve, Results, curves

_STABLE = 0.05  # relative difference up to which a rate counts as the same


def _curves(results: Results, sweep: str) -> list[Curve]:
    return [curve.numeric() for curve in curves(results["fig5"], "hierarchical", sweep)]


def _near(curve: Curve, values: list[float], reference: float) -> list[Comparison]:
    """Rates within 5 % of ``reference``."""
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
    """The gain from the first doubling against that from the last."""
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
