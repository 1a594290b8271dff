"""Section 1 and figure 1: what hashing loses."""

from hashgnn.reporting.claims.claim import Claim, Comparison, Results, beats, others


def _gap(results: Results) -> list[Comparison]:
    figure = results["fig1"]
    return beats(figure, "graphsage", others(figure, "graphsage"))


CLAIMS = [
    Claim(
        "gap",
        "Introduction, figure 1",
        "GraphSage's continuous vectors do better than every hashing method's codes on Gowalla",
        ["fig1"],
        _gap,
    ),
]
