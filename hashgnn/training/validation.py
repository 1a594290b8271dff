"""How well a model does on the validation interactions while it trains."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from hashgnn.data.interactions import Csr, Split, take_rows
from hashgnn.evaluation.metrics import recall
from hashgnn.evaluation.ranks import Ranks, ranks_of_levels, ranks_of_lists
from hashgnn.evaluation.representation import Representation
from hashgnn.kernels import njit
from hashgnn.models.hashing import sign
from hashgnn.search import Index

CUTOFF = 50
CANDIDATES = 500


def validation_hr(
    users: Representation, items: Representation, split: Split, searches: Sequence[str]
) -> float:
    """HR@50 on the validation interactions, training items masked, averaged over ``searches``.

    NaN where nobody has a validation interaction.
    """
    wanting = np.flatnonzero(np.diff(split.validation.indptr))
    if not len(wanting):
        return float("nan")
    known, wanted = take_rows(split.train, wanting), take_rows(split.validation, wanting)
    index, users, sizes = Index(*items), users.rows(wanting), np.diff(wanted.indptr)
    rates = [
        recall(_ranks(index, users, known, wanted, search), sizes, [CUTOFF])[0]
        for search in searches
    ]
    return float(np.mean(rates))


def of_some_users(split: Split, count: int, seed: int) -> Split:
    """``split`` with the validation interactions of ``count`` users who have any, or all (0)."""
    sizes = np.diff(split.validation.indptr)
    wanting = np.flatnonzero(sizes)
    if not 0 < count < len(wanting):
        return split
    rng = np.random.default_rng([seed, 0x5E1])
    chosen = np.sort(rng.choice(wanting, size=count, replace=False))
    indptr = np.zeros_like(split.validation.indptr)
    indptr[chosen + 1] = sizes[chosen]
    indices = take_rows(split.validation, chosen).indices
    return replace(split, validation=Csr(np.cumsum(indptr), indices))


def _ranks(index: Index, users: Representation, known: Csr, wanted: Csr, search: str) -> Ranks:
    codes, vectors = users
    if search == "hamming":
        assert codes is not None
        return ranks_of_levels(*index.level_counts(codes, CUTOFF, known, wanted), CUTOFF)
    assert vectors is not None
    if search == "continuous":
        ranked, _ = index.continuous(vectors, CUTOFF, known)
    else:
        assert codes is not None
        ranked, _ = index.hierarchical(codes, vectors, CUTOFF, known, CANDIDATES)
    return ranks_of_lists(ranked, wanted)


class PairwiseAuc:
    """Probability that a validation interaction scores above a random item (Rendle et al. 2009).

    Each validation interaction is compared with one item that its user has neither in training
    nor in validation, drawn once from ``seed``; ties count one half.
    """

    def __init__(self, split: Split, seed: int) -> None:
        users = np.repeat(np.arange(split.n_users), np.diff(split.validation.indptr))
        self.users = torch.from_numpy(users)
        self.positives = torch.from_numpy(split.validation.indices.astype(np.int64))
        rng = np.random.default_rng([seed, 0xA0C])
        self.negatives = torch.from_numpy(_negatives(split, users, rng))

    def of_vectors(self, users: Tensor, items: Tensor) -> float:
        """AUC of inner products; ``users`` [U, K] and ``items`` [I, K]."""
        own = users[self.users.to(users.device)]
        positive = (own * items[self.positives.to(items.device)]).sum(1)
        negative = (own * items[self.negatives.to(items.device)]).sum(1)
        above = (positive > negative).double() + 0.5 * (positive == negative).double()
        return float(above.mean()) if len(above) else float("nan")

    def of_codes(self, users: Tensor, items: Tensor) -> float:
        """AUC of the Hamming similarity of their signs."""
        return self.of_vectors(sign(users), sign(items))


def _negatives(split: Split, users: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One item a row; a user that has every item keeps whatever the last draw gave."""
    drawn = rng.integers(split.n_items, size=len(users))
    for _ in range(100):
        known = np.zeros(len(users), dtype=bool)
        for part in (split.train, split.validation):
            known |= _contains(part.indptr, part.indices, users, drawn)
        if not known.any():
            break
        drawn[known] = rng.integers(split.n_items, size=int(known.sum()))
    return drawn


@njit(cache=True)
def _contains(
    indptr: np.ndarray, indices: np.ndarray, users: np.ndarray, items: np.ndarray
) -> np.ndarray:
    """Whether each (user, item) is among the rows of the CSR matrix, sorted within a row."""
    found = np.empty(len(users), dtype=np.bool_)
    for row in range(len(users)):
        own = indices[indptr[users[row]] : indptr[users[row] + 1]]
        place = np.searchsorted(own, items[row])
        found[row] = place < len(own) and own[place] == items[row]
    return found
