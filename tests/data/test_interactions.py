"""``interactions.npz``, ``split.npz``: whole or refused by one line; numbers of ids, pairs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashgnn.data.interactions import (
    Csr,
    Interactions,
    Pairs,
    Split,
    join_parts,
    keep_frequent,
    load_ids,
    load_interactions,
    load_split,
    number_ids,
    save_ids,
    save_interactions,
    save_split,
    unique_pairs,
)
from hashgnn.errors import InputError
from tests import damages

Arrays = dict[str, Any]

KNOWN = Interactions(
    np.array([0, 0, 1, 3], np.int32),
    np.array([1, 2, 0, 4], np.int32),
    n_users=4,
    n_items=5,
    user_key=np.arange(4, dtype=np.uint64),
    item_key=np.arange(5, dtype=np.uint64),
    time=np.arange(4, dtype=np.int64),
    files=np.array([1, 2, 3, 1], np.uint8),
    file_names=("train.txt", "test.txt"),
    weight=np.array([1, 0.5, 2, 1e6]),
)
NOTHING = Csr(np.zeros(4, np.int64), np.empty(0, np.int32))
SPLIT = Split(
    train=Csr(np.array([0, 2, 2, 3]), np.array([1, 4, 0], np.int32)),
    validation=Csr(np.array([0, 1, 2, 2]), np.array([0, 3], np.int32)),
    test=NOTHING,
    n_users=3,
    n_items=5,
    train_weight=np.array([0.5, 3, 1]),
    validation_weight=np.array([2.0, 4]),
)


def same(one: Any, other: Any) -> bool:
    return all(
        np.array_equal(np.asarray(left), np.asarray(right))
        for left, right in zip(flat(one), flat(other), strict=True)
    )


def flat(value: Any) -> list[Any]:
    parts = value if isinstance(value, Csr) else vars(value).values()
    return [leaf for part in parts for leaf in (flat(part) if isinstance(part, Csr) else [part])]


CASES: dict[str, tuple[Callable[[Path], Any], Any]] = {
    "interactions": (load_interactions, KNOWN),
    "split": (load_split, SPLIT),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Callable[[Path], Any], Any]:
    path = tmp_path / f"{request.param}.npz"
    load, saved = CASES[request.param]
    (save_split if saved is SPLIT else save_interactions)(path, saved)
    return path, load, saved


def refusal(load: Callable[[Path], Any], path: Path) -> str:
    with pytest.raises(InputError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


def test_the_round_trip(case: tuple[Path, Callable[[Path], Any], Any]) -> None:
    path, load, saved = case
    assert same(load(path), saved)


@pytest.mark.parametrize("how", damages.BYTES)
def test_damaged_bytes(case: tuple[Path, Callable[[Path], Any], Any], how: str) -> None:
    path, load, saved = case
    damages.damage_bytes(path, how)
    try:
        loaded = load(path)
    except InputError:
        refusal(load, path)
    else:  # the names and times in a zip archive may be altered without harm
        assert how.startswith(("a bit", "longer"))
        assert same(loaded, saved)


@pytest.mark.parametrize("how", [damages.remove, damages.make_folder])
def test_no_file(
    case: tuple[Path, Callable[[Path], Any], Any], how: Callable[[Path], None]
) -> None:
    path, load, _ = case
    how(path)
    refusal(load, path)


def rewrite(path: Path, name: str, change: Callable[[np.ndarray], Any] | None) -> None:
    with np.load(path) as archive:
        arrays: Arrays = dict(archive)
    if change is None:
        del arrays[name]
    else:
        arrays[name] = change(arrays[name])
    np.savez(path, **arrays)


UNFIT: list[tuple[str, str, Callable[[np.ndarray], Any], str]] = [
    ("interactions", "user", lambda a: a.astype(np.int64), "user: found int64 [4], expected int32"),
    ("interactions", "user", lambda a: a[:3], "item: found int32 [4], expected int32 [3]"),
    ("interactions", "user", lambda a: a[None], "user: found int32 [1, 4]"),
    ("interactions", "user", lambda a: a[0], "user: found int32 []"),
    ("interactions", "user", lambda a: a - 1, "user: found -1 to 2, expected 0 to 3"),
    ("interactions", "item", lambda a: a + 1, "item: found 1 to 5, expected 0 to 4"),
    ("interactions", "item", lambda a: a.astype(float), "item: found float64 [4]"),
    ("interactions", "item", lambda a: a[[1, 0, 2, 3]], "user and item: found pairs that do not"),
    ("interactions", "item", lambda a: a[[0, 0, 2, 3]], "user and item: found pairs that do not"),
    ("interactions", "n_users", lambda a: a - 1, "user: found 0 to 3, expected 0 to 2"),
    ("interactions", "n_users", lambda a: np.float64("nan"), "n_users: found float64 []"),
    ("interactions", "n_items", lambda a: np.array([5, 5]), "n_items: found int64 [2]"),
    ("interactions", "n_items", lambda a: a - 9, "n_items: found int64 []"),
    ("interactions", "n_items", lambda a: a << 40, "n_items: found int64 []"),
    ("interactions", "time", lambda a: a[:2], "time: found int64 [2], expected int64 [4]"),
    ("interactions", "time", lambda a: a.astype(float), "time: found float64 [4]"),
    ("interactions", "files", lambda a: a.astype(np.int32), "files: found int32 [4]"),
    ("interactions", "files", lambda a: a + 1, "files: found 2 to 4, expected 1 to 3"),
    ("interactions", "files", lambda a: a - 1, "files: found 0 to 2, expected 1 to 3"),
    ("interactions", "file_names", lambda a: a[:1], "file_names: found <U9 [1], expected text"),
    ("interactions", "file_names", lambda a: np.arange(2), "file_names: found int64 [2]"),
    ("split", "train_indptr", lambda a: a[:-1], "train_indptr: found int64 [3], expected int64"),
    ("split", "train_indptr", lambda a: a.astype(np.int32), "train_indptr: found int32 [4]"),
    ("split", "train_indptr", lambda a: a[[0, 3, 1, 3]], "train_indptr: found other bounds"),
    ("split", "train_indptr", lambda a: a + 1, "train_indptr: found other bounds"),
    ("split", "train_indptr", lambda a: a * 2, "train_indptr: found other bounds"),
    ("split", "validation_items", lambda a: a - 1, "validation_items: found -1 to 2"),
    ("split", "validation_items", lambda a: a + 9, "validation_items: found 9 to 12"),
    ("split", "validation_items", lambda a: a[:1], "validation_indptr: found other bounds"),
    ("split", "train_items", lambda a: a[[1, 0, 2]], "train_items: found items out of order"),
    ("split", "train_items", lambda a: a[[1, 1, 2]], "train_items: found items out of order"),
    ("split", "test_items", lambda a: a.astype(np.float32), "test_items: found float32 [0]"),
    ("split", "n_items", lambda a: a - 2, "train_items: found 0 to 4, expected 0 to 2"),
    ("split", "n_users", lambda a: a + 1, "train_indptr: found int64 [4], expected int64 [5]"),
]


@pytest.mark.parametrize(("kind", "name", "change", "message"), UNFIT)
def test_unfit_arrays(
    tmp_path: Path, kind: str, name: str, change: Callable[[np.ndarray], Any], message: str
) -> None:
    load, saved = CASES[kind]
    path = tmp_path / f"{kind}.npz"
    (save_split if saved is SPLIT else save_interactions)(path, saved)
    rewrite(path, name, change)
    assert message in refusal(load, path)


@pytest.mark.parametrize(
    ("kind", "name"), [("interactions", "user"), ("split", "test_items"), ("split", "n_users")]
)
def test_missing_arrays(tmp_path: Path, kind: str, name: str) -> None:
    load, saved = CASES[kind]
    path = tmp_path / f"{kind}.npz"
    (save_split if saved is SPLIT else save_interactions)(path, saved)
    rewrite(path, name, None)
    assert f"lacks {name}" in refusal(load, path)


def test_rows_of_which_some_are_empty(tmp_path: Path) -> None:
    rows = Csr(np.array([0, 0, 2, 2, 2, 3, 3]), np.array([3, 4, 0], np.int32))
    none = Csr(np.zeros(7, np.int64), np.empty(0, np.int32))
    split = Split(rows, none, none, n_users=6, n_items=5)
    save_split(tmp_path / "split.npz", split)
    assert same(load_split(tmp_path / "split.npz"), split)


def test_joined_parts_keep_the_weights_of_their_interactions() -> None:
    joined = join_parts(SPLIT)

    assert joined.train.indptr.tolist() == [0, 3, 4, 5]
    assert joined.train.indices.tolist() == [0, 1, 4, 3, 0]
    assert joined.train_weight is not None
    assert joined.train_weight.tolist() == [2, 0.5, 3, 4, 1]
    assert joined.validation_weight is None


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
