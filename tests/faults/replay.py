"""The stages of a finished experiment, run once more by the commands that they recorded."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from tests.workflow.project import Project

RECORDS = "*.provenance.json"


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


def run(project: Project, stage: Stage) -> int:
    """Run the stage in this process; its exit status."""
    with _inside(project.root):
        return import_module(stage.module).main(stage.arguments)


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
