"""A tiny experiment that goes through every rule, its processes, and what its results are."""

import csv
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.e2e.workflow.project import CONFIG, PAPER, Project, make_project

MODELS = ["hash_ste", "hashgnn"]

SMALL: dict[str, Any] = {
    **{key: CONFIG[key] for key in ("datasets", "triplets", "training")},
    "timing": {"rounds": 2, "k": 10},
    "evaluation": {"candidates": 50, "cutoffs": [10, 20, 50]},
    "checks": {"baselines": "report"},  # trainings are short
    "tuning": {"datasets": ["tiny"], "bits": 8, "trials": 2, "least_epochs": 1},
    "grids": {
        **dict.fromkeys(PAPER["grids"]),
        "fig3": {"datasets": ["shop"], "models": MODELS, "bits": [8], "seeds": [0]},
        "fig4": {"datasets": ["tiny"], "models": ["hash_ste"], "bits": [8], "seeds": [0]},
        "fig9": {
            "datasets": ["tiny"],
            "models": ["hash_ste"],
            "bits": [8],
            "seeds": [0],
            "items": 100,
        },
        "table1": {"datasets": ["shop", "tiny"]},
        "table4": {"datasets": ["tiny"], "models": ["hash_ste"], "bits": [8], "seeds": [0]},
    },
}

TARGETS = ("--", "all", "results/tuning.csv")


class Rule(NamedTuple):
    """How to know a rule's process by its command line, and its output by its path."""

    module: str
    output: str


_RUN = "results/*/*/bits*/seed*"

# In the order of the workflow.
RULES = {
    "download": Rule("hashgnn.data.download", "results/*/download/*.tsv"),
    "prepare": Rule("hashgnn.data.prepare", "results/*/interactions.npz"),
    "split": Rule("hashgnn.data.split", "results/*/split.npz"),
    "triplets": Rule("hashgnn.data.negatives", "results/*/triplets*/*.npy"),
    "train": Rule("hashgnn.training.train", f"{_RUN}/item_codes.npy"),
    "evaluate": Rule("hashgnn.evaluation.evaluate", f"{_RUN}/metrics.csv"),
    "tune": Rule("hashgnn.experiment.study", "results/*/*/study/trials.csv"),
    "study": Rule("hashgnn.reporting.tuning:study", "figures/studies/*.svg"),
    "timing": Rule("hashgnn.evaluation.time_searches", f"{_RUN}/timing.csv"),
    "query_times": Rule("hashgnn.evaluation.time_queries", f"{_RUN}/query_times.csv"),
    "figure": Rule("hashgnn.reporting.figures", "figures/*.svg"),
    "table": Rule("hashgnn.reporting.tables", "results/table*.csv"),
    "tuning": Rule("hashgnn.reporting.tuning:tuning", "results/tuning.csv"),
    "checks": Rule("hashgnn.reporting.checks", "results/checks.csv"),
    "claims": Rule("hashgnn.reporting.claims", "results/claims.csv"),
    "explore": Rule("hashgnn.reporting.explore", "results/explore.html"),
    "summary": Rule("hashgnn.reporting.summary", "results/summary.rst"),
    "provenance": Rule("hashgnn.reporting.records:provenance", "results/*/provenance.csv"),
}


def small_project(root: Path) -> Project:
    """The experiment in ``root``; nothing has run."""
    project = make_project(root, SMALL)
    shipped = root / "config/config.yaml"
    shipped.write_text(
        yaml.safe_dump(tuned({"hash_ste": {"scale": {"low": 0.125, "high": 0.25}}})), "utf-8"
    )
    return project


def tuned(spaces: dict[str, Any]) -> dict[str, Any]:
    """The paper's config with the tuning spaces ``spaces``, by id of a model, and no others."""
    models = {
        id: {
            **{key: value for key, value in entry.items() if key != "tuning"},
            **({"tuning": spaces[id]} if id in spaces else {}),
        }
        for id, entry in PAPER["models"].items()
    }
    return {**PAPER, "models": models}


def copy_of(project: Project, root: Path, *left_out: str) -> Project:
    """The project in ``root`` without the folders ``left_out``; times and kernels are kept."""

    def ignored(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if name in left_out and folder == str(project.root)]

    shutil.copytree(project.root, root, ignore=ignored)
    return Project(root)


def start(
    project: Project, *arguments: str, prefix: tuple[str, ...] = ()
) -> subprocess.Popen[bytes]:
    """Snakemake, with children, as a process group of its own; ``said`` tells what it says."""
    command = [*prefix, sys.executable, "-m", "snakemake", "--cores", "2"]
    with (project.root / "said.txt").open("w") as said:
        return subprocess.Popen(
            [*command, "--configfile", "tiny.yaml", *(arguments or TARGETS)],
            cwd=project.root,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def said(project: Project) -> str:
    """What the Snakemake that was started last says, or said."""
    return (project.root / "said.txt").read_text(encoding="utf-8")


def stages(project: Project) -> Iterator[tuple[str, int]]:
    """Rule and process id of each stage that runs in the project."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "cwd").readlink() != project.root:
                continue
            words = (folder / "cmdline").read_bytes().decode().split("\0")
        except OSError:  # it ended
            continue
        if len(words) > 3 and words[1] == "-m":
            found = (name for name, rule in RULES.items() if _is_of(rule, words))
            yield from ((name, int(folder.name)) for name in found)


def _is_of(rule: Rule, words: list[str]) -> bool:
    """Whether a command is one of ``rule``; a figure or table names its function after a module."""
    return words[3 if words[2] == "hashgnn.reporting.entries" else 2].startswith(rule.module)


def wait_until_idle(project: Project) -> None:
    """Until no stage runs there any more, such as one whose Snakemake was killed."""
    while list(stages(project)):
        time.sleep(0.1)


# Files that hold times by design: logs, what timings are made into, what the results took.
_TIMED = re.compile(
    r"(\.log|(timing|query_times)\.csv|(table4|fig9)\.\w+|claims\.(md|html)"
    r"|study\.journal|figures/studies/.*|/provenance\.(csv|md|html|provenance\.json))$"
)

# Files with columns of times, or rows about them, or that are read by their keys.
_PARTLY_TIMED = (
    *("claims.csv", "trials.csv", "course.csv", "tuning.csv"),
    *("explore.html", ".provenance.json"),
)


def results(project: Project) -> dict[str, Any]:
    """What two runs must agree on, by path: the bytes of each result, and what records tell.

    Left out are times, the cost and versions in records, and what is made of times.
    """
    folders = (project.root / "results", project.root / "figures")
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    shown = {str(path.relative_to(project.root)): path for path in paths}
    return {name: _content(path) for name, path in shown.items() if not _TIMED.search(name)}


def _content(path: Path) -> Any:
    if path.name.endswith(".provenance.json"):
        return _told(json.loads(path.read_text(encoding="utf-8")))
    if path.name == "explore.html":
        return re.sub(r'"times":\{[^}]*\}', "", path.read_text(encoding="utf-8"))
    if path.name in _PARTLY_TIMED:
        rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        kept = [{k: row[k] for k in row if k not in ("seconds", "ended")} for row in rows]
        return [row for row in kept if not any("table 4" in field for field in row.values())]
    return path.read_bytes()


def _told(record: dict[str, Any]) -> dict[str, Any]:
    told = {key: record[key] for key in ("command", "settings", "modules")}
    files = {**record["inputs"], **record["outputs"]}
    same = [f for f in files if not _TIMED.search(f) and not f.endswith(_PARTLY_TIMED)]
    return {**told, "files": {f: files[f] for f in same}}
