"""Q2 and table 4: how long the searches take."""

from itertools import pairwise

import pandas as pd

from hashgnn.reporting.claims.claim import Claim, Comparison, Results, Test

_PAPER_MEAN = 2.2  # speed-up of hierarchical search, mean over the paper's four data sets


def _seconds(results: Results) -> pd.DataFrame:
    """Seconds by data set (rows) and search (columns), smallest product of users and items first.

    The mean over methods and lengths of code, where there are several.
    """
    times = results["table4"]
    table = times.pivot_table("seconds", "dataset", "search", "mean")
    size = times.assign(size=times["users"] * times["items"]).groupby("dataset")["size"].first()
    return table.loc[size.sort_values().index]


def _faster(one: str, other: str) -> Test:
    def test(results: Results) -> list[Comparison]:
        table = _seconds(results)
        return [
            Comparison(f"{dataset}, {one} to {other}", f"{a:.3g} s to {b:.3g} s", bool(a < b))
            for dataset, a, b in zip(table.index, table[one], table[other], strict=True)
        ]

    return test


def _mean_speed_up(results: Results) -> list[Comparison]:
    table = _seconds(results)
    mean = float((table["continuous"] / table["hierarchical"]).mean())
    where = f"mean speed-up over {len(table)} data sets, ours to the paper's"
    return [Comparison(where, f"{mean:.2f} to {_PAPER_MEAN}", mean >= _PAPER_MEAN)]


def _approaches_hamming(results: Results) -> list[Comparison]:
    table = _seconds(results)
    ratio = table["hierarchical"] / table["hamming"]
    return [
        Comparison(f"{small} to {large}", f"{ratio[small]:.2f} to {ratio[large]:.2f}", holds)
        for small, large in pairwise(ratio.index)
        for holds in [bool(ratio[large] < ratio[small])]
    ]


CLAIMS = [
    Claim(
        "hamming-fastest",
        "Q2, table 4",
        "Hamming search is faster than hierarchical search",
        ["table4"],
        _faster("hamming", "hierarchical"),
    ),
    Claim(
        "hierarchical-faster",
        "Q2, table 4",
        "Hierarchical search is faster than continuous search",
        ["table4"],
        _faster("hierarchical", "continuous"),
    ),
    Claim(
        "hierarchical-speed-up",
        "Q2, table 4",
        "Hierarchical search is about 2.2 times as fast as continuous search on average",
        ["table4"],
        _mean_speed_up,
    ),
    Claim(
        "hierarchical-approaches",
        "Q2, table 4",
        "As data grow, hierarchical search comes closer to Hamming search in time",
        ["table4"],
        _approaches_hamming,
    ),
]
