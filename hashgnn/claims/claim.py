"""A claim of the paper, the comparisons that test it, and the verdict that follows from them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

Results = Mapping[str, pd.DataFrame]  # the CSV behind each figure and table, by its name


class Comparison(NamedTuple):
    """One place where the claim says something: where, which numbers, and whether it holds."""

    where: str
    numbers: str
    holds: bool


Test = Callable[[Results], list[Comparison]]
Enough = Callable[[int, int], bool]  # from how many of how many comparisons on a claim holds


def always(held: int, of: int) -> bool:
    """Each comparison must hold."""
    return held == of


def nearly_always(held: int, of: int) -> bool:
    """Nine in ten, for "in almost all cases"."""
    return held >= 0.9 * of


def mostly(held: int, of: int) -> bool:
    """More than half, for "in most cases"."""
    return held > 0.5 * of


def several(held: int, of: int) -> bool:
    """Two or more, for "in several cases"."""
    return held >= 2


@dataclass(frozen=True)
class Claim:
    """What the paper says (``text``), where (``section``), and how to test it.

    ``test`` makes the comparisons from the results named in ``needs``; it is not called unless
    all of them are there. ``enough`` is what the paper's words ask for.
    """

    id: str
    section: str
    text: str
    needs: Sequence[str]
    test: Test
    enough: Enough = always

    def comparisons(self, results: Results) -> list[Comparison]:
        """All comparisons that ``results`` allow; none where one of ``needs`` was not made."""
        if any(name not in results for name in self.needs):
            return []
        return self.test(results)


def verdict(claim: Claim, comparisons: Sequence[Comparison]) -> str:
    """``holds``, ``holds in part``, ``does not hold``, or ``not run`` without comparisons."""
    held = sum(comparison.holds for comparison in comparisons)
    if not comparisons:
        return "not run"
    if claim.enough(held, len(comparisons)):
        return "holds"
    return "holds in part" if held else "does not hold"
