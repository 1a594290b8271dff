"""Which nodes an aggregation reads for each of its targets: drawn ones, or all."""

from typing import NamedTuple

import torch
from torch import Tensor

from hashgnn.graph.bipartite import Graph


class Neighborhoods(NamedTuple):
    """Target t [T] reads ``indices[starts[t]:stops[t]]`` and itself: rows of the layer's input.

    ``targets`` and ``indices`` are int32 or int64, ``starts`` and ``stops`` int64; none is empty.
    """

    targets: Tensor
    starts: Tensor
    stops: Tensor
    indices: Tensor

    def rows(self, start: int, stop: int) -> "Neighborhoods":
        """Those of some of the targets."""
        chosen = slice(start, stop)
        return self._replace(
            targets=self.targets[chosen], starts=self.starts[chosen], stops=self.stops[chosen]
        )


def drawn(targets: Tensor, neighbors: Tensor) -> Neighborhoods:
    """Sampled ``neighbors`` [T, fanout] of the ``targets`` [T]."""
    count, fanout = neighbors.shape
    bounds = torch.arange(0, count * fanout + 1, fanout, device=targets.device)
    return Neighborhoods(targets, bounds[:-1], bounds[1:], neighbors.flatten())


def whole(graph: Graph, device: torch.device, targets: Tensor | None = None) -> Neighborhoods:
    """All neighbors of the nodes ``targets``, or of every node."""
    indptr = torch.from_numpy(graph.indptr).to(device)
    indices = torch.from_numpy(graph.indices).to(device)
    if targets is None:
        targets = torch.arange(graph.n_nodes, device=device)
        return Neighborhoods(targets, indptr[:-1], indptr[1:], indices)
    chosen = targets.long()
    return Neighborhoods(targets, indptr[chosen], indptr[chosen + 1], indices)
