"""What a training from Python goes on from."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hashgnn.recommender.adapter import take
from hashgnn.recommender.fitting import Options, _checkpoint

OPTIONS = Options(8, "mf", 0, 0.1, "cpu", {})
SETTINGS = {"method": "hashgnn.models.mf", "parameters": {}}


@pytest.mark.parametrize("field", ["user", "item", "user_key", "item_key"])
def test_a_state_is_of_the_same_numbers_and_ids(field: str, tmp_path: Path) -> None:
    """Other ids in the same order have the same numbers, but another split."""
    given = take((["a", "b"], ["x", "y"])).interactions
    other = dataclasses.replace(given, **{field: np.flip(getattr(given, field))})

    first, again, changed = (
        _checkpoint(tmp_path / "state", SETTINGS, OPTIONS, interactions).fingerprint
        for interactions in (given, given, other)
    )

    assert first == again != changed
