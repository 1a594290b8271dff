"""Exact top-k retrieval over packed codes, float vectors, or both.

>>> index = Index(item_codes, item_vectors, tie_seed=0)
>>> items, distances = index.hamming(user_codes, k=100, exclude=train)
>>> items, scores = index.hierarchical(user_codes, user_vectors, k=100, candidates=500)
"""

from hashgnn.search.index import Index
from hashgnn.search.validation import Representation

__all__ = ["Index", "Representation"]
