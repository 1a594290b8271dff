import pandas as pd

from hashgnn.metrics.tidy import COLUMNS, over_seeds
from hashgnn.tables.formats import to_latex, to_markdown
from hashgnn.tables.table2 import printed, select


def metrics(rows: list[tuple[str, str, int, int, float]]) -> pd.DataFrame:
    """Model, search, n, seed and value; the rest is the same throughout."""
    return pd.DataFrame(
        [
            ("d", model, 32, search, metric, n, seed, value)
            for model, search, n, seed, value in rows
            for metric in ("hr", "ndcg")
        ],
        columns=COLUMNS,
    )


def test_each_method_is_ranked_by_its_own_search() -> None:
    frame = metrics(
        [
            (model, search, n, 0, 0.5)
            for model in ("a", "b")
            for search in ("hamming", "hierarchical", "continuous")
            for n in (20, 50, 100)
        ]
    )

    chosen = select(frame, continuous=["b"])

    assert set(zip(chosen.model, chosen.search, strict=True)) == {
        ("a", "hierarchical"),
        ("b", "continuous"),
    }
    assert set(chosen.n) == {50, 100}


def test_best_is_bold_and_second_underlined() -> None:
    values = {"a": 0.25, "b": 0.125, "c": 0.5}
    numbers = over_seeds(
        metrics(
            [(model, "hierarchical", n, 0, v) for model, v in values.items() for n in (50, 100)]
        )
    )

    table = printed(numbers, {"d": "Data"}, {model: model.upper() for model in values})

    assert table["Method"].tolist() == ["A", "B", "C"]
    assert table["HR@50"].tolist() == ["_0.2500_", "0.1250", "**0.5000**"]


def test_several_seeds_show_their_spread() -> None:
    rows = [("a", "hierarchical", n, seed, v) for n in (50, 100) for seed, v in enumerate((1, 3))]

    table = printed(over_seeds(metrics(rows)), {"d": "D"}, {"a": "A"})

    assert table["NDCG@100"].tolist() == ["**2.0000 ± 1.4142**"]


TABLE = pd.DataFrame({"Name_1": ["**best**", "_next_"], "%": ["1 ± 2", "10"]})


def test_markdown_is_aligned() -> None:
    assert to_markdown(TABLE) == (
        "| Name_1   |     % |\n| :------- | ----: |\n| **best** | 1 ± 2 |\n| _next_   |    10 |\n"
    )


def test_latex_escapes_and_marks() -> None:
    assert to_latex(TABLE).splitlines() == [
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"Name\_1 & \% \\",
        r"\midrule",
        r"\textbf{best} & 1 $\pm$ 2 \\",
        r"\underline{next} & 10 \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]
