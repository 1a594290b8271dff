"""Entries of ``models``: how methods are drawn."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Look(NamedTuple):
    """Color (hexadecimal) and marker (matplotlib's) of a method in every figure and on the page."""

    color: str
    marker: str


# The first eight colors are those of Okabe and Ito (2008). Any two differ by 26 or more in CIELAB.
PALETTE = tuple(
    Look(f"#{color}", marker)
    for color, marker in (
        *(("D55E00", "o"), ("E69F00", "s"), ("CC79A7", "D"), ("0072B2", "^")),
        *(("56B4E9", "v"), ("009E73", "P"), ("7F7F7F", "X"), ("000000", "*")),
        *(("332288", "h"), ("5D3A00", "p"), ("66A61E", "<"), ("E7298A", ">")),
        *(("DDCC77", "d"), ("01665E", "H"), ("882255", "8"), ("8DD3C7", ".")),
    )
)


def looks(models: Mapping[str, Any]) -> dict[str, Look]:
    """Return the look of each of ``models``, by id.

    What an entry does not set is taken from the palette: a color and a marker that no other model
    has, or else two that no other model has together. The palette is gone through from its end,
    which belongs to methods that figures do not show.
    """
    given = {id: (entry.get("color"), entry.get("marker")) for id, entry in models.items()}
    made = {id: Look(c.upper(), m) for id, (c, m) in given.items() if c and m}
    for id, (color, marker) in given.items():
        if id not in made:
            made[id] = _free(color, marker, list(made.values()))
    return {id: made[id] for id in models}


def _free(color: str | None, marker: str | None, used: list[Look]) -> Look:
    colors, markers = ({look[part] for look in used} for part in (0, 1))
    backwards = PALETTE[::-1]
    pairs = [
        Look((color or one.color).upper(), marker or other.marker)
        for shift in range(len(PALETTE))
        for one, other in zip(backwards, backwards[shift:] + backwards[:shift], strict=True)
    ]
    return min(pairs, key=lambda p: (p in used, p.color in colors, p.marker in markers))


def same_looks(models: Mapping[str, Any]) -> list[str]:
    """Return a line for each pair of models with the same color and marker."""
    seen: dict[Look, str] = {}
    lines = []
    for id, look in looks(models).items():
        if look in seen:
            lines.append(
                f"models.{id}.color: {id} and {seen[look]} have the same color and marker, "
                f"{look.color} {look.marker!r}: give one of them others"
            )
        seen.setdefault(look, id)
    return lines
