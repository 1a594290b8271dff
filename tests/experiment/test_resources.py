"""Estimated memory and run time of jobs, compared with what they took."""

import json
import subprocess
import sys
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from hashgnn.config.methods import merged, negatives
from hashgnn.config.model import resolve
from hashgnn.data.interactions import Csr, Split, save_split
from hashgnn.errors import InputError
from hashgnn.experiment import resources as jobs
from hashgnn.experiment.resources import Sizes, distinct, prepared, raw_rows, training

ROOT = Path(__file__).parents[2]
MEASURED = pd.read_csv(ROOT / "benchmarks/resources.csv")
ENTRIES = yaml.safe_load((ROOT / "config/config.yaml").read_text())["models"].values()


def estimated(row: Any) -> jobs.Resources:
    """The estimate by the same formulas as of the workflow's jobs."""
    sizes, settings = Sizes(row.users, row.items, row.interactions), json.loads(row.settings)
    match row.stage:
        case "train" if "encoder" in settings["parameters"]:
            entry = next(one for one in ENTRIES if one["module"] == settings["method"])
            number, own_layers = entry.get("negatives", 10), entry.get("own_layers")
            job = training(sizes, settings["parameters"], settings["bits"], number, own_layers)
            return jobs.of_training(job)
        case "train":
            bits, epochs = settings["bits"], settings["parameters"].get("epochs", 1)
            return jobs.of_other_training(sizes, bits, bits, epochs)
        case "triplets":
            number, rounds = settings["per_interaction"], settings["rounds"]
            return jobs.of_negatives(sizes, number, rounds)
        case "split":
            return jobs.of_split(sizes)
        case "prepare":
            return jobs.of_prepare(row.interactions)
        case "timing":
            return jobs.of_timing(sizes, settings["bits"], 2)
    return jobs.of_evaluation(sizes, settings.get("bits", 64), 5)


@pytest.mark.parametrize("row", MEASURED.itertuples(), ids=lambda r: f"{r.stage}-{r.dataset}")
def test_no_job_took_more_than_estimated_and_none_far_less(row: Any) -> None:
    found = estimated(row)

    assert row.peak_mb <= found.megabytes <= max(2.6 * row.peak_mb, 520)
    assert row.cpu_seconds <= 60 * found.minutes / 2


def test_the_trainings_were_of_several_sizes() -> None:
    trained = MEASURED[MEASURED.stage == "train"]

    assert trained.interactions.max() / trained.interactions.min() > 50
    assert trained.peak_mb.max() > 1000


def test_resources_grow_with_the_sizes() -> None:
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    wildcards = {"dataset": "synthetic", "model": "hashgnn", "bits": "32"}
    generator = config["datasets"]["synthetic"]["generator"]
    seen = []
    for more in ({}, {"users": 200_000}, {"items": 10**6}, {"interactions": 10**8}):
        generator |= more
        seen.append(jobs.job_resources("train", config, wildcards, ["results/not/there.npz"]))
    wildcards["bits"] = "1024"
    seen.append(jobs.job_resources("train", config, wildcards, ["results/not/there.npz"]))

    assert [one.megabytes for one in seen] == sorted({one.megabytes for one in seen})
    assert seen[-1].megabytes > 20_000


def test_data_of_alibabas_size_fit_in_8_gb() -> None:
    files = [ROOT / "config" / name for name in ("config.yaml", "full_size.yaml")]
    config = resolve(reduce(merged, (yaml.safe_load(file.read_text()) for file in files)))
    grid, needed = config["grids"]["full_size"], {}
    for model in grid["models"]:
        wildcards = {"dataset": "alibaba_full", "model": model, "bits": "32", "seed": "0"}
        wildcards["negatives"] = str(negatives(config, model))
        for stage in ("prepare", "split", "triplets", "train", "evaluate"):
            needed[stage, model] = jobs.job_resources(stage, config, wildcards, ["not there"])

    assert config["datasets"]["alibaba_full"]["generator"]["interactions"] == 28_489_957
    assert len(grid["models"]) == 6
    assert max(one.megabytes for one in needed.values()) < 8000


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
        needed[engine] = jobs.job_resources("train", config, wildcards, ["not there"]).megabytes

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

    assert jobs.job_resources("train", config, wildcards, ["none"]).megabytes == jobs.SMALL


def test_the_workflow_estimates_without_importing_torch() -> None:
    check = "import sys, hashgnn.experiment.resources; sys.exit('torch' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 10), (90, 10), (91, 11), (3540, 240)])
def test_minutes_to_ask_a_scheduler_for(seconds: float, minutes: int) -> None:
    assert jobs.Resources(1, seconds).minutes == minutes


def test_jobs_that_are_too_large_are_refused_by_name() -> None:
    jobs.too_large({"train a": 100, "split a": 20}, 100, 200)

    with pytest.raises(InputError) as refused:
        jobs.too_large({"train b": 5000, "train a": 1500, "split a": 20}, 1000, 2000)

    first, *named, advice = str(refused.value).split("\n")
    assert first == "2 jobs need more memory than is free here, 1,000 MB of 2,000:"
    assert named == ["train a: about 1,500 MB", "train b: about 5,000 MB"]
    assert "--resources mem_mb=N" in advice
