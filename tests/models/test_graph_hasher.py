import numpy as np
import pytest
import torch

from hashgnn.data.interactions import Csr
from hashgnn.graph import bipartite_graph, spectral_embeddings
from hashgnn.models.graph_hasher import Batch, pack, sign, straight_through
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


# Users 0 and 1, items 2 and 3; item 3 has no interactions. Features 5 and 6 of item 2, 5 of item 3.
LINKS = Csr(np.array([0, 1, 2]), np.array([0, 0], dtype=np.int32))
FEATURES = Csr(np.array([0, 0, 0, 2, 3]), np.array([5, 6, 5 + 8], dtype=np.uint64))
SMALL = Parameters(
    embedding_width=4, widths=[4], fanouts=[2], feature_buckets=8, initial_deviation=0.5
)


def test_without_features_nothing_is_added() -> None:
    model = HashGnnModel(bipartite_graph(LINKS, 2), 8, SMALL)
    x = torch.zeros(4, 4)

    assert model.inputs(x) is x
    assert [name for name, _ in model.named_parameters() if "features" in name] == []
    assert model.with_cold_nodes(x, None, None) is x  # type: ignore[arg-type]


def test_features_are_added_and_stand_alone_without_interactions() -> None:
    model = HashGnnModel(bipartite_graph(LINKS, 2)._replace(features=FEATURES), 8, SMALL)
    assert model.features is not None
    table, ids = model.features.table, model.embedding

    x = model.inputs(ids)
    torch.testing.assert_close(x[:2], ids[:2])
    torch.testing.assert_close(x[2], ids[2] + (table[5] + table[6]) / 2)
    torch.testing.assert_close(x[3], table[5])  # 13 of 8 buckets
    some = torch.tensor([3, 0, 2], dtype=torch.int32)
    torch.testing.assert_close(model.inputs(ids[some.long()], some), x[some.long()])


def test_a_cold_node_is_represented_in_training_as_it_will_be() -> None:
    graph = bipartite_graph(LINKS, 2)._replace(features=FEATURES)
    for width in (4, 8):
        parameters = SMALL.model_copy(update={"cold_share": 1.0, "embedding_width": width})
        model = HashGnnModel(graph, 8, parameters)
        x = model.inputs(model.embedding)
        nodes = torch.tensor([0, 3], dtype=torch.int32)
        whole = model.forward_whole(x, graph, nodes, 1)
        batch = Batch(nodes, [], 1, torch.tensor([0]), torch.tensor([[1]]))

        cold = model.with_cold_nodes(torch.zeros_like(whole), batch, torch.Generator())

        torch.testing.assert_close(cold[1], whole[1])
        assert not cold[0].any()  # user 0 has no features


def test_gradients_reach_the_features() -> None:
    graph = bipartite_graph(LINKS, 2)._replace(features=FEATURES)
    model = HashGnnModel(graph, 8, SMALL.model_copy(update={"cold_share": 1.0}))
    assert model.features is not None
    nodes = torch.tensor([0, 2], dtype=torch.int32)
    a = model.forward_whole(model.inputs(model.embedding), graph, nodes, 1)
    batch = Batch(nodes, [], 1, torch.tensor([0]), torch.tensor([[1]]))
    model.with_cold_nodes(a, batch, torch.Generator()).sum().backward()

    gradient = model.features.table.grad
    assert gradient is not None
    assert gradient.any(dim=1).nonzero().flatten().tolist() == [5, 6]


def test_spectral_embeddings_have_the_initial_deviation() -> None:
    graph = bipartite_graph(Csr(np.array([0, 2, 4, 6]), np.array([0, 1, 1, 2, 0, 2])), n_items=3)
    start = {"initial_embeddings": "spectral", "initial_deviation": 0.1, "embedding_width": 2}

    model = HashGnnModel(graph, 8, Parameters(**start))

    expected = torch.from_numpy(0.1 * spectral_embeddings(graph, 2))
    assert torch.equal(model.embedding.detach(), expected)
    assert model.embedding.requires_grad
