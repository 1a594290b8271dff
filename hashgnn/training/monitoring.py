"""Follow a training: validation recall and AUC, the history, and progress for callbacks."""

import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hashgnn.config.evaluation import ValidationSettings
from hashgnn.data.interactions import Csr, Split, take_rows
from hashgnn.evaluation.metrics import recall
from hashgnn.evaluation.representation import rank
from hashgnn.kernels import njit
from hashgnn.models.graph_hasher import sign
from hashgnn.search import Index, Representation

COLUMNS = ("iteration", "epoch", "p", "auc", "auc_codes", "loss")


def validation_recall(
    users: Representation,
    items: Representation,
    split: Split,
    searches: Sequence[str],
    settings: ValidationSettings,
) -> float:
    """Return recall on the validation interactions, averaged over ``searches``.

    Training items are excluded. NaN if no user has a validation interaction. ``settings`` holds the
    length of the lists and the candidates of hierarchical search.
    """
    validated = np.flatnonzero(np.diff(split.validation.indptr))
    if not len(validated):
        return float("nan")
    seen, relevant = take_rows(split.train, validated), take_rows(split.validation, validated)
    index, users, sizes = Index(*items), users.rows(validated), np.diff(relevant.indptr)
    n, candidates = settings.validation_cutoff, settings.candidates
    rates = [
        recall(rank(search, index, users, relevant, seen, n, candidates).ranks, sizes, [n])[0]
        for search in searches
    ]
    return float(np.mean(rates))


def of_some_users(split: Split, count: int, seed: int) -> Split:
    """Keep the validation interactions of ``count`` users who have any; 0: of all."""
    sizes = np.diff(split.validation.indptr)
    validated = np.flatnonzero(sizes)
    if not 0 < count < len(validated):
        return split
    rng = np.random.default_rng([seed, 0x5E1])
    chosen = np.sort(rng.choice(validated, size=count, replace=False))
    indptr = np.zeros_like(split.validation.indptr)
    indptr[chosen + 1] = sizes[chosen]
    indices = take_rows(split.validation, chosen).indices
    return replace(split, validation=Csr(np.cumsum(indptr), indices))


class PairwiseAuc:
    """Probability that a validation interaction scores above a random item (Rendle et al. 2009).

    Each validation interaction is compared with one item that its user has neither in training nor
    in validation, drawn once from ``seed``. A tie counts one half.
    """

    def __init__(self, split: Split, seed: int) -> None:
        users = np.repeat(np.arange(split.n_users), np.diff(split.validation.indptr))
        self.users = torch.from_numpy(users)
        self.positives = torch.from_numpy(split.validation.indices.astype(np.int64))
        rng = np.random.default_rng([seed, 0xA0C])
        self.negatives = torch.from_numpy(_negatives(split, users, rng))

    def of_vectors(self, users: Tensor, items: Tensor) -> float:
        """Return the AUC of the inner products of ``users`` [U, K] and ``items`` [I, K]."""
        own = users[self.users.to(users.device)]
        positive = (own * items[self.positives.to(items.device)]).sum(1)
        negative = (own * items[self.negatives.to(items.device)]).sum(1)
        above = (positive > negative).double() + 0.5 * (positive == negative).double()
        return float(above.mean()) if len(above) else float("nan")

    def of_codes(self, users: Tensor, items: Tensor) -> float:
        """Return the AUC of the Hamming similarity of the signs."""
        return self.of_vectors(sign(users), sign(items))


def _negatives(split: Split, users: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw an item per row that its user does not have, except users who have every item."""
    drawn = rng.integers(split.n_items, size=len(users))
    for _ in range(100):
        taken = np.zeros(len(users), dtype=bool)
        for part in (split.train, split.validation):
            taken |= _contains(part.indptr, part.indices, users, drawn)
        if not taken.any():
            break
        drawn[taken] = rng.integers(split.n_items, size=int(taken.sum()))
    return drawn


@njit(cache=True)
def _contains(
    indptr: np.ndarray, indices: np.ndarray, users: np.ndarray, items: np.ndarray
) -> np.ndarray:
    """Return whether each (user, item) is in the CSR matrix, whose rows are sorted."""
    found = np.empty(len(users), dtype=np.bool_)
    for row in range(len(users)):
        own = indices[indptr[users[row]] : indptr[users[row] + 1]]
        place = np.searchsorted(own, items[row])
        found[row] = place < len(own) and own[place] == items[row]
    return found


class History:
    """The course of a training, a row per interval.

    Columns: iteration, epoch, p, auc (validation, continuous vectors), auc_codes (validation,
    codes) and loss (the interval's mean).
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []
        self._sums: dict[str, float] = defaultdict(float)
        self._count = 0

    def add(self, **values: float) -> None:
        """Add the values of one iteration to the interval."""
        for name, value in values.items():
            self._sums[name] += value
        self._count += 1

    def close_interval(self, **values: Any) -> dict[str, float]:
        """End the interval: add and return a row of its means and ``values``."""
        means = {name: total / self._count for name, total in self._sums.items()}
        self.rows.append({**values, **means})
        self._sums.clear()
        self._count = 0
        return self.rows[-1]

    def state(self) -> dict[str, Any]:
        """Return the state, for a checkpoint."""
        return {"rows": self.rows, "sums": dict(self._sums), "count": self._count}

    def restore(self, state: dict[str, Any]) -> None:
        """Restore what ``state`` returned."""
        self.rows, self._count = state["rows"], state["count"]
        self._sums.update(state["sums"])

    def frame(self) -> pd.DataFrame:
        """Return all rows as a data frame; without rows it has the columns too."""
        return pd.DataFrame(self.rows, columns=list(COLUMNS))


class TrainingProgress(NamedTuple):
    """The argument of callbacks during a training."""

    iteration: int
    """Iterations done; epochs, for methods that train themselves."""

    iterations: int
    """Iterations of the whole training."""

    message: str
    """A line for people."""

    values: Mapping[str, float] = MappingProxyType({})
    """The numbers in ``message`` by name, if any."""

    epoch: int | None = None
    """Number of the epoch that was validated; None between validations."""

    recall: float = float("nan")
    """Its validation recall."""


Callback = Callable[[TrainingProgress], None]


def epoch_line(number: int, cutoff: int, recall: float) -> str:
    """Return the line about an epoch; without its recall where nothing is held out."""
    figure = "" if np.isnan(recall) else f"  validation recall@{cutoff} {recall:.4f}"
    return f"epoch {number}{figure}"


def measured(**values: float) -> dict[str, float]:
    """Return ``values`` without NaN, which stands for what cannot be measured."""
    return {name: value for name, value in values.items() if not np.isnan(value)}


def print_progress(progress: TrainingProgress) -> None:
    """Print a line to stderr, for the log of a job."""
    print(progress.message, file=sys.stderr, flush=True)
