"""The whole configuration: what follows from other keys."""

from collections.abc import Mapping
from typing import Any

from hashgnn.config.methods import looks
from hashgnn.config.needs import GRIDS


def derived(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``config`` with the keys that follow from others filled in.

    These are the models of grids that name none, the colors and markers of models, and
    ``tuning.spaces``, which gathers the spaces of all models.
    """
    models = {
        id: {**entry, **look._asdict()}
        for (id, entry), look in zip(
            config["models"].items(), looks(config["models"]).values(), strict=True
        )
    }
    grids = {name: _with_models(name, grid, models) for name, grid in config["grids"].items()}
    made = {**config, "models": models, "grids": grids}
    if "tuning" in config:
        spaces = {id: entry["tuning"] for id, entry in models.items() if "tuning" in entry}
        made["tuning"] = {**config["tuning"], "spaces": spaces}
    return made


def _with_models(name: str, grid: Any, models: Mapping[str, Any]) -> Any:
    if grid is None or name not in GRIDS or "models" in grid or "models" not in GRIDS[name].keys:
        return grid
    shown = [id for id, entry in models.items() if name in entry.get("shown_in", [])]
    return {**grid, "models": shown} if shown else grid
