"""Wrong configurations as Snakemake meets them: refused before a job runs."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.workflow.project import CONFIG, Project, make_project


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project, in which nothing has run."""
    return make_project(tmp_path_factory.mktemp("wrong") / "project", CONFIG)


def planned(
    project: Project, changes: dict[str, Any], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """A dry run with ``changes`` on top."""
    (project.root / "changes.yaml").write_text(yaml.safe_dump(changes))
    configs = ("--configfile", "tiny.yaml", "changes.yaml")
    return project.snakemake("--dry-run", "--printshellcmds", *configs, *arguments)


@pytest.mark.parametrize(
    ("changes", "target", "message"),
    [
        (
            {"datasets": {"shop": {"split": {"test": 30}}}},
            "all",
            "\ndatasets.shop.split.test: expected less than 1, got 30",
        ),
        (
            {"models": {"mine": {"name": "Mine", "module": "hashgnn.models.hashgn"}}},
            "all",
            "\nmodels.mine.module: no module hashgnn.models.hashgn in",
        ),
        (
            {"sweeps": {"ranking_weight": {"vary": ["ranking_weigth"]}}},
            "all",
            "\nsweeps.ranking_weight.vary: ranking_weigth: unknown key",
        ),
        (
            {"models": {"hashgnn": {"parameters": {"learning_rat": 0.1}}}},
            "results/table1.csv",
            "\nmodels.hashgnn.parameters.learning_rat: unknown key",
        ),
        (
            {"evaluation": {"cutoffs": [10, 20]}},
            "results/table2.csv",
            "evaluation.cutoffs: table2 needs 50, 100, got 10, 20; add 50, 100",
        ),
    ],
)
def test_mistakes_are_named(
    fresh: Project, changes: dict[str, Any], target: str, message: str
) -> None:
    ran = planned(fresh, changes, "--", target)

    assert ran.returncode == 1
    assert message in ran.stdout + ran.stderr
    assert not (fresh.root / "results").exists()


def test_other_lists_are_no_matter_to_what_does_not_show_them(fresh: Project) -> None:
    ran = planned(fresh, {"evaluation": {"cutoffs": [10, 20]}}, "--", "figures/fig3.svg")

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_what_a_split_tests_can_be_unset(fresh: Project) -> None:
    """A config file cannot take keys out of one below it."""
    unset = {"datasets": {"tiny": {"split": {"by": "random", "test": 0.2, "test_days": None}}}}

    ran = planned(fresh, unset, "--", "results/tiny/split.npz")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '"seed": 0, "test": 0.2, "validation": 0.1}' in ran.stdout + ran.stderr


def test_keys_given_twice_are_refused_with_file_and_line(fresh: Project, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("training:\n  epochs: 2\n  epochs: 3\n")

    ran = fresh.snakemake("--dry-run", "--configfile", "tiny.yaml", str(mine), "--")

    assert ran.returncode == 1
    expected = f"{mine}, line 3: the key epochs was given in line 2; keep one"
    assert expected in ran.stdout + ran.stderr


def test_nested_values_of_the_command_line_are_numbers(fresh: Project) -> None:
    nested = ("--config", "training={embedding_width: 13}")

    ran = planned(fresh, {}, *nested, "--", "figures/fig3.pdf")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert '"embedding_width": 13,' in ran.stdout + ran.stderr
