"""The table of encoders, made by the shipped config on a tiny data set."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.e2e.workflow.project import CONFIG, ROOT, make_project, merged

ENCODERS = yaml.safe_load((ROOT / "config/encoders.yaml").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_every_encoder_trains_and_has_its_row(tmp_path: Path) -> None:
    small = {key: CONFIG[key] for key in ("datasets", "triplets", "training")}
    grid = {"datasets": ["tiny"], "bits": [8]}
    config = merged(merged(ENCODERS, small), {"workdir": None, "grids": {"encoders": grid}})
    project = make_project(tmp_path, config)

    ran = project.snakemake("--", "results/encoders.csv")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    numbers = pd.read_csv(project.root / "results/encoders.csv")
    assert numbers["model"].unique().tolist() == ENCODERS["grids"]["encoders"]["models"]
    assert numbers["mean"].between(0, 1 + 1e-9).all()
    printed = (project.root / "results/encoders.md").read_text(encoding="utf-8")
    (header,) = (line for line in printed.splitlines() if "HR@50, Hamming |" in line)
    assert header.startswith("| Encoder ")
    assert all(entry["name"] in printed for entry in ENCODERS["models"].values())
