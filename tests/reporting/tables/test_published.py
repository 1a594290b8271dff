"""Our results beside published ones."""

import pandas as pd

from hashgnn.evaluation.statistics import COLUMNS
from hashgnn.reporting.tables.comparison import beside_published, print_published

SEARCHES = ("hamming", "asymmetric", "asymmetric re-rank", "hierarchical", "continuous")
FRAME = pd.DataFrame(
    [
        ("g", model, 64, search, metric, n, 0, value)
        for model, value in (("mf", 0.15), ("own", 0.25))
        for search in SEARCHES
        for metric in ("hr", "any_hit", "ndcg")
        for n in (20, 50)
    ],
    columns=COLUMNS,
)
THEIRS = {"bytes_per_item": 108, "epoch_chosen_on": "test", "source": "someone"}
PUBLISHED = {"g": [{"method": "BiGeaR", "recall": 0.2, "ndcg": None, **THEIRS}], "h": []}
SIDES = ("codes", "codes, float user", "codes, then vectors", "vectors")
NAMES = {"g": "Gowalla", "h": "Yelp"}, {"mf": "MF", "own": "Own"}


def test_ours_and_theirs() -> None:
    numbers = beside_published(FRAME, ["mf"], PUBLISHED)

    sides = list(zip(numbers.model, numbers.side, numbers.metric, strict=True))
    assert sides == [
        *(("mf", "vectors", metric) for metric in ("hr", "ndcg")),
        *(("own", side, metric) for side in SIDES for metric in ("hr", "ndcg")),
        ("BiGeaR", "published", "hr"),
    ]
    assert numbers.bytes_per_item.tolist() == [256, 256, 8, 8, 8, 8, 264, 264, 256, 256, 108]
    assert numbers.epoch_chosen_on.tolist() == [*["validation"] * 10, "test"]


def test_a_code_takes_whole_bytes() -> None:
    numbers = beside_published(FRAME.assign(bits=12), ["mf"], PUBLISHED)

    chosen = numbers[(numbers.model == "own") & (numbers.metric == "hr")]
    assert chosen.set_index("side").bytes_per_item.to_dict() == {
        "codes": 2,
        "codes, float user": 2,
        "codes, then vectors": 50,
        "vectors": 48,
    }


def test_without_published_values_ours_stand_alone() -> None:
    numbers = beside_published(FRAME, ["mf"], {"g": []})

    assert len(numbers) == 10
    assert "published" not in set(numbers.side)


def test_the_printed_table_is_ordered_by_bytes() -> None:
    table = print_published(beside_published(FRAME, ["mf"], PUBLISHED), *NAMES).rows

    columns = ["Method", "Items as", "Bytes per item", "Recall@20", "NDCG@20", "Source"]
    assert table[columns].to_numpy().tolist() == [
        ["Own", "codes", "8", "0.2500", "0.2500", "this workflow"],
        ["Own", "codes, float user", "8", "0.2500", "0.2500", "this workflow"],
        ["BiGeaR", "", "108", "0.2000", "", "someone"],
        ["MF", "vectors", "256", "0.1500", "0.1500", "this workflow"],
        ["Own", "vectors", "256", "0.2500", "0.2500", "this workflow"],
        ["Own", "codes, then vectors", "264", "0.2500", "0.2500", "this workflow"],
    ]
