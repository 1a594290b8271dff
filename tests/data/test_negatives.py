"""Negatives: never a training positive, uniform, and the same every time."""

import json
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashgnn.data.interactions import Csr, Split, save_split
from hashgnn.data.negatives import draw_negatives, main

# Seed 7 on rows [0, 3] and [1] of ten items: a new version of anything must not move it.
PINNED = [[5, 4, 8, 2], [1, 1, 8, 9], [6, 7, 4, 7]]
ROWS = st.lists(st.sets(st.integers(0, 8)), min_size=1).map(lambda rows: [*map(sorted, rows)])


def csr(rows):
    indptr = np.cumsum([0, *map(len, rows)])
    return Csr(indptr.astype(np.int64), np.array([*chain(*rows)], dtype=np.int32))


def negatives(rows, n_items, seed=0, round_=0, n=5):
    train = csr(rows)
    output = np.full((len(train.indices), n), -1, dtype=np.int32)
    draw_negatives(*train, n_items, seed, round_, output)
    return output


@settings(deadline=None)  # the first call compiles the kernel
@given(ROWS, st.integers(0, 2**40))
def test_no_negative_is_a_training_positive(rows, seed):
    found = negatives(rows, 10, seed)
    owner = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    assert all(0 <= item < 10 for item in found.ravel())
    assert not any(set(found[row]) & set(rows[user]) for row, user in enumerate(owner))


@pytest.mark.parametrize(
    ("row", "absent"),
    [([0], [1, 2, 3]), ([3], [0, 1, 2]), ([1, 2], [0, 3]), ([0, 1, 3], [2]), ([0, 2, 3], [1])],
)
def test_every_absent_item_is_as_likely(row, absent):
    found = negatives([row], 4, n=3000)
    values, counts = np.unique(found, return_counts=True)
    assert values.tolist() == absent
    expected = found.size / len(absent)
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_seeds_rounds_rows_and_columns_differ():
    row = list(range(0, 10**6, 250_000))
    draws = [negatives([row], 10**6, seed, round_) for seed in (0, 1) for round_ in (0, 1)]
    assert len(np.unique(draws)) == np.size(draws)


def test_the_draw_is_what_it_always_was():
    assert negatives([[0, 3], [1]], 10, seed=7, n=4).tolist() == PINNED


def save(path, rows, n_items):
    empty = csr([[]] * len(rows))
    save_split(path, Split(csr(rows), empty, empty, len(rows), n_items))


def test_command_line(tmp_path, capsys):
    source, output = tmp_path / "split.npz", tmp_path / "triplets.npy"
    save(source, [[0, 3], [1], []], 10)
    settings = {"per_interaction": 4, "rounds": 2, "seed": 7}
    argv = [f"--split={source}", f"--output={output}", "--settings", json.dumps(settings)]
    assert main(argv) == 0
    first, found = output.read_bytes(), np.load(output)
    assert (found.dtype, found.shape) == (np.int32, (2, 3, 4))
    assert found[0].tolist() == PINNED
    assert np.array_equal(found[1], negatives([[0, 3], [1]], 10, 7, 1, 4))
    assert main(argv) == 0
    assert output.read_bytes() == first
    save(source, [[2], [0, 1, 2]], 3)
    assert main(argv) == 2
    assert "user 1 has training interactions with all 3 items" in capsys.readouterr().err
    assert output.read_bytes() == first
