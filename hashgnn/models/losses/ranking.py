"""Ranking losses: a link should score above the user's sampled non-links."""

from torch import Tensor
from torch.nn import functional


def margin_ranking(positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """Mean of max(0, -sigma(s+) + sigma(s-) + margin) over triplets (paper, Eq. 6).

    ``positive`` [B] and ``negative`` [B, n] are similarities (logits).
    """
    gap = negative.sigmoid() - positive.sigmoid().unsqueeze(1)
    return functional.relu(gap + margin).mean()


def bpr(positive: Tensor, negative: Tensor) -> Tensor:
    """Mean of softplus(s- - s+) over triplets (Rendle et al. 2009), as the released code has it."""
    return functional.softplus(negative - positive.unsqueeze(1)).mean()
