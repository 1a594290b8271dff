"""The Python interface, in the manner of scikit-learn."""

from collections.abc import Hashable, Iterable
from os import PathLike
from pathlib import Path
from typing import Any, Self

import pandas as pd

from hashgnn.errors import InputError
from hashgnn.recommender.adapter import take
from hashgnn.recommender.defaults import arguments
from hashgnn.recommender.folder import load_model, save_model
from hashgnn.recommender.model import Model
from hashgnn.recommender.options import Search


class HashGNN:
    """Learn codes and vectors from interactions, and recommend by them.

        >>> model = HashGNN(bits=64).fit(interactions)
        >>> model.recommend(["anna", "ben"], n=10)
        >>> model.save("model")
        >>> HashGNN.load("model").recommend(["anna"])

    After ``fit`` or ``load``: ``model_``, with ids, codes, vectors and index; after ``fit`` also
    ``history_``, the course of the training as a data frame.
    """

    model_: Model
    history_: pd.DataFrame

    def __init__(
        self,
        bits: int = 32,
        *,
        method: str = "hashgnn",
        seed: int = 0,
        validation: float = 0.1,
        device: str = "auto",
        **parameters: Any,
    ) -> None:
        """``method``: id of a model in the workflow's config that trains its own vectors.

        ``validation``: share of each user's interactions that is held out to choose the best
        epoch. ``device``: auto, cpu, cuda or cuda:N. ``parameters``: hyper-parameters (epochs,
        learning_rate, batch_size, negatives, ...) that differ from the workflow's config; of a
        nested one (``guidance={"floor": 0.4}``) those named. All are checked by ``fit``.
        """
        self.bits = bits
        self.method = method
        self.seed = seed
        self.validation = validation
        self.device = device
        self.parameters = parameters

    def fit(
        self, interactions: Any, *, user: str = "user", item: str = "item", verbose: bool = False
    ) -> Self:
        """Train on ``interactions``.

        A table with columns ``user`` and ``item`` (pandas, polars, Arrow, a dict, ...), a pair
        (users, items) of sequences, or a scipy sparse matrix of users by items. Ids are text,
        integers or UUIDs, which count as text. ``InputError`` if they, or the arguments of the
        model, cannot be used.
        """
        # Here, since it brings torch, which takes seconds; who loads a model needs none of it.
        from hashgnn.recommender.fitting import Bar, fit, silent
        from hashgnn.recommender.options import Options

        names = ("bits", "method", "seed", "validation", "device", "parameters")
        options = Options.of(**{name: getattr(self, name) for name in names})
        bar = Bar()
        given = take(interactions, user, item)
        self.model_, self.history_ = fit(given, options, bar if verbose else silent)
        bar.close()
        return self

    def recommend(
        self,
        users: Hashable | Iterable[Hashable] | None = None,
        n: int = 10,
        *,
        search: Search = "hierarchical",
        exclude_known: bool = True,
        candidates: int = 500,
    ) -> pd.DataFrame:
        """The ``n`` best items of each of ``users``, one id or several: user, item, rank, score.

        A user to whom fewer items are left has fewer rows, or none. See
        ``hashgnn.recommender.model.Model.recommend``.
        """
        return self._fitted().recommend(users, n, search, exclude_known, candidates)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the fitted model as a folder, which ``load`` and the ``hashgnn`` command read.

        A model that is there is replaced as a whole, or stays if anything fails.
        """
        history = getattr(self, "history_", pd.DataFrame())
        save_model(Path(folder), self._fitted(), history)

    @classmethod
    def load(cls, folder: str | PathLike[str], *, verify: bool = True) -> Self:
        """Map a result folder into memory: what ``save`` or ``hashgnn train`` wrote, or the
        workflow's ``results/DATASET/MODEL/bitsK/seedS``. ``fit`` would train as it was trained.

        ``InputError`` if it is not whole. ``verify`` reads all files once, to compare checksums;
        without it altered codes and vectors go unnoticed.
        """
        model = load_model(Path(folder), verify)
        loaded = cls(**arguments(model.record))
        loaded.model_ = model
        return loaded

    def _fitted(self) -> Model:
        if not hasattr(self, "model_"):
            raise InputError("this model is not fitted; call fit first, or load one")
        return self.model_
