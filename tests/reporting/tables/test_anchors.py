import math

import pandas as pd
import pytest

from hashgnn.evaluation.results import COLUMNS
from hashgnn.reporting.tables.methods import compare_published, print_anchors

FRAME = pd.DataFrame(
    [
        ("g", model, 64, search, metric, n, 0, value)
        for model, value in (("mf", 0.15), ("own", 0.25))
        for search in ("hamming", "continuous")
        for metric in ("hr", "any_hit", "ndcg")
        for n in (20, 50)
    ],
    columns=COLUMNS,
)
PUBLISHED = {"mf": {"hr": 0.2, "source": "someone"}}


def test_ours_stand_beside_theirs() -> None:
    numbers = compare_published(FRAME, PUBLISHED)

    assert numbers.model.tolist() == ["mf", "mf", "own", "own"]
    assert numbers.metric.tolist() == ["hr", "ndcg"] * 2
    assert numbers.ratio.iloc[0] == pytest.approx(0.75)
    assert [math.isnan(value) for value in numbers.published] == [False, True, True, True]


def test_what_nobody_published_stays_empty() -> None:
    table = print_anchors(
        compare_published(FRAME, PUBLISHED), {"g": "Gowalla"}, {"mf": "MF", "own": "Own"}
    )

    assert table["Method"].tolist() == ["MF", "Own"]
    assert table["Recall@20"].tolist() == ["0.1500", "0.2500"]
    assert table["Recall@20, published"].tolist() == ["0.2000", ""]
    assert table["NDCG@20, published"].tolist() == ["", ""]
    assert table["Source"].tolist() == ["someone", ""]
