"""Q2 and table 2: hierarchical search, beside continuous methods."""

from hashgnn.reporting.claims.claim import (
    Claim,
    Comparison,
    Results,
    Test,
    above,
    beats,
    level,
    nearly_always,
    others,
)

HASHING = ("hash_ste", "hash_gumb", "hashnet", "lsh", "hashgnn_sp")
CONTINUOUS = ("mf", "pte", "bine")  # of the paper's, without GraphSage
EXTRA = ("popularity", "puresvd")  # rows that the paper does not have


def best(table: str, better: str, worse: tuple[str, ...]) -> Test:
    """A test that ``better`` is above each of ``worse`` in ``table``."""
    return lambda results: beats(results[table], better, worse)


def first(table: str) -> Test:
    """A test that HashGNN is above every method of the paper in ``table``."""

    def test(results: Results) -> list[Comparison]:
        frame = results[table]
        return beats(frame, "hashgnn", others(frame, "hashgnn"))

    return test


def _above_hamming(results: Results) -> list[Comparison]:
    """Hierarchical search in table 2 against Hamming search in figure 3, where n is the same."""
    made = []
    codes = results["fig3"][results["fig3"].search == "hamming"]
    vectors = results["table2"][results["table2"].search == "hierarchical"]
    for model in (*HASHING, "hashgnn_nr", "hashgnn"):
        names = (f"{model} hierarchical", "Hamming")
        made += above(level(vectors, model), level(codes, model), names)
    return made


CLAIMS = [
    Claim(
        "hierarchical-guidance",
        "Q2, table 2",
        "HashGNN_nr is above the other hashing methods in almost all cases",
        ["table2"],
        best("table2", "hashgnn_nr", HASHING),
        nearly_always,
    ),
    Claim(
        "hierarchical-continuous",
        "Q2, table 2",
        "HashGNN_nr is above the continuous methods but GraphSage: MF, PTE and BiNE",
        ["table2"],
        best("table2", "hashgnn_nr", CONTINUOUS),
    ),
    Claim(
        "graphsage-nr",
        "Q2, table 2",
        "GraphSage is above HashGNN_nr",
        ["table2"],
        best("table2", "graphsage", ("hashgnn_nr",)),
    ),
    Claim(
        "graphsage-baselines",
        "Q2, table 2",
        "GraphSage is above the other continuous baselines MF, PTE and BiNE",
        ["table2"],
        best("table2", "graphsage", CONTINUOUS),
    ),
    Claim(
        "hierarchical-above-hamming",
        "Q2, table 2",
        "Every hashing method does better in hierarchical than in Hamming search",
        ["table2", "fig3"],
        _above_hamming,
    ),
    Claim(
        "hierarchical-best",
        "Q2, table 2",
        "HashGNN consistently outperforms all other methods in hierarchical search",
        ["table2"],
        first("table2"),
    ),
    Claim(
        "hierarchical-counterpart",
        "Q2, table 2",
        "HashGNN in hierarchical search is above its continuous counterpart, GraphSage",
        ["table2"],
        best("table2", "hashgnn", ("graphsage",)),
    ),
    Claim(
        "hierarchical-ranking",
        "Q2, table 2",
        "The ranking loss helps in hierarchical search: HashGNN above HashGNN_nr",
        ["table2"],
        best("table2", "hashgnn", ("hashgnn_nr",)),
    ),
]
