"""BiNE: a term for the edges, and a skip-gram on random walks for each side.

    max  gamma sum_(u,i) log s(<u, i>)
         + alpha sum_(c,z) [log s(<c, t_z>) + sum_n log s(-<c, t_n>)],  the same for items by beta

Gao, Chen, He and Zhou (2018), BiNE: Bipartite Network Embedding, SIGIR, with its Algorithms 1 and
2. s is the logistic function; z is in the window around c on a walk over c's side; n are negatives;
t are context vectors, of which each side has its own. Items are ranked by <u, i>.

The walks of a side are on its projection, which joins two nodes with the number of neighbors they
share as weight. It is not built: a step goes to a neighbor on the other side and back. Negatives
come from buckets of similar nodes by MinHash (Broder 1997, On the Resemblance and Containment of
Documents).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from pydantic import Field
from scipy.sparse.linalg import svds

from hashgnn.data.interactions import Csr
from hashgnn.errors import InputError
from hashgnn.graph import interaction_matrix
from hashgnn.kernels import mix, njit
from hashgnn.models.method import Epoch, EpochMethod, EpochParameters, Task
from hashgnn.random import GOLDEN


class Parameters(EpochParameters):
    """Adds the weights of the terms, the walks and the negatives."""

    learning_rate: float = Field(default=0.01, ge=0)
    """Learning rate."""

    alpha: float = Field(default=0.01, ge=0)
    """Weight of the users' skip-gram."""

    beta: float = Field(default=0.01, ge=0)
    """Weight of the items' skip-gram."""

    gamma: float = Field(default=0.1, ge=0)
    """Weight of the edges."""

    least_walks: int = Field(default=1, ge=1)
    """Smallest number of walks that start at a node."""

    most_walks: int = Field(default=32, ge=1)
    """Largest number of walks that start at a node."""

    stop: float = Field(default=0.15, ge=0.001, le=1)
    """Probability that a walk ends after a node."""

    window: int = Field(default=5, ge=1)
    """Nodes to each side that are context."""

    negatives: int = Field(default=4, ge=1)
    """Negatives per context node."""

    bands: int = Field(default=8, ge=1)
    """Bands of MinHash values; nodes that are equal in a band are never negatives of each other."""

    rows: int = Field(default=2, ge=1)
    """MinHash values per band."""

    def check(self) -> None:
        """Raise ``InputError`` if ``most_walks`` is below ``least_walks``."""
        if self.most_walks < self.least_walks:
            raise InputError(
                f"most_walks: expected least_walks ({self.least_walks}) or more, "
                f"got {self.most_walks}"
            )


class Side(NamedTuple):
    """Users or items: their vectors, and their places on the walks."""

    vectors: np.ndarray  # float32 [n, d]
    contexts: np.ndarray  # float32 [n, d]
    nodes: np.ndarray  # int32: the concatenated walks
    first: np.ndarray  # int64, for each place on the walks: start of its walk
    last: np.ndarray  # int64: end of its walk
    places: np.ndarray  # int64: the places of node v are places[indptr[v]:indptr[v + 1]]
    indptr: np.ndarray  # int64 [n + 1]
    buckets: np.ndarray  # uint64 [n, bands]


def epochs(task: Task, parameters: Parameters) -> Iterator[Epoch]:
    """Draw the walks, then train on edges and walks."""
    rng = np.random.default_rng(task.seed)
    users, items = _sides(task, parameters, rng)
    train = task.split.train
    edge_users = np.repeat(np.arange(task.split.n_users, dtype=np.int32), np.diff(train.indptr))
    weights = parameters.alpha, parameters.beta, parameters.gamma
    rates = np.array(weights, dtype=np.float32) * np.float32(parameters.learning_rate)
    for _ in range(parameters.epochs):
        order = rng.permutation(len(edge_users))
        edges = edge_users[order], train.indices[order]
        seed = int(rng.integers(1 << 32))
        loss = train_edges(
            users, items, *edges, rates, parameters.window, parameters.negatives, seed
        )
        yield Epoch(users.vectors, items.vectors, loss)


def _sides(task: Task, parameters: Parameters, rng: np.random.Generator) -> tuple[Side, Side]:
    train, n_items = task.split.train, task.split.n_items
    turned = interaction_matrix(train, n_items).T.tocsr()
    by_user, by_item = train, Csr(turned.indptr.astype(np.int64), turned.indices)
    central = centralities(train, n_items)
    width = parameters.dimensions or task.bits
    return (
        _side(by_user, by_item, central[0], parameters, width, rng),
        _side(by_item, by_user, central[1], parameters, width, rng),
    )


def _side(
    here: Csr,
    there: Csr,
    centrality: np.ndarray,
    parameters: Parameters,
    width: int,
    rng: np.random.Generator,
) -> Side:
    n = len(centrality)
    n_walks = walks_per_node(centrality, parameters.least_walks, parameters.most_walks)
    seeds = rng.integers(1 << 32, size=2).tolist()
    nodes, starts = walk(here, there, n_walks, parameters.stop, seeds[0])
    lengths = np.diff(starts)
    return Side(
        _initial(rng, n, width),
        _initial(rng, n, width),
        nodes,
        np.repeat(starts[:-1], lengths),
        np.repeat(starts[1:], lengths),
        np.argsort(nodes, kind="stable"),
        np.concatenate([[0], np.cumsum(np.bincount(nodes, minlength=n))]),
        buckets(here, parameters.bands, parameters.rows, seeds[1]),
    )


def _initial(rng: np.random.Generator, n: int, width: int) -> np.ndarray:
    """Draw initial vectors as the authors do: float32 [n, width], uniform in 0 .. 1, normalized."""
    vectors = rng.random((n, width), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@njit(cache=True, fastmath={"contract", "reassoc"})
def explicit(user, item, rate):  # type: ignore[no-untyped-def]
    """Move both float32 [d] along the gradient of rate * log s(<user, item>); return the loss."""
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
    """Move ``context`` along the gradient of a skip-gram term; add ``center``'s update to ``pull``.

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
    """Draw a node that shares no bucket with ``node``; after 20 failures, any."""
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
    """Train on the window around one of ``node``'s places on the walks."""
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
    """Train on each edge, with one window of its user and one of its item.

    A node trains at most as many windows as it has places on the walks. ``rates`` float32: the
    learning rate times alpha, beta and gamma. Returns the mean loss of the edges' term.
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


def buckets(neighbors: Csr, bands: int, rows: int, seed: int) -> np.ndarray:
    """Return the MinHash bucket of each node in each band: uint64 [nodes, bands].

    Two nodes whose neighborhoods have the Jaccard similarity s share the bucket of a band with
    probability s^``rows``. All nodes without neighbors share one bucket.
    """
    return _buckets(*neighbors, bands, rows, seed)


@njit(cache=True)
def _buckets(
    indptr: np.ndarray, indices: np.ndarray, bands: int, rows: int, seed: int
) -> np.ndarray:
    found = np.zeros((len(indptr) - 1, bands), dtype=np.uint64)
    for number in range(bands * rows):
        key = mix(np.uint64(seed) * GOLDEN + np.uint64(number + 1))
        for node in range(len(indptr) - 1):
            least = np.uint64(0xFFFFFFFFFFFFFFFF)
            for place in range(indptr[node], indptr[node + 1]):
                least = min(least, mix(key ^ np.uint64(indices[place])))
            band = number // rows
            found[node, band] = mix(found[node, band] + least + np.uint64(number))
    return found


class Walks(NamedTuple):
    """Concatenated walks: walk w is ``nodes[starts[w]:starts[w + 1]]``."""

    nodes: np.ndarray  # int32
    starts: np.ndarray  # int64 [walks + 1]


def centralities(train: Csr, n_items: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the HITS centralities of users and of items, each scaled to 0 .. 1 (float64).

    On a bipartite graph these are the principal singular vectors of the interaction matrix
    (Kleinberg 1999). They are 0 where all nodes of a side are equally central.
    """
    matrix = interaction_matrix(train, n_items).astype(np.float64)
    users, _, items = svds(matrix, k=1, random_state=0)
    return _scaled(np.abs(users[:, 0])), _scaled(np.abs(items[0]))


def _scaled(values: np.ndarray) -> np.ndarray:
    values = values - values.min()
    return values / values.max() if values.max() > 1e-9 else np.zeros_like(values)


def walks_per_node(centrality: np.ndarray, least: int, most: int) -> np.ndarray:
    """Return max(``least``, ceil(``most`` * centrality)) as int64: Algorithm 1 of BiNE."""
    return np.maximum(np.ceil(most * centrality), least).astype(np.int64)


def walk(here: Csr, there: Csr, n_walks: np.ndarray, stop: float, seed: int) -> Walks:
    """Walk over the projection of one side of the graph.

    A step leads to another node with probability in proportion to the number of neighbors that
    both share.

    Args:
        here: The neighbors of the nodes of the side that is walked on.
        there: The neighbors of the nodes of the other side.
        n_walks: Walks to start from each node, [nodes].
        stop: Probability that a walk ends after a node. It also ends where no step is possible.
        seed: Seed of the walks.
    """
    shared = np.diff(there.indptr)[here.indices] - 1  # other nodes that each neighbor leads to
    reach = np.concatenate([[0], np.cumsum(shared)])
    return Walks(*_walk(*here, *there, reach, n_walks, stop, seed))


@njit(cache=True)
def _step(node, indptr, indices, other_indptr, other_indices, reach):  # type: ignore[no-untyped-def]
    """Draw a neighbor in proportion to its degree - 1, then another node of it; -1 if none."""
    first, last = reach[indptr[node]], reach[indptr[node + 1]]
    if first == last:
        return -1
    chosen = np.searchsorted(reach, first + np.random.randint(last - first), side="right") - 1
    start, stop = other_indptr[indices[chosen]], other_indptr[indices[chosen] + 1]
    while True:
        found = other_indices[start + np.random.randint(stop - start)]
        if found != node:
            return found


@njit(cache=True)
def _walk(
    indptr: np.ndarray,
    indices: np.ndarray,
    other_indptr: np.ndarray,
    other_indices: np.ndarray,
    reach: np.ndarray,
    n_walks: np.ndarray,
    stop: float,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    np.random.seed(seed)
    starts = np.zeros(n_walks.sum() + 1, dtype=np.int64)
    nodes = np.empty(max(1024, 8 * len(starts)), dtype=np.int32)
    length, number = 0, 0
    for start in range(len(n_walks)):
        for _ in range(n_walks[start]):
            node = start
            while node >= 0:
                if length == len(nodes):
                    nodes = np.concatenate((nodes, np.empty_like(nodes)))
                nodes[length] = node
                length += 1
                if np.random.random() < stop:
                    break
                node = _step(node, indptr, indices, other_indptr, other_indices, reach)
            number += 1
            starts[number] = length
    return nodes[:length].copy(), starts


METHOD = EpochMethod(Parameters, epochs)
