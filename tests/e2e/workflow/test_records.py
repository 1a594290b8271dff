"""Figures and tables are made of records, without data and without training."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.e2e.workflow.project import PARTS, ROOT, Project


def records(project: Project, *arguments: str) -> None:
    command = [sys.executable, "-m", "hashgnn.reporting.records", *arguments]
    subprocess.run(command, cwd=project.root, check=True, env={"PYTHONPATH": str(ROOT)})


def copied(project: Project, root: Path) -> Project:
    """Return another copy of the project, without results."""
    for part in PARTS:
        copy = shutil.copytree if (project.root / part).is_dir() else shutil.copy2
        copy(project.root / part, root / part)
    shutil.copy2(project.configfile, root)
    return Project(root)


@pytest.fixture(scope="module")
def restored(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Another copy of the project that has records only."""
    made = copied(project, tmp_path_factory.mktemp("restored"))
    records(project, "pack", "--into", str(made.root / "records"))
    records(made, "unpack", "--from", "records")
    return made


CHECKED = [
    "results/checks.csv",
    *(f"results/{dataset}/provenance.csv" for dataset in ("tiny", "shop")),
]
TARGETS = [f"results/{name}.csv" for name in ("table1", "table2", "table4", "fig3", "fig5")]


def test_nothing_is_trained(restored: Project) -> None:
    made = restored.stale_files(targets=[*TARGETS, *CHECKED])
    assert not [path for path in made if path.endswith((".npy", ".npz"))], made
    assert not [path for path in made if Path(path).name in ("metrics.csv", "timing.csv")], made


def test_tables_and_figures_are_the_same(project: Project, restored: Project) -> None:
    ran = restored.snakemake("--", *TARGETS, *CHECKED)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for target in [*TARGETS, "results/checks.csv", "results/table2.tex", "figures/fig3.svg"]:
        assert (restored.root / target).read_bytes() == (project.root / target).read_bytes(), target


def test_records_of_edited_code_are_refused(restored: Project) -> None:
    with restored.edited(
        "hashgnn/models/losses.py",
        "negative.sigmoid() - positive",
        "negative.sigmoid() - 2 * positive",
    ):
        ran = restored.snakemake("--", *CHECKED)
    assert ran.returncode != 0
    assert "results were made by other code or settings" in ran.stdout + ran.stderr


@pytest.mark.slow
def test_pages_of_a_part_are_the_same_again(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Records of one data set of two are enough; nothing is trained."""
    made = copied(project, tmp_path_factory.mktemp("part"))
    records(project, "pack", "--into", str(made.root / "records"), "--datasets", "tiny")
    written = []
    for folder in ("one", "other"):
        records(made, "unpack", "--from", "records", "--results", f"{folder}/results")
        changes = {"existing": True, "workdir": folder, "checks": {"stale": "report"}}
        (made.root / "part.yaml").write_text(yaml.safe_dump(changes))
        ran = made.snakemake("part.yaml", "--", "pages/README.md")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        pages = (made.root / folder / "pages").iterdir()
        written.append({p.name: p.read_bytes() for p in pages if p.suffix != ".json"})

    assert written[0] == written[1]
    page = " ".join(written[0]["README.md"].decode().split())
    assert "5 trainings of 5 methods (codes of 8 bits, 1 seed each) on Tiny." in page
    assert "Table 2: hierarchical search: without data sets Shop." in page
    assert not list(made.root.glob("*/results/*/split.npz"))
