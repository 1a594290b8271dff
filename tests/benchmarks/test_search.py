"""The search benchmark at tiny sizes: it runs, keeps what is done, and its tables show it."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("usearch")
pytest.importorskip("faiss")

from benchmarks import search, search_evaluation, search_table
from hashgnn.config.evaluation import EvaluationSettings
from hashgnn.evaluation.representation import evaluate

pytestmark = pytest.mark.usefixtures("quick")

ROOT = Path(__file__).parents[2]
KEYS = {"search", "peer", "items", "bits", "k", "threads", "us_per_query", "peer_us_per_query"}
TINY = ["--items", "300", "--bits", "32", "--k", "100", "--threads", "1", "--large", "0"]


def run(folder: Path, *more: str) -> list[dict[str, Any]]:
    outputs = ["--output", str(folder), "--figure", str(folder / "search.svg")]
    search.main([*TINY, "--evaluate", "120", "250", *outputs, *more])
    return json.loads((folder / "search.json").read_text())


def test_a_tiny_comparison_is_complete_and_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = run(tmp_path, "--approximate", "500")

    assert {row["part"] for row in rows} == {"searches", "limits", "evaluation", "approximate"}
    assert all(set(row) >= KEYS for row in rows)
    pairs = {(row["search"], row["peer"]) for row in rows}
    for peer in ("FAISS IndexBinaryFlat", "USearch exact", "numpy bitwise_count"):
        assert ("hamming", peer) in pairs
    for ours in ("hamming", "continuous", "hierarchical, 200 candidates"):
        assert {(ours, "FAISS IndexFlatIP"), (ours, "torch matmul and topk")} <= pairs
    assert {("hamming, one query", f"{what} bandwidth") for what in ("read", "memory")} <= pairs
    assert all(0 <= row["recall"] <= 1 for row in rows if row["part"] == "approximate")
    assert (tmp_path / "search.svg").stat().st_size > 0
    assert (tmp_path / "search.provenance.json").exists()

    more = run(tmp_path, "--approximate", "500", "--resume", "--bits", "32", "64")
    assert more[: len(rows)] == rows  # kept as they were
    assert {row["bits"] for row in more[len(rows) :]} == {64}

    search_table.main(["--json", str(tmp_path / "search.json")])
    shown = capsys.readouterr().out
    assert "### Hamming search, top 100, one thread" in shown
    assert "inverted lists, 1 of 500 probed" in shown


def test_the_page_shows_the_figures_of_the_last_run() -> None:
    figures = search_table.figures_of(ROOT / "benchmarks/search.json")
    assert figures in (ROOT / "docs/search.md").read_text(encoding="utf-8"), (
        "python -m benchmarks.search_table --into docs/search.md"
    )


def test_lightgcns_procedure_finds_what_the_evaluation_finds() -> None:
    method = search_evaluation.Method(130, 400)
    theirs = method.by_lightgcn()
    cutoffs = search_evaluation.CUTOFFS
    encoded = method.users, method.items, method.relevant, method.seen
    ours = evaluate(*encoded, EvaluationSettings(cutoffs=cutoffs), ["continuous"])
    for name, metric in (("recall", "hr"), ("ndcg", "ndcg")):
        means = [ours.mean("continuous", metric, n) for n in cutoffs]
        # Not the same: the sigmoid of a large product is 1, and then items tie.
        assert theirs[name] == pytest.approx(means, rel=0.01)
