"""Plan every snakemake and make command of the pages, in blocks, tables and text.

A dry run takes seconds, so commands that differ only in their targets share one.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from snakemake.cli import get_argument_parser

from tests.docs.blocks import blocks, fenced, inline
from tests.docs.shell import PAGES, project, shell

NOTE = "printf '%s\\0' {} \"$@\" >> noted; echo >> noted"
KNOWN = {"snakemake": NOTE.format("snakemake"), "make": NOTE.format("make"), "hashgnn": ":"}


class Noted(NamedTuple):
    """The folder of a page, and the words of each of its commands."""

    page: str
    folder: Path
    calls: list[list[str]]


class Plan(NamedTuple):
    """What the commands of one dry run have in common."""

    page: str  # if the options name a config file of the page
    options: tuple[str, ...]
    has_targets: bool


@pytest.fixture(scope="module")
def noted(tmp_path_factory: pytest.TempPathFactory) -> list[Noted]:
    found = []
    for page in PAGES:
        folder = tmp_path_factory.mktemp("page")
        project(folder, page)
        (folder / "noted").touch()
        shell(folder, "\n".join([*blocks(page, "sh"), *inline(page)]), KNOWN)
        lines = (folder / "noted").read_text(encoding="utf-8").splitlines()
        found.append(Noted(page, folder, [line.split("\0")[:-1] for line in lines]))
    return found


def plan(page: str, words: list[str]) -> tuple[Plan, list[str]]:
    """Return the plan that a command belongs to, and its targets."""
    targets = get_argument_parser().parse_args(words).targets
    options = tuple(word for word in words if word not in (*targets, "--", "-n"))
    own = {block.name for block in fenced(page)} & set(options)
    return Plan(page if own else "", options, bool(targets)), targets


def dry_run(folder: Path, options: tuple[str, ...], targets: set[str]) -> str:
    """Return the error message, or an empty string if jobs were planned."""
    command = ["snakemake", "--dry-run", *options, "--quiet", "rules", "--", *sorted(targets)]
    ran = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True
    )
    planned = ran.returncode == 0 and "Job stats" in ran.stdout + ran.stderr
    return "" if planned else f"{' '.join(command)}\n{ran.stdout}{ran.stderr}"


def test_snakemake_can_plan_its_commands(noted: list[Noted]) -> None:
    plans: dict[Plan, tuple[Path, set[str]]] = {}
    for page, folder, calls in noted:
        for words in (words for program, *words in calls if program == "snakemake"):
            common, targets = plan(page, words)
            plans.setdefault(common, (folder, set()))[1].update(targets)

    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(dry_run, folder, common.options, targets)
            for common, (folder, targets) in plans.items()
        ]
    failed = [error for run in runs if (error := run.result())]
    assert not failed, "\n\n".join(failed)
    assert len(plans) > 10


def test_make_has_what_it_is_asked_for(noted: list[Noted]) -> None:
    asked = {tuple(call): folder for _, folder, calls in noted for call in calls}
    asked = {call: folder for call, folder in asked.items() if call[0] == "make"}

    for call, folder in asked.items():
        ran = subprocess.run([*call, "--dry-run"], cwd=folder, capture_output=True, text=True)
        assert ran.returncode == 0, f"{call}\n{ran.stderr}"
    assert len(asked) > 10
