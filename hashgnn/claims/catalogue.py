"""All claims, in the order of the paper."""

from hashgnn.claims import (
    alibaba,
    efficiency,
    guidance,
    hamming,
    hierarchical,
    introduction,
    sensitivity,
)

CLAIMS = [
    *introduction.CLAIMS,
    *hamming.CLAIMS,
    *hierarchical.CLAIMS,
    *alibaba.CLAIMS,
    *efficiency.CLAIMS,
    *guidance.CLAIMS,
    *sensitivity.CLAIMS,
]

# The figures and tables that some claim is tested on.
NEEDED = sorted({name for claim in CLAIMS for name in claim.needs})
