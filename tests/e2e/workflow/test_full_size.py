"""The tables of data of Alibaba's size, made by the shipped config at a thousandth of it."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.e2e.workflow.project import CONFIG, ROOT, make_project, merged

FULL_SIZE = yaml.safe_load((ROOT / "config/full_size.yaml").read_text(encoding="utf-8"))
SIZES = {"users": 400, "items": 300, "interactions": 28_489}


@pytest.mark.slow
def test_each_method_that_scales_has_its_row(tmp_path: Path) -> None:
    grid = FULL_SIZE["grids"]["full_size"]
    small = {"datasets": {"alibaba_full": {"generator": SIZES}}, "triplets": CONFIG["triplets"]}
    tables = {"table1": {"datasets": ["alibaba_full"]}, "full_size": grid}
    project = make_project(tmp_path, merged({**FULL_SIZE, "grids": tables}, small))

    ran = project.snakemake("--", "results/full_size.csv", "results/table1.csv")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    numbers = pd.read_csv(project.root / "results/full_size.csv")
    assert numbers["model"].unique().tolist() == grid["models"]
    assert numbers["mean"].between(0, 1 + 1e-9).all()
    assert pd.read_csv(project.root / "results/table1.csv").interactions.item() == 28_489
