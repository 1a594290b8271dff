"""Encode with a convolution of PyTorch Geometric by name: GATConv, SAGEConv, TransformerConv, ...

Each layer is act(conv((x_neighbors, x_target), edges)) with LeakyReLU 0.2, over sampled neighbors
in training and over whole neighborhoods in inference. The two agree only if the output does not
depend on the number of neighbors. Means and attention do not; sums do, and so do self-loops, where
a node's weight falls with its number of neighbors. So ``aggr`` is the mean and a ``residual`` term
replaces self-loops where a convolution offers these, and a convolution that still depends on the
number is refused.

Fey and Lenssen (2019), Fast Graph Representation Learning with PyTorch Geometric.
"""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
import torch_geometric.nn
from torch import Tensor, nn
from torch.nn import functional

from hashgnn.errors import InputError
from hashgnn.graph import Graph
from hashgnn.models.encoders import Encoder
from hashgnn.models.method import GraphParameters

# Arguments that make a convolution independent of the number of neighbors, where it has them.
FITTING = {"add_self_loops": False, "residual": True, "aggr": "mean"}

# Edges per chunk in inference: about 100 MB at width 128, with attention.
CHUNK = 1 << 16


def check(parameters: GraphParameters) -> None:
    """Raise ``InputError`` for hyper-parameters that no encoder can be built with."""
    _encoder(parameters)


def build(parameters: GraphParameters, graph: Graph) -> "ConvolutionEncoder":
    """Return the encoder that the hyper-parameters describe."""
    return _encoder(parameters)


def _encoder(parameters: GraphParameters) -> "ConvolutionEncoder":
    parameters.check_layers()
    return ConvolutionEncoder(
        parameters.embedding_width,
        parameters.widths,
        parameters.convolution,
        parameters.convolution_arguments,
    )


class ConvolutionEncoder(Encoder):
    """Stack convolutions of the class ``name``, made with ``arguments``.

    ``widths`` are their output channels; a convolution that concatenates heads has more.
    """

    draws_weights: ClassVar[bool] = True

    def __init__(
        self, width: int, widths: Sequence[int], name: str, arguments: Mapping[str, Any]
    ) -> None:
        layers = []
        for channels in widths:
            layers.append(make_convolution(name, width, channels, arguments))
            width = _tried_width(layers[-1], name, width)
        super().__init__(width)
        self.layers = nn.ModuleList(layers)

    def forward(
        self, x: Tensor, blocks: Sequence[tuple[Tensor, Tensor]], nodes: Tensor | None = None
    ) -> Tensor:
        """Propagate ``x`` [rows, width] over sampled neighbors: [T, ``self.width``]."""
        for layer, (targets, neighbors) in zip(self.layers, blocks, strict=True):
            counts = torch.full_like(targets, neighbors.shape[1])
            x = _convolve(layer, x, targets, neighbors.flatten(), counts)
        return x

    def propagate(self, x: Tensor, graph: Graph, targets: Tensor | None = None) -> Tensor:
        """Propagate over whole neighborhoods, in chunks of nodes: [n_nodes, ``self.width``]."""
        for layer in self.layers:
            parts = [
                _convolve(layer, x, *(torch.from_numpy(a).to(x.device) for a in part))
                for part in chunks(graph, CHUNK)
            ]
            x = torch.cat(parts)
        return x if targets is None else x[targets.long()]


def make_convolution(name: str, width: int, channels: int, arguments: Mapping[str, Any]) -> Any:
    """Return ``torch_geometric.nn.name(width, channels, ...)``, or raise ``InputError``."""
    if name not in torch_geometric.nn.conv.__all__:
        raise InputError(f"convolution: {name}: torch_geometric.nn has no such convolution")
    kind = getattr(torch_geometric.nn, name)
    known = inspect.signature(kind).parameters
    fitting = {key: value for key, value in FITTING.items() if key in known}
    try:
        return kind(width, channels, **{**fitting, **arguments})
    except Exception as error:
        raise InputError(f"convolution: {name}: cannot be made ({error})") from error


def chunks(graph: Graph, limit: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield all nodes in chunks: nodes, their neighbors and their numbers of neighbors.

    A chunk has at most ``limit`` neighbors, or is one node that alone has more.
    """
    start, n_nodes = 0, graph.n_nodes
    while start < n_nodes:
        end = np.searchsorted(graph.indptr, graph.indptr[start] + limit, side="right") - 1
        stop = max(start + 1, int(end))
        rows = graph.indptr[start : stop + 1]
        yield np.arange(start, stop), graph.indices[rows[0] : rows[-1]], np.diff(rows)
        start = stop


def _convolve(
    layer: nn.Module, x: Tensor, targets: Tensor, neighbors: Tensor, counts: Tensor
) -> Tensor:
    """Return rows of ``targets`` [T] from their concatenated neighbors, ``counts`` [T] each."""
    rows, sources = torch.unique(neighbors.long(), return_inverse=True)
    places = torch.arange(len(targets), device=x.device).repeat_interleave(counts.long())
    out = layer((x[rows], x[targets.long()]), torch.stack([sources, places]))
    return functional.leaky_relu(out, 0.2)


@torch.no_grad()
def _tried_width(layer: nn.Module, name: str, width: int) -> int:
    """Try the layer and return its output width; refuse one that counts neighbors."""
    x = torch.linspace(-1, 2, 3 * width).reshape(3, width)
    target = torch.tensor([0])
    layer.eval()
    try:
        once = _convolve(layer, x, target, torch.tensor([1, 2]), torch.tensor([2]))
        twice = _convolve(layer, x, target, torch.tensor([1, 2, 1, 2]), torch.tensor([4]))
    except Exception as error:
        raise InputError(
            f"convolution: {name}: does not take (neighbors, targets) and edges ({error})"
        ) from error
    if not torch.allclose(once, twice, atol=1e-5):
        raise InputError(
            f"convolution: {name}: depends on how many neighbors are drawn; set aggr: mean "
            "or add_self_loops: false in convolution_arguments, or use another one"
        )
    return once.shape[1]
