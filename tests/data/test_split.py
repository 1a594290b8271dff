"""Splits: what goes where, by hand and by property."""

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashgnn.data.interactions import (
    PARTS,
    Interactions,
    id_keys,
    load_interactions,
    load_split,
    save_interactions,
)
from hashgnn.data.prepare import prepare
from hashgnn.data.split import main, split
from hashgnn.errors import InputError

# Seed 0 on user '0' with items '0' to '9': a new version of anything must not move it.
PINNED = [[0, 3, 4, 7, 8, 9], [2], [1, 5, 6]]
B2SUM = ["d04474cc4b844a8c", "f04dbbe25e2ba039", "e75017cace788f82"]
NAMES = ("train.txt", "test.txt", "valid.txt")
RANDOM = {"by": "random", "test": 0.3, "validation": 0.1, "seed": 0}


def interactions(rows, time=None, files=None):
    """From (user, item) rows, sorted; the id of each is its number."""
    user, item = np.array(rows, dtype=np.int32).reshape(-1, 2).T
    sizes = user.max() + 1, item.max() + 1
    keys = [id_keys(pa.array(map(str, range(size)), pa.string())) for size in sizes]
    names = NAMES if files is not None else ()
    return Interactions(user, item, *sizes, *keys, time, files, names)


def of_user(n, **extra):
    """One user with ``n`` items."""
    return interactions([(0, item) for item in range(n)], **extra)


def rows(csr):
    users = np.repeat(np.arange(len(csr.indptr) - 1), np.diff(csr.indptr))
    return list(zip(users.tolist(), csr.indices.tolist(), strict=True))


def sizes(found):
    return tuple(len(getattr(found, part).indices) for part in PARTS)


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (1, (1, 0, 0)),  # 0.3 rounds to 0
        (2, (1, 0, 1)),  # 0.6 to 1
        (3, (2, 0, 1)),
        (5, (3, 0, 2)),  # 1.5 to 2; 0.3 to 0
        (7, (4, 1, 2)),  # 2.1 to 2; 0.5 to 1
        (100, (63, 7, 30)),
    ],
)
def test_sizes_are_rounded_half_up(n, expected):
    assert sizes(split(of_user(n), RANDOM)) == expected


def test_half_is_half_where_floats_fall_short():
    assert 0.29 * 50 < 14.5
    assert sizes(split(of_user(50), RANDOM | {"test": 0.29, "validation": 0}))[2] == 15


@pytest.mark.parametrize("share", [0.5, 0.99, 1.0])
def test_one_training_interaction_always_stays(share):
    for n in range(1, 6):
        found = split(of_user(n), RANDOM | {"test": share, "validation": share})
        assert sizes(found)[0] >= 1
        assert sum(sizes(found)) == n


def test_the_split_is_what_it_always_was():
    found = split(of_user(10), RANDOM)
    assert [getattr(found, part).indices.tolist() for part in PARTS] == PINNED


def test_keys_are_blake2b_of_the_text():
    """As ``printf anna | b2sum -l 64`` says, its first byte the least."""
    found = id_keys(pa.array(["anna", "ä", "7"]))
    assert found.dtype == np.uint64
    assert [key.tobytes().hex() for key in found.astype("<u8")] == B2SUM
    assert id_keys(pa.array([], pa.string())).tolist() == []


def test_a_pair_and_its_mirror_image_are_drawn_apart():
    """Where users follow users, who follows whom says nothing of who is tested."""
    n = 200
    data = interactions([(user, item) for user in range(n) for item in range(n)])
    test = np.zeros((n, n), dtype=bool)
    test[tuple(np.array(rows(split(data, RANDOM | {"test": 0.5}).test)).T)] = True
    assert abs(np.corrcoef(test[np.triu_indices(n, 1)], test.T[np.triu_indices(n, 1)])[0, 1]) < 0.03
    # Nor does one user's draw say anything of another's.
    between = np.corrcoef(test)[np.triu_indices(n, 1)]
    assert abs(between.mean()) < 0.02
    assert np.abs(between).max() < 0.4


IDS = st.text("ab01é", min_size=1, max_size=3)
TABLES = st.dictionaries(IDS, st.sets(IDS, min_size=1, max_size=12), min_size=1, max_size=6)


def parts_of(table, division, shuffled):
    """The items of each user by part, all by id, as the workflow splits ``table``."""
    lines = [f"{user},{item},{len(item)}" for user, items in table.items() for item in items]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "raw.csv")
        path.write_text("\n".join(["user,item,time", *shuffled(lines)]), encoding="utf-8")
        columns = {"user": "user", "item": "item", "time": "time"}
        prepared = prepare([path], {"dataset": "x", "reader": "table", "columns": columns})
    found = split(prepared.interactions, division)
    users, items = prepared.user_ids.to_pylist(), prepared.item_ids.to_pylist()
    parts = {user: {part: set() for part in PARTS} for user in users}
    for part in PARTS:
        for user, item in rows(getattr(found, part)):
            parts[users[user]][part].add(items[item])
    return parts


@settings(deadline=None)
@given(TABLES, TABLES, st.integers(0, 3), st.sampled_from(["random", "time"]), st.randoms())
def test_other_users_and_items_move_nothing(table, others, seed, by, random):
    """Not those whose ids come first, and not the order of the rows."""
    division = {"by": by, "test": 0.3, "validation": 0.3, "seed": seed}
    alone = parts_of(table, division, sorted)
    beside = parts_of({**others, **table}, division, lambda lines: random.sample(lines, len(lines)))
    assert {user: beside[user] for user in table} == alone


def test_chance_is_even():
    """Each item of a user is as likely a test item as any other; neighboring seeds differ."""
    data = of_user(10)
    tests = [split(data, RANDOM | {"seed": seed}).test.indices for seed in range(1000)]
    counts = np.bincount(np.concatenate(tests), minlength=10)
    # 300 expected, standard deviation 14.5.
    assert counts.min() > 235
    assert counts.max() < 365


SHARE = st.floats(0, 1)
PAIRS = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=1).map(sorted)


@given(PAIRS, SHARE, SHARE, st.integers(-(2**40), 2**70), st.sampled_from(["random", "time"]))
def test_parts_are_disjoint_and_add_up(pairs, test, validation, seed, by):
    users = sorted({user for user, _ in pairs})
    pairs = [(users.index(user), item) for user, item in pairs]
    time = np.arange(len(pairs)) % 3
    found = split(
        interactions(pairs, time),
        {"by": by, "test": test, "validation": validation, "seed": seed},
    )
    together = [pair for part in PARTS for pair in rows(getattr(found, part))]
    assert sorted(together) == pairs
    for part in PARTS:
        assert rows(getattr(found, part)) == sorted(rows(getattr(found, part)))
    assert set(np.diff(found.train.indptr) > 0) == {True}


def test_by_time_takes_the_latest_of_each_user():
    data = interactions(
        [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)], np.array([40, 10, 30, 20, 1, 2])
    )
    found = split(data, {"by": "time", "test": 0.5, "validation": 0.5, "seed": 0})
    assert rows(found.test) == [(0, 0), (0, 2), (1, 1)]
    assert rows(found.validation) == [(0, 3)]
    assert rows(found.train) == [(0, 1), (1, 0)]


@pytest.mark.parametrize(
    "cut",
    [
        {"test_from": "1970-01-02"},
        {"test_from": "1970-01-02T01:00:00+01:00"},
        {"test_days": 1},
    ],
)
def test_by_time_from_a_moment_on(cut):
    day = 86_400
    time = np.array([0, day - 1, day, 2 * day - 1, day + 7, day + 5])
    data = interactions([(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)], time)
    found = split(data, {"by": "time", "validation": 0, "seed": 0, **cut})
    # User 1 came on the last day: there is nothing to train on, and nothing is tested.
    assert rows(found.test) == [(0, 2), (0, 3)]
    assert rows(found.train) == [(0, 0), (0, 1)]


@settings(deadline=None)
@given(PAIRS.filter(lambda pairs: len(pairs) > 1), st.data())
def test_nothing_after_the_moment_is_trained_on(pairs, data):
    users = sorted({user for user, _ in pairs})
    pairs = [(users.index(user), item) for user, item in pairs]
    time = np.array(data.draw(st.permutations(range(len(pairs)))))
    cut = data.draw(st.integers(1, len(pairs) - 1))
    share = data.draw(SHARE)
    moment = datetime.fromtimestamp(cut, UTC).isoformat()
    division = {"by": "time", "test_from": moment, "validation": share, "seed": 0}
    found = split(interactions(pairs, time), division)
    before = [pair for pair, second in zip(pairs, time, strict=True) if second < cut]
    after = [pair for pair, second in zip(pairs, time, strict=True) if second >= cut]
    assert sorted(rows(found.train) + rows(found.validation)) == before
    seen = {user for user, _ in before}
    assert rows(found.test) == [pair for pair in after if pair[0] in seen]
    assert {user for user, _ in rows(found.train)} == seen


def test_what_a_moment_leaves_unseen_is_counted(tmp_path):
    pairs = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]  # user 1 and item 2 come after the moment
    data = interactions(pairs, np.array([10, 20, 90, 91, 92]))
    cut = {"by": "time", "test_from": "1970-01-01T00:01:00", "validation": 0, "seed": 0}
    assert run_stage_on(tmp_path, data, cut) == 0
    facts = json.loads((tmp_path / "p.json").read_text())
    counted = {name: number for name, number in facts.items() if "unseen" in name}
    assert counted == {
        "users_unseen_in_training": 1,
        "interactions_of_unseen_users": 2,
        "items_unseen_in_training": 1,
        "test_interactions_with_unseen_items": 1,
    }


def of_files(files):
    """One user; each number has bits for train.txt, test.txt and valid.txt, from the right."""
    return of_user(len(files), files=np.array(files, np.uint8))


def test_by_file_keeps_the_published_split():
    data = of_files([0b001, 0b010, 0b101, 0b001, 0b101, 0b010])
    division = {"by": "file", "test": "test.txt", "validation": "valid.txt", "seed": 0}
    found = split(data, division)
    assert found.train.indices.tolist() == [0, 3]
    assert found.validation.indices.tolist() == [2, 4]
    assert found.test.indices.tolist() == [1, 5]
    both = split(data, division | {"test": ["test.txt", "valid.txt"], "validation": 0})
    assert both.test.indices.tolist() == [1, 5]  # pairs of several files belong to the first
    share = split(data, division | {"validation": 0.5})
    assert sizes(share) == (2, 2, 2)
    assert share.test.indices.tolist() == [1, 5]


def test_validation_by_file_leaves_one_to_train_on():
    division = {"by": "file", "test": "test.txt", "validation": "valid.txt", "seed": 0}
    assert sizes(split(of_files([0b101, 0b101, 0b010]), division)) == (1, 1, 1)


TIMED = of_user(3, time=np.array([1, 2, 3]), files=np.array([1, 1, 2], dtype=np.uint8))
FILED = {"by": "file", "test": "test.txt"}


@pytest.mark.parametrize(
    ("data", "division", "word"),
    [
        (of_user(3), {"by": "time", "test": 0.3}, "has no times"),
        (TIMED, {"by": "time"}, "set one of test, test_from, test_days"),
        (TIMED, {"by": "time", "test": 0.1, "test_days": 1}, "set one of"),
        (TIMED, {"by": "file"}, "set one of test"),
        (TIMED, {"by": "time", "test_from": "soon"}, "'soon' is no time in ISO 8601"),
        (
            TIMED,
            {"by": "time", "test_from": "2020-01-01"},
            "split.test_from: '2020-01-01' leaves one part empty: the data reach from "
            r"1970-01-01T00:00:01\+00:00 to 1970-01-01T00:00:03",
        ),
        (TIMED, {"by": "time", "test_from": "1960-01-01"}, "leaves one part empty"),
        (TIMED, {"by": "time", "test_from": "1970-01-01T00:00:01"}, "leaves one part empty"),
        (TIMED, {"by": "time", "test_days": 2}, "split.test_days: 2 leaves one part empty"),
        (of_user(3), FILED, "expected a data set of 2 to 64 files"),
        (
            TIMED,
            FILED | {"test": ["test.txt", "tset.txt"]},
            "no file tset.txt; the files are",
        ),
        (
            of_files([0b001, 0b101, 0b100, 0b110]),
            FILED | {"validation": "valid.txt"},
            "split.validation: 2 of 3 interactions of valid.txt are in no training file",
        ),
    ],
)
def test_bad_settings(data, division, word):
    with pytest.raises(InputError, match=word):
        split(data, {"validation": 0, "seed": 0, **division})


def test_command_line(tmp_path, capsys):
    source, output = tmp_path / "interactions.npz", tmp_path / "split.npz"
    save_interactions(source, TIMED)
    loaded = load_interactions(source)
    assert loaded.time.tolist() == [1, 2, 3]
    assert loaded.files.tolist() == [1, 1, 2]
    assert loaded.file_names == NAMES
    argv = [f"--interactions={source}", f"--output={output}", "--settings", json.dumps(RANDOM)]
    assert main([*argv, f"--provenance={tmp_path / 'p.json'}"]) == 0
    first = output.read_bytes()
    assert main(argv) == 0
    assert output.read_bytes() == first
    facts = json.loads((tmp_path / "p.json").read_text())
    assert [facts[part] for part in PARTS] == list(sizes(load_split(output)))
    assert load_split(output).train.indptr.dtype == np.int64
    output.write_bytes(first[:-9])
    assert main([f"--interactions={output}", *argv[1:]]) == 2
    assert "cannot be read" in capsys.readouterr().err
    output.write_bytes(first)
    assert main([f"--interactions={output}", *argv[1:]]) == 2
    assert "lacks user, item" in capsys.readouterr().err


@pytest.mark.parametrize("share", [0, -0.2, 1, 1.5, 30, [0]])
def test_the_stage_tests_a_part_neither_nothing_nor_all(tmp_path, capsys, share):
    assert run_stage_on(tmp_path, of_user(10), {**RANDOM, "test": share}) == 2
    assert "split.test: expected a share between 0 and 1" in capsys.readouterr().err


def test_the_stage_refuses_a_split_that_tests_nobody(tmp_path, capsys):
    assert run_stage_on(tmp_path, of_user(10), {**RANDOM, "test": 0.01}) == 2
    assert "no interaction is tested" in capsys.readouterr().err


def run_stage_on(folder, data, settings):
    source, output = folder / "interactions.npz", folder / "split.npz"
    save_interactions(source, data)
    argv = [f"--interactions={source}", f"--output={output}", f"--provenance={folder / 'p.json'}"]
    return main([*argv, "--settings", json.dumps(settings)])
