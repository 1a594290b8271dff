"""``hashgnn info``: what a result folder holds."""

import json
from pathlib import Path
from typing import Any

import click

from hashgnn.cli.options import FOLDER


@click.command()
@FOLDER
@click.option("--json", "as_json", is_flag=True, help="As a JSON object.")
def info(folder: Path, as_json: bool) -> None:
    """Say what FOLDER holds: data, method, sizes, quality, and how it came to be."""
    click.echo(json.dumps(facts(folder), indent=2) if as_json else describe(folder))


def describe(folder: Path) -> str:
    """The facts about a result folder, a line each."""
    found = facts(folder)
    lines = {key: value for key, value in found.items() if not isinstance(value, dict)}
    lines |= {kind: _listed(found[kind]) for kind in ("versions", "files")}
    width = max(map(len, lines)) + 2
    return "\n".join(f"{key:<{width}}{_shown(value)}" for key, value in lines.items())


def facts(folder: Path) -> dict[str, Any]:
    """What the folder's record, data and files tell; None for what they do not."""
    from hashgnn.data.interactions import load_interactions
    from hashgnn.recommender.folder import data_folder, load_record

    record = load_record(folder)
    data = data_folder(folder)
    interactions = load_interactions(data / "interactions.npz")
    settings = record["settings"]
    inputs = ", ".join(Path(path).name for path in record.get("inputs", {}))
    return {
        "data set": (inputs or "from Python") if data == folder else data.name,
        "method": settings["method"],
        "bits": record.get("code_bits", settings["bits"]),
        "seed": settings["seed"],
        "users": interactions.n_users,
        "items": interactions.n_items,
        "interactions": len(interactions.user),
        "best epoch": _plain(record.get("best_epoch")),
        "validation HR@50": _plain(record.get("validation_hr")),
        "device": _plain(record.get("device")),
        "seconds": _plain(record.get("seconds")),
        "finished": _plain(record.get("finished")),
        "commit": _plain(record.get("git_commit")),
        "versions": {name: _plain(v) for name, v in record.get("versions", {}).items()},
        "files": {path.name: path.stat().st_size for path in _files(folder)},
    }


def _files(folder: Path) -> list[Path]:
    """All but what a training or a save at work has there."""
    there = (path for path in sorted(folder.iterdir()) if path.is_file())
    return [path for path in there if not path.name.startswith(".")]


def _plain(value: Any) -> str | int | float | None:
    """What a line can hold; None for anything else, which no training records."""
    return value if isinstance(value, str | int | float) else None


def _listed(named: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in named.items())


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if value < 1 else f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    return "unknown" if value is None else str(value)
