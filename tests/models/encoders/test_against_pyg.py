"""Mean aggregation against PyTorch Geometric's SAGEConv: values and gradients, random graphs."""

from collections.abc import Sequence

import pytest
import torch
import torch_geometric.nn
from torch import Tensor
from torch.nn import functional

from hashgnn.graph import Graph
from hashgnn.models.encoders.mean import MeanEncoder
from tests.graph.random_graphs import edges, isolated, random_graph

SEEDS = range(5)
WIDTH = 6


def sage_layers(encoder: MeanEncoder) -> list[torch_geometric.nn.SAGEConv]:
    """PyTorch Geometric's layers with the weights of ``encoder``, [self ; neighbors]."""
    made = []
    for layer in encoder.layers:
        width = layer.in_features // 2
        own = torch_geometric.nn.SAGEConv(width, layer.out_features, aggr="mean")
        with torch.no_grad():
            own.lin_r.weight.copy_(layer.weight[:, :width])
            own.lin_l.weight.copy_(layer.weight[:, width:])
            own.lin_l.bias.copy_(layer.bias)
        made.append(own)
    return made


def through(layers: Sequence[torch.nn.Module], x: Tensor, graph: Graph) -> Tensor:
    for layer in layers:
        x = functional.leaky_relu(layer(x, edges(graph)), 0.2)
    return x


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("widths", [[5], [5, 4], [5, 4, 3]])
def test_mean_aggregation_is_sageconv_layer_by_layer(seed: int, widths: list[int]) -> None:
    torch.manual_seed(seed)
    graph = random_graph(seed)
    encoder = MeanEncoder(WIDTH, widths, [10] * len(widths), aggregator="sage")
    layers = sage_layers(encoder)
    ours = torch.randn(graph.n_nodes, WIDTH, requires_grad=True)
    theirs = ours.detach().clone().requires_grad_()

    made, expected = encoder.propagate(ours, graph), through(layers, theirs, graph)

    assert isolated(graph).any()
    torch.testing.assert_close(made, expected)
    weights = torch.randn_like(made)
    (made * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
    for layer, other in zip(encoder.layers, layers, strict=True):
        joined = torch.cat([other.lin_r.weight.grad, other.lin_l.weight.grad], dim=1)
        torch.testing.assert_close(layer.weight.grad, joined)
        torch.testing.assert_close(layer.bias.grad, other.lin_l.bias.grad)


@pytest.mark.parametrize("seed", SEEDS)
def test_drawn_neighbors_are_aggregated_as_sageconv_does(seed: int) -> None:
    """Blocks as the sampler makes them: some neighbors are drawn twice."""
    torch.manual_seed(seed)
    encoder = MeanEncoder(WIDTH, [5], [4], aggregator="sage")
    (layer,) = sage_layers(encoder)
    x, targets = torch.randn(9, WIDTH), torch.arange(7)
    neighbors = torch.randint(9, (7, 4))

    made = encoder(x, [(targets.int(), neighbors.int())])

    drawn = torch.stack([neighbors.flatten(), targets.repeat_interleave(4)])
    expected = functional.leaky_relu(layer((x, x[targets]), drawn), 0.2)
    torch.testing.assert_close(made, expected)
