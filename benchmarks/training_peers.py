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
from hashgnn.graph import Graph, NeighborSampler, bipartite_graph, draw_neighbors
from hashgnn.models.hashgnn import HashGnnModel, Parameters
from hashgnn.models.method import Progress
from hashgnn.training.steps import Batches, Steps, choose_engine

Step = Callable[[], None]

CPU = torch.device("cpu")

BITS, WIDTH, WIDTHS, FANOUTS = 32, 128, (128, 68), (10, 5)


def ours(case: Case, batch: int, engine: str) -> Step:
    """The training loop's own step."""
    settings = Parameters(batch_size=batch, engine=engine)  # type: ignore[arg-type]
    graph = graph_of(case)
    batches = Batches(
        case.split.train, case.triplets, NeighborSampler(graph, FANOUTS), batch, 0, CPU
    )
    model = HashGnnModel(graph, BITS, settings)
    choice = choose_engine(model, graph, batches, settings)
    steps, rng = Steps(model, graph, batches, settings, choice), torch.Generator()
    stream = forever(lambda epoch: batches.epoch(epoch))
    return lambda: ignore(steps(next(stream), Progress(0, len(batches)), rng))


def pyg_loader(case: Case, batch: int, device: torch.device = CPU) -> Step:
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
    embedding = nn.Embedding(graph.n_nodes, WIDTH, device=device)
    layers = nn.ModuleList([SAGEConv(WIDTH, WIDTHS[0]), SAGEConv(*WIDTHS)]).to(device)
    hash_layer = nn.Linear(WIDTHS[1], BITS, device=device)
    adam = _adam(embedding, layers, hash_layer)
    stream = forever(lambda epoch: iter(loader))

    def step() -> None:
        drawn = next(stream).to(device)
        x = embedding(drawn.n_id)
        for layer in layers:
            x = functional.leaky_relu(layer(x, drawn.edge_index), 0.2)
        z = hash_layer(x).tanh()
        users, positives = z[drawn.src_index], z[drawn.dst_pos_index]
        negatives = z[drawn.dst_neg_index].reshape(len(users), -1, BITS)
        _learn(adam, users, torch.cat([positives[:, None], negatives], dim=1))

    return step


def plain_torch(case: Case, batch: int, device: torch.device = CPU) -> Step:
    """Sampling in numba, everything else in plain torch, each node as often as it is drawn."""
    graph, stream = graph_of(case), _pairs(case, batch)
    embedding = nn.Embedding(graph.n_nodes, WIDTH, device=device)
    layers, hash_layer = _layers(device)
    adam = _adam(embedding, layers, hash_layer)

    def step() -> None:
        users, items, seed = next(stream)
        targets = np.concatenate([users, items.ravel()]).astype(np.int32)
        one = draw_neighbors(graph.indptr, graph.indices, targets, FANOUTS[0], seed, 1.0)
        middle = np.concatenate([targets, one.ravel()])
        two = draw_neighbors(graph.indptr, graph.indices, middle, FANOUTS[1], seed + 1, 1.0)
        around = embedding(_rows(two, device)).mean(1)
        x = torch.cat([embedding(_rows(middle, device)), around], dim=1)
        x = functional.leaky_relu(layers[0](x), 0.2)
        own, drawn = x[: len(targets)], x[len(targets) :]
        mean = drawn.reshape(len(targets), FANOUTS[0], -1).mean(1)
        x = functional.leaky_relu(layers[1](torch.cat([own, mean], dim=1)), 0.2)
        z = hash_layer(x).tanh()
        _learn(adam, z[: len(users)], z[len(users) :].reshape(*items.shape, BITS))

    return step


def full_csr(case: Case, batch: int, device: torch.device = CPU) -> Step:
    """Whole neighborhoods by torch's product of a CSR matrix with a dense one."""
    graph, stream = graph_of(case), _pairs(case, batch)
    degrees = torch.from_numpy(np.diff(graph.indptr))
    mean = torch.sparse_csr_tensor(
        torch.from_numpy(graph.indptr),
        torch.from_numpy(graph.indices.astype(np.int64)),
        (1.0 / degrees).float().repeat_interleave(degrees),
        check_invariants=False,
    ).to(device)
    embedding = nn.Embedding(graph.n_nodes, WIDTH, device=device)
    layers, hash_layer = _layers(device)
    adam = _adam(embedding, layers, hash_layer)

    def step() -> None:
        users, items, _ = next(stream)
        x = embedding.weight
        for layer in layers:
            x = functional.leaky_relu(layer(torch.cat([x, mean @ x], dim=1)), 0.2)
        z = hash_layer(x).tanh()
        _learn(adam, z[_rows(users, device)], z[_rows(items, device)])

    return step


def lightgcn(case: Case, batch: int, device: torch.device = CPU) -> Step:
    """As LightGCN-PyTorch trains: three layers of width 64 on a COO matrix, BPR, one negative."""
    graph, stream = graph_of(case), _pairs(case, batch)
    edges, degrees = _edges(graph), torch.from_numpy(np.diff(graph.indptr)).float()
    weights = (degrees[edges[0]] * degrees[edges[1]]).rsqrt()
    matrix = torch.sparse_coo_tensor(
        edges, weights, (graph.n_nodes, graph.n_nodes), check_invariants=False
    )
    matrix = matrix.coalesce().to(device)
    embedding = nn.Embedding(graph.n_nodes, 64, device=device)
    adam = torch.optim.Adam(embedding.parameters(), lr=0.001)

    def step() -> None:
        users, items, _ = next(stream)
        layers = [embedding.weight]
        for _ in range(3):
            layers.append(torch.sparse.mm(matrix, layers[-1]))
        z = torch.stack(layers, dim=1).mean(dim=1)
        of_users, of_items = z[_rows(users, device)], z[_rows(items, device)]
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


def _layers(device: torch.device) -> tuple[nn.ModuleList, nn.Linear]:
    """Two layers that take a row and the mean of its neighbors, and the hash layer."""
    layers = [nn.Linear(2 * WIDTH, WIDTHS[0]), nn.Linear(2 * WIDTHS[0], WIDTHS[1])]
    return nn.ModuleList(layers).to(device), nn.Linear(WIDTHS[1], BITS, device=device)


def _rows(nodes: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(nodes).long().to(device)


def _adam(*modules: nn.Module) -> torch.optim.Adam:
    return torch.optim.Adam(nn.ModuleList(modules).parameters(), lr=0.001)


def _learn(adam: torch.optim.Adam, users: Tensor, items: Tensor) -> None:
    """``users`` [B, K] against ``items`` [B, 1 + n, K], the positive first."""
    scores = torch.einsum("bk,bmk->bm", users, items)
    loss = functional.softplus(-scores[:, 0]).sum() + functional.softplus(scores[:, 1:]).sum()
    adam.zero_grad()
    (loss / scores.numel()).backward()
    adam.step()


def forever(epoch_of: Callable[[int], Iterator]) -> Iterator:
    epoch = 0
    while True:
        yield from epoch_of(epoch)
        epoch += 1


def ignore(value: float) -> None:
    del value
