"""A reduced demo with its report, and a Chromium that has no network."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[3]
SMALL = {"models": ["hashgnn", "graphsage"], "seeds": [0, 1]}
REDUCED = {
    "datasets": {"synthetic": {"generator": {"users": 300, "items": 250, "interactions": 6000}}},
    "training": {"epochs": 2},
    "checks": {"baselines": "report"},
    "grids": {
        **dict.fromkeys(["fig1", "fig4", "fig5", "fig6", "fig7", "table3", "table4", "methods"]),
        "fig3": {**SMALL, "bits": [16, 32]},
        "table2": {**SMALL, "bits": [32]},
    },
}


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the demo's results; its report.html lies beside it."""
    folder = tmp_path_factory.mktemp("browser")
    (folder / "reduced.yaml").write_text(yaml.safe_dump(REDUCED))
    configs = ["--configfile", str(ROOT / "config/demo.yaml"), "reduced.yaml"]
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), *configs]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for more in (["--cores", "2"], ["--report", "report.html"]):
        ran = subprocess.run(
            [*command, *more],
            cwd=folder,
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": path},
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder / "demo"


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of a Chromium without a network; what goes wrong on it fails the test."""
    chromium = shutil.which("chromium")
    if chromium is None:  # pip installs no browser; `make test-browser` says which package has it
        pytest.skip("no chromium: apt-get install chromium")
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(offline=True, accept_downloads=True).new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(said.text) if said.type == "error" else None
        )
        page.on(
            "requestfailed", lambda request: complaints.append(f"not loaded: {request.url[:99]}")
        )
        yield page
        browser.close()
    assert complaints == []
