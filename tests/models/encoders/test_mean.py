import numpy as np
import pytest
import torch

from hashgnn.data.interactions import Csr
from hashgnn.graph import Graph, NeighborSampler, bipartite_graph
from hashgnn.models.encoders.mean import MeanEncoder

# Node 0 knows everyone, the others only node 0: degrees far from any fan-out.
STAR = Graph(
    np.array([0, 40, *range(41, 81)]), np.array([*range(1, 41), *[0] * 40], dtype=np.int32), 1
)


def test_gcn_layer_by_hand() -> None:
    encoder = MeanEncoder(2, [1], fanouts=[2], aggregator="gcn")
    encoder.layers[0].weight.data = torch.tensor([[1.0, -1.0]])
    encoder.layers[0].bias.data.zero_()
    x = torch.tensor([[3.0, 0.0], [0.0, 6.0]])

    # Node 0 with neighbors 1, 1: mean (3+0+0)/3, (0+6+6)/3 -> 1 - 4 = -3 -> LeakyReLU 0.2.
    out = encoder(x, [(torch.tensor([0]), torch.tensor([[1, 1]]))])

    torch.testing.assert_close(out, torch.tensor([[-0.6]]))


def test_sage_layer_by_hand() -> None:
    encoder = MeanEncoder(1, [1], fanouts=[2], aggregator="sage")
    encoder.layers[0].weight.data = torch.tensor([[2.0, 10.0]])
    encoder.layers[0].bias.data.fill_(1.0)

    out = encoder(
        torch.tensor([[3.0], [4.0], [6.0]]), [(torch.tensor([0]), torch.tensor([[1, 2]]))]
    )

    assert out.tolist() == [[2 * 3 + 10 * 5 + 1]]


@pytest.mark.parametrize("aggregator", ["gcn", "sage"])
@pytest.mark.parametrize("widths", [[3], [3, 2]])
def test_items_read_no_users_without_embeddings(aggregator: str, widths: list[int]) -> None:
    """It saves reading and multiplying rows of zeros."""
    graph = bipartite_graph(Csr(np.array([0, 2, 4]), np.array([0, 1, 1, 2], dtype=np.int32)), 3)
    torch.manual_seed(0)
    encoder = MeanEncoder(4, widths, [2] * len(widths), aggregator, alone=2)
    every = MeanEncoder(4, widths, [2] * len(widths), aggregator)
    every.load_state_dict(encoder.state_dict())
    x = torch.randn(5, 4)

    zero_users = torch.cat([torch.zeros(2, 4), x[2:]])
    torch.testing.assert_close(
        encoder.propagate(zero_users, graph), every.propagate(zero_users, graph)
    )
    if len(widths) == 1:
        torch.testing.assert_close(
            encoder.propagate(x, graph)[2:], encoder.propagate(zero_users, graph)[2:]
        )


@pytest.mark.parametrize("aggregator", ["gcn", "sage"])
def test_inference_matches_what_was_trained(aggregator: str) -> None:
    """The mean of sampled outputs tends to the whole-neighborhood output, whatever the degree.

    One linear layer, so that the expectation passes through it. With ``gcn``, weighing self by
    1/(degree + 1) at inference, as is usual, is far off for the hub.
    """
    torch.manual_seed(0)
    encoder = MeanEncoder(4, [3], fanouts=[5], aggregator=aggregator)
    encoder.layers[0].bias.data.fill_(100.0)  # keeps LeakyReLU in its linear part
    x = torch.randn(41, 4)
    sampler = NeighborSampler(STAR, [5])
    nodes = np.arange(41, dtype=np.int32)

    sampled = []
    for seed in range(3000):
        blocks = [tuple(map(torch.from_numpy, block)) for block in sampler.blocks(nodes, seed)]
        sampled.append(encoder(x, blocks))

    with torch.no_grad():
        torch.testing.assert_close(
            torch.stack(sampled).mean(0), encoder.propagate(x, STAR), atol=0.02, rtol=0
        )
