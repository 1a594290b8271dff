"""A stand-in for the project folder, and a shell restricted to the commands of the pages."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.docs.blocks import ROOT, fenced, pages

LEFT_OUT = {
    "docs/tutorial.md": "run by tests/docs/test_tutorial.py, in a copy of the project",
    "CHANGELOG.md": "describes earlier versions too",
}
PAGES = [page for page in pages() if page not in LEFT_OUT]

NOT_RUN = {
    "pip install 'hashgnn[stores]'": "the tests run in an environment that has them",
    "source .venv/bin/activate": "the tests run in an environment already",
    "docker build -t hashgnn .": "needs a container engine and an image registry",
    'docker run --rm -v "$PWD/out:/out" hashgnn '
    "snakemake -j8 figures/fig3.pdf --config workdir=/out": "needs the image of the line before",
    "snakemake --software-deployment-method conda": "needs conda",
    "hashgnn train clicks.csv --output model --tune 10m": "takes ten minutes",
    "python -m benchmarks.parts $SPLITS --into docs/methods/hashgnn_plus.md": (
        "needs the real data sets"
    ),
    "python -m benchmarks.training_profile $SPLITS --models hashgnn_plus hashgnn "
    "--into docs/training.md": "needs the real data sets",
    "hashgnn status --watch": "needs a run",
    "hashgnn serve model --port 8000": "tests/e2e/serving runs it; it does not end by itself",
    "python -m hashgnn.reporting.records pack --results results --into records": (
        "tests/e2e/workflow/test_records.py runs it"
    ),
    "python -m hashgnn.reporting.records unpack --from records --results elsewhere/results": (
        "tests/e2e/workflow/test_records.py runs it"
    ),
    "python -m hashgnn.reporting.records compare --results again/results "
    "--with docs/reproduction/records": "needs a second run",
}

PLACEHOLDERS = {"TARGET": "figures/fig3.pdf", "/data/mirror": "mirror"}

_PARTS = ("Makefile", "Snakefile", "config", "environment.yml", "hashgnn", "profiles")
_PARTS += ("pyproject.toml", "requirements.lock", "workflow")


def clicks() -> list[tuple[str, str]]:
    """Return the interactions of twelve users with 30 of 120 items each."""
    names = ["anna", "ben", *(f"user{n}" for n in range(10))]
    return [(name, f"sku-{(10 * n + k) % 120}") for n, name in enumerate(names) for k in range(30)]


def project(folder: Path, page: str) -> None:
    """Fill ``folder`` with what ``page`` needs: the project, a table, and the page's own files."""
    for part in _PARTS:
        (folder / part).symlink_to(ROOT / part)
    (folder / "mirror").mkdir()
    for name, separator, header in (("csv", ",", "user item"), ("tsv", "\t", "customer product")):
        rows = [separator.join(row) for row in [header.split(), *clicks()]]
        (folder / f"clicks.{name}").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for block in fenced(page):
        if block.language == "yaml":
            assert block.name, f"{page}: name the file in the first line:\n{block.code}"
            (folder / block.name).write_text(block.code, encoding="utf-8")


def shell(folder: Path, code: str, functions: Mapping[str, str]) -> str:
    """Run ``code`` in a bash with ``functions`` as its only programs, and return its output."""
    for name, value in PLACEHOLDERS.items():
        code = code.replace(name, value)
    lines = [line for line in code.splitlines() if line.split(" #")[0].strip() not in NOT_RUN]
    known = [f"{name}() {{ {body}; }}" for name, body in functions.items()]
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(["USUAL=$PATH; PATH=", *known, *lines])],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHON": sys.executable},
    )
    assert ran.returncode == 0, f"{code}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout
