"""What the page of results is given: means over seeds, and text that stays text."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from hashgnn.evaluation.statistics import COLUMNS
from hashgnn.reporting.explore import fill, gather, main, times

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "hashgnn/reporting/explore.html"
SETTINGS = {
    "datasets": [["d", "Data </script><b>"]],
    "models": [["hashgnn", "HashGNN"], ["graphsage", "GraphSage"]],
    "continuous": ["graphsage", "elsewhere"],
    "looks": {"hashgnn": ["#d55e00", "o"], "graphsage": ["#000000", "*"]},
}


def metrics(model: str, *values: tuple[str, int, float]) -> pd.DataFrame:
    rows = [("d", model, 32, search, "hr", 50, seed, value) for search, seed, value in values]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_codes_by_each_search_and_vectors_by_inner_product_whatever_the_search() -> None:
    frame = pd.concat(
        [
            metrics("hashgnn", ("hamming", 0, 0.25), ("hamming", 1, 0.75), ("continuous", 0, 0.5)),
            metrics("graphsage", ("hamming", 0, 0.1), ("continuous", 0, 0.9)),
        ]
    )

    rows = {(row[1], row[2]): row[3:] for row in gather(frame, SETTINGS)["rows"]}

    kinds = ("hamming", "hierarchical", "continuous")
    vectors = {("graphsage", kind): ["hr", 32, 50, 0.9, None, None, 1] for kind in kinds}
    half = 0.25 * 12.706204736174698  # the standard error and t(0.975; 1)
    *place, low, high, seeds = rows.pop(("hashgnn", "hamming"))
    assert (place, seeds) == (["hr", 32, 50, 0.5], 2)
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half))
    assert rows == {("hashgnn", "continuous"): ["hr", 32, 50, 0.5, None, None, 1], **vectors}


def test_further_metrics_are_shown_where_they_were_evaluated() -> None:
    plain = metrics("hashgnn", ("hamming", 0, 0.5))
    page = gather(pd.concat([plain, plain.assign(metric="gini")]), SETTINGS)

    assert list(page["measures"]) == ["hr", "ndcg", "any_hit", "gini"]
    assert list(gather(plain, SETTINGS)["measures"]) == ["hr", "ndcg", "any_hit"]


def test_asymmetric_search_is_shown_where_it_was_evaluated() -> None:
    plain = metrics("hashgnn", ("hamming", 0, 0.5))
    more = metrics("hashgnn", ("asymmetric", 0, 0.75))
    floats = metrics("graphsage", ("asymmetric", 0, 0.1), ("continuous", 0, 0.9))

    page = gather(pd.concat([plain, more, floats]), SETTINGS)

    assert page["searches"]["asymmetric"] == "asymmetric (not in the paper)"
    rows = {(row[1], row[2]): row[6] for row in page["rows"]}
    assert rows["hashgnn", "asymmetric"] == 0.75
    assert rows["graphsage", "asymmetric"] == 0.9
    assert list(gather(plain, SETTINGS)["searches"]) == ["hamming", "hierarchical", "continuous"]


def test_methods_have_the_colors_of_the_figures() -> None:
    models = gather(metrics("hashgnn", ("hamming", 0, 0.5)), SETTINGS)["models"]

    assert models == {
        "hashgnn": {"name": "HashGNN", "color": "#d55e00", "marker": "o", "dashed": False},
        "graphsage": {"name": "GraphSage", "color": "#000000", "marker": "*", "dashed": True},
    }


def test_times_are_medians_per_query() -> None:
    rows = [("d", "hamming", 32, 1000, seconds) for seconds in (0.1, 0.2, 0.9)]
    timing = pd.DataFrame(rows, columns=["dataset", "search", "bits", "users", "seconds"])

    assert times(timing) == {"d|hamming|32": pytest.approx(200.0)}  # microseconds


def test_no_name_ends_the_script_element() -> None:
    data = {"name": "</script><script>alert(1)</script>"}

    page = fill('<script type="application/json">DATA</script>', data)

    assert page.count("</script>") == 1
    (text,) = re.findall(">(.*)</script>", page)
    assert json.loads(text) == data


def test_the_page_is_one_file_that_loads_nothing(tmp_path: Path) -> None:
    table, page = tmp_path / "metrics.csv", tmp_path / "explore.html"
    metrics("hashgnn", ("hamming", 0, 0.5)).to_csv(table, index=False)
    arguments = [str(table), "--settings", json.dumps(SETTINGS), "--output", str(page)]

    assert main([*arguments, "--template", str(TEMPLATE)]) == 0

    text = page.read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)=(?!"data:)', text)
    assert "url(" not in text
    assert "@import" not in text


def test_the_first_place_for_data_in_the_template_is_the_one_for_it() -> None:
    assert re.search("DATA", TEMPLATE.read_text(encoding="utf-8")).start() == (  # type: ignore[union-attr]
        TEMPLATE.read_text(encoding="utf-8").index(">DATA<") + 1
    )
