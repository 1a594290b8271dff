"""What the profiles say to Snakemake; tests/e2e/slurm runs the one for Slurm."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def planned(folder: Path, *arguments: str) -> list[tuple[str, str]]:
    """Rule and resources of every job that a dry run of the demo's table 2 prints."""
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    demo = ["--configfile", str(ROOT / "config/demo.yaml")]
    ran = subprocess.run(
        [*snakemake, "--dry-run", *demo, *arguments, "results/table2.csv"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    blocks = re.findall(r"^rule (\w+):\n((?: .*\n)+)", ran.stdout, re.MULTILINE)
    return [(rule, block[block.find("resources:") :]) for rule, block in blocks]


def test_trainings_and_nothing_else_ask_for_the_gpu(tmp_path: Path) -> None:
    jobs = planned(tmp_path, "--cores", "8", "--profile", str(ROOT / "profiles/gpu"), "--")

    asking = {rule: "gpu=1" in resources for rule, resources in jobs}
    assert len(asking) >= 5
    assert {rule for rule, asks in asking.items() if asks} == {"train"}
