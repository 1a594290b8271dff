"""Our results beside published ones."""

import pandas as pd

from hashgnn.evaluation.statistics import COLUMNS
from hashgnn.reporting.tables.comparison import beside_published, print_published

FRAME = pd.DataFrame(
    [
        ("g", model, 64, search, metric, n, 0, value)
        for model, value in (("mf", 0.15), ("own", 0.25))
        for search in ("hamming", "hierarchical", "continuous")
        for metric in ("hr", "any_hit", "ndcg")
        for n in (20, 50)
    ],
    columns=COLUMNS,
)
THEIRS = {"bytes_per_item": 108, "epoch_chosen_on": "test", "source": "someone"}
PUBLISHED = {"g": [{"method": "BiGeaR", "recall": 0.2, "ndcg": None, **THEIRS}], "h": []}
NAMES = {"g": "Gowalla", "h": "Yelp"}, {"mf": "MF", "own": "Own"}


def test_ours_and_theirs() -> None:
    numbers = beside_published(FRAME, ["mf"], PUBLISHED)

    sides = list(zip(numbers.model, numbers.side, numbers.metric, strict=True))
    assert sides == [
        *(("mf", "vectors", metric) for metric in ("hr", "ndcg")),
        *(("own", side, metric) for side in ("codes", "vectors") for metric in ("hr", "ndcg")),
        ("BiGeaR", "published", "hr"),
    ]
    assert numbers.bytes_per_item.tolist() == [256, 256, 8, 8, 256, 256, 108]
    assert numbers.epoch_chosen_on.tolist() == [*["validation"] * 6, "test"]


def test_the_printed_table_is_ordered_by_bytes() -> None:
    table = print_published(beside_published(FRAME, ["mf"], PUBLISHED), *NAMES).rows

    assert table["Method"].tolist() == ["Own", "BiGeaR", "MF", "Own"]
    assert table["Items as"].tolist() == ["codes", "", "vectors", "vectors"]
    assert table["Bytes per item"].tolist() == ["8", "108", "256", "256"]
    assert table["Recall@20"].tolist() == ["0.2500", "0.2000", "0.1500", "0.2500"]
    assert table["NDCG@20"].tolist() == ["0.2500", "", "0.1500", "0.2500"]
    assert table["Source"].tolist() == ["this workflow", "someone", *["this workflow"] * 2]
