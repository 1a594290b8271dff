"""PTE: users predict their items, LINE's second-order proximity on the bipartite graph.

    sum over sampled edges (u, i) of  log s(<u, i>) + sum_j log s(-<u, j>),  j ~ degree^0.75

Tang, Qu and Mei (2015), PTE: Predictive Text Embedding through Large-scale Heterogeneous Text
Networks, KDD, Eq. 4 and 5, with the negative sampling of LINE (Tang, Qu, Wang, Zhang, Yan and Mei
2015, WWW). s is the logistic function; every node has one vector. Items are ranked by p(i | u),
which is not the inner product alone: at the optimum <u, i> = log p(i | u) - log q(i) up to a
constant, where q is the distribution of the negatives (Levy and Goldberg 2014, Neural Word
Embedding as Implicit Matrix Factorization, NeurIPS). So log q(i) is appended to the items' vectors
as one more dimension, in which the users have 1.
"""

from collections.abc import Iterator

import numpy as np
from pydantic import Field

from hashgnn.kernels import njit
from hashgnn.models.method import Epoch, EpochMethod, EpochParameters, Task, Vectors


class Parameters(EpochParameters):
    """Adds how edges are sampled."""

    epochs: int = Field(default=10, ge=1)
    """Largest number of epochs."""

    passes: int = Field(default=10, ge=1)
    """Edges drawn per epoch, in multiples of the training interactions."""

    negatives: int = Field(default=5, ge=1)
    """Negatives per edge."""

    noise_exponent: float = Field(default=0.75, ge=0)
    """Negatives are drawn in proportion to an item's degree to this power."""

    learning_rate: float = Field(default=0.025, ge=0)
    """Learning rate at the start; it falls linearly to 0.01 % of itself."""

    add_noise: bool = True
    """Whether log q, the logarithm of the noise, is appended to the items' vectors."""


def epochs(task: Task, parameters: Parameters) -> Iterator[Epoch]:
    """Sample edges and train on them."""
    train, n_items = task.split.train, task.split.n_items
    edges = np.repeat(np.arange(task.split.n_users), np.diff(train.indptr)), train.indices
    degrees = np.bincount(train.indices, minlength=n_items)
    noise = alias_table(degrees**parameters.noise_exponent)
    rng = np.random.default_rng(task.seed)
    width = parameters.dimensions or task.bits
    users, items = (_initial(rng, rows, width) for rows in (task.split.n_users, n_items))
    for epoch in range(parameters.epochs):
        n_samples = parameters.passes * len(train.indices)
        course = epoch * n_samples, parameters.epochs * n_samples
        seed = int(rng.integers(1 << 32))
        rate, negatives = parameters.learning_rate, parameters.negatives
        loss = sample_edges((users, items), edges, noise, n_samples, course, rate, negatives, seed)
        if parameters.add_noise:
            log_noise = parameters.noise_exponent * np.log(np.maximum(degrees, 0.5))
            yield Epoch(*with_bias(users, items, log_noise), loss)
        else:
            yield Epoch(users, items, loss)


def with_bias(
    users: np.ndarray, items: np.ndarray, bias: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Append a dimension that increases inner products by ``bias`` [items]."""
    ones = np.ones((len(users), 1), dtype=np.float32)
    return np.hstack([users, ones]), np.hstack([items, bias[:, None].astype(np.float32)])


def _initial(rng: np.random.Generator, rows: int, width: int) -> np.ndarray:
    """Draw initial vectors as LINE does: float32 [rows, width], uniform in +-0.5 / width."""
    return ((rng.random((rows, width), dtype=np.float32) - 0.5) / width).astype(np.float32)


@njit(cache=True)
def alias_table(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return tables ``keep``, ``other`` to draw numbers by ``weights`` [n] >= 0 (Walker 1977).

    To draw, take k uniformly; with probability ``keep[k]`` the number is k, else ``other[k]``. Not
    all weights may be 0.
    """
    n = len(weights)
    keep, other = weights * (n / weights.sum()), np.arange(n)
    small, large = np.flatnonzero(keep < 1), np.flatnonzero(keep >= 1)
    n_small, n_large = len(small), len(large)
    queue = np.concatenate((small, np.empty(n, dtype=small.dtype)))
    first = 0
    while first < n_small and n_large > 0:
        poor, rich = queue[first], large[n_large - 1]
        first += 1
        other[poor] = rich
        keep[rich] -= 1 - keep[poor]
        if keep[rich] < 1:
            queue[n_small] = rich
            n_small += 1
            n_large -= 1
    return keep, other


@njit(cache=True)
def _draw(keep, other):  # type: ignore[no-untyped-def]
    number = np.random.randint(len(keep))
    return number if np.random.random() < keep[number] else other[number]


@njit(cache=True, fastmath={"contract", "reassoc"})
def step(user, item, label, rate, pull):  # type: ignore[no-untyped-def]
    """Update for one term: move ``item`` and add the user's update to ``pull``.

    All are float32 [d]; ``label`` is 1 for an edge and 0 for noise. Returns the term's loss.
    """
    score = np.float32(0)
    for d in range(len(user)):
        score += user[d] * item[d]
    likely = np.float32(1) / (np.float32(1) + np.exp(-score))
    gain = rate * (np.float32(label) - likely)
    for d in range(len(user)):
        pull[d] += gain * item[d]
        item[d] += gain * user[d]
    return np.log1p(np.exp(-score if label else score))


@njit(cache=True, fastmath={"contract", "reassoc"})
def sample_edges(
    vectors: Vectors,
    edges: tuple[np.ndarray, np.ndarray],
    noise: tuple[np.ndarray, np.ndarray],
    n_samples: int,
    course: tuple[int, int],
    learning_rate: float,
    negatives: int,
    seed: int,
) -> float:
    """Train ``vectors``, of users and items, in place on ``n_samples`` of the ``edges``.

    ``edges`` are users and items [E]. Negatives are drawn by the alias table ``noise``. ``course``:
    how many samples were drawn before, of how many in total. Returns the mean loss per edge.
    """
    users, items = vectors
    edge_users, edge_items = edges
    keep, other = noise
    done, total = course
    np.random.seed(seed)
    pull = np.empty(users.shape[1], dtype=np.float32)
    loss = 0.0
    for number in range(n_samples):
        edge = np.random.randint(len(edge_users))
        rate = np.float32(learning_rate * max(1 - (done + number) / total, 1e-4))
        user, positive = users[edge_users[edge]], edge_items[edge]
        pull[:] = 0
        loss += step(user, items[positive], 1, rate, pull)
        for _ in range(negatives):
            negative = _draw(keep, other)
            if negative != positive:
                loss += step(user, items[negative], 0, rate, pull)
        for d in range(len(pull)):
            user[d] += pull[d]
    return loss / max(n_samples, 1)


METHOD = EpochMethod(Parameters, epochs)
