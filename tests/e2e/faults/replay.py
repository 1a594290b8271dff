"""The stages of a finished experiment, run once more by the commands that they recorded."""

import json
import os
import runpy
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.e2e.workflow.project import Project

RECORDS = "*.provenance.json"

# As Snakemake sets them for a rule of one thread: sums in another order have other last bits.
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


class Stage(NamedTuple):
    """One job that ran: its record, what it read and wrote, and its command line."""

    record: Path
    module: str
    arguments: list[str]
    inputs: list[Path]
    outputs: list[Path]


def recorded_stages(project: Project) -> list[Stage]:
    """One job of each module and kind of inputs, by their records."""
    found = {}
    for path in sorted((project.root / "results").rglob(RECORDS)):
        record = json.loads(path.read_text(encoding="utf-8"))
        module, arguments = record["command"][2], record["command"][3:]
        inputs = [project.root / name for name in record["inputs"]]
        outputs = [path.parent / name for name in record["outputs"]]
        found[path.name, module] = Stage(path, module, arguments, inputs, outputs)
    return list(found.values())


def made_files(project: Project) -> set[Path]:
    """All files that some stage recorded as its output."""
    return {
        path.parent / name
        for path in (project.root / "results").rglob(RECORDS)
        for name in json.loads(path.read_text(encoding="utf-8"))["outputs"]
    }


def run(project: Project, stage: Stage) -> int:
    """Run the stage in this process; its exit status."""
    argv = sys.argv
    sys.argv = [stage.module, *stage.arguments]
    try:
        with _inside(project.root), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the module has been imported before
            runpy.run_module(stage.module, run_name="__main__")
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = argv
    raise RuntimeError(f"{stage.module} did not end with an exit status")


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
