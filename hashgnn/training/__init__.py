"""Train methods: batches, steps, the loop, checkpoints and the stage.

What the workflow reads while it plans is defined here, so that reading it does not import torch.
"""

# The next two decide between sampled and whole neighborhoods (``steps``), and the resources that
# the workflow expects a training to need.

# Cost of multiplying one target's row by the weights, in rows read. Measured at width 128 on one
# core: 2.6 microseconds forward and backward, where reading a row and adding to its gradient take
# 0.06 (in cache) to 0.18.
TARGET_COST = 20

# Whole neighborhoods are not tried if a step costs more than this times a sampled one: it would
# take memory, and could not be faster.
HOPELESS = 10

# The loop of graph methods. ``fit`` imports it by this name: methods that are trained otherwise do
# not run it, and an edit of it makes none of them stale.
GRAPH_LOOP = "hashgnn.training.loop"


def training_code(method: str, encoder: str | None, shared: bool) -> list[str]:
    """Return the entries whose digest makes a training stale.

    Args:
        method: Module of the method.
        encoder: Module of its encoder, if it has one.
        shared: Whether it takes the shared training, as graph methods do.
    """
    loop = [GRAPH_LOOP] if shared else []
    return ["hashgnn.training.train", *loop, method, *([encoder] if encoder else [])]
