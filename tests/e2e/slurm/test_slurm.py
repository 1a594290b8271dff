"""The demo, reduced, through a real Slurm: what each job asked for, and that it was held to it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.e2e.slurm.conftest import Cluster
from tests.e2e.workflow.project import make_project

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slurm

REDUCED = {
    "datasets": {"synthetic": {"generator": {"users": 300, "items": 200, "interactions": 6000}}},
    "training": {"epochs": 2},
    "grids": {name: {"models": ["hashgnn"], "bits": [32]} for name in ("fig3", "table4")},
}
TARGETS = ("figures/fig3.pdf", "results/table4.csv")
RULES = {"prepare", "split", "triplets", "train", "evaluate", "timing", "figure", "table"}

# This Slurm has no accounting, so squeue tells what became of a job; and nobody wants to wait.
HERE = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1")


def submit(folder: Path, *arguments: str) -> str:
    """What Snakemake prints as it runs the reduced demo in ``folder`` by the profile."""
    return started(folder, ROOT, *arguments).communicate()[0]


def started(folder: Path, project: Path, *arguments: str) -> subprocess.Popen[str]:
    """Snakemake, which runs the reduced demo of ``project`` in ``folder`` by the profile."""
    (folder / "reduced.yaml").write_text(yaml.safe_dump(REDUCED))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(project / "Snakefile")]
    profile = ["--profile", str(project / "profiles/slurm")]
    configs = ["--configfile", str(project / "config/demo.yaml"), "reduced.yaml"]
    return subprocess.Popen(
        [*command, *profile, *configs, *HERE, *arguments],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )


def requests(printed: str) -> dict[int, tuple[str, dict[str, int]]]:
    """By Slurm's number: the rule of a job, and the resources that Snakemake says it has."""
    announced: dict[str, tuple[str, dict[str, int]]] = {}
    found = {}
    for said in re.split(r"\n(?=rule |Job )", printed):
        if job := re.match(r"rule (\w+):\n((?: .*\n?)+)", said):
            number = re.findall(r"^ +jobid: (\d+)$", job[2], re.MULTILINE)[0]
            asked = dict(re.findall(r"\b(mem_mb|runtime|threads)[=:] ?(\d+)", job[2]))
            resources = {name: int(value) for name, value in asked.items()}
            announced[number] = job[1], {"threads": 1, **resources}
        elif job := re.match(r"Job (\d+) has been submitted with SLURM jobid (\d+)", said):
            found[int(job[2])] = announced[job[1]]
    return found


def slurm_asked(job: dict[str, str]) -> dict[str, int]:
    """The same by Slurm's record: megabytes, minutes, processors."""
    tracked = dict(part.split("=") for part in job["Tres"].split(","))
    size, unit = re.fullmatch(r"([\d.]+)([MG])", tracked["mem"]).groups()  # type: ignore[union-attr]
    megabytes = round(float(size) * {"M": 1, "G": 1024}[unit])
    return {"mem_mb": megabytes, "runtime": int(job["TimeLimit"]), "threads": int(job["ProcCnt"])}


def test_every_job_of_the_demo_asks_slurm_for_what_its_rule_says(
    cluster: Cluster, tmp_path: Path
) -> None:
    printed = submit(tmp_path, "--", *TARGETS)

    for target in TARGETS:
        assert (tmp_path / "demo" / target).is_file(), printed[-4000:]
    jobs, asked = cluster.completed(), requests(printed)
    assert {rule for rule, _ in asked.values()} == RULES
    assert {number: slurm_asked(jobs[number]) for number in asked} == {
        number: resources for number, (_, resources) in asked.items()
    }
    assert {jobs[number]["JobState"] for number in asked} == {"COMPLETED"}


def test_a_job_that_takes_more_memory_than_it_asked_for_is_ended(
    cluster: Cluster, tmp_path: Path
) -> None:
    little = ("--set-resources", "prepare:mem_mb=50", "--retries", "0")

    printed = submit(tmp_path, *little, "--", "results/synthetic/interactions.npz")

    (number,) = requests(printed)
    assert cluster.completed()[number]["JobState"] != "COMPLETED"
    assert not (tmp_path / "demo/results/synthetic/interactions.npz").exists()
    told = (cluster.folder / "slurmd.log").read_text()
    assert re.search(rf"StepId={number}\.(batch|0) exceeded memory limit", told)


def test_a_job_that_takes_longer_than_it_asked_for_is_ended(
    cluster: Cluster, tmp_path: Path
) -> None:
    asked = ["--time=1", "--mem=10", f"--output={tmp_path}/out"]

    subprocess.run(["sbatch", "--wait", *asked, "--wrap=sleep 600"], timeout=300)

    assert list(cluster.completed().values())[-1]["JobState"] == "TIMEOUT"


def wait_for_a_job(state: str) -> None:
    """Return when a job is in ``state``."""
    queue = ["squeue", "--noheader", f"--states={state}"]
    for _ in range(600):
        if subprocess.run(queue, capture_output=True, text=True).stdout:
            return
        time.sleep(0.1)
    raise AssertionError(f"no job is {state}")


def test_a_job_whose_code_was_edited_while_it_waited_is_refused(
    cluster: Cluster, tmp_path: Path
) -> None:
    project = make_project(tmp_path / "project", {}).root
    prepared = project / "demo/results/synthetic/interactions.npz"
    whole_node = ["sbatch", "--parsable", "--exclusive", "--mem=0", "--output=/dev/null"]
    taken = subprocess.run([*whole_node, "--wrap=sleep 600"], capture_output=True, text=True)
    wait_for_a_job("RUNNING")
    target = str(prepared.relative_to(project / "demo"))
    with started(project, project, "--retries", "0", "--", target) as snakemake:
        wait_for_a_job("PENDING")
        module = project / "hashgnn/data/prepare.py"
        module.write_text(module.read_text() + "\nEDITED = 1\n")
        subprocess.run(["scancel", taken.stdout.strip()], check=True)
        printed = snakemake.communicate()[0]

    assert snakemake.returncode == 1, printed
    assert not prepared.exists()
    log = (project / "demo/results/synthetic/logs/prepare.log").read_text()
    assert log == (
        "error: the code of hashgnn.data.prepare, hashgnn.data.synthetic:generate changed since "
        "the workflow planned this job; run the same command again\n"
    )
