"""The evaluation of a whole method: by hand, invariant, in flat memory, from files."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from hashgnn.config.base import parse
from hashgnn.data.interactions import Csr, Split, save_split
from hashgnn.errors import InputError
from hashgnn.evaluation import evaluate as stage
from hashgnn.evaluation import evaluation
from hashgnn.evaluation.evaluation import Settings, evaluate
from hashgnn.evaluation.representation import Encoded

SETTINGS = Settings(cutoffs=(1, 2, 3), candidates=4)


def rows(*lists: list[int]) -> Csr:
    indptr = np.cumsum([0, *map(len, lists)])
    return Csr(indptr, np.array([item for row in lists for item in row], dtype=np.int32))


def random_method(users: int, items: int) -> tuple[Encoded, Encoded]:
    random = np.random.default_rng(0)

    def encode(count: int) -> Encoded:
        vectors = random.standard_normal((count, 16), dtype=np.float32)
        return Encoded(np.packbits(vectors >= 0, axis=1, bitorder="little"), vectors)

    return encode(users), encode(items)


def random_parts(users: int, items: int) -> tuple[Csr, Csr]:
    """Disjoint relevant and known items; every fifth user has no relevant ones."""
    drawn = np.random.default_rng(1).random((users, items))
    drawn[::5] += 0.1
    parts = []
    for mask in (drawn < 0.1, (drawn >= 0.1) & (drawn < 0.3)):
        indptr = np.concatenate([[0], np.cumsum(mask.sum(axis=1))])
        parts.append(Csr(indptr, np.nonzero(mask)[1].astype(np.int32)))
    return parts[0], parts[1]


# One user whose code is 0; items at distances 0, 1, 1, 2 and 8; vectors turn the order about.
USER = Encoded(np.array([[0]], np.uint8), np.array([[1]], np.float32))
ITEMS = Encoded(
    np.array([[0], [1], [2], [3], [255]], np.uint8), np.array([[1], [2], [3], [4], [5]], np.float32)
)


@pytest.mark.parametrize(
    ("search", "masked", "expected"),
    [
        ("hamming", True, [0.5, 1, 1]),  # item 0 is known: items 1 and 2 tie, then 3
        ("hamming", False, [0, 0.5, 1]),
        ("hierarchical", False, [0, 0, 1]),  # of items 0 to 3: 3, 2, 1
        ("continuous", False, [0, 0, 0]),  # 4, 3, 2
        ("hierarchical", True, [0, 0, 0]),  # of items 1 to 4: 4, 3, 2
    ],
)
def test_one_user_by_hand(search: str, masked: bool, expected: list[float]) -> None:
    settings = Settings(cutoffs=(1, 2, 3), candidates=4, mask_training=masked)
    found = evaluate(USER, ITEMS, rows([1]), rows([0]), settings)
    assert [found.mean(search, "hr", n) for n in (1, 2, 3)] == expected


def test_renumbered_items_change_nothing() -> None:
    users, items = random_method(40, 300)
    relevant, known = random_parts(40, 300)
    new = np.random.default_rng(2).permutation(300)  # item i becomes new[i]
    old = np.argsort(new)

    def renumber(csr: Csr) -> Csr:
        renamed = [np.sort(part) for part in np.split(new[csr.indices], csr.indptr[1:-1])]
        return Csr(csr.indptr, np.concatenate(renamed).astype(np.int32))

    before = evaluate(users, items, relevant, known, SETTINGS)
    after = evaluate(users, items.rows(old), renumber(relevant), renumber(known), SETTINGS)
    for search in ("hamming", "continuous"):  # hierarchical: the seed cuts ties at the candidates
        place = before.searches.index(search)
        np.testing.assert_array_equal(before.values[place], after.values[place])


def test_blocks_of_users_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    users, items = random_method(40, 200)
    relevant, known = random_parts(40, 200)
    whole = evaluate(users, items, relevant, known, SETTINGS)
    monkeypatch.setattr(evaluation, "_BLOCK", 7)
    np.testing.assert_array_equal(
        whole.values, evaluate(users, items, relevant, known, SETTINGS).values
    )


def test_users_without_test_items_count_nowhere() -> None:
    users, items = random_method(20, 100)
    relevant, known = random_parts(20, 100)
    found = evaluate(users, items, relevant, known, SETTINGS)
    idle = np.diff(relevant.indptr) == 0
    assert idle.any()
    assert np.isnan(found.values[..., idle]).all()
    busy = np.flatnonzero(~idle)
    some = evaluate(
        users.rows(busy),
        items,
        evaluation.take_rows(relevant, busy),
        evaluation.take_rows(known, busy),
        SETTINGS,
    )
    np.testing.assert_array_equal(found.values[..., busy], some.values)
    assert found.mean("hamming", "hr", 3) == some.mean("hamming", "hr", 3)


@pytest.mark.parametrize(
    ("items", "searches"),
    [
        (ITEMS, ("hamming", "hierarchical", "continuous")),
        (Encoded(ITEMS.codes, None), ("hamming",)),
        (Encoded(None, ITEMS.vectors), ("continuous",)),
    ],
)
def test_searches_follow_what_a_method_has(items: Encoded, searches: tuple[str, ...]) -> None:
    user = Encoded(
        None if items.codes is None else USER.codes, None if items.vectors is None else USER.vectors
    )
    found = evaluate(user, items, rows([1]), rows([]), SETTINGS)
    assert found.searches == searches


def test_nobody_to_evaluate_has_no_mean() -> None:
    found = evaluate(USER, ITEMS, rows([]), rows([]), SETTINGS)
    assert np.isnan(found.mean("hamming", "hr", 1))


def test_retrieved_ndcg_reaches_its_window_whatever_the_cutoffs() -> None:
    users, items = random_method(10, 300)
    relevant, known = random_parts(10, 300)
    settings = Settings(cutoffs=(1, 2, 3), ndcg="retrieved")
    forgiving = evaluate(users, items, relevant, known, settings)
    strict = evaluate(users, items, relevant, known, SETTINGS)
    assert forgiving.mean("continuous", "ndcg", 3) >= strict.mean("continuous", "ndcg", 3)
    assert forgiving.mean("continuous", "hr", 3) == strict.mean("continuous", "hr", 3)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"cutofs": [20]}, "evaluation.cutofs"),
        ({"cutoffs": [0, 20]}, "evaluation.cutoffs"),
        ({"cutoffs": []}, "evaluation.cutoffs"),
        ({"candidates": 0}, "evaluation.candidates"),
        ({"ndcg": "fancy"}, "evaluation.ndcg"),
    ],
)
def test_wrong_settings_are_named(config: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(Settings, config, "evaluation")


def write_inputs(folder: Path) -> list[str]:
    users, items = random_method(30, 80)
    relevant, known = random_parts(30, 80)
    nothing = Csr(np.zeros(31, np.int64), np.empty(0, np.int32))
    save_split(folder / "split.npz", Split(known, nothing, relevant, n_users=30, n_items=80))
    arguments = ["--split", str(folder / "split.npz")]
    for side, encoded in (("user", users), ("item", items)):
        for kind, array in encoded._asdict().items():
            np.save(folder / f"{side}_{kind}.npy", array)
            arguments += [f"--{side}-{kind}", str(folder / f"{side}_{kind}.npy")]
    settings = {
        "dataset": "tiny",
        "model": "hashgnn",
        "bits": 16,
        "seed": 3,
        "evaluation": {"cutoffs": [5, 10]},
    }
    arguments += ["--settings", json.dumps(settings)]
    outputs = [f"--{name}={folder / file}" for name, file in OUTPUTS.items()]
    return arguments + outputs


OUTPUTS = {"metrics": "metrics.csv", "per-user": "per_user.npz"}


def test_stage_writes_means_and_users(tmp_path: Path) -> None:
    assert stage.main(write_inputs(tmp_path)) == 0
    table = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    assert len(table) == 3 * 3 * 2
    per_user = np.load(tmp_path / "per_user.npz")
    assert per_user["values"].shape == (3, 3, 2, 30)
    assert [*per_user["searches"]] == ["hamming", "hierarchical", "continuous"]
    row = table[0]
    assert [row[c] for c in ("dataset", "model", "bits", "search", "metric", "n", "seed")] == [
        *("tiny", "hashgnn", "16", "hamming", "hr", "5", "3")
    ]
    assert float(row["value"]) == pytest.approx(np.nanmean(per_user["values"][0, 0, 0]), rel=1e-6)


def test_codes_of_another_split_are_refused(tmp_path: Path, capsys) -> None:  # type: ignore[no-untyped-def]
    arguments = write_inputs(tmp_path)
    np.save(tmp_path / "user_codes.npy", np.zeros((31, 2), np.uint8))
    assert stage.main(arguments) == 2
    assert "user_codes.npy: 31 rows, the split has 30" in capsys.readouterr().err
    assert not (tmp_path / "metrics.csv").exists()
