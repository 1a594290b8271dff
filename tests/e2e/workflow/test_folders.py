"""Folders with odd names, and with files of the user that are called as Python's modules are."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.workflow.project import CONFIG, PAPER, make_project, merged

SMALL: dict[str, Any] = {
    **{key: CONFIG[key] for key in ("datasets", "triplets", "training")},
    "grids": {
        **dict.fromkeys(PAPER["grids"]),
        "fig3": {"datasets": ["shop"], "models": ["popularity"], "bits": [8], "seeds": [0]},
        "table2": {"datasets": ["shop"], "models": ["popularity"], "bits": [8], "seeds": [0]},
    },
}
TRAP = "raise SystemExit('the user's own file was imported')"


def test_odd_folders_with_files_that_are_called_like_modules(tmp_path: Path) -> None:
    clone = make_project(tmp_path / "{clone} a:b $x", SMALL)
    here = tmp_path / "{here} 50 %"
    here.mkdir()
    data = tmp_path / "{data}"
    data.mkdir()
    (clone.root / "odd.tsv").rename(data / "odd.tsv")
    for folder in (clone.root, here):
        for name in ("random", "csv", "numpy", "matplotlib", "usercustomize"):
            (folder / f"{name}.py").write_text(TRAP)
        (folder / "matplotlibrc").write_text("text.usetex: True\nbackend: none\n")
    files = {"odd.tsv": {"address": str(data / "odd.tsv")}}
    mine = merged(SMALL, {"datasets": {"shop": {"files": files}}})
    (here / "mine.yaml").write_text(yaml.safe_dump(mine))
    snakefile = clone.root / "Snakefile"

    arguments = ("--cores", "2", "--configfile", "mine.yaml")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    ran = subprocess.run(
        # -P: else the test's own Snakemake would begin with the traps.
        [sys.executable, "-P", "-m", "snakemake", "--snakefile", str(snakefile), *arguments],
        cwd=here,
        capture_output=True,
        text=True,
        env=environment,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    made = {path.name for folder in ("results", "figures") for path in (here / folder).iterdir()}
    assert {"fig3.svg", "table2.tex", "explore.html", "checks.csv"} <= made
