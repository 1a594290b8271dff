"""Q2 and table 3: Alibaba's data, or what stands in for them."""

import pandas as pd

from hashgnn.reporting.claims.claim import (
    Claim,
    Comparison,
    Results,
    level,
    mostly,
    nearly_always,
    others,
)
from hashgnn.reporting.claims.hierarchical import CONTINUOUS, HASHING, best, first


def _lower_than_public(results: Results) -> list[Comparison]:
    """Of each method the best value on Alibaba's data against the worst on the public ones."""
    made = []
    for model in others(results["table3"]):
        keys = ["metric", "n"]
        here = level(results["table3"], model).groupby(level=keys).max()
        public = level(results["table2"], model).groupby(level=keys).min()
        for metric, n in here.index.intersection(public.index):
            made.append(_lower(model, metric, n, here, public))
    return made


def _lower(model: str, metric: str, n: int, here: pd.Series, public: pd.Series) -> Comparison:
    one, other = here[metric, n], public[metric, n]
    where = f"{model} {metric.upper()}@{n}, Alibaba to the least of the public data"
    return Comparison(where, f"{one:.4f} to {other:.4f}", bool(one < other))


CLAIMS = [
    Claim(
        "alibaba-lower",
        "Q2, table 3",
        "All methods score lower on Alibaba than on the three public data sets",
        ["table2", "table3"],
        _lower_than_public,
    ),
    Claim(
        "alibaba-best",
        "Q2, table 3",
        "HashGNN consistently outperforms all other methods on Alibaba",
        ["table3"],
        first("table3"),
    ),
    Claim(
        "alibaba-guidance",
        "Q2, table 3",
        "HashGNN_nr is above the other hashing methods on Alibaba in almost all cases",
        ["table3"],
        best("table3", "hashgnn_nr", HASHING),
        nearly_always,
    ),
    Claim(
        "alibaba-continuous",
        "Q2, table 3",
        "HashGNN_nr is above MF, PTE and BiNE on Alibaba in most cases",
        ["table3"],
        best("table3", "hashgnn_nr", CONTINUOUS),
        mostly,
    ),
    Claim(
        "alibaba-graphsage-nr",
        "Q2, table 3",
        "GraphSage is slightly above HashGNN_nr on Alibaba",
        ["table3"],
        best("table3", "graphsage", ("hashgnn_nr",)),
    ),
    Claim(
        "alibaba-counterpart",
        "Q2, table 3",
        "HashGNN is above GraphSage on Alibaba in most cases",
        ["table3"],
        best("table3", "hashgnn", ("graphsage",)),
        mostly,
    ),
]
