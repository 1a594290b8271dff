"""Run the code blocks of each page, in order.

``hashgnn`` and Python run on a tiny table. Commands of Snakemake and make are only planned, by
``test_plans.py``. Other commands are listed in ``shell.NOT_RUN`` with a reason.
"""

import contextlib
import io
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from hashgnn import HashGNN
from hashgnn.data.interactions import save_split
from hashgnn.data.split import split
from hashgnn.recommender.adapter import adapt
from tests.docs.blocks import ROOT, blocks, fenced, pages
from tests.docs.shell import LEFT_OUT, NOT_RUN, PAGES, clicks, project, shell

RUN = "results/movielens/hashgnn/bits32/seed0"
HASHGNN = 'PATH=$USUAL "$PYTHON" -c "from hashgnn.cli.main import main; main()" "$@"'
KNOWN = {"snakemake": ":", "make": ":", "hashgnn": HASHGNN}

# Patterns that the output of a page must match.
PRINTED = {
    "README.md": [
        r"user +item +rank +score\n0 +anna +sku-\d+ +1 ",
        r"19 +ben +sku-\d+ +10 ",
        r"user,item,rank,score\nanna,sku-\d+,1,",
        r"items\.faiss",
        r"best epoch +\d+\n",
    ],
    "docs/README.md": [r"users\.parquet", r"anna,sku-\d+,10,"],
    "docs/serving.md": [r"\['sku-\d+' 'sku-\d+'"],
}


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ``results`` as the workflow writes them, trained for one epoch."""
    root, pair = tmp_path_factory.mktemp("trained"), tuple(zip(*clicks(), strict=True))
    HashGNN(bits=32, epochs=1).fit(pair).save(root / RUN)
    division = {"by": "random", "test": 0.3, "validation": 0.1, "seed": 0}
    save_split(root / "results/movielens/split.npz", split(adapt(pair).interactions, division))
    return root


@pytest.mark.parametrize("page", filter(fenced, PAGES))
def test_the_blocks_run(
    page: str, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(tmp_path, page)
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    if not any("--output model" in code for code in blocks(page, "sh")):
        (tmp_path / "model").symlink_to(RUN)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    printed, variables = io.StringIO(), ""

    for language, code in fenced(page):
        if language == "sh":
            printed.write(shell(tmp_path, variables + code, KNOWN))
            variables += "".join(re.findall(r"^[A-Z]+=.*\n", code, re.MULTILINE))
        elif language == "python":
            with contextlib.redirect_stdout(printed):
                exec(code, names)
        else:
            assert language in ("yaml", "snakemake", "sql", "text"), (
                f"{page}: a block of {language or 'no language'}"
            )

    for pattern in PRINTED.get(page, []):
        assert re.search(pattern, printed.getvalue()), f"{pattern}\n{printed.getvalue()}"


def test_an_unknown_command_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="git: "):
        shell(tmp_path, "git clone elsewhere", KNOWN)


def test_every_exception_is_still_needed() -> None:
    said = "\n".join((ROOT / page).read_text(encoding="utf-8") for page in pages())

    assert [line for line in NOT_RUN if line not in said] == []
    assert [page for page in LEFT_OUT if page not in pages()] == []


def test_the_readmes_first_example_has_five_lines() -> None:
    first = blocks("README.md", "python")[0]

    assert len([line for line in first.splitlines() if line]) <= 5
