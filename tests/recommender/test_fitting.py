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
    data = adapt((["a", "b"], ["x", "y"]))
    flipped = {field: np.flip(getattr(data.interactions, field))}
    other = data._replace(interactions=dataclasses.replace(data.interactions, **flipped))

    first, again, changed = (
        _checkpoint(tmp_path / "state", SETTINGS, "cpu", one).fingerprint
        for one in (data, data, other)
    )

    assert first == again != changed
