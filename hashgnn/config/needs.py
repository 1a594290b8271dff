"""What each figure and table needs: keys of its grid, and lengths of lists."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hashgnn.errors import InputError, did_you_mean

Config = Mapping[str, Any]

CUTOFFS = (20, 50, 100, 150, 200)  # of the evaluation, unless the config has others


class Needs(NamedTuple):
    """Keys of the grid, besides ``datasets``; lengths n of the lists that are shown."""

    keys: tuple[str, ...] = ()
    cutoffs: tuple[int, ...] = ()


_TRAINED = ("models", "bits", "seeds")
_SWEPT = ("sweeps", "bits", "seeds")

GRIDS = {
    "fig1": Needs(_TRAINED),
    "fig3": Needs(_TRAINED),
    "fig4": Needs(_TRAINED),
    "fig5": Needs(_SWEPT, (50,)),
    "fig6": Needs(_TRAINED),
    "fig7": Needs(("models", *_SWEPT), (50,)),
    "table1": Needs(),
    "table2": Needs(_TRAINED, (50, 100)),
    "table3": Needs(_TRAINED, (50, 100)),
    "table4": Needs(_TRAINED),
    "methods": Needs(_TRAINED, (50, 100)),
    "anchors": Needs((*_TRAINED, "published"), (20,)),
}
TUNING = Needs(cutoffs=(50,))


def unusable_grids(config: Config) -> Iterator[str]:
    """A line for each mistake in ``grids``, which have passed the schema."""
    for name, grid in config["grids"].items():
        if name not in GRIDS:
            known = ", ".join(GRIDS)
            nearest = did_you_mean(name, GRIDS)
            yield f"grids.{name}: no such figure or table; known: {known}{nearest}"
        elif grid is not None:
            yield from _keys(name, grid)
            yield from _names(name, grid, config)
            if name == "fig7" and set(GRIDS[name].keys) <= set(grid):
                yield from _one_sweep(grid, config)


def _keys(name: str, grid: Mapping[str, Any]) -> Iterator[str]:
    needed = {"datasets", *GRIDS[name].keys}
    if lacking := sorted(needed - set(grid)):
        made_of = ", ".join(sorted(needed))
        hint = "; no model's shown_in names it" if "models" in lacking else ""
        yield f"grids.{name}: lacks {', '.join(lacking)}; it is made of {made_of}{hint}"
    for key in sorted(set(grid) - needed):
        yield f"grids.{name}.{key}: not shown there; it is made of {', '.join(sorted(needed))}"


def _names(name: str, grid: Mapping[str, Any], config: Config) -> Iterator[str]:
    """Two lines or rows under one name could not be told apart."""
    for kind in ("datasets", "models"):
        ids = [id for id in grid.get(kind, []) if id in config[kind]]
        names = Counter(config[kind][id]["name"] for id in ids)
        for shown, count in names.items():
            if count > 1:
                same = [id for id in ids if config[kind][id]["name"] == shown]
                yield f"grids.{name}.{kind}: {' and '.join(same)} have the same name, {shown!r}"
    for model in grid.get("published", {}):
        if model not in grid.get("models", []):
            yield f"grids.{name}.published: {model} is not among its models"


def _one_sweep(grid: Mapping[str, Any], config: Config) -> Iterator[str]:
    sweeps = grid["sweeps"]
    if len(sweeps) != 1:
        yield f"grids.fig7.sweeps: expected one sweep, got {len(sweeps)}"
    elif (model := config.get("sweeps", {}).get(sweeps[0], {}).get("model")) not in grid["models"]:
        yield f"grids.fig7.models: lacks {model}, whose p falls"


def check_cutoffs(config: Config, name: str, needs: Needs) -> None:
    """``InputError`` if lists were not evaluated at a length that the figure or table shows."""
    cutoffs = config["evaluation"].get("cutoffs", CUTOFFS)
    if lacking := [n for n in needs.cutoffs if n not in cutoffs]:
        raise InputError(
            f"evaluation.cutoffs: {_text(cutoffs)}: {name} shows lists of {_text(needs.cutoffs)}: "
            f"add {_text(lacking)}, or ask for other figures and tables (grids: {{{name}: null}})"
        )


def _text(numbers: Any) -> str:
    return ", ".join(map(str, numbers))
