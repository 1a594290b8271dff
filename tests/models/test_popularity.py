import numpy as np

from hashgnn.models import popularity
from tests.training.planted import N_ITEMS, N_USERS, planted_split, train


def test_items_score_by_their_training_interactions() -> None:
    fitted = train(popularity)

    counts = np.bincount(planted_split().train.indices, minlength=N_ITEMS)
    scores = fitted.user_vectors @ fitted.item_vectors.T
    assert np.array_equal(scores, np.tile(counts, (N_USERS, 1)))
    assert fitted.facts["best_epoch"] == 1
