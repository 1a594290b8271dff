"""Represent users by their histories, without training.

A graph method adds them to the graph of the training, where they read their items and no node reads
them, and applies its encoder; the id embedding of a new user is the mean of those of all users.
Other methods solve for the vectors of the users, if their declaration says how (``new_users``).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from hashgnn.config.base import parse
from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.graph import Graph, bipartite_graph
from hashgnn.models.graph_hasher import pack
from hashgnn.models.method import GraphMethod, GraphParameters
from hashgnn.recommender.trained_model import Model
from hashgnn.search import Representation
from hashgnn.training.fit import load_method


def represent(model: Model, histories: Csr) -> Representation:
    """Return codes and vectors of users who have the items ``histories``, a row for each user.

    Raises:
        InputError: The method cannot represent new users, or the model was saved without what that
            needs.
    """
    settings = model.record["settings"]
    method = load_method(settings["method"])
    parameters = parse(method.parameters, {**settings["parameters"], **method.fixed}, "parameters")
    if method.new_users is not None:
        items = np.array(model.items.vectors)  # not mapped, as libraries want to write to arrays
        vectors = method.new_users(histories, items, parameters).astype(np.float32)
        return Representation(pack(vectors), vectors)
    if not isinstance(method, GraphMethod):
        raise InputError(
            f"histories: {settings['method']} cannot represent new users; train a graph method, "
            "mf, als or puresvd"
        )
    if model.weights is None:
        raise InputError(
            "histories: this model was saved without the weights of its encoder, by the workflow "
            "or an earlier version; train it again with hashgnn train or HashGNN.fit"
        )
    return _encode(model, model.weights, histories, method, parameters)


def _encode(
    model: Model,
    weights: Mapping[str, np.ndarray],
    histories: Csr,
    method: GraphMethod[Any],
    parameters: GraphParameters,
) -> Representation:
    """Apply the encoder to the graph of the training with the new users in it."""
    interactions = model.interactions
    known = interactions.csr(np.ones(len(interactions.user), dtype=bool))
    graph = bipartite_graph(known, interactions.n_items)
    if model.features is not None:
        graph = graph._replace(features=model.features.of_nodes())
    graph = with_users(graph, histories)
    with torch.random.fork_rng(devices=[]):  # initial weights are drawn, and replaced
        hasher = method.model(graph, model.record["settings"]["bits"], parameters)
    hasher.load_state_dict(
        {
            name: torch.from_numpy(_with_means(array, interactions.n_users, histories))
            if name == "embedding"
            else torch.from_numpy(np.array(array))
            for name, array in weights.items()
        }
    )
    hasher.eval()
    users, _ = hasher.propagate(graph).split(graph.n_users)
    codes, vectors = users.codes(), users.array()
    return Representation(codes[interactions.n_users :], vectors[interactions.n_users :])


def with_users(graph: Graph, histories: Csr) -> Graph:
    """Return ``graph`` with users after its own who read the items ``histories``."""
    new, n_users = len(histories.indptr) - 1, graph.n_users
    indices = graph.indices + np.int32(new) * (graph.indices >= n_users)
    end = graph.indptr[n_users]  # of the users' neighbors
    read = histories.indices + np.int32(n_users + new)
    return Graph(
        np.concatenate(
            [
                graph.indptr[: n_users + 1],
                end + histories.indptr[1:],
                graph.indptr[n_users + 1 :] + histories.indptr[-1],
            ]
        ),
        np.concatenate([indices[:end], read, indices[end:]]).astype(np.int32),
        n_users + new,
        None if graph.features is None else _without_features(graph.features, n_users, new),
    )


def _without_features(features: Csr, n_users: int, new: int) -> Csr:
    """Return ``features`` with ``new`` users after the others, who have none."""
    starts = features.indptr
    return Csr(np.insert(starts, n_users, np.repeat(starts[n_users], new)), features.indices)


def _with_means(embedding: np.ndarray, n_users: int, histories: Csr) -> np.ndarray:
    """Return embeddings with that of new users, the mean over users, between users and items."""
    mean = embedding[:n_users].mean(axis=0, keepdims=True)
    new = np.repeat(mean, len(histories.indptr) - 1, axis=0)
    return np.concatenate([embedding[:n_users], new, embedding[n_users:]])
