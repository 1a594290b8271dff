"""What to train: the arguments of the Python interface and of ``hashgnn train``, checked."""

from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from hashgnn.config.settings import parse, require
from hashgnn.errors import InputError
from hashgnn.recommender.defaults import check_method
from hashgnn.search.validation import MAX_BITS

_SEEDS = 2**32  # that all libraries take


@dataclass(frozen=True)
class Options:
    """A training; ``parameters`` lie on top of the config's for the method."""

    bits: int
    method: str
    seed: int
    validation: float
    device: str
    parameters: dict[str, Any]

    @classmethod
    def of(cls, **given: Any) -> Self:
        """From values of any kind; ``InputError`` names the first that cannot be used."""
        return parse(cls, given)

    def __post_init__(self) -> None:
        """``InputError`` for what no training can be made with."""
        require(self, bits=1, seed=0)
        if self.bits > MAX_BITS:
            raise InputError(f"bits: expected 1 to {MAX_BITS:,}, got {self.bits:,}")
        if self.seed >= _SEEDS:
            raise InputError(f"seed: expected 0 to {_SEEDS - 1:,}, got {self.seed:,}")
        if not 0 < self.validation < 1:
            raise InputError(
                f"validation: expected a share above 0 and below 1, got {self.validation:g}"
            )
        check_method(self.method)


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
