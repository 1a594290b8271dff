"""The evaluation of a method: by hand, and invariant under what must not matter."""

import numpy as np
import pytest

from hashgnn.config.base import parse
from hashgnn.data.interactions import Csr, take_rows
from hashgnn.errors import InputError
from hashgnn.evaluation import representation
from hashgnn.evaluation.metrics import gini
from hashgnn.evaluation.representation import EvaluationSettings, evaluate
from hashgnn.search import Representation
from tests.helpers import csr_of

SETTINGS = EvaluationSettings(cutoffs=(1, 2, 3), candidates=4)


def random_method(users: int, items: int) -> tuple[Representation, Representation]:
    random = np.random.default_rng(0)

    def encode(count: int) -> Representation:
        vectors = random.standard_normal((count, 16), dtype=np.float32)
        return Representation(np.packbits(vectors >= 0, axis=1, bitorder="little"), vectors)

    return encode(users), encode(items)


def random_parts(users: int, items: int) -> tuple[Csr, Csr]:
    """Disjoint relevant and seen items; every fifth user has no relevant ones."""
    drawn = np.random.default_rng(1).random((users, items))
    drawn[::5] += 0.1
    parts = []
    for mask in (drawn < 0.1, (drawn >= 0.1) & (drawn < 0.3)):
        indptr = np.concatenate([[0], np.cumsum(mask.sum(axis=1))])
        parts.append(Csr(indptr, np.nonzero(mask)[1].astype(np.int32)))
    return parts[0], parts[1]


# One user whose code is 0; items at distances 0, 1, 1, 2 and 8; vectors turn the order about.
USER = Representation(np.array([[0]], np.uint8), np.array([[1]], np.float32))
ITEMS = Representation(
    np.array([[0], [1], [2], [3], [255]], np.uint8), np.array([[1], [2], [3], [4], [5]], np.float32)
)


@pytest.mark.parametrize(
    ("search", "masked", "expected"),
    [
        ("hamming", True, [0.5, 1, 1]),  # item 0 is seen: items 1 and 2 tie, then 3
        ("hamming", False, [0, 0.5, 1]),
        ("hierarchical", False, [0, 0, 1]),  # of items 0 to 3: 3, 2, 1
        ("continuous", False, [0, 0, 0]),  # 4, 3, 2
        ("hierarchical", True, [0, 0, 0]),  # of items 1 to 4: 4, 3, 2
    ],
)
def test_one_user_by_hand(search: str, masked: bool, expected: list[float]) -> None:
    settings = EvaluationSettings(cutoffs=(1, 2, 3), candidates=4, mask_training=masked)
    found = evaluate(USER, ITEMS, csr_of([1]), csr_of([0]), settings)
    assert [found.mean(search, "hr", n) for n in (1, 2, 3)] == expected


def test_renumbered_items_change_nothing() -> None:
    users, items = random_method(40, 300)
    relevant, seen = random_parts(40, 300)
    new = np.random.default_rng(2).permutation(300)  # item i becomes new[i]
    old = np.argsort(new)

    def renumber(csr: Csr) -> Csr:
        renamed = [np.sort(part) for part in np.split(new[csr.indices], csr.indptr[1:-1])]
        return Csr(csr.indptr, np.concatenate(renamed).astype(np.int32))

    before = evaluate(users, items, relevant, seen, SETTINGS)
    after = evaluate(users, items.rows(old), renumber(relevant), renumber(seen), SETTINGS)
    for search in ("hamming", "continuous"):  # hierarchical: the seed cuts ties at the candidates
        place = before.searches.index(search)
        np.testing.assert_array_equal(before.values[place], after.values[place])


def test_blocks_of_users_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    users, items = random_method(40, 200)
    relevant, seen = random_parts(40, 200)
    whole = evaluate(users, items, relevant, seen, SETTINGS)
    monkeypatch.setattr(representation, "_BLOCK", 7)
    np.testing.assert_array_equal(
        whole.values, evaluate(users, items, relevant, seen, SETTINGS).values
    )


def test_users_without_test_items_count_nowhere() -> None:
    users, items = random_method(20, 100)
    relevant, seen = random_parts(20, 100)
    found = evaluate(users, items, relevant, seen, SETTINGS)
    idle = np.diff(relevant.indptr) == 0
    assert idle.any()
    assert np.isnan(found.values[..., idle]).all()
    busy = np.flatnonzero(~idle)
    some = evaluate(
        users.rows(busy),
        items,
        take_rows(relevant, busy),
        take_rows(seen, busy),
        SETTINGS,
    )
    np.testing.assert_array_equal(found.values[..., busy], some.values)
    assert found.mean("hamming", "hr", 3) == some.mean("hamming", "hr", 3)


@pytest.mark.parametrize(
    ("items", "searches"),
    [
        (ITEMS, ("hamming", "hierarchical", "continuous")),
        (Representation(ITEMS.codes, None), ("hamming",)),
        (Representation(None, ITEMS.vectors), ("continuous",)),
    ],
)
def test_searches_follow_what_a_method_has(
    items: Representation, searches: tuple[str, ...]
) -> None:
    user = Representation(
        None if items.codes is None else USER.codes, None if items.vectors is None else USER.vectors
    )
    found = evaluate(user, items, csr_of([1]), csr_of([]), SETTINGS)
    assert found.searches == searches


def test_asymmetric_search_by_hand() -> None:
    # The scores are 2 - 1, -2 - 1, 2 - 1 and 2 + 1: item 3, then 0 and 2, which tie, then 1.
    user = Representation(np.array([[0b01]], np.uint8), np.array([[2, -1]], np.float32))
    signs = np.array([[1, 1], [-1, 1], [1, 1], [1, -1]], np.float32)
    items = Representation(np.array([[0b11], [0b10], [0b11], [0b01]], np.uint8), signs)
    settings = EvaluationSettings(cutoffs=(1, 2, 3), candidates=3, asymmetric=True)

    found = evaluate(user, items, csr_of([1, 3]), csr_of([]), settings)

    assert found.searches == (*representation.SEARCHES, "asymmetric", "asymmetric re-rank")
    for search in representation.ASYMMETRIC:
        assert [found.mean(search, "hr", n) for n in (1, 2, 3)] == [0.5, 0.5, 0.5]


def test_asymmetric_re_rank_is_limited_to_its_candidates() -> None:
    # Items 0 and 1 differ in one bit, whose weight is 4: 11 - 8. Item 2 differs in three of
    # weight 1: 11 - 6 is more, but it is the farthest by Hamming distance.
    vectors = np.array([[1, 1, 1, 4, 1, 1, 1, 1]], np.float32)
    user = Representation(np.array([[0xFF]], np.uint8), vectors)
    codes = np.array([[0b11110111], [0b11110111], [0b11111000]], np.uint8)
    bits = np.unpackbits(codes, axis=1, bitorder="little")
    items = Representation(codes, 2 * bits.astype(np.float32) - 1)
    settings = EvaluationSettings(cutoffs=(1,), candidates=2)

    found = evaluate(user, items, csr_of([2]), csr_of([]), settings, representation.ASYMMETRIC)

    assert found.mean("asymmetric", "hr", 1) == 1
    assert found.mean("asymmetric re-rank", "hr", 1) == 0


def test_asymmetric_search_needs_a_bit_for_each_dimension() -> None:
    users, items = random_method(10, 30)
    settings = EvaluationSettings(cutoffs=(3,), candidates=4, asymmetric=True)
    parts = random_parts(10, 30)
    assert len(evaluate(users, items, *parts, settings).searches) == 5
    wider = [
        rows._replace(codes=np.pad(rows.codes, ((0, 0), (0, 1))))
        for rows in (users, items)
        if rows.codes is not None
    ]
    assert evaluate(*wider, *parts, settings).searches == representation.SEARCHES


def test_asymmetric_search_is_asked_for_and_changes_nothing_else() -> None:
    users, items = random_method(40, 200)
    parts = random_parts(40, 200)
    plain = evaluate(users, items, *parts, SETTINGS)
    more = evaluate(users, items, *parts, SETTINGS.model_copy(update={"asymmetric": True}))
    assert plain.searches == representation.SEARCHES
    np.testing.assert_array_equal(plain.values, more.values[:3])


def test_metrics_of_lists_are_the_means_over_orders_of_ties() -> None:
    users, items = random_method(12, 40)
    users, items = (Representation(rows.codes[:, :1] & 7, rows.vectors) for rows in (users, items))
    relevant, seen = random_parts(12, 40)
    names = ("hr", "ndcg", "coverage", "novelty", "gini")
    settings = EvaluationSettings(cutoffs=(3, 8), candidates=40, metrics=names)
    found = evaluate(users, items, relevant, seen, settings)

    tested, rng = np.flatnonzero(np.diff(relevant.indptr)), np.random.default_rng(0)
    distances = np.bitwise_count(users.codes[tested, None, 0] ^ items.codes[None, :, 0])
    for row, user in enumerate(tested):
        distances[row, seen.indices[seen.indptr[user] : seen.indptr[user + 1]]] = 99
    lists = np.zeros((2000, 40))
    for order in lists:
        shown = np.lexsort((rng.random(distances.shape), distances))[:, :8]
        order += np.bincount(shown.ravel(), minlength=40)
    users_of = np.maximum(np.bincount(seen.indices, minlength=40), 1)
    expected = {
        "coverage": (lists > 0).mean(1),
        "novelty": lists @ -np.log2(users_of / 12) / lists.sum(1),
    }
    for name, values in expected.items():
        error = values.std() / np.sqrt(len(lists))
        assert abs(found.mean("hamming", name, 8) - values.mean()) < 5 * error + 1e-12
    assert found.mean("hamming", "gini", 8) == pytest.approx(gini(lists.mean(0)), abs=0.01)
    assert found.mean("continuous", "coverage", 3) <= found.mean("continuous", "coverage", 8)


def test_chosen_metrics_change_no_other() -> None:
    users, items = random_method(40, 200)
    parts = random_parts(40, 200)
    names = ("map", "gini", "ndcg", "hr", "precision")
    some = evaluate(users, items, *parts, SETTINGS.model_copy(update={"metrics": names}))
    plain = evaluate(users, items, *parts, SETTINGS)

    assert (plain.metrics, plain.of_lists) == (("hr", "any_hit", "ndcg"), {})
    assert some.metrics == ("map", "ndcg", "hr", "precision")
    np.testing.assert_array_equal(some.values[:, 2], plain.values[:, 0])
    np.testing.assert_array_equal(some.values[:, 1], plain.values[:, 2])


def test_nobody_to_evaluate_has_no_mean() -> None:
    found = evaluate(USER, ITEMS, csr_of([]), csr_of([]), SETTINGS)
    assert np.isnan(found.mean("hamming", "hr", 1))


def test_retrieved_ndcg_reaches_its_window_whatever_the_cutoffs() -> None:
    users, items = random_method(10, 300)
    relevant, seen = random_parts(10, 300)
    settings = EvaluationSettings(cutoffs=(1, 2, 3), ndcg="retrieved")
    forgiving = evaluate(users, items, relevant, seen, settings)
    strict = evaluate(users, items, relevant, seen, SETTINGS)
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
        ({"metrics": ["recall"]}, "evaluation.metrics"),
        ({"metrics": ["hr", "map"]}, "evaluation.metrics: lacks ndcg, which figures and tables"),
        ({"metrics": ["hr", "ndcg", "hr"]}, "evaluation.metrics"),
    ],
)
def test_wrong_settings_are_named(config: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(EvaluationSettings, config, "evaluation")
