"""Every module's code, edited in turn, against which jobs run it.

The expected side comes from running all methods, figures and tables on tiny data: a job must run
again if it called a function of the edited module, and may if it imported the module.
"""

import ast
import os
import shutil
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.e2e.faults.tally import Tally
from tests.e2e.traced import FOR_KERNELS, Job, assert_watched, trace_jobs, traced_jobs
from tests.e2e.workflow.project import CONFIG, PAPER, Project, make_project, merged

pytestmark = pytest.mark.faults

TARGETS = ("all", "results/tuning.csv")
WORKERS = 2

ONE = {"bits": [8], "seeds": [0]}
TWO = {"datasets": ["tiny"], "models": ["hashgnn_nr", "hash_ste"], **ONE}
LISTS = "".join(
    f"{user} {' '.join(str(user * i % 23) for i in range(1, 12))}\n" for user in range(30)
)
MORE: dict[str, Any] = {
    "datasets": {
        "lists": {"name": "Lists", "reader": "adjacency", "files": {"a.txt": {"address": "a.txt"}}}
    },
    "models": {
        name: {"parameters": {"epochs": 2}} for name in ("als", "bine") if name in PAPER["models"]
    },
    "sweeps": {"fixed_p": {"values": [1, 0.4]}, "code_length": {"values": [8, 16]}},
    "tuning": {"datasets": ["tiny"], "bits": 8, "trials": 2, "least_epochs": 1},
    "checks": {"baselines": "report"},  # lists of 50 hold all items
    "grids": {
        **dict.fromkeys(("fig4", "fig6"), TWO),
        "fig1": {"datasets": ["lists"], "models": ["graphsage", "hash_ste"], **ONE},
        "fig5": {"sweeps": ["ranking_weight", "code_length"]},
        "fig7": {"sweeps": ["fixed_p"], **TWO},
        "table2": {"datasets": ["tiny"], "models": list(PAPER["models"])},
        "table3": TWO,
        "methods": TWO,
        "published": {**TWO, "models": ["graphsage"]},
    },
}


class Ran(NamedTuple):
    """A project in which everything ran, its jobs by their records, and what they made."""

    project: Project
    jobs: dict[str, Job]
    makers: dict[str, str]  # jobs by files

    def with_followers(self, jobs: Iterable[str]) -> set[str]:
        """Return ``jobs`` and all that read what they make."""
        reads = {
            name: {self.makers.get(file) for file in job.record["inputs"]}
            for name, job in self.jobs.items()
        }
        reads["results/tuning.provenance.json"] |= {name for name in reads if "/study/" in name}
        found, grown = set[str](), set(jobs)
        while grown:
            found |= grown
            grown = {name for name, makers in reads.items() if makers & grown} - found
        return found


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    project = make_project(tmp_path_factory.mktemp("code") / "project", merged(CONFIG, MORE))
    (project.root / "a.txt").write_text(LISTS)
    untuned = {
        model: {key: value for key, value in entry.items() if key != "tuning"}
        for model, entry in PAPER["models"].items()
        if model not in ("hashgnn", "hash_ste")
    }
    shipped = {**PAPER, "models": {**PAPER["models"], **untuned}}
    (project.root / "config/config.yaml").write_text(yaml.safe_dump(shipped), encoding="utf-8")
    trace_jobs(project.root)
    finished = project.snakemake("--", *TARGETS)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    jobs = traced_jobs(project.root)
    assert {Path(job.record["command"][2].replace(".", "/")).stem for job in jobs.values()} >= {
        *("download", "prepare", "split", "negatives", "train", "evaluate", "time_searches"),
    }
    assert set(PAPER["models"]) <= {job.record["settings"].get("model") for job in jobs.values()}
    assert project.stale_files(targets=TARGETS) == []
    makers = {
        os.path.normpath(Path(record).parent / file): record
        for record, job in jobs.items()
        for file in job.record["outputs"]
    }
    return Ran(project, jobs, makers | {record: record for record in jobs})


def edited(text: str) -> str:
    """Return a module with an edit in each of its definitions that changes nothing."""
    tree = ast.parse(text)
    for statement in tree.body:
        match statement:
            case ast.FunctionDef(body=body) | ast.ClassDef(body=body):
                body.append(ast.Pass())
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                statement.value = ast.IfExp(ast.Constant(True), value, ast.Constant(None))
    return ast.unparse(ast.fix_missing_locations(tree))


_copy: Project


def _begin(root: str) -> None:
    """In a worker: a copy of its own, to be edited."""
    global _copy
    _copy = Project(Path(root).with_name(f"worker{os.getpid()}"))
    shutil.copytree(root, _copy.root, symlinks=True)


def _stale_after_edit(file: str) -> list[str]:
    text = (_copy.root / file).read_text(encoding="utf-8")
    with _copy.replaced(file, edited(text)):
        # Plain text: Snakemake's own kind of it cannot be sent to another process.
        return [str(file) for file in _copy.stale_files(targets=TARGETS)]


def test_modules(ran: Ran, tally: Tally) -> None:
    folder = ran.project.root / "hashgnn"
    files = [str(path.relative_to(ran.project.root)) for path in sorted(folder.rglob("*.py"))]
    assert len(files) > 100
    wrong = []
    context = get_context("spawn")
    with ProcessPoolExecutor(WORKERS, context, _begin, (str(ran.project.root),)) as workers:
        for file, stale in zip(files, workers.map(_stale_after_edit, files), strict=True):
            name = file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            found = {ran.makers[one] for one in stale if one in ran.makers}
            with tally.fault("an edited module"):
                if differing := _differences(ran, name, found):
                    wrong.append(f"{name}: {differing}")
    assert not wrong, "\n".join(wrong)


def _differences(ran: Ran, module: str, found: set[str]) -> str:
    watches = module.startswith("hashgnn.stage")
    called = [name for name, job in ran.jobs.items() if job.called.get(module, set()) - FOR_KERNELS]
    imported = [name for name, job in ran.jobs.items() if module in job.imported]
    lacking = ran.with_followers(called) - found
    needless = found - ran.with_followers([] if watches else imported)
    return ", ".join(
        [f"not seen: {name}" for name in sorted(lacking)[:4]]
        + [f"needless: {name}" for name in sorted(needless)[:4]]
    )


def test_each_definition_that_ran_is_watched(ran: Ran) -> None:
    assert_watched(ran.project.root, ran.jobs)
