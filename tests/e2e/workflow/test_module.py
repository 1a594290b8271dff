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
SPLIT = "results/tiny/split.npz"  # takes seconds, also where kernels have to be compiled anew

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


# declare https://github.com/owner/hashgnn as a module
module hashgnn:
    snakefile:
        {source}
    config:
        config


# use all rules from https://github.com/owner/hashgnn
use rule * from hashgnn
"""
HOSTED = 'github("owner/hashgnn", path="workflow/Snakefile", tag="v1")'


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    without = ("PYTHONPATH", "GITHUB_TOKEN")
    ran = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env={key: value for key, value in os.environ.items() if key not in without},
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


def test_deployed_from_a_folder(tmp_path: Path) -> None:
    deploy(tmp_path, f'"{ROOT}/workflow/Snakefile"')

    planned = jobs(tmp_path)
    assert planned["all"] == 1
    assert planned["train"] > 10
    snakemake(tmp_path, "--", SPLIT)
    assert (tmp_path / SPLIT).exists()


@pytest.fixture
def origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the project as tag v1, which Git takes for github.com/owner/hashgnn."""
    folder = tmp_path / "origin"
    folder.mkdir()
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f'[url "{folder}"]\n\tinsteadOf = https://github.com/owner/hashgnn\n'
        "[user]\n\tname = x\n\temail = x@example.org\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for command in ("init -q", "add -A", "commit -qm x", "tag v1"):
        subprocess.run(["git", "-C", str(folder), *command.split()], check=True)
    shutil.rmtree(folder / "hashgnn")  # what is not committed does not count
    return folder


@pytest.mark.parametrize("hosted", [True, False])
def test_deployed_from_a_git_repository(tmp_path: Path, origin: Path, hosted: bool) -> None:
    """The package and the schema come from a clone of the commit that the module names."""
    here = tmp_path / "here"
    here.mkdir()
    deploy(here, HOSTED if hosted else f'"git+file://{origin}/workflow/Snakefile@v1"')

    assert jobs(here)["train"] > 10

    (made,) = (here / ".snakemake/hashgnn").iterdir()
    assert (made / "hashgnn/__init__.py").exists()
    if hosted:
        snakemake(here, "--", SPLIT)
        assert (here / SPLIT).exists()
