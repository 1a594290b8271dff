"""The tutorial, word for word, in a copy of the project.

Two things differ from what a newcomer has: ``.venv`` is there already, a view of the environment
that runs the tests, and the demo is cut down by a smaller ``config/demo.yaml``.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hashgnn.config.model import resolve
from tests.docs.blocks import ROOT

FEW = {"generator": {"users": 80, "items": 60, "interactions": 1200}}
SMALL = {
    "datasets": {"synthetic": FEW, "alibaba_like": FEW},
    "training": {"embedding_width": 8, "widths": [8, 6], "epochs": 2, "history_every": 1},
}


def small_demo() -> dict[str, Any]:
    """The demo's figures and tables, of fewer data, one method and one seed."""
    paper, demo = (
        yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()) for name in ("config", "demo")
    )
    paper = resolve(paper)
    for name, grid in demo["grids"].items():
        shown = paper["grids"].get(name, grid)
        if grid and "models" in shown and "sweeps" not in shown:
            grid |= {"models": ["hashgnn"], "seeds": [0]}
    return {**demo, **SMALL}


def copied_project(root: Path) -> None:
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    for name in files.stdout.splitlines():
        if name.startswith(("tests/", "benchmarks/")) or not (ROOT / name).is_file():
            continue
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name, follow_symlinks=False)
    (root / "config/demo.yaml").write_text(yaml.safe_dump(small_demo()))


def borrowed_environment(root: Path) -> None:
    (root / ".venv").mkdir()
    for name in ("bin", "lib"):
        (root / ".venv" / name).symlink_to(Path(sys.prefix, name))
    shutil.copy(Path(sys.prefix, "pyvenv.cfg"), root / ".venv/pyvenv.cfg")
    (root / ".venv/.installed").touch()


def run(code: str, root: Path) -> str:
    """A block of the page, in bash as a reader would give it; what it printed."""
    before = f"cd {root}; export PATH={root}/.venv/bin:$PATH PYTHONPATH={root}\n"
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", before + code],
        capture_output=True,
        text=True,
        env={**os.environ, "PS1": ""},
    )
    assert ran.returncode == 0, f"{code}\n{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    return ran.stdout + ran.stderr


@pytest.mark.slow
def test_the_tutorial(tmp_path: Path) -> None:
    copied_project(tmp_path)
    borrowed_environment(tmp_path)
    page = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
    printed = []
    for language, code in re.findall(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        if language == "sh":
            printed.append(run(code, tmp_path))
        else:
            name = code.partition("\n")[0].removeprefix("# ")
            (tmp_path / name).write_text(code, encoding="utf-8")

    assert (tmp_path / "demo/report.html").exists()
    assert "HashGNN" in printed[1]
    assert re.search(r"best epoch +[12]\n", printed[2])
    assert re.search(r"train +\d", printed[3])  # the paper's figure was planned
    recall = re.findall(r"^\| HashGNN +\|[^0-9]*(0\.\d+)", printed[5], re.MULTILINE)
    assert 0.35 < float(recall[0]) < 0.5  # neither hopeless nor perfect
    recommended = [line for line in "".join(printed).splitlines() if line.startswith("anna-7,")]
    assert len(recommended) == 3
    with_dither = printed[-2]
    assert "Hash_dither" in with_dither
    assert re.search(r"^train +1$", with_dither, re.MULTILINE)  # and HashGNN was not trained anew
    assert "Nothing to be done" in printed[-1]
