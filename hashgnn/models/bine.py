"""BiNE: an explicit term for the edges, a skip-gram on walks for each side's implicit relations.

    max  gamma sum_(u,i) log s(<u, i>)
         + alpha sum_(c,z) [log s(<c, t_z>) + sum_n log s(-<c, t_n>)],  the same for items by beta

Gao, Chen, He and Zhou (2018), BiNE: Bipartite Network Embedding, SIGIR, with its Algorithms 1 and
2. s is the logistic function; z is in the window around c on a walk over c's side; n are negatives;
t are context vectors, of which each side has its own. Items rank by <u, i>.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hashgnn.config.settings import at_most, parse, require
from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.graph.bipartite import interaction_matrix
from hashgnn.graph.walks import buckets, centralities, walk, walks_per_node
from hashgnn.kernels import njit
from hashgnn.models.task import Fitted, Task
from hashgnn.training.epochs import Epoch, EpochSettings, fit_epochs


@dataclass(frozen=True)
class BineSettings(EpochSettings):
    """Adds the weights of the terms, the walks and the negatives.

    ``alpha`` and ``beta`` weigh the skip-grams of users and items, ``gamma`` the edges. A node
    starts between ``least_walks`` and ``most_walks`` walks; after each node one ends with chance
    ``stop``. ``window`` nodes to each side are context. ``bands`` of ``rows`` MinHash values:
    nodes alike in a band are no negatives of each other.
    """

    learning_rate: float = 0.01
    alpha: float = 0.01
    beta: float = 0.01
    gamma: float = 0.1
    least_walks: int = 1
    most_walks: int = 32
    stop: float = 0.15
    window: int = 5
    negatives: int = 4
    bands: int = 8
    rows: int = 2

    def __post_init__(self) -> None:
        """``InputError`` for what no training can be made with."""
        super().__post_init__()
        counts = ("least_walks", "most_walks", "window", "negatives", "bands", "rows")
        weights = ("alpha", "beta", "gamma", "learning_rate")
        require(self, **dict.fromkeys(counts, 1), **dict.fromkeys(weights, 0), stop=0.001)
        at_most(self, stop=1)
        if self.most_walks < self.least_walks:
            raise InputError(
                f"most_walks: expected least_walks ({self.least_walks}) or more, "
                f"got {self.most_walks}"
            )


class Side(NamedTuple):
    """Users or items: what they learn, and where they stand on their walks."""

    vectors: np.ndarray  # float32 [n, d]
    contexts: np.ndarray  # float32 [n, d]
    nodes: np.ndarray  # int32: the walks, one after the other
    first: np.ndarray  # int64, for each place on the walks: where its walk begins
    last: np.ndarray  # int64: and where it ends
    places: np.ndarray  # int64: the places of node v are places[indptr[v]:indptr[v + 1]]
    indptr: np.ndarray  # int64 [n + 1]
    buckets: np.ndarray  # uint64 [n, bands]


SETTINGS = BineSettings


def fit(task: Task) -> Fitted:
    """Train BiNE on ``task``."""
    settings = parse(SETTINGS, task.parameters, "parameters")
    return fit_epochs(_epochs(task, settings), task, settings)


def _epochs(task: Task, settings: BineSettings) -> Iterator[Epoch]:
    rng = np.random.default_rng(task.seed)
    users, items = _sides(task, settings, rng)
    train = task.split.train
    edge_users = np.repeat(np.arange(task.split.n_users, dtype=np.int32), np.diff(train.indptr))
    weights = settings.alpha, settings.beta, settings.gamma
    rates = np.array(weights, dtype=np.float32) * np.float32(settings.learning_rate)
    for _ in range(settings.epochs):
        order = rng.permutation(len(edge_users))
        edges = edge_users[order], train.indices[order]
        seed = int(rng.integers(1 << 32))
        loss = train_edges(users, items, *edges, rates, settings.window, settings.negatives, seed)
        yield Epoch(users.vectors, items.vectors, loss)


def _sides(task: Task, settings: BineSettings, rng: np.random.Generator) -> tuple[Side, Side]:
    train, n_items = task.split.train, task.split.n_items
    turned = interaction_matrix(train, n_items).T.tocsr()
    by_user, by_item = train, Csr(turned.indptr.astype(np.int64), turned.indices)
    central = centralities(train, n_items)
    width = settings.dimensions or task.bits
    return (
        _side(by_user, by_item, central[0], settings, width, rng),
        _side(by_item, by_user, central[1], settings, width, rng),
    )


def _side(
    here: Csr,
    there: Csr,
    centrality: np.ndarray,
    settings: BineSettings,
    width: int,
    rng: np.random.Generator,
) -> Side:
    n = len(centrality)
    n_walks = walks_per_node(centrality, settings.least_walks, settings.most_walks)
    seeds = rng.integers(1 << 32, size=2).tolist()
    nodes, starts = walk(here, there, n_walks, settings.stop, seeds[0])
    lengths = np.diff(starts)
    return Side(
        _initial(rng, n, width),
        _initial(rng, n, width),
        nodes,
        np.repeat(starts[:-1], lengths),
        np.repeat(starts[1:], lengths),
        np.argsort(nodes, kind="stable"),
        np.concatenate([[0], np.cumsum(np.bincount(nodes, minlength=n))]),
        buckets(here, settings.bands, settings.rows, seeds[1]),
    )


def _initial(rng: np.random.Generator, n: int, width: int) -> np.ndarray:
    """As the authors begin: float32 [n, width], uniform in 0 .. 1, then of length 1."""
    vectors = rng.random((n, width), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@njit(cache=True, fastmath={"contract", "reassoc"})
def explicit(user, item, rate):  # type: ignore[no-untyped-def]
    """Move both float32 [d] up the gradient of rate * log s(<user, item>); return the loss."""
    score = np.float32(0)
    for d in range(len(user)):
        score += user[d] * item[d]
    gain = rate / (np.float32(1) + np.exp(score))
    for d in range(len(user)):
        before = user[d]
        user[d] += gain * item[d]
        item[d] += gain * before
    return np.log1p(np.exp(-score))


@njit(cache=True, fastmath={"contract", "reassoc"})
def implicit(center, context, label, rate, pull):  # type: ignore[no-untyped-def]
    """Move ``context`` up the gradient of one term of the skip-gram, note ``center``'s move.

    All are float32 [d]; ``label`` is 1 for a node of the window and 0 for a negative.
    """
    score = np.float32(0)
    for d in range(len(center)):
        score += center[d] * context[d]
    gain = rate * (np.float32(label) - np.float32(1) / (np.float32(1) + np.exp(-score)))
    for d in range(len(center)):
        pull[d] += gain * context[d]
        context[d] += gain * center[d]


@njit(cache=True)
def _negative(node, shared):  # type: ignore[no-untyped-def]
    """A node that shares no bucket with ``node``; any after 20 draws that do."""
    drawn = node
    for _ in range(20):
        drawn = np.random.randint(len(shared))
        if not _alike(shared[drawn], shared[node]):
            break
    return drawn


@njit(cache=True)
def _alike(one, other):  # type: ignore[no-untyped-def]
    for band in range(len(one)):  # noqa: SIM110 (numba compiles no generators)
        if one[band] == other[band]:
            return True
    return False


@njit(cache=True)
def _skip_gram(node, side, rate, window, negatives, pull):  # type: ignore[no-untyped-def]
    """Train on one of the places where ``node`` stands on a walk."""
    start, stop = side.indptr[node], side.indptr[node + 1]
    place = side.places[start + np.random.randint(stop - start)]
    center = side.vectors[node]
    first, last = max(side.first[place], place - window), min(side.last[place], place + window + 1)
    for near in range(first, last):
        other = side.nodes[near]
        if other == node:
            continue
        pull[:] = 0
        implicit(center, side.contexts[other], 1, rate, pull)
        for _ in range(negatives):
            implicit(center, side.contexts[_negative(node, side.buckets)], 0, rate, pull)
        for d in range(len(pull)):
            center[d] += pull[d]


@njit(cache=True)
def train_edges(
    users: Side,
    items: Side,
    edge_users: np.ndarray,
    edge_items: np.ndarray,
    rates: np.ndarray,
    window: int,
    negatives: int,
    seed: int,
) -> float:
    """One pass over the edges, each with a window of its user and one of its item.

    Of a node no more windows are trained than it has places on the walks. ``rates`` float32:
    the learning rate times alpha, beta and gamma. Returns the explicit term's mean loss.
    """
    np.random.seed(seed)
    pull = np.empty(users.vectors.shape[1], dtype=np.float32)
    left_users, left_items = np.diff(users.indptr), np.diff(items.indptr)
    loss = 0.0
    for edge in range(len(edge_users)):
        user, item = edge_users[edge], edge_items[edge]
        if left_users[user] > 0:
            left_users[user] -= 1
            _skip_gram(user, users, rates[0], window, negatives, pull)
        if left_items[item] > 0:
            left_items[item] -= 1
            _skip_gram(item, items, rates[1], window, negatives, pull)
        loss += explicit(users.vectors[user], items.vectors[item], rates[2])
    return loss / max(len(edge_users), 1)
