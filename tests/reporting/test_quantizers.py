"""The comparison behind ``hashgnn quantize``."""

import numpy as np
import pytest

from hashgnn.reporting.quantizers import _share, compare

RANDOM = np.random.default_rng(0)
ITEMS = RANDOM.standard_normal((300, 24)).astype(np.float32)
USERS = RANDOM.standard_normal((20, 24)).astype(np.float32)


def test_floats_against_signs_beat_signs_against_signs() -> None:
    lines: list[str] = []
    rows = compare(USERS, ITEMS, None, number=20, sizes=(3, 4), seed=0, tell=lines.append)

    overlap = {(row.quantizer, row.search): row.overlap for row in rows if row.bytes == 3}
    for kind in ("sign", "lsh", "itq"):
        assert overlap[kind, "asymmetric, 4 bits"] > overlap[kind, "Hamming"]
    assert all(np.isnan(row.recall) for row in rows)
    assert [line.split(":")[:2] for line in lines] == [["4 bytes", " sign"], ["4 bytes", " itq"]]


def test_shares_by_hand() -> None:
    lists = np.array([[1, 2, 3], [4, 5, -1], [6, 7, 8]])
    wanted = [np.array([3, 9]), np.array([], int), np.array([6, 7, 8, 0])]

    assert _share(lists, wanted) == pytest.approx((1 / 2 + 3 / 4) / 2)
    assert np.isnan(_share(lists[:1], [np.array([], int)]))
