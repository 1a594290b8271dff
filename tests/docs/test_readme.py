"""What the README shows runs, word for word."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from tests.docs.blocks import blocks


def test_the_five_lines_recommend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["anna", "ben", *(f"user{n}" for n in range(60))]
    rows = [f"{name},{n % 3}{item}" for n, name in enumerate(names) for item in range(n % 7, 25)]
    (tmp_path / "clicks.csv").write_text("\n".join(["user,item", *rows]))
    monkeypatch.chdir(tmp_path)
    code = next(block for block in blocks("README.md", "python") if "HashGNN(" in block)
    printed = io.StringIO()

    with contextlib.redirect_stdout(printed):
        exec(code, {})

    assert len([line for line in code.splitlines() if line]) <= 5
    table = printed.getvalue()
    assert re.search(r"user +item +rank +score", table)
    assert len(re.findall(r"\b(anna|ben)\b", table)) == 20
