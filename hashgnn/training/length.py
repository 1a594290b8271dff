"""When a training of a graph method ends, and its learning rate on the way there.

``ByEpochs`` has a fixed number of epochs, over which the rate follows half a cosine.
``ByValidation`` needs no known end: after a warm-up the rate is constant for as long as validation
recall rises, then it decreases for a share of the epochs so far (warm-up, stable, decay). Hu et al.
(2024), MiniCPM: Unveiling the Potential of Small Language Models with Scalable Training Strategies,
COLM, section 4.
"""

import math
from collections.abc import Sequence

from hashgnn.models.method import GraphParameters
from hashgnn.training.fit import Decay
from hashgnn.training.optimizer import cosine

# Validation is rising if it gained this share over the last quarter of the epochs.
_RISE = 0.01


class ByEpochs:
    """A fixed number of epochs.

    Attributes:
        most: Epochs at most.
        decay: When the rate decreases, if that is decided during the training.
    """

    decay: Decay | None = None

    def __init__(self, parameters: GraphParameters, per_epoch: int) -> None:
        self._parameters = parameters
        self._per_epoch = per_epoch
        self.most = parameters.epochs

    def factor(self, iteration: int) -> float:
        """Return the learning rate of an iteration, from 0, in units of the one at the start."""
        share = iteration / (self.most * self._per_epoch)
        return cosine(share, self._parameters.learning_rate_end)

    def is_over(self, recalls: Sequence[float]) -> bool:
        """Return whether the training is over after the epochs with these validation recalls."""
        patience, epochs = self._parameters.patience, len(recalls)
        return epochs >= self.most or 0 < patience <= epochs - best_epoch(recalls)

    def advice(self) -> str:
        """Return how to let a training go on."""
        return f"raise epochs ({self.most}) to go on"


class ByValidation:
    """As many epochs as validation recall rises.

    Attributes:
        most: Epochs at most.
        decay: When the rate decreases; None until that is decided.
    """

    def __init__(
        self, parameters: GraphParameters, per_epoch: int, decay: Decay | None = None
    ) -> None:
        """Begin with the ``decay`` that an earlier training decided, if it is to be repeated."""
        self._parameters = parameters
        self._per_epoch = per_epoch
        self.least = max(1, math.ceil(parameters.least_steps / per_epoch))
        self.most = max(self.least, round(parameters.most_steps / per_epoch))
        self._patience = max(1, round(parameters.patience_steps / per_epoch))
        self.decay = decay

    def factor(self, iteration: int) -> float:
        """Return the learning rate of an iteration, from 0, in units of the one at the start."""
        warm = min(1.0, (iteration + 1) / max(1, self._parameters.warmup_steps))
        if self.decay is None or iteration < self.decay.begin * self._per_epoch:
            return warm
        since = iteration / self._per_epoch - self.decay.begin
        share = min(1.0, since / (self.decay.end - self.decay.begin))
        return warm * cosine(share, self._parameters.learning_rate_end)

    def is_over(self, recalls: Sequence[float]) -> bool:
        """Return whether the training is over after the epochs with these validation recalls.

        Decides, too, whether the rate begins to decrease.
        """
        epochs = len(recalls)
        if self.decay is None:
            end = epochs + max(1, round(self._parameters.decay_share * epochs))
            stuck = epochs >= self.least and epochs - best_epoch(recalls) >= self._patience
            if stuck or end >= self.most:
                self.decay = Decay(epochs, min(end, max(self.most, epochs)))
        return self.decay is not None and epochs >= self.decay.end

    def advice(self) -> str:
        """Return how to let a training go on."""
        return f"raise most_steps ({self._parameters.most_steps:,}) to go on"


Length = ByEpochs | ByValidation


def length_of(parameters: GraphParameters, per_epoch: int, decay: Decay | None = None) -> Length:
    """Return the length that ``parameters`` ask for.

    Args:
        parameters: Hyper-parameters of the training.
        per_epoch: Its steps per epoch.
        decay: The one of an earlier training whose schedule is to be repeated.
    """
    if parameters.length == "epochs":
        return ByEpochs(parameters, per_epoch)
    return ByValidation(parameters, per_epoch, decay)


def best_epoch(recalls: Sequence[float]) -> int:
    """Return the number of the first epoch with the best recall, from 1; 0 without epochs.

    Recall that is NaN, where nothing is held out, counts as a new best.
    """
    best, number = -1.0, 0
    for epoch, recall in enumerate(recalls, start=1):
        if not recall <= best:
            best, number = recall, epoch
    return number


def is_rising(recalls: Sequence[float]) -> bool:
    """Return whether the best recall lies in the last quarter and is clearly above those before."""
    begin = len(recalls) - len(recalls) // 4
    before, last = recalls[:begin], recalls[begin:]
    return bool(before) and bool(last) and max(last) > (1 + _RISE) * max(before)
