"""One step of training by us and by others, on the same graph, with the same batch size.

All but LightGCN, which has its own model, train an embedding of width 128, two layers of mean
aggregation to 128 and 68, a hash layer of 32 bits, five negatives, and Adam.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.training_data import NEGATIVES, Case
from hashgnn.graph import Graph, bipartite_graph, draw_neighbors
from hashgnn.models.hashgnn import HashGnnModel, Parameters
from hashgnn.models.method import Progress
from hashgnn.training.batches import Batches
from hashgnn.training.steps import Steps, choose_engine

Step = Callable[[], None]

BITS, WIDTH, WIDTHS, FANOUTS = 32, 128, (128, 68), (10, 5)


def ours(case: Case, batch: int, engine: str) -> Step:
    """The training loop's own step."""
    settings = Parameters(batch_size=batch, engine=engine)  # type: ignore[arg-type]
    graph = graph_of(case)
    device = torch.device("cpu")
    batches = Batches(case.split.train, case.triplets, graph, FANOUTS, batch, 0, device)
    model = HashGnnModel(graph, BITS, settings)
    choice = choose_engine(model, graph, batches, settings)
    steps, rng = Steps(model, graph, batches, settings, choice), torch.Generator()
    stream = _forever(lambda epoch: batches.epoch(epoch))
    return lambda: _ignore(steps(next(stream), Progress(0, len(batches)), rng))


def pyg_loader(case: Case, batch: int) -> Step:
    """PyG's LinkNeighborLoader with SAGEConv; wants torch-sparse (or pyg-lib)."""
    from torch_geometric.data import Data
    from torch_geometric.loader import LinkNeighborLoader
    from torch_geometric.nn import SAGEConv
    from torch_geometric.sampler import NegativeSampling

    graph = graph_of(case)
    data = Data(edge_index=_edges(graph).flip(0), num_nodes=graph.n_nodes)
    data.n_id = torch.arange(graph.n_nodes)
    loader = LinkNeighborLoader(
        data,
        num_neighbors=list(FANOUTS),
        edge_label_index=_links(case, graph),
        neg_sampling=NegativeSampling("triplet", amount=NEGATIVES),
        batch_size=batch,
        shuffle=True,
    )
    embedding = nn.Embedding(graph.n_nodes, WIDTH)
    layers = nn.ModuleList([SAGEConv(WIDTH, WIDTHS[0]), SAGEConv(*WIDTHS)])
    hash_layer = nn.Linear(WIDTHS[1], BITS)
    adam = _adam(embedding, layers, hash_layer)
    stream = _forever(lambda epoch: iter(loader))

    def step() -> None:
        drawn = next(stream)
        x = embedding(drawn.n_id)
        for layer in layers:
            x = functional.leaky_relu(layer(x, drawn.edge_index), 0.2)
        z = hash_layer(x).tanh()
        users, positives = z[drawn.src_index], z[drawn.dst_pos_index]
        negatives = z[drawn.dst_neg_index].reshape(len(users), -1, BITS)
        _learn(adam, users, torch.cat([positives[:, None], negatives], dim=1))

    return step


def plain_torch(case: Case, batch: int) -> Step:
    """Sampling in numba, everything else in plain torch, each node as often as it is drawn."""
    graph, stream = graph_of(case), _pairs(case, batch)
    embedding = nn.Embedding(graph.n_nodes, WIDTH)
    layers = nn.ModuleList([nn.Linear(2 * WIDTH, WIDTHS[0]), nn.Linear(2 * WIDTHS[0], WIDTHS[1])])
    hash_layer = nn.Linear(WIDTHS[1], BITS)
    adam = _adam(embedding, layers, hash_layer)

    def step() -> None:
        users, items, seed = next(stream)
        targets = np.concatenate([users, items.ravel()]).astype(np.int32)
        one = draw_neighbors(graph.indptr, graph.indices, targets, FANOUTS[0], seed)
        middle = np.concatenate([targets, one.ravel()])
        two = draw_neighbors(graph.indptr, graph.indices, middle, FANOUTS[1], seed + 1)
        around = embedding(torch.from_numpy(two).long()).mean(1)
        x = torch.cat([embedding(torch.from_numpy(middle).long()), around], dim=1)
        x = functional.leaky_relu(layers[0](x), 0.2)
        own, drawn = x[: len(targets)], x[len(targets) :]
        mean = drawn.reshape(len(targets), FANOUTS[0], -1).mean(1)
        x = functional.leaky_relu(layers[1](torch.cat([own, mean], dim=1)), 0.2)
        z = hash_layer(x).tanh()
        _learn(adam, z[: len(users)], z[len(users) :].reshape(*items.shape, BITS))

    return step


def full_csr(case: Case, batch: int) -> Step:
    """Whole neighborhoods by torch's product of a CSR matrix with a dense one."""
    graph, stream = graph_of(case), _pairs(case, batch)
    degrees = torch.from_numpy(np.diff(graph.indptr))
    mean = torch.sparse_csr_tensor(
        torch.from_numpy(graph.indptr),
        torch.from_numpy(graph.indices.astype(np.int64)),
        (1.0 / degrees).float().repeat_interleave(degrees),
        check_invariants=False,
    )
    embedding = nn.Embedding(graph.n_nodes, WIDTH)
    layers = nn.ModuleList([nn.Linear(2 * WIDTH, WIDTHS[0]), nn.Linear(2 * WIDTHS[0], WIDTHS[1])])
    hash_layer = nn.Linear(WIDTHS[1], BITS)
    adam = _adam(embedding, layers, hash_layer)

    def step() -> None:
        users, items, _ = next(stream)
        x = embedding.weight
        for layer in layers:
            x = functional.leaky_relu(layer(torch.cat([x, mean @ x], dim=1)), 0.2)
        z = hash_layer(x).tanh()
        _learn(adam, z[torch.from_numpy(users).long()], z[torch.from_numpy(items).long()])

    return step


def lightgcn(case: Case, batch: int) -> Step:
    """As LightGCN-PyTorch trains: three layers of width 64 on a COO matrix, BPR, one negative."""
    graph, stream = graph_of(case), _pairs(case, batch)
    edges, degrees = _edges(graph), torch.from_numpy(np.diff(graph.indptr)).float()
    weights = (degrees[edges[0]] * degrees[edges[1]]).rsqrt()
    matrix = torch.sparse_coo_tensor(
        edges, weights, (graph.n_nodes, graph.n_nodes), check_invariants=False
    ).coalesce()
    embedding = nn.Embedding(graph.n_nodes, 64)
    adam = torch.optim.Adam(embedding.parameters(), lr=0.001)

    def step() -> None:
        users, items, _ = next(stream)
        layers = [embedding.weight]
        for _ in range(3):
            layers.append(torch.sparse.mm(matrix, layers[-1]))
        z = torch.stack(layers, dim=1).mean(dim=1)
        of_users, of_items = z[torch.from_numpy(users).long()], z[torch.from_numpy(items).long()]
        scores = torch.einsum("bk,bmk->bm", of_users, of_items[:, :2])
        adam.zero_grad()
        functional.softplus(scores[:, 1] - scores[:, 0]).mean().backward()
        adam.step()

    return step


def graph_of(case: Case) -> Graph:
    return bipartite_graph(case.split.train, case.split.n_items)


def _edges(graph: Graph) -> Tensor:
    """int64 [2, edges]: targets and their neighbors."""
    targets = np.repeat(np.arange(graph.n_nodes), np.diff(graph.indptr))
    return torch.from_numpy(np.stack([targets, graph.indices.astype(np.int64)]))


def _links(case: Case, graph: Graph) -> Tensor:
    train = case.split.train
    users = np.repeat(np.arange(graph.n_users), np.diff(train.indptr))
    return torch.from_numpy(np.stack([users, train.indices.astype(np.int64) + graph.n_users]))


def _pairs(case: Case, batch: int) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Users [B], nodes of an item and its negatives [B, 1 + n], and a seed: without end."""
    users, items = _links(case, graph_of(case)).numpy()
    negatives, rng = case.triplets[0] + case.split.n_users, np.random.default_rng(0)
    while True:
        rows = rng.integers(len(users), size=batch)
        nodes = np.concatenate([items[rows, None], negatives[rows]], axis=1)
        yield users[rows], nodes, int(rng.integers(1 << 30))


def _adam(*modules: nn.Module) -> torch.optim.Adam:
    return torch.optim.Adam(nn.ModuleList(modules).parameters(), lr=0.001)


def _learn(adam: torch.optim.Adam, users: Tensor, items: Tensor) -> None:
    """``users`` [B, K] against ``items`` [B, 1 + n, K], the positive first."""
    scores = torch.einsum("bk,bmk->bm", users, items)
    loss = functional.softplus(-scores[:, 0]).sum() + functional.softplus(scores[:, 1:]).sum()
    adam.zero_grad()
    (loss / scores.numel()).backward()
    adam.step()


def _forever(epoch_of: Callable[[int], Iterator]) -> Iterator:
    epoch = 0
    while True:
        yield from epoch_of(epoch)
        epoch += 1


def _ignore(value: float) -> None:
    del value
