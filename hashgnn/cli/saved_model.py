"""Commands on a saved model: ``hashgnn export``, ``hashgnn serve`` and ``hashgnn info``."""

import errno
import json
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from hashgnn.errors import InputError

FOLDER = click.argument(
    "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="FOLDER"
)
FORMATS = (
    *("numpy", "parquet", "faiss", "index"),
    *("usearch", "lancedb", "sqlite", "duckdb", "postgresql", "bytes"),
)


@click.command()
@FOLDER
@click.option(
    "--output",
    required=True,
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    default=("numpy", "parquet"),
    show_default=True,
    help="Format to write; may be repeated.",
)
def export(folder: Path, output: Path, formats: tuple[str, ...]) -> None:
    """Export codes, vectors and ids of the model in FOLDER.

    \b
    numpy    user_ids.npy, user_codes.npy (uint8, bit k of a code in bit k % 8 of
             byte k // 8), user_vectors.npy (float32), and the same for items
    parquet  users.parquet and items.parquet: id, code (bytes), vector (floats)
    faiss    items.faiss, an IndexBinaryFlat whose ids are rows of item_ids.npy
    index    index/, which hashgnn.search.Index.load maps into memory; its items
             are rows of item_ids.npy
    usearch  items.usearch, an index of USearch, whose keys are rows of item_ids.npy
    lancedb  the table items of a LanceDB: id, code and vector
    sqlite   items.sqlite: the table items of id, code and vector, for sqlite-vec
    duckdb   items.duckdb: the table items of id, code (BIT, bit 0 first) and vector
    postgresql  codes.sql for psql: the tables hashgnn_users and hashgnn_items of id,
             code (bit string, bit 0 first) and vector
    bytes    users.bytes.jsonl, items.bytes.jsonl: bytes for Milvus, Vespa,
             Elasticsearch and OpenSearch, the first bit on top

    export.json identifies the model of the files. Files that an earlier export of
    another model left in the output folder are removed.
    """
    from hashgnn.files import replace_together
    from hashgnn.recommender import export as files
    from hashgnn.recommender.folder import has_model, load_model

    if has_model(output):
        raise InputError(f"{output}: holds a model; choose another folder for the export")
    model = load_model(folder)
    writers: dict[str, Any] = {
        "numpy": files.write_numpy,
        "parquet": files.write_parquet,
        "faiss": files.write_faiss,
        "index": files.write_index,
        "usearch": files.write_usearch,
        "lancedb": files.write_lancedb,
        "sqlite": files.write_sqlite,
        "duckdb": files.write_duckdb,
        "postgresql": files.write_postgresql,
        "bytes": files.write_bytes,
    }
    with replace_together(output, files.replaced_files(output, model, formats)) as staged:
        files.write_record(staged, model)
        written = [path for name in dict.fromkeys(formats) for path in writers[name](staged, model)]
    for path in written:
        click.echo(output / path.relative_to(staged))


@click.command()
@FOLDER
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="Its port."
)
@click.option(
    "--every",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="How often to look for a new model.",
)
@click.option(
    "--verify/--no-verify",
    default=True,
    show_default=True,
    help="Whether to compare the checksums of a model before it is served.",
)
@click.option(
    "--max-users",
    default=256,
    show_default=True,
    type=click.IntRange(1),
    help="Users, or items, of a request.",
)
@click.option(
    "--max-number",
    default=1000,
    show_default=True,
    type=click.IntRange(1),
    help="Length of the lists of a request.",
)
@click.option(
    "--max-bytes",
    default=1 << 20,
    show_default=True,
    type=click.IntRange(1),
    help="Size of the body of a request.",
)
def serve(folder: Path, host: str, port: int, every: float, verify: bool, **most: int) -> None:
    """Serve the model in FOLDER over HTTP, as JSON.

    \b
    GET  /recommend?user=anna&n=10       also POST, with users or histories, items,
                                         filter_items, search and more
    GET  /similar/items?id=sku-3         also POST, and /similar/users
    GET  /health                         sizes of the model
    GET  /metrics                        for Prometheus

    The model is mapped into memory. When hashgnn train, hashgnn update or HashGNN.save has written
    a new one to FOLDER, it takes over between two requests. A model that cannot be loaded is
    refused with a line in the log, and the one before stays.
    """
    import logging

    import uvicorn

    from hashgnn.recommender.folder import LiveModel
    from hashgnn.recommender.service import Limits, create_app

    log = logging.getLogger("uvicorn.error")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        _bind(listener, host, port)  # before a large model is read
        live = LiveModel(folder, log, verify)
        limits = Limits(most["max_bytes"], most["max_users"], most["max_number"])
        app = create_app(live, limits, every, log)
        config = uvicorn.Config(app, host=host, port=port, access_log=False)
        named = f"[{host}]" if ":" in host else host
        log.info("http://%s:%d until Ctrl-C or SIGTERM", named, listener.getsockname()[1])
        with suppress(KeyboardInterrupt):  # how a service is ended
            uvicorn.Server(config).run([listener])


def _bind(listener: socket.socket, host: str, port: int) -> None:
    """Take the address for ``listener``; raise ``OSError`` naming it if it is not free."""
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        advice = "choose another --port" if error.errno == errno.EADDRINUSE else "see --host"
        raise OSError(error.errno, f"{error.strerror}; {advice}", f"{host}:{port}") from error


@click.command()
@FOLDER
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def info(folder: Path, as_json: bool) -> None:
    """Show the data, method, sizes, quality and versions of the model in FOLDER."""
    click.echo(json.dumps(facts(folder), indent=2) if as_json else describe(folder))


def describe(folder: Path) -> str:
    """Return the facts about a model, one per line."""
    found = facts(folder)
    lines = {key: value for key, value in found.items() if not isinstance(value, dict)}
    lines |= {kind: _listed(found[kind]) for kind in ("versions", "files")}
    width = max(map(len, lines)) + 2
    return "\n".join(f"{key:<{width}}{_shown(value)}" for key, value in lines.items())


def facts(folder: Path) -> dict[str, Any]:
    """Return facts from the record, data and files of a model; None for what is not recorded."""
    from hashgnn.data.interactions import load_interactions
    from hashgnn.recommender.folder import data_folder, load_record, method_id

    record = load_record(folder)
    data = data_folder(folder)
    interactions = load_interactions(data / "interactions.npz")
    settings = record["settings"]
    inputs = ", ".join(Path(path).name for path in record.get("inputs", {}))
    return {
        "data set": (inputs or "from Python") if data == folder else data.name,
        "method": method_id(record),
        **_name(record),
        "bits": record.get("code_bits", settings["bits"]),
        "seed": settings["seed"],
        "users": interactions.n_users,
        "items": interactions.n_items,
        "interactions": len(interactions.user),
        **_repeats(record, interactions.weight is not None),
        "best epoch": _plain(record.get("best_epoch")),
        "validation HR@50": _plain(record.get("validation_hr")),
        "device": _plain(record.get("device")),
        "seconds": _plain(record.get("seconds")),
        "finished": _plain(record.get("finished")),
        "commit": _plain(record.get("git_commit")),
        "versions": {name: _plain(v) for name, v in record.get("versions", {}).items()},
        "files": {path.name: path.stat().st_size for path in _files(folder)},
    }


def _name(record: dict[str, Any]) -> dict[str, Any]:
    """Return the name of the method, if it is known here."""
    with suppress(ModuleNotFoundError):  # YAML, which recommending does not need
        from hashgnn.recommender.defaults import method_name

        if (name := method_name(record)) is not None:
            return {"name": name}
    return {}


def _repeats(record: dict[str, Any], weighed: bool) -> dict[str, Any]:
    """Return the number of repeated rows of the tables, if any, by what became of them."""
    number = _plain(record.get("repeats"))
    return {"repeated rows " + ("added up" if weighed else "dropped"): number} if number else {}


def _files(folder: Path) -> list[Path]:
    """Return the files of ``folder`` without the hidden ones of a training or save in progress."""
    files = (path for path in sorted(folder.iterdir()) if path.is_file())
    return [path for path in files if not path.name.startswith(".")]


def _plain(value: Any) -> str | int | float | None:
    """Return ``value`` if it fits on a line, else None; also for NaN, of what was not measured."""
    return value if isinstance(value, str | int | float) and value == value else None


def _listed(named: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in named.items())


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}" if value < 1 else f"{value:,.1f}"
    if isinstance(value, int):
        return f"{value:,}"
    return "unknown" if value is None else str(value)
