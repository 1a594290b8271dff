"""Plan every snakemake and make command of the pages, in blocks, tables and text.

A dry run takes seconds, so commands that differ only in their targets share one, and all are done
by two processes, which import Snakemake once.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
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


# Runs the command line of Snakemake for each folder and its words, in JSON on the standard input;
# prints a line for each: whether it succeeded, and what it said.
DRY_RUNS = """
import json, os, sys, traceback
from snakemake.cli import args_to_api, parse_args

answers = os.fdopen(os.dup(1), "w")
for folder, words in json.load(sys.stdin):
    os.chdir(folder)
    with open("said", "w+") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
        try:
            parser, args = parse_args(words)
            planned = args_to_api(args, parser)
        except BaseException:
            traceback.print_exc()
            planned = False
        sys.stdout.flush()
        sys.stderr.flush()
        said.seek(0)
        print(json.dumps([planned, said.read()]), file=answers, flush=True)
"""


def dry_runs(commands: Sequence[tuple[Path, list[str]]]) -> list[str]:
    """Return an error message for each command, or an empty text if jobs were planned."""
    given = json.dumps([(str(folder), words) for folder, words in commands])
    ran = subprocess.run(
        [sys.executable, "-c", DRY_RUNS], input=given, capture_output=True, text=True
    )
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(answers) == len(commands), ran.stderr
    return [
        "" if planned and "Job stats" in said else f"snakemake {' '.join(words)}\n{said}"
        for (planned, said), (_, words) in zip(answers, commands, strict=True)
    ]


def test_snakemake_can_plan_its_commands(noted: list[Noted]) -> None:
    plans: dict[Plan, tuple[Path, set[str]]] = {}
    for page, folder, calls in noted:
        for words in (words for program, *words in calls if program == "snakemake"):
            common, targets = plan(page, words)
            plans.setdefault(common, (folder, set()))[1].update(targets)

    commands = [
        (folder, ["--dry-run", *common.options, "--quiet", "rules", "--", *sorted(targets)])
        for common, (folder, targets) in plans.items()
    ]
    folders = list(dict.fromkeys(folder for folder, _ in commands))
    with ThreadPoolExecutor(2) as pool:  # each has folders of its own
        halves = ([c for c in commands if c[0] in folders[half::2]] for half in (0, 1))
        errors = [*pool.map(dry_runs, halves)]
    failed = [error for half in errors for error in half if error]
    assert not failed, "\n\n".join(failed)
    assert len(plans) > 10


def test_make_has_what_it_is_asked_for(noted: list[Noted]) -> None:
    asked = {tuple(call): folder for _, folder, calls in noted for call in calls}
    asked = {call: folder for call, folder in asked.items() if call[0] == "make"}

    for call, folder in asked.items():
        ran = subprocess.run([*call, "--dry-run"], cwd=folder, capture_output=True, text=True)
        assert ran.returncode == 0, f"{call}\n{ran.stderr}"
    assert len(asked) > 10
