"""A job runs the code that it was planned with, or says that it does not."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hashgnn.stage.code_digest import CodeDigest, PlannedCode
from hashgnn.stage.command import run_stage, stage_parser
from tests.e2e.workflow.project import ROOT

ENTRIES = ("hashgnn.data.prepare", "hashgnn.data.readers")


def run(planned: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A stage that would succeed."""
    script = (
        "from hashgnn.stage.command import run_stage, stage_parser; import sys\n"
        "sys.exit(run_stage(stage_parser(''), lambda args: {}))"
    )
    return subprocess.run(
        [sys.executable, "-c", script, "--code", planned],
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


def test_a_stage_refuses_other_code_than_was_planned(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "hashgnn", tmp_path / "hashgnn")
    planned = PlannedCode(CodeDigest(tmp_path), True)(*ENTRIES)
    assert re.fullmatch(r"[0-9a-f]{16} hashgnn\.data\.prepare hashgnn\.data\.readers", planned)
    assert run(planned, tmp_path).returncode == 0

    edited = tmp_path / "hashgnn/data/readers.py"
    edited.write_text(edited.read_text() + "# a comment\n")
    assert run(planned, tmp_path).returncode == 0

    edited.write_text(edited.read_text() + "EDITED = True\n")
    refused = run(planned, tmp_path)
    assert refused.returncode == 2
    assert refused.stderr == (
        "error: the code of hashgnn.data.prepare, hashgnn.data.readers changed since the "
        "workflow planned this job; run the same command again\n"
    )


def test_by_hand_a_stage_runs_without_a_plan() -> None:
    assert run_stage(stage_parser(""), lambda args: {}, []) == 0


def test_where_a_cluster_plans_again_the_first_plan_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hashgnn").mkdir()
    module = tmp_path / "hashgnn/a.py"
    module.write_text("x = 1\n")
    monkeypatch.setenv("HASHGNN_PLANNED", "")  # and restore it
    here = PlannedCode(CodeDigest(tmp_path), True)
    planned = here("hashgnn.a")
    here.hand_on()
    module.write_text("x = 2\n")

    assert here("hashgnn.a") == planned  # nor does it change under one Snakemake
    assert PlannedCode(CodeDigest(tmp_path), False)("hashgnn.a") == planned
    assert PlannedCode(CodeDigest(tmp_path), True)("hashgnn.a") != planned
    assert json.loads(os.environ["HASHGNN_PLANNED"]) == {"hashgnn.a": planned.split()[0]}


def test_every_stage_is_told_its_code() -> None:
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))

    stages = re.findall(r'"python -m hashgnn\.[^\n]*"\n *"([^\n]*)"', rules)
    assert len(stages) == rules.count("python -m hashgnn.") >= 14
    assert set(stages) == {"--code {params.code:q} "}
