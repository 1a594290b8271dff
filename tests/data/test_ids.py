"""Numbers of ids, unique pairs, and the filter of rare users and items."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from hashgnn.data.ids import Pairs, keep_frequent, load_ids, number_ids, save_ids, unique_pairs


def test_filter_goes_on_until_both_hold():
    # Item 2 has one pair; without it user 1 has one; without that item 1 has one; and so on.
    user, item = np.array([[0, 0], [0, 1], [1, 1], [1, 2], [2, 0], [2, 3], [3, 0], [3, 3]]).T
    kept = keep_frequent(Pairs(user, item, None, None), 2, 2)
    assert list(zip(kept.user, kept.item, strict=True)) == [(2, 0), (2, 3), (3, 0), (3, 3)]


CELL = st.integers(0, 5)


@given(st.lists(st.tuples(CELL, CELL, st.integers(-9, 9)), min_size=1))
def test_unique_pairs_against_a_dictionary(rows):
    earliest = {}
    for user, item, time in rows:
        earliest[user, item] = min(time, earliest.get((user, item), time))
    user, item, time = np.array(rows, dtype=np.int64).T
    found = unique_pairs(Pairs(user.astype(np.int32), item.astype(np.int32), time, None))
    assert list(zip(found.user, found.item, found.time, strict=True)) == [
        (*pair, earliest[pair]) for pair in sorted(earliest)
    ]
    bare = unique_pairs(Pairs(user.astype(np.int32), item.astype(np.int32), None, None))
    assert np.array_equal(bare.item, found.item)


IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


IDS |= st.integers(-(2**65), 2**65).map(str)


INTEGERS = st.sampled_from(["0", "1", "10", "2", "-3", "01", "-0", "+1", "1.0", "1e1"])


CHUNKS = st.one_of(st.lists(st.lists(ids, max_size=5), min_size=1) for ids in (IDS, INTEGERS))


@settings(deadline=None)  # the first call of each function of pyarrow may be slow
@given(CHUNKS.filter(any))
def test_numbers_stand_for_their_ids(chunks):
    numbered = number_ids([pa.array(chunk, pa.string()) for chunk in chunks])
    together = [id_ for chunk in chunks for id_ in chunk]
    assert numbered.ids.take(numbered.numbers).to_pylist() == together
    assert numbered.ids.to_pylist() == sorted(set(together))


@settings(deadline=None)
@given(st.lists(IDS, unique=True))
def test_id_map_is_read_back(tmp_path_factory, ids):
    path = tmp_path_factory.mktemp("ids") / "users.csv"
    save_ids(path, pa.array(ids, pa.string()))
    assert load_ids(path).to_pylist() == ids
