"""What is asked of a model, checked."""

from dataclasses import dataclass
from typing import Literal, get_args

from hashgnn.settings import require

Search = Literal["hierarchical", "hamming", "continuous"]
SEARCHES: tuple[Search, ...] = get_args(Search)


@dataclass(frozen=True)
class Query:
    """``n`` items a user, by ``search``, with or without what the user knows.

    ``candidates``: those of hierarchical search.
    """

    n: int
    search: Search
    exclude_known: bool
    candidates: int

    def __post_init__(self) -> None:
        """``InputError`` for what cannot be answered."""
        require(self, n=1, candidates=1)

    def sizes(self, n_items: int) -> tuple[int, int]:
        """Items to find and candidates among ``n_items``: no more than there are.

        There are as many candidates as items asked for, since fewer would make a short list.
        """
        n = min(self.n, n_items)
        return n, min(max(self.candidates, n), n_items)
