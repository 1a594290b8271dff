"""Copies of the project with a tiny experiment, to ask what an edit makes stale."""

import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.enums import Quietness
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    OutputSettings,
    ResourceSettings,
)

ROOT = Path(__file__).parents[3]
PARTS = ("Snakefile", "workflow", "hashgnn", "config", "profiles", "environment.yml")

SHOP = "customer\tstars\tproduct\n" + "".join(
    f"käufer {user}\t{1 + (user + item) % 5}\tsku-{item:03d}\n"
    for user in range(40)
    for item in range(30)
    if (user * item + user + item) % 3
)

PAPER = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))

MODELS = ["graphsage", "hash_ste", "hashgnn", "lsh", "pte"]

CONFIG: dict[str, Any] = {
    "datasets": {
        "tiny": {
            "name": "Tiny",
            "reader": "synthetic",
            "generator": {"users": 60, "items": 50, "interactions": 900, "seed": 0},
        },
        "shop": {
            "name": "Shop",
            "files": {"odd.tsv": {"address": "odd.tsv"}},
            "reader": "table",
            "columns": {"user": "customer", "item": "product", "rating": "stars"},
            "filter": {"rating_at_least": 2, "user_interactions": 5},
        },
    },
    "triplets": {"per_interaction": 2, "rounds": 2},
    "training": {
        "embedding_width": 8,
        "widths": [8, 6],
        "fanouts": [3, 2],
        "batch_size": 128,
        "epochs": 2,
        "history_every": 4,
    },
    "models": {"pte": {"parameters": {"epochs": 2, "passes": 1}}},
    "sweeps": {"ranking_weight": {"values": [0, 0.55]}},  # 0.55 is what HashGNN has anyway
    "grids": {
        **dict.fromkeys(PAPER["grids"]),
        "fig3": {"datasets": ["tiny", "shop"], "models": MODELS, "bits": [8], "seeds": [0]},
        "fig5": {"datasets": ["tiny"], "sweeps": ["ranking_weight"], "bits": [8], "seeds": [0]},
        "table1": {"datasets": ["tiny", "shop"]},
        "table2": {"datasets": ["tiny", "shop"], "models": MODELS, "bits": [8], "seeds": [0]},
        "table4": {"datasets": ["tiny"], "models": ["hash_ste"], "bits": [8], "seeds": [0]},
    },
}


def merged(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``changes`` on top of ``base``, as Snakemake merges config files."""
    both = {
        key: merged(base[key], changes[key])
        for key in base.keys() & changes.keys()
        if isinstance(base[key], dict) and isinstance(changes[key], dict)
    }
    return {**base, **changes, **both}


class Project:
    """The copy, and what Snakemake says of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.configfile = root / "tiny.yaml"

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake as a user would."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", "tiny.yaml"]
        return subprocess.run(
            [*command, *arguments],
            cwd=self.root,
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        )

    def stale(self, changes: Mapping[str, Any] | None = None) -> set[str]:
        """Jobs that would run now, as ``rule dataset model seed`` with what applies of these.

        ``changes`` are merged into the config, as ``--configfile`` would.
        """
        return {job for file in self.stale_files(changes) if (job := _job(file))}

    def stale_files(
        self, changes: Mapping[str, Any] | None = None, targets: Collection[str] = ()
    ) -> list[str]:
        """Files that would be made now."""
        updated: list[str] = []
        extra = self.root / "changes.yaml"
        extra.write_text(yaml.safe_dump(dict(changes or {})))
        before = Path.cwd()
        os.chdir(self.root)
        try:
            with SnakemakeApi(OutputSettings(dryrun=True, quiet={Quietness.ALL})) as api:
                workflow = api.workflow(
                    resource_settings=ResourceSettings(cores=1),
                    config_settings=ConfigSettings(configfiles=[self.configfile, extra]),
                    snakefile=self.root / "Snakefile",
                )
                dag = workflow.dag(DAGSettings(set(targets), max_checksum_file_size=10**9))
                dag.execute_workflow(executor="dryrun", updated_files=updated)
        finally:
            os.chdir(before)
        return updated

    @contextmanager
    def edited(self, file: str, old: str, new: str) -> Iterator[None]:
        """Replace ``old`` by ``new`` in a file of the project for a while."""
        text = (self.root / file).read_text()
        assert old in text, f"{file} does not contain {old!r}"
        with self.replaced(file, text.replace(old, new)):
            yield

    @contextmanager
    def replaced(self, file: str, text: str) -> Iterator[None]:
        """Give a file of the project another text for a while."""
        path = self.root / file
        before, times = path.read_text(), path.stat()
        path.write_text(text)
        try:
            yield
        finally:
            path.write_text(before)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _job(file: str) -> str | None:
    """The job that makes a file, or None for all but one file of each job."""
    parts = file.split("/")
    match parts:
        case ["figures", name] if name.endswith(".pdf"):
            return f"figure {name.removesuffix('.pdf')}"
        case ["results", name] if name.startswith("table") and name.endswith(".csv"):
            return f"table {name.removesuffix('.csv')}"
        case ["results", dataset, "interactions.npz"]:
            return f"prepare {dataset}"
        case ["results", dataset, "split.npz"]:
            return f"split {dataset}"
        case ["results", dataset, _, seed] if seed.endswith(".npy"):
            return f"triplets {dataset} {seed.removesuffix('.npy')}"
        case ["results", dataset, model, _, seed, "history.csv"]:
            return f"train {dataset} {model} {seed}"
        case ["results", dataset, model, _, seed, "metrics.csv"]:
            return f"evaluate {dataset} {model} {seed}"
        case ["results", dataset, model, _, seed, "timing.csv"]:
            return f"timing {dataset} {model} {seed}"
    return None


def make_project(root: Path, config: Mapping[str, Any]) -> Project:
    """A copy of the project in ``root``, with ``config``, in which nothing has run."""
    root.mkdir(exist_ok=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, root / part)  # with the compiled kernels
        else:
            shutil.copy(source, root / part)
    (root / "odd.tsv").write_text(SHOP, encoding="utf-8")
    made = Project(root)
    made.configfile.write_text(yaml.safe_dump(dict(config)))
    return made
