"""The state that an interrupted training resumes from."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from hashgnn.recommender.adapter import adapt
from hashgnn.recommender.fitting import _checkpoint

SETTINGS = {"method": "hashgnn.models.mf", "parameters": {}}


@pytest.mark.parametrize("field", ["user", "item", "user_key", "item_key"])
def test_a_state_belongs_to_its_numbers_and_ids(field: str, tmp_path: Path) -> None:
    """Other ids in the same order have the same numbers, but another split."""
    interactions = adapt((["a", "b"], ["x", "y"])).interactions
    other = dataclasses.replace(interactions, **{field: np.flip(getattr(interactions, field))})

    first, again, changed = (
        _checkpoint(tmp_path / "state", SETTINGS, "cpu", one).fingerprint
        for one in (interactions, interactions, other)
    )

    assert first == again != changed
