"""The lock, the conda environment and pyproject.toml speak of the same packages."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {normal(name): version for name, version in pins}


def with_extras(*extras: str) -> list[str]:
    """Return the dependencies of the package, those of extras of other extras too."""
    found = list(PROJECT["project"]["dependencies"])
    for line in (
        line for extra in extras for line in PROJECT["project"]["optional-dependencies"][extra]
    ):
        inner = Requirement(line)
        found += with_extras(*inner.extras) if inner.name == "hashgnn" else [line]
    return found


def test_the_lock_satisfies_every_declared_dependency() -> None:
    lock = locked()
    groups = PROJECT["dependency-groups"].values()
    declared = [*with_extras("workflow", "serve"), *(line for group in groups for line in group)]

    for requirement in map(Requirement, declared):
        assert requirement.specifier.contains(lock[normal(requirement.name)]), requirement


def test_conda_users_get_the_locked_versions_of_the_direct_dependencies() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    pins = environment["dependencies"][-1]["pip"]
    direct = {normal(Requirement(line).name) for line in with_extras("workflow")}

    lock = locked()
    assert sorted(pins) == sorted(f"{name}=={lock[name]}" for name in direct)


def test_what_a_report_of_snakemake_imports_is_installed_with_the_workflow() -> None:
    declared = map(Requirement, importlib.metadata.requires("snakemake") or [])
    of_reports = {
        normal(requirement.name)
        for requirement in declared
        if requirement.marker and requirement.marker.evaluate({"extra": "reports"})
    }

    assert of_reports
    assert of_reports <= {normal(Requirement(line).name) for line in with_extras("workflow")}


def test_torch_is_not_bound_to_a_build() -> None:
    assert "+" not in locked()["torch"]


def test_the_wheel_holds_all_that_the_package_reads(tmp_path: Path) -> None:
    for part in ("hashgnn", "config"):
        shutil.copytree(ROOT / part, tmp_path / part, symlinks=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    build = "from setuptools import build_meta; build_meta.build_wheel('dist')"

    subprocess.run(
        [sys.executable, "-c", build], cwd=tmp_path, check=True, capture_output=True, timeout=120
    )

    with zipfile.ZipFile(*(tmp_path / "dist").glob("*.whl")) as wheel:
        held = set(wheel.namelist())
        assert yaml.safe_load(wheel.read("hashgnn/recommender/config.yaml"))["models"]["hashgnn"]
    needed = {str(path.relative_to(ROOT)) for path in (ROOT / "hashgnn").rglob("*.py")}
    others = {"hashgnn/__init__.pyi", "hashgnn/py.typed", "hashgnn/reporting/explore.html"}
    assert needed | others <= held
