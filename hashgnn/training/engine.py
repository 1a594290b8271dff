"""Whether a step propagates over sampled neighborhoods or over whole ones.

The choice depends on the graph, the settings and the first batch alone, never on a clock: a
training that is repeated or resumed chooses as it did before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:  # the workflow reads TARGET_COST, and loads no torch for it
    from hashgnn.graph.bipartite import Graph
    from hashgnn.training.batches import Batch

# What it costs to multiply one target's row, in rows read. Measured at width 128 on one core:
# 2.6 microseconds forward and backward, where a row read and its gradient take 0.06 (in cache) to
# 0.18.
TARGET_COST = 20


class Choice(NamedTuple):
    """What was chosen, and why in words."""

    engine: Literal["sampled", "full"]
    reason: str


def choose_engine(wanted: Literal["sampled", "full", "auto"], batch: Batch, graph: Graph) -> Choice:
    """``wanted``, or for ``auto`` the one that costs less for ``batch``, which is sampled."""
    if wanted != "auto":
        return Choice(wanted, "as the settings say")
    sampled, full = sampled_cost(batch), full_cost(batch, graph)
    reason = f"a step costs {sampled:,} row reads sampled, {full:,} over whole neighborhoods"
    return Choice("sampled" if sampled <= full else "full", reason)


def sampled_cost(batch: Batch) -> int:
    """Rows that a step reads, targets counted as ``TARGET_COST`` more."""
    return sum(TARGET_COST * len(targets) + drawn.numel() for targets, drawn in batch.blocks)


def full_cost(batch: Batch, graph: Graph) -> int:
    """The same over whole neighborhoods: of all nodes, in the last layer of the batch's alone."""
    degrees = np.diff(graph.indptr)
    everywhere = TARGET_COST * graph.n_nodes + int(degrees.sum())
    last = TARGET_COST * len(batch.nodes) + int(degrees[batch.nodes.cpu().numpy()].sum())
    return (len(batch.blocks) - 1) * everywhere + last
