"""A Slurm of one node, started for these tests."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent
CONFIGURED = Path("/etc/slurm/slurm.conf")
DAEMONS = ("munged", "slurmctld", "slurmd", "sbatch")


class Cluster:
    """The folder that start.sh filled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def completed(self) -> dict[int, dict[str, str]]:
        """Slurm's own record of every job that has ended: its fields, by the job's number."""
        lines = (self.folder / "completed.txt").read_text().splitlines()
        jobs = [
            dict(field.split("=", 1) for field in line.split() if "=" in field) for line in lines
        ]
        return {int(job["JobId"]): job for job in jobs}


def missing() -> str | None:
    """Why there can be no Slurm here, if there is a reason."""
    path = f"{os.environ['PATH']}:/usr/sbin"
    absent = [name for name in DAEMONS if not shutil.which(name, path=path)]
    if absent:
        return f"no {', '.join(absent)}: apt-get install slurmctld slurmd slurm-client munge"
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        return "no executor: pip install '.[slurm]'"
    if os.geteuid() != 0:
        return "only root starts Slurm's daemons"
    if CONFIGURED.exists():
        remedy = f"{SCRIPTS}/stop.sh {CONFIGURED.resolve().parent}, if a killed test left it"
        return f"{CONFIGURED} exists: a Slurm is set up here already; {remedy}"
    return None


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    reason = missing()
    if reason:
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("slurm")
    try:
        subprocess.run([SCRIPTS / "start.sh", folder], check=True, timeout=60)
        yield Cluster(folder)
    finally:
        subprocess.run([SCRIPTS / "stop.sh", folder], timeout=60)
