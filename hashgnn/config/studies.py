"""Sections of the configuration about tuning: search spaces, and the budget of each study."""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from hashgnn.config.base import Bits, Count, Section, Seed, Several
from hashgnn.errors import InputError

# A value of a hyper-parameter; lists are those of layers, such as fanouts.
Choice = int | float | bool | str | tuple[int, ...]


class Dimension(Section):
    """The values of a hyper-parameter that tuning may try: a range, or choices.

    The value that the config gives to the hyper-parameter is one of them in any case.
    """

    low: int | float | None = None
    """Lower bound, included. If both bounds are whole numbers, so are the values."""

    high: int | float | None = None
    """Upper bound, included."""

    log: bool = False
    """Whether the values of a range are drawn evenly on a logarithmic scale."""

    choices: Several[Choice] | None = None
    """The values, if they are no range: numbers, text, or lists such as those of `fanouts`."""

    def check(self) -> None:
        """Raise ``InputError`` unless the keys describe a range or choices."""
        if self.choices is not None:
            if self.low is not None or self.high is not None or self.log:
                raise InputError("choices: given besides low, high or log; keep one kind")
        elif self.low is None or self.high is None:
            raise InputError("low: expected low and high, or choices")
        elif self.low >= self.high:
            raise InputError(f"high: expected more than low ({self.low:g}), got {self.high:g}")
        elif self.log and self.low <= 0:
            raise InputError(f"low: expected more than 0, as log is true, got {self.low:g}")

    def ends(self) -> Iterator[Any]:
        """Yield the choices, or the bounds of the range."""
        yield from self.choices or (self.low, self.high)


Space = Annotated[dict[str, Dimension], Field(min_length=1)]


class Tuning(Section):
    """Studies that choose hyper-parameters on the validation part, one per method and data set.

    A study trains a method with settings from its search space (the key `tuning` of its entry);
    the first is that of the config. A trial that is behind the others after some epochs ends
    early (successive halving). Every study has the same limits and ends at the first that it
    reaches; an interrupted one resumes. It is made where `settings: tuned` needs it, for
    `results/tuning.csv`, or by `make tune`.
    """

    datasets: Several[str]
    """Ids of the data sets."""

    bits: Bits = 32
    """Length of the codes."""

    seed: Seed = 0
    """Seed of the draw of settings and of the trainings."""

    trials: Count = 24
    """Settings per study, with that of the config."""

    seconds: Count = 1200
    """Processor seconds per study. The trial that reaches the limit ends after its epoch."""

    reduction: Annotated[int, Field(ge=2)] = 2
    """One of so many trials goes on at each rung of successive halving."""

    least_epochs: Count = 4
    """Epochs of the first rung; each following one has `reduction` times as many."""
