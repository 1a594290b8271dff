"""The Python interface: an estimator in the style of scikit-learn."""

import inspect
from collections.abc import Hashable, Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

import pandas as pd

from hashgnn.errors import InputError, needing
from hashgnn.recommender.folder import load_history, load_model, save_model
from hashgnn.recommender.queries import Options
from hashgnn.recommender.trained_model import Model

if TYPE_CHECKING:
    from hashgnn.data.features import Table

_COMMON = ("epochs", "learning_rate", "batch_size")  # hyper-parameters with names of their own


class HashGNN:
    """Learn codes and vectors from interactions, and recommend items with them.

        >>> model = HashGNN(bits=64).fit(interactions)
        >>> model.recommend(["anna", "ben"], n=10)
        >>> model.save("model")
        >>> HashGNN.load("model").recommend(["anna"])

    Attributes:
        model_: After ``fit`` or ``load``: ids, codes, vectors and index.
        history_: After ``fit`` or ``load``: the course of the training, a data frame. Rows of
            losses (loss, auc, auc_codes, p) and of validation (validation_hr, recall@50), by
            iteration and epoch.
    """

    model_: Model
    history_: pd.DataFrame

    def __init__(
        self,
        bits: int = 32,
        *,
        method: str = "hashgnn",
        epochs: int | None = None,
        learning_rate: float | None = None,
        batch_size: int | None = None,
        seed: int = 0,
        validation: float = 0.1,
        refit: bool = True,
        device: str = "auto",
        tune: str | float | None = None,
        **parameters: Any,
    ) -> None:
        """Set the parameters of the training.

        Args:
            bits: Length of the codes.
            method: Id of a method of the workflow's config that trains vectors of its own.
            epochs: Largest number of epochs. None stands for the config's value, here and below.
            learning_rate: Learning rate at the start.
            batch_size: Interactions per step of the training.
            seed: Seed of the split, the negatives and the training.
            validation: Share of each user's interactions that is held out to choose the best
                epoch.
            refit: Whether to train once more after that, on all interactions, for as many epochs.
                If not, the model never sees those that were held out.
            device: auto, cpu, cuda or cuda:N.
            tune: Time to choose hyper-parameters in, by trials on the held-out interactions, before
                the training: ``"10m"``, ``"1h"``, or seconds. Those in ``parameters`` stay as they
                are. ``model_.record["tuning"]`` says what it gained over the defaults.
            parameters: Further hyper-parameters (negatives, guidance, ...) that differ from the
                workflow's config. A nested one is updated, not replaced: ``guidance={"floor":
                0.4}`` keeps the rest of ``guidance``.

        Raises:
            InputError: The method does not take one of the hyper-parameters. ``fit`` checks the
                other arguments.
        """
        self.bits = bits
        self.method = method
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.seed = seed
        self.validation = validation
        self.refit = refit
        self.device = device
        self.tune = tune
        self.parameters = parameters
        self._check_parameters()

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return all arguments of the constructor by name, as scikit-learn's ``clone`` wants them.

        ``deep`` has no effect: there are no nested estimators.
        """
        return {**{name: getattr(self, name) for name in self._defaults()}, **self.parameters}

    def set_params(self, **params: Any) -> Self:
        """Change arguments of the constructor; a fitted model stays until the next ``fit``.

        Raises:
            InputError: The method does not take one of them; nothing is changed then.
        """
        type(self)(**{**self.get_params(), **params})
        for name, value in params.items():
            if name in self._defaults():
                setattr(self, name, value)
            else:
                self.parameters = {**self.parameters, name: value}
        return self

    def __repr__(self) -> str:
        """Return the constructor's call, without the arguments that have their defaults."""
        defaults = self._defaults()
        chosen = {
            name: value
            for name, value in self.get_params().items()
            if name not in defaults or value != defaults[name]
        }
        return f"HashGNN({', '.join(f'{name}={value!r}' for name, value in chosen.items())})"

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        """Return the named arguments of the constructor with their defaults."""
        found = inspect.signature(cls).parameters.values()
        return {each.name: each.default for each in found if each.kind is not each.VAR_KEYWORD}

    def _hyper_parameters(self) -> dict[str, Any]:
        common = {name: getattr(self, name) for name in _COMMON}
        return {**{name: v for name, v in common.items() if v is not None}, **self.parameters}

    def _check_parameters(self) -> None:
        if parameters := self._hyper_parameters():
            # Imported here because it loads torch, which takes seconds.
            with needing("train"):
                from hashgnn.recommender.fitting import check_parameters

            check_parameters(self.method, parameters, self._defaults())

    def fit(
        self,
        interactions: Any,
        *,
        user: str = "user",
        item: str = "item",
        weight: str | None = None,
        user_features: Any = None,
        item_features: Any = None,
        verbose: bool = False,
    ) -> Self:
        """Train on interactions.

        Args:
            interactions: A table with named columns (pandas, polars, Arrow, a dict, ...), a pair
                (users, items) of sequences, or a scipy sparse matrix of users by items. Ids are
                text, integers or UUIDs; UUIDs are treated as text.
            user: Name of the column of users.
            item: Name of the column of items.
            weight: Name of the column of weights: how much an interaction counts, a number above 0.
                Those of repeats of a pair are added.
            user_features: A table with the column ``user`` and features, for graph methods. Users
                without interactions are represented by these alone.
            item_features: The same of items, with the column ``item``.
            verbose: Whether to show the progress, on stderr.

        Raises:
            InputError: The interactions, or the parameters of the training, cannot be used.
        """
        # Imported here because it loads torch, which takes seconds and is not needed by ``load``.
        with needing("train"):
            from hashgnn.config.base import parse
            from hashgnn.recommender.defaults import TrainingSettings

            given = {name: getattr(self, name) for name in TrainingSettings.model_fields}
            settings = parse(TrainingSettings, {**given, "parameters": self._hyper_parameters()})
            from hashgnn.recommender.adapter import adapt, with_features
            from hashgnn.recommender.fitting import ProgressBar, fit, ignore_progress

        bar = ProgressBar()
        tables = _feature_tables({"user": user_features, "item": item_features}, (user, item))
        data = with_features(adapt(interactions, user, item, weight), tables)
        self.model_, self.history_ = fit(data, settings, bar if verbose else ignore_progress)
        bar.close()
        return self

    def update(
        self,
        interactions: Any,
        *,
        user: str = "user",
        item: str = "item",
        weight: str | None = None,
        user_features: Any = None,
        item_features: Any = None,
        epochs: int | None = None,
        verbose: bool = False,
    ) -> Self:
        """Continue the training of the fitted model with more interactions.

        Known users and items keep their rows. Graph methods start from their weights, ALS from its
        vectors; other methods are trained anew. Nothing is held out.

        Args:
            interactions: See ``fit``; only the new ones are needed.
            user: Name of the column of users.
            item: Name of the column of items.
            weight: Name of the column of weights, if the model was trained with weights. That of a
                known interaction is added to its own.
            user_features: Rows of new users, and of others whose features have changed, if the
                model was trained with features of users.
            item_features: The same of items.
            epochs: Epochs of a graph method or ALS, by default a tenth of those of the training.
            verbose: Whether to show the progress, on stderr.

        Raises:
            InputError: The interactions cannot be used, or the model was saved without weights.
        """
        # Imported here because it loads torch, which takes seconds.
        with needing("train"):
            from hashgnn.recommender.adapter import adapt
            from hashgnn.recommender.fitting import ProgressBar, ignore_progress
            from hashgnn.recommender.updating import update

        bar, data = ProgressBar(), adapt(interactions, user, item, weight)
        callback = bar if verbose else ignore_progress
        tables = _feature_tables({"user": user_features, "item": item_features}, (user, item))
        self.model_, self.history_ = update(self._fitted(), data, epochs, callback, tables)
        bar.close()
        return self

    def recommend(
        self,
        users: Hashable | Iterable[Hashable] | None = None,
        n: int = 10,
        *,
        histories: Any = None,
        items: Any = None,
        filter_items: Any = None,
        **options: Unpack[Options],
    ) -> pd.DataFrame:
        """Return the ``n`` best items of each user: columns user, item, rank and score.

        Args:
            users: One id or several; all users by default.
            n: Items per user. A user for whom fewer are left has fewer rows, or none.
            histories: Items of users who need not be known, instead of ``users``: a mapping from
                users to lists of items, or a table with the columns user and item. Users are
                represented by these items, without training.
            items: Ids of the only items to recommend, or a mapping from users to such lists.
            filter_items: Ids of items not to recommend, or a mapping from users to such lists.
            options: ``search`` (hierarchical, hamming, asymmetric or continuous),
                ``exclude_known`` (True), ``candidates`` of hierarchical search (500, or ``n`` if
                that is more), and ``unknown``, what to do with unknown ids: error, skip or popular.
                See ``hashgnn.recommender.queries.Query``.

        Raises:
            InputError: An id is unknown, or an option is.
        """
        return self._fitted().recommend(
            users, n, histories=histories, items=items, filter_items=filter_items, **options
        )

    def similar_items(
        self,
        items: Hashable | Iterable[Hashable],
        n: int = 10,
        *,
        filter_items: Any = None,
        **options: Unpack[Options],
    ) -> pd.DataFrame:
        """Return the ``n`` items most similar to each of ``items``, best first.

        Args:
            items: One id or several.
            n: Similar items for each.
            filter_items: Ids of items not to return, or a mapping from ``items`` to such lists.
            options: ``search``: hamming scores by the inner product of the codes, continuous by the
                cosine of the vectors, hierarchical by that among the ``candidates`` nearest codes.
                ``unknown``: error or skip.

        Returns:
            The columns item, similar, rank and score.
        """
        return self._fitted().similar("item", items, n, filter_items=filter_items, **options)

    def similar_users(
        self, users: Hashable | Iterable[Hashable], n: int = 10, **options: Unpack[Options]
    ) -> pd.DataFrame:
        """Return the ``n`` users most similar to each of ``users``: user, similar, rank, score.

        ``options`` are those of ``similar_items``.
        """
        return self._fitted().similar("user", users, n, **options)

    def save(self, folder: str | PathLike[str]) -> None:
        """Write the fitted model to a folder, which ``load`` and the ``hashgnn`` command read.

        An existing model is replaced atomically: it stays if anything fails.
        """
        save_model(Path(folder), self._fitted(), self.history_)

    @classmethod
    def load(cls, folder: str | PathLike[str], *, verify: bool = True) -> Self:
        """Map a model into memory; its ``fit`` repeats the training with the same parameters.

        Args:
            folder: A folder that ``save`` or ``hashgnn train`` wrote, or the workflow's
                ``results/DATASET/MODEL/bitsK/seedS``.
            verify: Whether to read all files once and compare checksums. Without it, altered codes
                and vectors are not noticed.

        Raises:
            InputError: A file is missing, damaged or does not fit the others.
        """
        # Not through the constructor, whose check loads torch and knows only methods of the config.
        loaded = cls.__new__(cls)
        loaded.model_ = load_model(Path(folder), verify)
        loaded.history_ = load_history(Path(folder))
        return loaded

    def __getattr__(self, name: str) -> Any:
        """Return an argument of a loaded model's training, which is read when one is asked for."""
        defaults = self._defaults()
        if name not in (*defaults, "parameters") or "model_" not in vars(self):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        # Imported here because it reads the config.
        with needing("train"):
            from hashgnn.recommender.defaults import arguments

        trained = arguments(self.model_.record)
        for key, default in defaults.items():
            vars(self).setdefault(key, trained.pop(key, default))
        vars(self).setdefault("parameters", trained)
        return vars(self)[name]

    def _fitted(self) -> Model:
        if not hasattr(self, "model_"):
            raise InputError("this model is not fitted; call fit first, or load one")
        return self.model_


def _feature_tables(given: Mapping[str, Any], id_columns: tuple[str, str]) -> "list[Table]":
    from hashgnn.recommender.adapter import feature_table

    named = zip(given.items(), id_columns, strict=True)
    return [
        feature_table(table, kind, column) for (kind, table), column in named if table is not None
    ]
