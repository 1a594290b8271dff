"""Every config key, edited in turn, against what must run again.

The expected side is a table by hand (matrix_expected.py, matrix_config.py). All of the paper's
config takes part, with one seed and fewer runs; results are empty files, accepted by ``--touch``.
"""

import io
import os
import shutil
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.exceptions import WorkflowError

from tests.e2e.faults.experiment import tuned
from tests.e2e.faults.matrix_config import changes, is_refused, leaves, other_value, row
from tests.e2e.faults.matrix_expected import NEGATIVES, Row, closure
from tests.e2e.faults.tally import Tally
from tests.e2e.workflow.project import PAPER, Project, make_project, merged

pytestmark = pytest.mark.faults

TARGETS = ("all", "results/tuning.csv")
WORKERS = 2

ONE = {"bits": [32], "seeds": [0]}
LESS: dict[str, Any] = {
    "sweeps": {
        "triplets": {"values": [1, 10]},
        "code_length": {"values": [16, 32]},
        "ranking_weight": {"values": [0, 0.55]},
        "fixed_p": {"values": [1, 0.4]},
    },
    "tuning": {"datasets": ["movielens"]},
    "grids": {
        "fig1": {"models": ["graphsage", "hash_ste"], **ONE},
        "fig3": {"datasets": ["movielens"], "models": ["hashgnn", "hashgnn_plus"], **ONE},
        "fig5": ONE,
        **{name: {"datasets": ["alibaba_like"], **ONE} for name in ("fig4", "fig6", "fig7")},
        "table1": {"datasets": ["movielens", "gowalla", "pinterest"]},
        "table2": {"datasets": ["movielens"], "models": list(PAPER["models"]), **ONE},
        "table3": {"datasets": ["alibaba_like"], "models": ["hashgnn", "graphsage"], **ONE},
        "table4": {"datasets": ["movielens"], **ONE},
        "methods": {"datasets": ["movielens"], "models": ["hashgnn", "als"], **ONE},
        "published": {"datasets": ["gowalla"], "models": ["graphsage"], **ONE},
    },
}


def job(file: str) -> str | None:
    """The job that makes a file, or None for all but one file of each job."""
    match file.split("/"):
        case ["figures", name] if name.endswith(".pdf"):
            return f"figure {name.removesuffix('.pdf')}"
        case ["results", ("checks.csv" | "claims.csv" | "tuning.csv") as name]:
            return name.removesuffix(".csv")
        case ["results", name] if name.endswith(".tex"):
            return f"table {name.removesuffix('.tex')}"
        case ["results", dataset, "download", name] if not name.endswith(".json"):
            return f"download {dataset} {name}"
        case ["results", dataset, "interactions.npz"]:
            return f"prepare {dataset}"
        case ["results", dataset, "split.npz"]:
            return f"split {dataset}"
        case ["results", dataset, drawn, "seed0.npy"]:
            return f"triplets {dataset} {drawn.removeprefix('triplets')}"
        case ["results", dataset, model, bits, "seed0", name]:  # another seed makes new jobs
            rules = {"history.csv": "train", "metrics.csv": "evaluate", "timing.csv": "timing"}
            if name in rules:
                return f"{rules[name]} {dataset} {model} {bits.removeprefix('bits')}"
        case ["results", dataset, model, "study", "trials.csv"]:
            return f"tune {dataset} {model}"
        case ["results", dataset, model, "study", "course.csv"]:
            return f"study {dataset} {model}"
    return None


def stale(project: Project, given: Mapping[str, Any] | None = None) -> set[str]:
    """Jobs that would run."""
    with redirect_stderr(io.StringIO()):
        return {name for file in project.stale_files(given, TARGETS) if (name := job(file))}


@pytest.fixture(scope="module")
def placeholders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, set[str]]:
    """The workflow with empty files for results, all accepted; and its jobs."""
    project = make_project(tmp_path_factory.mktemp("matrix") / "project", LESS)
    shipped = project.root / "config/config.yaml"
    spaces = {name: PAPER["models"][name]["tuning"] for name in ("hashgnn", "hash_ste")}
    shipped.write_text(yaml.safe_dump(tuned(spaces)), encoding="utf-8")
    files = project.stale_files(targets=TARGETS)
    for file in files:
        path = project.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    touched = project.snakemake("--touch", "--forceall", "--", *TARGETS)
    assert touched.returncode == 0, touched.stdout + touched.stderr
    assert stale(project) == set()
    return project, {name for file in files if (name := job(file))}


def full_config(project: Project) -> dict[str, Any]:
    shipped = yaml.safe_load((project.root / "config/config.yaml").read_text(encoding="utf-8"))
    return {**merged(shipped, LESS), "checks": {"baselines": "fail"}}


_copy: Project


def _begin(root: str) -> None:
    """In a worker: a copy of its own, to be edited."""
    global _copy
    _copy = Project(Path(root).with_name(f"worker{os.getpid()}"))
    shutil.copytree(root, _copy.root)


def _edit_key(edit: tuple[str, Any]) -> tuple[str, set[str] | None]:
    """None for what the check of the config refuses."""
    key, value = edit
    try:
        return key, stale(_copy, changes(key, value))
    except WorkflowError:
        return key, None


def run(project: Project, edit: Any, edits: list[Any]) -> list[Any]:
    workers = ProcessPoolExecutor(WORKERS, get_context("spawn"), _begin, (str(project.root),))
    with workers:
        return list(workers.map(edit, edits))


def differences(expected: Row, found: set[str], jobs: set[str]) -> list[str]:
    """Jobs that should have run again but would not, and the other way round; new ones aside."""
    must = closure(expected.must, jobs)
    may = closure((*expected.must, *expected.may), jobs)
    lacking = [f"{expected.what}: not seen: {name}" for name in sorted(must - found)]
    needless = [f"{expected.what}: needless: {name}" for name in sorted((found & jobs) - may)]
    return [*lacking[:4], *needless[:4]]


def counted(tally: Tally, kind: str, differing: list[str]) -> list[str]:
    """``differing``, one of which makes the edit a wrong result."""
    with suppress(AssertionError), tally.fault(kind):
        assert not differing
    return differing


def test_config_keys(placeholders: tuple[Project, set[str]], tally: Tally) -> None:
    project, jobs = placeholders
    assert {name.split()[0] for name in jobs} == {
        *("download", "prepare", "split", "triplets", "train", "evaluate", "timing", "tune"),
        *("checks", "claims", "figure", "table", "study", "tuning"),
    }
    assert {f"triplets movielens {number}" for number in NEGATIVES.values()} < jobs
    config = full_config(project)
    edits = [(key, other_value(key, value)) for key, value in leaves(config)]
    assert len(edits) > 250
    wrong = []
    for key, found in run(project, _edit_key, edits):
        if (found is None) != is_refused(key):
            differing = [f"{key}: {'refused' if found is None else 'not refused'}"]
        else:
            differing = differences(row(key, config), found, jobs) if found is not None else []
        wrong += counted(tally, "an edited config key", differing)
    assert not wrong, "\n".join(wrong)
