"""Claims on figures 1 and 3, what Hamming search finds, and on table 4, how fast searches are."""

from itertools import pairwise

import pandas as pd

from hashgnn.reporting.claims import (
    Claim,
    Comparison,
    Results,
    Test,
    beats,
    level,
    mostly,
    others,
    several,
)

# HashGNN's continuous counterpart: figure 3 shows it for comparison only.
_COUNTERPART = "graphsage"
_PAPER_MEAN = 2.2  # speed-up of hierarchical search, mean over the paper's four data sets


def _gap(results: Results) -> list[Comparison]:
    figure = results["fig1"]
    return beats(figure, "graphsage", others(figure, "graphsage"))


def _figure(results: Results) -> pd.DataFrame:
    figure = results["fig3"]
    return figure[(figure.search == "hamming") & (figure.model != _COUNTERPART)]


def _pair(better: str, worse: str) -> Test:
    return lambda results: beats(_figure(results), better, [worse])


def _lsh_is_last(results: Results) -> list[Comparison]:
    figure = _figure(results)
    return [
        comparison
        for model in others(figure, "lsh")
        for comparison in beats(figure, model, ["lsh"])
    ]


def _hashgnn_is_first(results: Results) -> list[Comparison]:
    figure = _figure(results)
    return beats(figure, "hashgnn", others(figure, "hashgnn"))


def _rises_with_n(results: Results) -> list[Comparison]:
    figure, made = _figure(results), []
    for model in figure.model.unique():
        rates = level(figure, model)
        places = [f"{dataset} ({bits} bits)" for dataset, bits, *_ in rates.index]
        for place, curve in rates.groupby(places, sort=False):
            rises = [bool(b > a) for a, b in pairwise(curve)]
            numbers = f"{curve.iloc[0]:.4f} to {curve.iloc[-1]:.4f}"
            made.append(Comparison(f"{model} on {place}", numbers, all(rises)))
    return made


def _seconds(results: Results) -> pd.DataFrame:
    """Return seconds by data set (rows) and search (columns), by growing users x items.

    They are means over methods and code lengths.
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
        "gap",
        "Introduction, figure 1",
        "GraphSage's continuous vectors do better than every hashing method's codes on Gowalla",
        ["fig1"],
        _gap,
        data={"fig1": "gowalla"},
    ),
    Claim(
        "lsh-poor",
        "Q1, figure 3",
        "LSH, which hashes apart from learning, performs poorly: below every other hashing method",
        ["fig3"],
        _lsh_is_last,
    ),
    Claim(
        "hashnet-gumbel",
        "Q1, figure 3",
        "HashNet outperforms Hash_gumb in several cases",
        ["fig3"],
        _pair("hashnet", "hash_gumb"),
        several,
    ),
    Claim(
        "hashnet-ste",
        "Q1, figure 3",
        "HashNet outperforms Hash_ste in most cases",
        ["fig3"],
        _pair("hashnet", "hash_ste"),
        mostly,
    ),
    Claim(
        "hamming-best",
        "Q1, figure 3",
        "HashGNN is consistently the best in Hamming search",
        ["fig3"],
        _hashgnn_is_first,
    ),
    Claim(
        "longer-lists",
        "Q1, figure 3",
        "The hit rate of every method rises with the length n of the list",
        ["fig3"],
        _rises_with_n,
    ),
    Claim(
        "hamming-guidance",
        "Q1, figure 3",
        "Continuous guidance helps in Hamming search: HashGNN_nr above Hash_ste",
        ["fig3"],
        _pair("hashgnn_nr", "hash_ste"),
    ),
    Claim(
        "hamming-ranking",
        "Q1, figure 3",
        "The ranking loss helps in Hamming search: HashGNN above HashGNN_nr",
        ["fig3"],
        _pair("hashgnn", "hashgnn_nr"),
    ),
    Claim(
        "hamming-joint",
        "Q1, figure 3",
        "Learning features and codes together helps: HashGNN above HashGNN_sp",
        ["fig3"],
        _pair("hashgnn", "hashgnn_sp"),
    ),
]

TIME_CLAIMS = [
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
