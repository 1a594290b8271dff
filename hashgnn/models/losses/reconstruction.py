"""The reconstruction loss: is there a link or not?"""

from torch import Tensor
from torch.nn import functional


def cross_entropy(positive: Tensor, negative: Tensor) -> Tensor:
    """Mean sigmoid cross-entropy over links and sampled non-links (paper, Eq. 5).

    ``positive`` [B] and ``negative`` [B, n] are similarities (logits).
    """
    linked = functional.softplus(-positive).sum()
    unlinked = functional.softplus(negative).sum()
    return (linked + unlinked) / (positive.numel() + negative.numel())
