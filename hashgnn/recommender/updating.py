"""Update a model with new interactions: continue its training on the old and the new ones.

Users and items keep their rows; new ones come after them. A graph method starts from the weights
that it ended with, at the learning rate and the schedules of the epoch that it ended at; ALS starts
from its vectors. Both train for a tenth of the epochs before. Other methods are trained anew for as
many epochs as before. Nothing is held out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from threadpoolctl import threadpool_limits

from hashgnn.config.base import parse
from hashgnn.data.features import (
    Features,
    Table,
    encode,
    placed,
    refuse_without_rows,
    rows_of,
)
from hashgnn.data.interactions import Csr, Interactions, Pairs, Split, id_keys, unique_pairs
from hashgnn.errors import InputError
from hashgnn.graph import Graph, interaction_matrix
from hashgnn.models.graph_hasher import GraphHasher
from hashgnn.models.method import (
    Epoch,
    EpochMethod,
    EpochParameters,
    GraphMethod,
    GraphParameters,
    Method,
    Progress,
    Task,
    Vectors,
)
from hashgnn.recommender.adapter import TrainingData
from hashgnn.recommender.defaults import MethodDefaults, TrainingSettings, negative_rounds
from hashgnn.recommender.defaults import arguments as training_arguments
from hashgnn.recommender.fitting import as_model, train
from hashgnn.recommender.queries import Ids, listed
from hashgnn.recommender.trained_model import Model
from hashgnn.stage.record import Recorder
from hashgnn.training.fit import load_method
from hashgnn.training.monitoring import Callback
from hashgnn.training.optimizer import cosine
from hashgnn.training.train import choose_device, describe_device

_ALS = "hashgnn.models.als"
_SHARE = 0.1  # epochs of an update by default, of those of the training
_UNUSED = {"refit": False, "validation": 0.1, "parameters": {}}  # of the settings, by an update
_SCHEDULED = ("probability", "training_codes", "batch_loss")  # take the progress of the training


class Start(NamedTuple):
    """Where an update starts: weights, sizes and epochs of the training before."""

    weights: Mapping[str, np.ndarray]
    n_users: int
    n_items: int
    epochs: int


class _Continued(Progress):
    """A progress that counts what was done before the update."""


def update(
    model: Model,
    data: TrainingData,
    epochs: int | None,
    callback: Callback,
    tables: Sequence[Table] = (),
) -> tuple[Model, pd.DataFrame]:
    """Continue the training of ``model`` with the interactions ``data`` added to its own.

    Args:
        model: The model, with weights if its method is a graph method.
        data: New interactions; those that the model has already change nothing.
        epochs: Epochs of a method that goes on, by default a tenth of those of the training.
        callback: Called with the progress of the training.
        tables: Features of new users and items, and of others whose features have changed.

    Returns:
        The new model, and the history of the update. The record keeps the settings of the first
        training, and counts the updates.
    """
    arguments = training_arguments(model.record)
    recorded, start = model.record["settings"], _start(model)
    merged = merge(model, data, tables)
    recorder = Recorder(recorded)
    names = TrainingSettings.model_fields.keys() - {"parameters", "refit"}
    chosen = {name: value for name, value in arguments.items() if name in names}
    settings = parse(TrainingSettings, {**_UNUSED, **chosen})
    defaults = MethodDefaults(
        recorded["method"],
        {**recorded["parameters"], **_changed(model, epochs)},
        recorded.get("negatives"),
        negative_rounds(),
        {},
    )
    method = _from(model, start, merged)
    parts = _undivided(merged.interactions)
    features = None if merged.features is None else merged.features.of_nodes()
    fitted = train(method, parts, defaults, settings, None, callback, features)
    facts = {
        **fitted.recorded(),
        "best_epoch": model.record["best_epoch"],
        "validation_hr": None,  # nothing was held out
        "updates": model.record.get("updates", 0) + 1,
        "integer_ids": {"user": merged.users.integer, "item": merged.items.integer},
        "device": describe_device(choose_device(settings.device)),
        "device_option": settings.device,
    }
    return as_model(merged, fitted, recorder.record(facts)), fitted.history


def merge(model: Model, data: TrainingData, tables: Sequence[Table] = ()) -> TrainingData:
    """Return the interactions of ``model`` and ``data``; ids of the model keep their rows.

    Weights of an interaction in both are added. ``tables`` add features, users and items. Raises
    ``InputError`` if only one has weights, or if new users or items lack features.
    """
    old, new = model.interactions, data.interactions
    users, user_rows = _extend(model.user_ids, data.users.text, "user")
    items, item_rows = _extend(model.item_ids, data.items.text, "item")
    for table in tables:
        if table.kind == "user":
            users, _ = _extend(users, pd.Index(table.ids.to_pandas(), dtype="str"), "user")
        else:
            items, _ = _extend(items, pd.Index(table.ids.to_pandas(), dtype="str"), "item")
    if (old.weight is None) != (new.weight is None):
        was = "without weights, but the new interactions have" if old.weight is None else "with"
        raise InputError(
            f"weight: the model was trained {was} weights; train it again, or give "
            f"{'none' if old.weight is None else 'their column'}"
        )
    weights = None
    if old.weight is not None and new.weight is not None:
        weights = np.concatenate([old.weight, new.weight])
    pairs = unique_pairs(
        Pairs(
            np.concatenate([old.user, user_rows[new.user]]).astype(np.int32),
            np.concatenate([old.item, item_rows[new.item]]).astype(np.int32),
            None,
            None,
            weights,
        )
    )
    merged = Interactions(
        pairs.user,
        pairs.item,
        len(users),
        len(items),
        id_keys(pa.array(users.text, pa.string())),
        id_keys(pa.array(items.text, pa.string())),
        weight=pairs.weight,
    )
    return TrainingData(merged, users, items, _features(model, users, items, tables))


def _features(model: Model, users: Ids, items: Ids, tables: Sequence[Table]) -> Features | None:
    """Return the features of ``model`` with those of ``tables``, which replace known rows."""
    features = model.features
    for table in tables:
        if features is None or table.kind not in features.columns:
            raise InputError(
                f"{table.where}: the model was trained without features of {table.kind}s; train "
                "it again with them"
            )
    if features is None:
        return None
    given = {table.kind: table for table in tables}
    sides = {}
    for kind, ids in (("user", users), ("item", items)):
        old: Csr = getattr(features, kind)
        known = len(old.indptr) - 1
        own = np.where(np.arange(len(ids)) < known, np.arange(len(ids)), -1)
        if kind not in features.columns:
            sides[kind] = placed(old, own)
            continue
        if kind not in given:
            if len(ids) > known:
                raise InputError(
                    f"{kind}_features: new {kind} {listed(ids.text[known:].tolist())}; the model "
                    f"was trained with features of {kind}s, so give those of the new ones"
                )
            sides[kind] = old
            continue
        table = given[kind]
        rows = rows_of(table, ids.text.tolist())
        refuse_without_rows(table, ids.text[(rows < 0) & (own < 0)].tolist())
        made = encode(table, features.columns[kind])
        both = Csr(
            np.concatenate([old.indptr, old.indptr[-1] + made.indptr[1:]]),
            np.concatenate([old.indices, made.indices]),
        )
        sides[kind] = placed(both, np.where(rows >= 0, known + rows, own))
    return Features(**sides, columns=features.columns)


def _undivided(interactions: Interactions) -> Split:
    """Return a split whose training part are all interactions."""
    every = interactions.csr(np.ones(len(interactions.user), dtype=bool))
    none = Csr(np.zeros(interactions.n_users + 1, dtype=np.int64), np.empty(0, dtype=np.int32))
    sizes = interactions.n_users, interactions.n_items
    return Split(every, none, none, *sizes, interactions.weight)


def _extend(known: Ids, names: pd.Index, kind: str) -> tuple[Ids, np.ndarray]:
    """Return the ids with those of ``names`` that are new, and the rows of ``names`` in them."""
    rows = known.find(names.tolist(), kind, "skip").astype(np.int64)
    new = rows < 0
    rows[new] = np.arange(len(known), len(known) + np.count_nonzero(new))
    added = names[new]
    if known.integer and (odd := [name for name in added if not name.lstrip("-").isdecimal()]):
        raise InputError(f"{kind} {odd[0]!r}: expected an integer, as all {kind}s of the model are")
    return Ids(known.text.append(added), known.integer), rows


def _start(model: Model) -> Start | None:
    """Return where an update of ``model`` starts; None for methods that are trained anew.

    Raises ``InputError`` if the weights were not saved.
    """
    if not isinstance(load_method(model.record["settings"]["method"]), GraphMethod):
        return None
    if model.weights is None:
        raise InputError(
            "this model was saved without its weights, by the workflow or an earlier version; "
            "train it again with hashgnn train or HashGNN.fit"
        )
    sizes = len(model.user_ids), len(model.item_ids)
    return Start(model.weights, *sizes, int(model.record["best_epoch"]))


def _changed(model: Model, epochs: int | None) -> dict[str, Any]:
    """Return the hyper-parameters of an update that differ from those of the training.

    ``epochs``: of a method that goes on, by default a tenth of those of the training.
    """
    settings, done = model.record["settings"], int(model.record["best_epoch"])
    method = load_method(settings["method"])
    parsed = parse(method.parameters, {**settings["parameters"], **method.fixed}, "parameters")
    if not isinstance(parsed, GraphParameters | EpochParameters):
        return {}
    if isinstance(parsed, EpochParameters) and settings["method"] != _ALS:
        return {"epochs": done, "patience": 0}
    changed = {"epochs": epochs or max(1, round(_SHARE * done)), "patience": 0}
    if isinstance(parsed, EpochParameters):
        return changed
    rate = parsed.learning_rate * cosine(min(1, done / parsed.epochs), parsed.learning_rate_end)
    return {**changed, "learning_rate": rate, "learning_rate_end": 1.0}


def _from(model: Model, start: Start | None, merged: TrainingData) -> Method[Any]:
    """Return the method of ``model``, which begins where its training ended, if it can."""
    method = load_method(model.record["settings"]["method"])
    if isinstance(method, GraphMethod) and start is not None:
        return _warm(method, start)
    if isinstance(method, EpochMethod) and model.record["settings"]["method"] == _ALS:
        users = _with_zeros(model.users.vectors, len(merged.users))
        items = _with_zeros(model.items.vectors, len(merged.items))
        return replace(method, epochs=partial(_sweeps, start=(users, items)))
    return method


# In this module rather than in that of ALS, an edit of which would make trainings stale.
def _sweeps(task: Task, parameters: Any, start: Vectors) -> Iterator[Epoch]:
    """Go on with ALS from the vectors ``start``, which are changed in place.

    The first epoch solves for users by the items that have vectors, then for items by all users.
    """
    # Imported here because other methods do not need it.
    from implicit.cpu.als import AlternatingLeastSquares

    split = task.split
    interactions = interaction_matrix(split.train, split.n_items, split.train_weight)
    with threadpool_limits(limits=1, user_api="blas"):  # implicit has its own threads
        model = AlternatingLeastSquares(
            factors=start[0].shape[1],
            regularization=parameters.regularization,
            alpha=parameters.alpha,
            iterations=1,
            num_threads=torch.get_num_threads(),
        )
        model.user_factors, model.item_factors = start
        for _ in range(parameters.epochs):
            model.fit(interactions, show_progress=False)
            yield Epoch(model.user_factors, model.item_factors)


def _with_zeros(vectors: np.ndarray | None, rows: int) -> np.ndarray:
    """Return a copy of ``vectors`` with zeros after them, float32 [rows, d]."""
    assert vectors is not None
    every = np.zeros((rows, vectors.shape[1]), dtype=np.float32)
    every[: len(vectors)] = vectors
    return every


def _warm(method: GraphMethod[Any], start: Start) -> GraphMethod[Any]:
    """Return ``method`` with models that begin with the weights and schedules of ``start``."""

    def build(graph: Graph, bits: int, parameters: GraphParameters) -> GraphHasher:
        hasher = method.model(graph, bits, parameters)
        state = hasher.state_dict()
        for name, array in start.weights.items():
            weight = torch.from_numpy(np.array(array))
            if name == "embedding":
                n = start.n_users
                state[name][:n] = weight[:n]
                state[name][graph.n_users : graph.n_users + start.n_items] = weight[n:]
            else:
                state[name] = weight
        hasher.load_state_dict(state)
        for name in _SCHEDULED:
            setattr(hasher, name, _later(getattr(hasher, name), start.epochs))
        return hasher

    return replace(method, model=build)


def _later(function: Callable[..., Any], epochs: int) -> Callable[..., Any]:
    """Return ``function`` with a progress that is ``epochs`` further, once for nested calls."""

    def later(*arguments: Any) -> Any:
        return function(*(_continue(each, epochs) for each in arguments))

    return later


def _continue(argument: Any, epochs: int) -> Any:
    if not isinstance(argument, Progress) or isinstance(argument, _Continued):
        return argument
    return _Continued(argument.iteration + epochs * argument.per_epoch, argument.per_epoch)
