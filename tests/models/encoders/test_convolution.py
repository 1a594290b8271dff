import numpy as np
import pytest
import torch

from hashgnn.errors import InputError
from hashgnn.graph import Graph, NeighborSampler
from hashgnn.models.encoders import convolution
from hashgnn.models.encoders.convolution import ConvolutionEncoder, chunks
from hashgnn.models.encoders.mean import MeanEncoder

# Users 0 and 1; items 2 to 5; item 5 is alone and therefore its own neighbor.
GRAPH = Graph(
    np.array([0, 3, 4, 5, 7, 8, 9]), np.array([2, 3, 4, 3, 0, 0, 1, 0, 5], dtype=np.int32), 2
)
TARGETS = np.array([0, 5, 2, 3], dtype=np.int32)


def blocks(fanouts: list[int], seed: int = 0) -> list[tuple[torch.Tensor, torch.Tensor]]:
    sampled = NeighborSampler(GRAPH, fanouts).blocks(TARGETS, seed)
    return [(torch.from_numpy(targets), torch.from_numpy(drawn)) for targets, drawn in sampled]


def test_sage_convolutions_are_our_mean_encoder() -> None:
    torch.manual_seed(0)
    theirs = ConvolutionEncoder(4, [5, 3], "SAGEConv", {})
    ours = MeanEncoder(4, [5, 3], [3, 2], "sage")
    for layer, convolved in zip(ours.layers, theirs.layers, strict=True):
        layer.weight.data = torch.cat([convolved.lin_r.weight, convolved.lin_l.weight], dim=1)
        layer.bias.data = convolved.lin_l.bias.data
    x = torch.randn(6, 4)

    torch.testing.assert_close(theirs(x, blocks([3, 2])), ours(x, blocks([3, 2])))
    torch.testing.assert_close(theirs.propagate(x, GRAPH), ours.propagate(x, GRAPH))


@pytest.mark.parametrize(
    ("name", "arguments", "width"),
    [
        ("GATConv", {}, 3),
        ("GATConv", {"heads": 2}, 6),
        ("GATv2Conv", {"heads": 2, "concat": False}, 3),
        ("TransformerConv", {}, 3),
        ("GraphConv", {}, 3),
        ("ResGatedGraphConv", {"aggr": "mean"}, 3),
    ],
)
def test_inference_sees_what_training_saw(
    name: str, arguments: dict[str, object], width: int
) -> None:
    torch.manual_seed(0)
    encoder = ConvolutionEncoder(4, [5, 3], name, arguments)
    x = torch.randn(6, 4)
    assert encoder.width == width

    # So many draws that each neighbor has its share of them.
    sampled = encoder(x, blocks([3000, 3000]))

    whole = encoder.propagate(x, GRAPH)[torch.from_numpy(TARGETS).long()]
    assert (sampled - whole).abs().max() < 0.1 * whole.std()


@pytest.mark.parametrize("limit", [1, 4, 100])
def test_chunks_hold_every_node_once_and_no_more_than_their_limit(limit: int) -> None:
    parts = list(chunks(GRAPH, limit))

    targets, neighbors, counts = (np.concatenate(part) for part in zip(*parts, strict=True))
    assert targets.tolist() == list(range(6))
    assert neighbors.tolist() == GRAPH.indices.tolist()
    assert counts.tolist() == np.diff(GRAPH.indptr).tolist()
    assert all(len(part[1]) <= limit or len(part[0]) == 1 for part in parts)


def test_chunks_do_not_show_in_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    encoder = ConvolutionEncoder(4, [5, 3], "GATConv", {})
    x = torch.randn(6, 4)
    whole = encoder.propagate(x, GRAPH)

    monkeypatch.setattr(convolution, "CHUNK", 2)

    torch.testing.assert_close(encoder.propagate(x, GRAPH), whole)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("GATTConv", {}, "torch_geometric.nn has no such convolution"),
        ("GATConv", {"head": 2}, "cannot be made"),
        ("GINConv", {}, r"does not take \(neighbors, targets\)"),
        ("GCNConv", {}, r"does not take \(neighbors, targets\)"),
        ("GraphConv", {"aggr": "add"}, "how many neighbors are drawn"),
        ("GATConv", {"add_self_loops": True}, "how many neighbors are drawn"),
        ("LEConv", {}, "how many neighbors are drawn"),
    ],
)
def test_what_does_not_fit_is_refused(
    name: str, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=f"convolution: {name}: .*{message}"):
        ConvolutionEncoder(4, [3], name, arguments)
