"""What jobs are said to need, held to what they took."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from hashgnn.data.interactions import Csr, Split, save_split
from hashgnn.experiment import memory, runtime
from hashgnn.experiment import resources as jobs
from hashgnn.experiment.batch import distinct, training
from hashgnn.experiment.sizes import Sizes, prepared, raw_rows

ROOT = Path(__file__).parents[2]
MEASURED = pd.read_csv(ROOT / "benchmarks/resources.csv")
NEGATIVES = {"hashgnn.models.hashgnn_plus": 1, "hashgnn.models.lightgcn": 4}


def said(row: Any) -> jobs.Cost:
    """By the same formulas as the workflow's jobs."""
    sizes, settings = Sizes(row.users, row.items, row.interactions), json.loads(row.settings)
    if row.stage == "train" and "encoder" in settings["parameters"]:
        method = settings["method"]
        given = settings["parameters"], settings["bits"], NEGATIVES.get(method, 10)
        job = training(method, sizes, *given)
        return jobs.Cost(memory.of_training(job), runtime.of_training(job))
    if row.stage == "train":
        bits, epochs = settings["bits"], settings["parameters"].get("epochs", 1)
        seconds = runtime.of_other_training(sizes, epochs, bits)
        return jobs.Cost(memory.of_other_training(sizes, bits), seconds)
    if row.stage == "triplets":
        megabytes = memory.of_triplets(sizes, settings["per_interaction"])
        return jobs.Cost(megabytes, runtime.of_rows(sizes.interactions))
    if row.stage in ("prepare", "split"):
        of = memory.of_split(sizes) if row.stage == "split" else memory.of_prepare(row.interactions)
        return jobs.Cost(of, runtime.of_rows(sizes.interactions))
    seconds = runtime.of_search(sizes, settings.get("bits", 32))
    if row.stage == "timing":
        return jobs.Cost(memory.of_timing(sizes, settings["bits"]), 6 * seconds)
    return jobs.Cost(memory.of_evaluation(sizes, settings.get("bits", 64), 5), seconds)


@pytest.mark.parametrize("row", MEASURED.itertuples(), ids=lambda r: f"{r.stage}-{r.dataset}")
def test_no_job_took_more_than_was_said_and_none_far_less(row: Any) -> None:
    found = said(row)

    assert row.peak_mb <= found.megabytes <= max(2.6 * row.peak_mb, 520)
    assert row.cpu_seconds <= 60 * runtime.minutes(found.seconds) / 2


def test_the_trainings_were_of_several_sizes() -> None:
    trained = MEASURED[MEASURED.stage == "train"]

    assert trained.interactions.max() / trained.interactions.min() > 50
    assert trained.peak_mb.max() > 1000


def test_cost_grows_with_what_it_is_made_of() -> None:
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    wildcards = {"dataset": "synthetic", "model": "hashgnn", "bits": "32"}
    generator = config["datasets"]["synthetic"]["generator"]
    seen = []
    for more in ({}, {"users": 200_000}, {"items": 10**6}, {"interactions": 10**8}):
        generator |= more
        seen.append(jobs.cost("train", config, wildcards, ["results/not/there.npz"]))
    wildcards["bits"] = "1024"
    seen.append(jobs.cost("train", config, wildcards, ["results/not/there.npz"]))

    assert [cost.megabytes for cost in seen] == sorted({cost.megabytes for cost in seen})
    assert seen[-1].megabytes > 20_000


@pytest.mark.parametrize(
    ("interactions", "tries_both"),
    [(10**5, True), (10**9, False)],  # of 30,000 nodes: too many links to be worth a try
)
def test_a_training_that_tries_both_engines_has_memory_for_both(
    interactions: int, tries_both: bool
) -> None:
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["datasets"]["synthetic"]["generator"]["interactions"] = interactions
    wildcards = {"dataset": "synthetic", "model": "hashgnn", "bits": "32"}
    needed = {}
    for engine in ("auto", "sampled", "full"):
        config["training"]["engine"] = engine
        needed[engine] = jobs.cost("train", config, wildcards, ["not there"]).megabytes

    assert needed["sampled"] != needed["full"]
    both = max(needed["sampled"], needed["full"])
    assert needed["auto"] == (both if tries_both else needed["sampled"])


def test_distinct_nodes() -> None:
    assert distinct(10, 10**9) == pytest.approx(10)
    assert distinct(10**9, 10) == pytest.approx(10)
    assert distinct(5, 0) == 0


def test_sizes_are_read_from_the_headers(tmp_path: Path) -> None:
    train = Csr(np.array([0, 2, 3]), np.array([0, 1, 1], np.int32))
    none = Csr(np.zeros(3, np.int64), np.zeros(0, np.int32))
    path = tmp_path / "split.npz"
    save_split(path, Split(train, none, none, 2, 5))
    assert prepared(path) == Sizes(2, 5, 3)

    path.write_bytes(path.read_bytes()[:100])
    assert prepared(path) == Sizes(0, 0, 0)
    with pytest.raises(FileNotFoundError):
        prepared(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("content", "dataset", "rows"),
    [
        ("u,i\n1,2\n3,4\n", {"reader": "table"}, 3),
        ("1 2 3\n4 5\n", {"reader": "adjacency"}, 5),
        ("x", {"reader": "table", "format": {"member": "none.csv"}}, 0),
        ("1,2\n" * 10**6, {"reader": "table"}, 10**6),
    ],
)
def test_rows_of_a_raw_file(tmp_path: Path, content: str, dataset: Any, rows: int) -> None:
    path = tmp_path / "x.csv"
    path.write_text(content)

    assert raw_rows(path, dataset) == rows


def test_wrong_settings_are_left_to_the_training() -> None:
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    config["training"]["widths"] = "many"
    wildcards = {"dataset": "synthetic", "model": "hashgnn", "bits": "32"}

    assert jobs.cost("train", config, wildcards, ["none"]).megabytes == memory.SMALL


def test_the_workflow_knows_costs_without_loading_torch() -> None:
    check = "import sys, hashgnn.experiment.resources; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
