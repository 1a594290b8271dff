"""What to train: the arguments of the Python interface and of ``hashgnn train``, checked."""

from dataclasses import dataclass
from typing import Any, Self

from hashgnn.errors import InputError
from hashgnn.recommender.recipe import check_method
from hashgnn.search.validation import MAX_BITS
from hashgnn.settings import parse, require

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
                f"validation: expected a share between 0 and 1, got {self.validation:g}"
            )
        check_method(self.method)
