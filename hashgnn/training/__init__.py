"""Train methods: batches, steps, the loop, checkpoints and the stage.

The constants are those of the choice between sampled and whole neighborhoods (``steps``), which the
workflow reads to estimate the resources of a training. They are defined here so that reading them
does not import torch.
"""

# Cost of multiplying one target's row by the weights, in rows read. Measured at width 128 on one
# core: 2.6 microseconds forward and backward, where reading a row and adding to its gradient take
# 0.06 (in cache) to 0.18.
TARGET_COST = 20

# Whole neighborhoods are not tried if a step costs more than this times a sampled one: it would
# take memory, and could not be faster.
HOPELESS = 10
