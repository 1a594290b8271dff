"""CPU seconds of the stages on one thread, and the minutes to ask a scheduler for.

Fitted to the trainings in benchmarks/resources.csv and to benchmarks/training.json.
"""

import math

from hashgnn.experiment.batch import TARGET_COST, Training
from hashgnn.experiment.sizes import Sizes

START = 60.0  # imports, kernels being compiled
_MARGIN = 4  # slower processors, busy ones; a job that is stopped goes on from its checkpoint
_ROW = 0.2e-6  # of a row read, forward and backward, at width 128
_WIDTH = 128
_LOGIT = 60e-9  # of a pair in a batch's softmax, forward and backward
_PARAMETER = 2e-9  # of Adam over one number
_PAIR = 6e-9  # of a search over one pair of a user and an item, at 32 dimensions


def minutes(seconds: float) -> int:
    """To ask for, at least ten."""
    return max(10, math.ceil(_MARGIN * (START + seconds) / 60))


def of_rows(rows: float) -> float:
    """Reading, splitting or drawing negatives for so many interactions."""
    return 3e-6 * rows


def of_search(sizes: Sizes, bits: int, searches: int = 3) -> float:
    """All users over all items."""
    return searches / 3 * _PAIR * sizes.users * sizes.items * max(1, bits / 64)


def of_training(training: Training) -> float:
    """With the shared settings."""
    settings, sizes = training.settings, training.sizes
    widths = max([settings.embedding_width, *settings.widths, training.bits])
    step = _ROW * max(0.25, widths / _WIDTH) * training.rows + _LOGIT * training.logits
    if settings.embedding_updates != "touched":
        step += _PARAMETER * sizes.nodes * settings.embedding_width
    whole = _ROW * (TARGET_COST * sizes.nodes + 2 * sizes.interactions) * len(training.layers)
    looks = 1 + training.iterations / max(1, settings.history_every)
    epoch = training.iterations * step + looks * whole + of_search(sizes, training.bits, 2)
    return settings.epochs * epoch


def of_other_training(sizes: Sizes, epochs: int, bits: int) -> float:
    """By a method that brings its own trainer."""
    return epochs * (40e-6 * sizes.interactions + of_search(sizes, bits, 1))
