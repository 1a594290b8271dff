"""Whether a step propagates over sampled neighborhoods or over whole ones: what each costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:  # the workflow reads TARGET_COST, and loads no torch for it
    from hashgnn.graph.bipartite import Graph
    from hashgnn.training.batches import Batch

Engine = Literal["sampled", "full"]

# What it costs to multiply one target's row, in rows read. Measured at width 128 on one core:
# 2.6 microseconds forward and backward, where a row read and its gradient take 0.06 (in cache) to
# 0.18.
TARGET_COST = 20

# So many times the rows of a sampled step are not tried: that takes memory, and cannot win.
HOPELESS = 10

TURNS = 5


class Choice(NamedTuple):
    """What was chosen, and why in words."""

    engine: Engine
    reason: str


def choose_faster(batch: Batch, graph: Graph, seconds: Callable[[Engine], float]) -> Choice:
    """The engine whose step takes less time.

    ``batch`` is a sampled one; ``seconds`` takes a step and says how long that took.
    """
    times = full_cost(batch, graph) / sampled_cost(batch)
    if times > HOPELESS:
        reason = f"over whole neighborhoods a step costs {times:,.0f} times as much"
        return Choice("sampled", reason)
    sampled, full = _least_of_turns(seconds)
    reason = f"a step took {_ms(sampled)} ms sampled, {_ms(full)} over whole neighborhoods"
    return Choice("sampled" if sampled <= full else "full", reason)


def _least_of_turns(seconds: Callable[[Engine], float]) -> tuple[float, float]:
    """Of a sampled step and of one over whole neighborhoods; other work only makes them longer."""
    turns = [(seconds("sampled"), seconds("full")) for _ in range(TURNS + 1)]
    sampled, full = zip(*turns[1:], strict=True)  # the first compiles and fills the caches
    return min(sampled), min(full)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.3g}"


def sampled_cost(batch: Batch) -> int:
    """Rows that a step reads, targets counted as ``TARGET_COST`` more."""
    return sum(TARGET_COST * len(targets) + drawn.numel() for targets, drawn in batch.blocks)


def full_cost(batch: Batch, graph: Graph) -> int:
    """The same over whole neighborhoods: of all nodes, in the last layer of the batch's alone."""
    degrees = np.diff(graph.indptr)
    everywhere = TARGET_COST * graph.n_nodes + int(degrees.sum())
    last = TARGET_COST * len(batch.nodes) + int(degrees[batch.nodes.cpu().numpy()].sum())
    return (len(batch.blocks) - 1) * everywhere + last
