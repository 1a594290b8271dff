"""Update a model with new interactions: continue its training on the old and the new ones.

Users and items keep their rows; new ones come after them. A graph method starts from the weights
that it ended with, at the learning rate and the schedules of the epoch that it ended at. Other
methods, which train in seconds, are trained anew for as many epochs as before. Nothing is held out.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from hashgnn.config.base import parse
from hashgnn.data.ids import id_keys
from hashgnn.data.interactions import Interactions
from hashgnn.data.split import split
from hashgnn.errors import InputError
from hashgnn.graph import Graph
from hashgnn.models.graph_hasher import GraphHasher
from hashgnn.models.method import GraphMethod, GraphParameters, Progress
from hashgnn.recommender.adapter import TrainingData
from hashgnn.recommender.defaults import MethodDefaults, negative_rounds
from hashgnn.recommender.defaults import arguments as training_arguments
from hashgnn.recommender.fitting import TrainingSettings, as_model, train
from hashgnn.recommender.id_rows import Ids
from hashgnn.recommender.trained_model import Model
from hashgnn.stage.record import Recorder
from hashgnn.training.fit import load_method
from hashgnn.training.monitoring import Callback
from hashgnn.training.optimizer import cosine
from hashgnn.training.train import choose_device, describe_device

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
    model: Model, data: TrainingData, epochs: int | None, callback: Callback
) -> tuple[Model, pd.DataFrame]:
    """Continue the training of ``model`` with the interactions ``data`` added to its own.

    Args:
        model: The model, with weights if its method is a graph method.
        data: New interactions; those that the model has already change nothing.
        epochs: Epochs of a graph method, by default a tenth of those of the training.
        callback: Called with the progress of the training.

    Returns:
        The new model, and the history of the update. The record keeps the settings of the first
        training, and counts the updates.
    """
    arguments = training_arguments(model.record)
    recorded, start, merged = model.record["settings"], _start(model), merge(model, data)
    recorder = Recorder(recorded)
    names = TrainingSettings.model_fields.keys() - {"parameters", "refit"}
    chosen = {name: value for name, value in arguments.items() if name in names}
    settings = parse(TrainingSettings, {**_UNUSED, **chosen})
    whole = {"by": "random", "test": 0.0, "validation": 0.0, "seed": settings.seed}
    defaults = MethodDefaults(
        recorded["method"],
        {**recorded["parameters"], **_changed(model, epochs)},
        recorded.get("negatives"),
        negative_rounds(),
        {},
    )
    method = load_method(recorded["method"])
    if isinstance(method, GraphMethod) and start is not None:
        method = _warm(method, start)
    parts = split(merged.interactions, whole)
    fitted = train(method, parts, defaults, settings, None, callback)
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


def merge(model: Model, data: TrainingData) -> TrainingData:
    """Return the interactions of ``model`` and ``data``; ids of the model keep their rows."""
    old, new = model.interactions, data.interactions
    users, user_rows = _extend(model.user_ids, data.users.text, "user")
    items, item_rows = _extend(model.item_ids, data.items.text, "item")
    keys = np.unique(
        np.concatenate([old.user, user_rows[new.user]]).astype(np.int64) << 32
        | np.concatenate([old.item, item_rows[new.item]])
    )
    merged = Interactions(
        (keys >> 32).astype(np.int32),
        (keys & 0xFFFFFFFF).astype(np.int32),
        len(users),
        len(items),
        id_keys(pa.array(users.text, pa.string())),
        id_keys(pa.array(items.text, pa.string())),
    )
    return TrainingData(merged, users, items)


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

    ``epochs``: of a graph method, by default a tenth of those of the training.
    """
    settings, done = model.record["settings"], int(model.record["best_epoch"])
    method = load_method(settings["method"])
    parsed = parse(method.parameters, {**settings["parameters"], **method.fixed}, "parameters")
    if not isinstance(parsed, GraphParameters):
        return {"epochs": done} if "epochs" in type(parsed).model_fields else {}
    rate = parsed.learning_rate * cosine(min(1, done / parsed.epochs), parsed.learning_rate_end)
    return {
        "epochs": epochs or max(1, round(_SHARE * done)),
        "learning_rate": rate,
        "learning_rate_end": 1.0,
        "patience": 0,
    }


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
