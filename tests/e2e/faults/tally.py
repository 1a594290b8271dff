"""Counts of faults and inputs."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager


class Tally:
    """Counts by kind: faults injected and survived, inputs tried, wrong results."""

    def __init__(self) -> None:
        self.injected: Counter[str] = Counter()
        self.survived: Counter[str] = Counter()
        self.tried: Counter[str] = Counter()
        self.wrong = 0

    @contextmanager
    def fault(self, kind: str) -> Iterator[None]:
        """Count one fault of this kind, survived if no exception leaves the block."""
        self.injected[kind] += 1
        with self._judged():
            yield
        self.survived[kind] += 1

    @contextmanager
    def input(self, kind: str) -> Iterator[None]:
        """Count one input of this kind."""
        self.tried[kind] += 1
        with self._judged():
            yield

    @contextmanager
    def _judged(self) -> Iterator[None]:
        try:
            yield
        except AssertionError as error:
            if not hasattr(error, "counted"):  # blocks may lie within one another
                self.wrong += 1
                error.counted = True
            raise

    def lines(self) -> Iterator[str]:
        """A table of the faults, one of the inputs, and the sums."""
        for kind, number in sorted(self.injected.items()):
            yield f"{kind:50} {number:8,} injected {self.survived[kind]:8,} survived"
        for kind, number in sorted(self.tried.items()):
            yield f"{kind:50} {number:8,} tried"
        yield (
            f"faults injected {self.injected.total():,}, survived {self.survived.total():,}, "
            f"inputs tried {self.tried.total():,}, wrong results {self.wrong:,}"
        )
