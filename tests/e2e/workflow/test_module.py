"""The workflow from its two Snakefiles, and taken in by another workflow as a module."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.e2e.workflow.project import CONFIG, PARTS, ROOT, Project, make_project, merged

PAPER = yaml.safe_load((ROOT / "config/config.yaml").read_text())
TARGET = "results/tiny/hashgnn/bits8/seed0/item_codes.npy"

RENAMED = """
configfile: "hashgnn.yaml"


module hashgnn:
    snakefile:
        "{root}/Snakefile"
    config:
        config


use rule * from hashgnn as hashgnn_*


use rule download from hashgnn as hashgnn_download with:
    log:
        "elsewhere/{{dataset}}.{{file}}.log",


rule count:
    default_target: True
    input:
        "results/tiny/hashgnn/bits8/seed0/item_codes.npy",
    output:
        "counted.txt",
    shell:
        "wc -c < {{input}} > {{output}}"
"""

# As `snakedeploy deploy-workflow` writes it to workflow/Snakefile.
DEPLOYED = """
from snakemake.utils import min_version


min_version("6.10.0")


configfile: "config/config.yaml"


# declare {source} as a module
module hashgnn:
    snakefile:
        "{source}"
    config:
        config


# use all rules from {source}
use rule * from hashgnn
"""


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran


def jobs(folder: Path, *arguments: str) -> dict[str, int]:
    """Number of jobs by rule that the default target needs."""
    said = snakemake(folder, "--dry-run", "--quiet", "rules", *arguments).stdout
    table = said[said.index("total") :] if "Job stats" not in said else said
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which nothing has run."""
    return make_project(tmp_path_factory.mktemp("clone"), CONFIG)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_both_snakefiles_plan_the_same(clone: Project, tmp_path: Path, elsewhere: bool) -> None:
    folder = tmp_path if elsewhere else clone.root
    given = "--configfile", str(clone.configfile)

    root = jobs(folder, "--snakefile", str(clone.root / "Snakefile"), *given)
    standard = jobs(folder, "--snakefile", str(clone.root / "workflow/Snakefile"), *given)

    assert root == standard
    assert root["all"] == 1
    assert root["train"] > 10
    assert root["figure"] == 2
    if not elsewhere:
        assert jobs(folder, *given) == root  # the root's Snakefile is found first


def test_use_rules_under_other_names(tmp_path: Path) -> None:
    (tmp_path / "hashgnn.yaml").write_text(yaml.safe_dump(merged(PAPER, CONFIG)))
    (tmp_path / "Snakefile").write_text(RENAMED.format(root=ROOT))

    ran = snakemake(tmp_path)

    size = 128 + 50  # header, codes of 8 bits
    assert (tmp_path / "counted.txt").read_text().strip() == str(size)
    assert "hashgnn_train" in ran.stderr


def deploy(folder: Path, source: str) -> None:
    """What ``snakedeploy deploy-workflow`` leaves in ``folder``, with a small config."""
    for name in ("config", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "config/config.yaml").write_text(yaml.safe_dump(merged(PAPER, CONFIG)))
    (folder / "workflow").mkdir()
    (folder / "workflow/Snakefile").write_text(DEPLOYED.format(source=source))


def test_deployed_from_a_clone(tmp_path: Path) -> None:
    deploy(tmp_path, f"{ROOT}/workflow/Snakefile")

    planned = jobs(tmp_path)
    assert planned["all"] == 1
    assert planned["train"] > 10
    snakemake(tmp_path, "--", TARGET)
    assert (tmp_path / TARGET).exists()


def test_deployed_from_a_git_repository(tmp_path: Path) -> None:
    """The package and the schema come from a clone of the commit that the module names."""
    origin = tmp_path / "origin"
    origin.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, origin / part)
    git = ["git", "-C", str(origin), "-c", "user.name=x", "-c", "user.email=x@x.org"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"], ["tag", "v1"]):
        subprocess.run([*git, *command], check=True)
    shutil.rmtree(origin / "hashgnn")  # what is not committed does not count
    here = tmp_path / "here"
    here.mkdir()
    deploy(here, f"git+file://{origin}/workflow/Snakefile@v1")

    snakemake(here, "--", TARGET)

    assert (here / TARGET).exists()
    (made,) = (here / ".snakemake/hashgnn").iterdir()
    assert (made / "hashgnn/__init__.py").exists()
