from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import parts
from hashgnn.data.interactions import Csr, Split, save_split


def test_rows_are_kept_and_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Csr(np.zeros(9, dtype=np.int64), np.zeros(0, dtype=np.int32))
    every = Csr(np.arange(9), np.arange(8, dtype=np.int32))
    (tmp_path / "shop").mkdir()
    save_split(tmp_path / "shop/split.npz", Split(every, empty, empty, 8, 8))
    measured: list[tuple[int, str]] = []

    def measure(split: Split, variant: parts.Variant, bits: int, seed: int) -> dict[str, float]:
        measured.append((split.n_users, variant.name))
        return {"test codes": 0.25, "test vectors": 0.5, "test asymmetric": 0.375}

    monkeypatch.setattr(parts, "measure", measure)
    monkeypatch.setattr(parts, "RECORDS", tmp_path / "parts.csv")
    monkeypatch.setattr(parts, "VARIANTS", parts.VARIANTS[:2])
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{parts.BEGIN}{parts.END}\nafter\n")

    for _ in range(2):
        parts.main([f"{tmp_path}/shop/split.npz:0.5", "--into", str(page)])

    assert measured == [(4, variant.name) for variant in parts.VARIANTS]
    kept = pd.read_csv(tmp_path / "parts.csv")
    assert len(kept) == 2
    assert page.read_text() == (
        "before\n\n<!-- Parts: benchmarks/parts.py. -->\n\n"
        "By codes:\n\n"
        "| trained                  |   shop |\n"
        "| :----------------------- | -----: |\n"
        "| HashGNN+                 | 0.2500 |\n"
        "| no asymmetric likelihood | 0.2500 |\n"
        "\nBy asymmetric:\n\n"
        "| trained                  |   shop |\n"
        "| :----------------------- | -----: |\n"
        "| HashGNN+                 | 0.3750 |\n"
        "| no asymmetric likelihood | 0.3750 |\n"
        "\nBy vectors:\n\n"
        "| trained                  |   shop |\n"
        "| :----------------------- | -----: |\n"
        "| HashGNN+                 | 0.5000 |\n"
        "| no asymmetric likelihood | 0.5000 |\n"
        "\n<!-- End of the parts. -->\nafter\n"
    )
    # With other settings a row is measured anew, and replaces what was there.
    changed = parts.VARIANTS[0]._replace(changes={"epochs": 3})
    monkeypatch.setattr(parts, "VARIANTS", (changed, parts.VARIANTS[1]))
    parts.main([f"{tmp_path}/shop/split.npz:0.5"])
    assert len(measured) == 3
    assert pd.read_csv(tmp_path / "parts.csv").settings.isin(kept.settings).tolist() == [
        True,
        False,
    ]
