"""Q1 and figure 3: hit rate of Hamming search."""

from itertools import pairwise

import pandas as pd

from hashgnn.reporting.claims.claim import (
    Claim,
    Comparison,
    Results,
    Test,
    always,
    beats,
    level,
    mostly,
    others,
    several,
)

# HashGNN's continuous counterpart stands in the figure for comparison alone.
_COUNTERPART = "graphsage"


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


CLAIMS = [
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
        always,
    ),
]
