"""``hashgnn evaluate`` and ``hashgnn quantize``: compare methods, and quantizers of any vectors.

The first puts a method beside popularity and ALS on held-out interactions; the second says what
small codes of vectors cost in quality, bytes and time.
"""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashgnn.cli.streams import open_output
from hashgnn.cli.train_model import (
    TABLES,
    errors_in_terms_of_options,
    read_tables,
    table_options,
    training_options,
    training_settings,
)
from hashgnn.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# Methods.

_DEFAULT_SHARE = 0.2


@click.command()
@TABLES
@table_options
@click.option("--time", metavar="COLUMN", help="Time column, for --test-days.")
@click.option(
    "--time-unit",
    type=click.Choice(["seconds", "milliseconds", "iso"]),
    help="Unit of the time column. [default: seconds]",
)
@click.option(
    "--test-days",
    type=click.FloatRange(0, min_open=True),
    help="Test the interactions of the last so many days, train on the earlier ones.",
)
@click.option(
    "--test",
    "share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Without --test-days: test this share of each user's interactions, the latest ones if "
    f"--time is given, else random ones. [default: {_DEFAULT_SHARE}]",
)
@training_options
@click.option(
    "--number",
    "-n",
    "cutoffs",
    multiple=True,
    default=(10, 50),
    show_default=True,
    type=click.IntRange(1),
    help="Length of the lists; may be repeated.",
)
@click.option(
    "--format",
    "layout",
    default="markdown",
    show_default=True,
    type=click.Choice(["markdown", "csv", "json"]),
)
@click.option(
    "--output",
    default="-",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="File to write to. [default: standard output]",
)
def evaluate(tables: tuple[Path, ...], layout: str, output: str, **options: Any) -> None:
    """Measure a method, popularity and ALS on held-out interactions of one or more TABLEs.

    Trains each on the rest. Recall, hit rate, precision, NDCG, MRR and MAP are means over the
    tested users; with Hamming search they do not depend on the order of ties. Coverage is the share
    of items that anyone is recommended, novelty the mean of -log2(share of users who have the
    item), Gini the inequality of how often items are recommended. Items that a user has in training
    are not recommended. What users and items unknown to training have is left out, which standard
    error states.
    """
    chosen = _split(options)
    settings = training_settings(options)
    # Imported here because it loads torch, which takes seconds.
    from hashgnn.kernels import announce_compilation
    from hashgnn.recommender.fitting import ProgressBar, check_parameters
    from hashgnn.recommender.model_comparison import compare, divide

    announce_compilation()
    check_parameters(settings.method, settings.parameters, ())
    data, _ = read_tables(tables, options)
    with errors_in_terms_of_options({}):
        division = divide(data, chosen)
    click.echo(_described(division.counts), err=True)
    cutoffs = sorted(dict.fromkeys(options["cutoffs"]))
    bar = ProgressBar()
    measured = compare(division, settings, cutoffs, bar)
    bar.close()
    with open_output(output) as file:
        file.write(_written(measured, layout, division.counts))


def _split(options: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of the split."""
    if options["test_days"] is None:
        by = "random" if options["time"] is None else "time"
        return {"by": by, "test": options["share"] or _DEFAULT_SHARE, "seed": options["seed"]}
    if options["share"] is not None:
        raise InputError("--test and --test-days: give one of them")
    if options["time"] is None:
        raise InputError("--test-days: name the column of times with --time")
    return {"by": "time", "test_days": options["test_days"], "seed": options["seed"]}


def _described(counts: dict[str, int]) -> str:
    shown = {name: f"{count:,}" for name, count in counts.items()}
    return (
        "trained on {train_interactions} interactions of {train_users} users with {train_items} "
        "items; tested on {test_interactions} of {test_users} users; left out: "
        "{left_out_of_new_users} of users and {left_out_of_new_items} of items not in training"
    ).format(**shown)


def _written(measured: Any, layout: str, counts: dict[str, int]) -> str:
    """Return the data frame ``measured`` as text."""
    from hashgnn.reporting.tables import to_markdown

    if layout == "csv":
        text: str = measured.to_csv(index=False, lineterminator="\n")
        return text
    if layout == "json":
        return json.dumps({**counts, "results": measured.to_dict("records")}, indent=2) + "\n"
    printed = measured.map(lambda value: f"{value:.4f}" if isinstance(value, float) else value)
    return to_markdown(printed.astype(str))


# Quantizers.

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("items", type=_FILE)
@click.option("--users", required=True, type=_FILE, help="Vectors that search: .npy, a row each.")
@click.option(
    "--relevant",
    type=_FILE,
    metavar="FILE",
    help="Relevant items of each user, for recall: a scipy sparse matrix [users, items], .npz.",
)
@click.option("--number", "-n", default=100, show_default=True, type=click.IntRange(1))
@click.option(
    "--bytes",
    "sizes",
    multiple=True,
    default=(4, 8, 16, 32),
    show_default=True,
    type=click.IntRange(1, 128),
    help="Bytes of an item; may be repeated.",
)
@click.option("--queries", default=1000, show_default=True, type=click.IntRange(1))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1))
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Folder to write the table and a plot to: quantization.csv, .md, .pdf and .svg. "
    "[default: only print]",
)
def quantize(
    items: Path, users: Path, relevant: Path | None, output: Path | None, **wanted: Any
) -> None:
    """Compare small codes of the vectors in ITEMS, a .npy file with a row for each item.

    Each quantizer is trained to the same bytes of an item. The table has the overlap of its lists
    with those of the floats (by inner product), recall where relevant items are given, and
    microseconds of a query on one thread. The users that search are up to --queries, drawn by the
    seed. What does not fit a size is left out: sign needs as many dimensions as bits, ITQ at least
    as many but one, RaBitQ 9 bytes or more. PQ and OPQ learn from 16,384 items. Searches are this
    package's, those of PQ, OPQ and RaBitQ are timed by FAISS.
    """
    import numpy as np

    floats, queries = _vectors(items), _vectors(users)
    if floats.shape[1] != queries.shape[1]:
        raise InputError(
            f"{users}: vectors of {queries.shape[1]} dimensions, but those of {items} have "
            f"{floats.shape[1]}"
        )
    if wanted["number"] > len(floats):
        raise InputError(f"--number: {wanted['number']} is more than the {len(floats)} items")
    known = _matrix(relevant, len(queries), len(floats)) if relevant else None
    # Imported here because it loads torch, which takes seconds.
    import pandas as pd

    from hashgnn.reporting.quantizers import Measured, compare
    from hashgnn.reporting.tables import to_markdown

    random = np.random.default_rng(wanted["seed"])
    some = np.sort(random.permutation(len(queries))[: wanted["queries"]])
    rows = compare(
        queries[some],
        floats,
        None if known is None else known[some],
        number=wanted["number"],
        sizes=wanted["sizes"],
        seed=wanted["seed"],
        tell=partial(click.echo, err=True),
    )
    table = pd.DataFrame(rows, columns=list(Measured._fields))
    printed = to_markdown(_printed(table if relevant else table.drop(columns="recall")))
    click.echo(printed, nl=False)
    if output:
        _write(output, table, printed)


def _write(output: Path, table: "pd.DataFrame", printed: str) -> None:
    """Write the table as CSV and Markdown, and the plot as PDF and SVG."""
    from hashgnn.files import atomic_write
    from hashgnn.reporting.figures import save_figure
    from hashgnn.reporting.quantizers import plot

    output.mkdir(parents=True, exist_ok=True)
    for name, text in (("csv", table.to_csv(index=False)), ("md", printed)):
        with atomic_write(output / f"quantization.{name}") as temporary:
            temporary.write_text(text, encoding="utf-8")
    figure = plot(table, "overlap" if table.recall.isna().all() else "recall")
    save_figure(figure, output / "quantization.pdf", output / "quantization.svg")


def _vectors(path: Path) -> "np.ndarray":
    import numpy as np

    from hashgnn.files import load_array
    from hashgnn.search.validation import fit_vectors

    array = load_array(path)
    if array.ndim != 2 or array.dtype.kind != "f" or not array.size:
        raise InputError(
            f"{path}: expected vectors, floats [rows, dimensions], got {array.dtype} "
            f"{list(array.shape)}"
        )
    try:
        return fit_vectors(array.astype(np.float32, copy=False))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _matrix(path: Path, users: int, items: int) -> Any:
    """Read relevant items: a scipy sparse matrix [users, items] in CSR format."""
    from scipy import sparse

    try:
        matrix = sparse.load_npz(path)
    except Exception as error:  # a damaged archive raises errors of many types
        raise InputError(f"{path}: no sparse matrix of scipy (sparse.save_npz): {error}") from error
    if matrix.shape != (users, items):
        raise InputError(
            f"{path}: a matrix {list(matrix.shape)}, expected [{users}, {items}], users by items"
        )
    matrix = sparse.csr_array(matrix)
    matrix.eliminate_zeros()
    return matrix


def _printed(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return the table as text, with headings."""
    digits = {"overlap": "{:.4f}", "recall": "{:.4f}", "microseconds": "{:.0f}"}
    shown = {name: table[name].map(digits.get(name, "{}").format) for name in table.columns}
    headings = {"bytes": "bytes an item", "microseconds": "microseconds a query"}
    import pandas as pd

    return pd.DataFrame(shown).rename(columns=headings)
