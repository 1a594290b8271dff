"""LightGCN against PyTorch Geometric's: propagation, gradients and steps of training."""

import numpy as np
import pytest
import torch
import torch_geometric.nn
from torch import Tensor

from hashgnn.graph import Graph
from hashgnn.models.graph_hasher import Batch
from hashgnn.models.lightgcn import LightGcnEncoder, LightGcnModel, Parameters
from hashgnn.models.method import Progress
from tests.graph.random_graphs import edges, isolated, random_graph

SEEDS = range(5)
WIDTH = 6
PENALTY = 0.1  # large: it must be seen


def oracle(graph: Graph, layers: int, x: Tensor) -> torch_geometric.nn.LightGCN:
    """PyTorch Geometric's model with the embeddings ``x``."""
    made = torch_geometric.nn.LightGCN(graph.n_nodes, x.shape[1], layers)
    with torch.no_grad():
        made.embedding.weight.copy_(x)
    return made


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_propagation_and_its_gradient(seed: int, layers: int) -> None:
    torch.manual_seed(seed)
    graph = random_graph(seed)
    x = torch.randn(graph.n_nodes, WIDTH, requires_grad=True)
    theirs = oracle(graph, layers, x)

    made = LightGcnEncoder(WIDTH, layers, graph).propagate(x, graph)
    expected = theirs.get_embedding(edges(graph))

    alone = torch.from_numpy(isolated(graph))
    assert alone.any()
    torch.testing.assert_close(made, expected)
    torch.testing.assert_close(made[alone], x[alone])  # an isolated node stays as it is
    weights = torch.randn_like(made)
    (made * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(x.grad, theirs.embedding.weight.grad)


def triplets(graph: Graph, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Users, items that they have, and items drawn from all."""
    linked = ~isolated(graph)
    users = np.flatnonzero(linked[: graph.n_users])
    users = users[rng.integers(len(users), size=8)]
    items = [rng.choice(graph.indices[graph.indptr[u] : graph.indptr[u + 1]]) for u in users]
    negatives = rng.integers(graph.n_users, graph.n_nodes, len(users))
    return tuple(torch.from_numpy(np.asarray(a, np.int64)) for a in (users, items, negatives))


@pytest.mark.parametrize("seed", SEEDS)
def test_training_step_by_step(seed: int) -> None:
    """The same triplets and the same optimizer lead to the same embeddings after each step."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    graph = random_graph(seed)
    settings = Parameters(embedding_width=WIDTH, scale=1, layers=2, regularization=2 * PENALTY)
    ours = LightGcnModel(graph, WIDTH, settings)
    with torch.no_grad():
        ours.embedding.normal_()
    theirs = oracle(graph, 2, ours.embedding)
    optimizers = [torch.optim.SGD([p], lr=0.3) for p in (ours.embedding, theirs.embedding.weight)]
    nodes = torch.arange(graph.n_nodes, dtype=torch.int32)

    for _ in range(6):
        users, items, negatives = triplets(graph, rng)
        a = ours.forward_whole(ours.embedding, graph, nodes, graph.n_users)
        batch = Batch(nodes, [], graph.n_users, users, torch.stack([items, negatives], dim=1))
        loss = ours.batch_loss(a, batch, Progress(0, 1), torch.Generator())
        scores = theirs(edges(graph), torch.stack([users.repeat(2), torch.cat([items, negatives])]))
        expected = theirs.recommendation_loss(
            *scores.chunk(2), node_id=torch.cat([users, items, negatives]), lambda_reg=PENALTY
        )
        torch.testing.assert_close(loss, expected)
        for optimizer, value in zip(optimizers, (loss, expected), strict=True):
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        torch.testing.assert_close(ours.embedding.detach(), theirs.embedding.weight.detach())
