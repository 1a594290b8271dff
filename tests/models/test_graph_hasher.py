import numpy as np
import pytest
import torch

from hashgnn.data.interactions import Csr
from hashgnn.graph import bipartite_graph
from hashgnn.graph.spectral import spectral_embeddings
from hashgnn.models.graph_hasher import pack, sign, straight_through
from hashgnn.models.hashgnn import HashGnnModel, Parameters


def test_zero_is_positive() -> None:
    assert sign(torch.tensor([-0.1, 0.0, 0.1])).tolist() == [-1, 1, 1]


def test_straight_through_passes_the_gradient() -> None:
    z = torch.tensor([-0.5, 0.0, 2.0], requires_grad=True)

    (straight_through(z) * torch.tensor([3.0, 5.0, 7.0])).sum().backward()

    assert z.grad is not None
    assert z.grad.tolist() == [3, 5, 7]


def test_pack_puts_the_first_bit_lowest_and_pads_with_zeros() -> None:
    z = np.array([[0.5, -1, 0, -1, -1, -1, -1, 2, 3], [-1.0] * 9])

    assert pack(z).tolist() == [[0b10000101, 1], [0, 0]]


@pytest.mark.parametrize(
    ("scale_bits", "bits", "factor"),
    [(32, 32, 0.25), (32, 8, 1.0), (32, 128, 0.0625), (0, 8, 0.25)],
)
def test_the_factor_of_the_inner_product_falls_with_the_length_of_the_code(
    scale_bits: int, bits: int, factor: float
) -> None:
    graph = bipartite_graph(Csr(np.array([0, 1]), np.array([0], dtype=np.int32)), n_items=1)
    parameters = Parameters(scale=0.25, scale_bits=scale_bits)
    assert HashGnnModel(graph, bits, parameters).scale == factor


def test_spectral_embeddings_have_the_initial_deviation() -> None:
    graph = bipartite_graph(Csr(np.array([0, 2, 4, 6]), np.array([0, 1, 1, 2, 0, 2])), n_items=3)
    start = {"initial_embeddings": "spectral", "initial_deviation": 0.1, "embedding_width": 2}

    model = HashGnnModel(graph, 8, Parameters(**start))

    expected = torch.from_numpy(0.1 * spectral_embeddings(graph, 2))
    assert torch.equal(model.embedding.detach(), expected)
    assert model.embedding.requires_grad
