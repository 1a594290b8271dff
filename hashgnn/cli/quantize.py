"""``hashgnn quantize``: what small codes of any vectors cost in quality, bytes and time."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_TIMED = 64  # queries, at most, whose search is timed
_QUERY_BITS = 4  # of asymmetric search
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Measured(NamedTuple):
    """A row of the table."""

    quantizer: str
    search: str
    bytes: int
    overlap: float
    recall: float
    microseconds: float


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
    help="Folder to write quantization.csv and quantization.md to. [default: only print]",
)
def quantize(
    items: Path, users: Path, relevant: Path | None, output: Path | None, **wanted: Any
) -> None:
    """Compare small codes of the vectors in ITEMS, a .npy file with a row for each item.

    Each quantizer is trained to the same bytes of an item. The table has the overlap of its lists
    with those of the floats (by inner product), recall where relevant items are given, and
    microseconds of a query on one thread. The users that search are up to --queries, drawn by the
    seed. What does not fit a size is left out: sign needs as many dimensions as bits, ITQ at least
    as many but one, RaBitQ 9 bytes or more. Searches are this package's, those of PQ, OPQ and
    RaBitQ are timed by FAISS.
    """
    import numpy as np
    import pandas as pd

    from hashgnn.errors import InputError
    from hashgnn.files import atomic_write
    from hashgnn.reporting.tables import to_markdown

    floats, queries = _vectors(items), _vectors(users)
    if floats.shape[1] != queries.shape[1]:
        raise InputError(
            f"{users}: vectors of {queries.shape[1]} dimensions, but those of {items} have "
            f"{floats.shape[1]}"
        )
    if wanted["number"] > len(floats):
        raise InputError(f"--number: {wanted['number']} is more than the {len(floats)} items")
    known = _matrix(relevant, len(queries), len(floats)) if relevant else None
    random = np.random.default_rng(wanted["seed"])
    some = np.sort(random.permutation(len(queries))[: wanted["queries"]])
    rows = compare(
        queries[some],
        floats,
        None if known is None else known[some],
        number=wanted["number"],
        sizes=wanted["sizes"],
        seed=wanted["seed"],
    )
    table = pd.DataFrame(rows, columns=list(Measured._fields))
    printed = to_markdown(_printed(table if relevant else table.drop(columns="recall")))
    click.echo(printed, nl=False)
    if output:
        output.mkdir(parents=True, exist_ok=True)
        for name, text in (("csv", table.to_csv(index=False)), ("md", printed)):
            with atomic_write(output / f"quantization.{name}") as temporary:
                temporary.write_text(text, encoding="utf-8")


def compare(
    users: "np.ndarray",
    items: "np.ndarray",
    relevant: Any,
    *,
    number: int,
    sizes: tuple[int, ...],
    seed: int,
) -> list[Measured]:
    """Return the rows of the table: the floats, then each size, quantizer and search.

    Args:
        users: float32 [users, d], which search.
        items: float32 [items, d].
        relevant: Scipy sparse matrix [users, items] of relevant items, or None.
        number: Length of the lists.
        sizes: Bytes of an item.
        seed: Seed of the quantizers.
    """
    from tqdm import tqdm

    from hashgnn.search import Index

    exact = Index(vectors=items)
    best, _ = exact.continuous(users, number)
    floats = Case("none", "floats", 4 * items.shape[1], exact.continuous, users)
    found = [_measure(floats, best, relevant)]
    for size in tqdm(sizes, desc="quantizing", unit="size", disable=None):
        found += [_measure(case, best, relevant) for case in _cases(users, items, size, seed)]
    return found


class Case(NamedTuple):
    """A search of items that take so many bytes; ``timed`` is one of the same cost, by FAISS."""

    quantizer: str
    search: str
    bytes: int
    ranked: Callable[..., Any]
    queries: "np.ndarray"
    timed: Any = None


def _cases(users: "np.ndarray", items: "np.ndarray", size: int, seed: int) -> Iterator[Case]:
    """Yield the searches of all quantizers that fit ``size`` bytes of an item."""
    from functools import partial
    from typing import get_args

    import numpy as np

    from hashgnn.errors import InputError
    from hashgnn.models.quantizer import Parameters, Quantizer, bytes_of_item, is_sign
    from hashgnn.models.quantizer import quantize as train
    from hashgnn.search import Index
    from hashgnn.search.compressed import index_to_time

    for kind in get_args(Quantizer):
        parameters = Parameters(quantizer=kind)
        bits = 8 * (2 * size - bytes_of_item(parameters, 8 * size))
        if bits < 8:
            continue
        try:
            queries, kept = train(users, items, bits, parameters, seed)
        except InputError as error:
            click.echo(f"{size} bytes: {error}", err=True)
            continue
        if not is_sign(parameters):
            scan = index_to_time(items, bits, kind, parameters.part_bits)
            ranked = Index(vectors=kept).continuous
            yield Case(kind, "asymmetric, FAISS", size, ranked, queries, scan)
            continue
        codes = [np.packbits(side >= 0, axis=1, bitorder="little") for side in (queries, kept)]
        index = Index(codes[1])
        yield Case(kind, "Hamming", size, index.hamming, codes[0])
        search = partial(index.asymmetric, query_bits=_QUERY_BITS)
        yield Case(kind, f"asymmetric, {_QUERY_BITS} bits", size, search, queries)


def _measure(case: Case, best: "np.ndarray", relevant: Any) -> Measured:
    """Rank the case's queries, and time some of them on one thread."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    from hashgnn.threads import get_threads, set_threads

    number, threads = best.shape[1], get_threads()
    lists, _ = case.ranked(case.queries, number)
    try:
        set_threads(1)
        with threadpool_limits(limits=1):
            time = _microseconds(case, number)
    finally:
        set_threads(threads)
    overlap, recall = _share(lists, list(best)), float("nan")
    if relevant is not None:
        recall = _share(lists, np.split(relevant.indices, relevant.indptr[1:-1]))
    return Measured(*case[:3], overlap, recall, time)


def _microseconds(case: Case, number: int) -> float:
    """Return the time of a query, the mean of some that are searched one by one."""
    import time

    import numpy as np

    queries, search = case.queries[:_TIMED], case.ranked
    if case.timed is not None:
        queries, search = np.resize(queries, (len(queries), case.timed.d)), case.timed.search
    search(queries[:1], number)  # compiles, and brings the codes into the caches
    start = time.perf_counter()
    for row in range(len(queries)):
        search(queries[row : row + 1], number)
    return 1e6 * (time.perf_counter() - start) / len(queries)


def _share(lists: "np.ndarray", wanted: "Sequence[np.ndarray]") -> float:
    """Return the mean share of the ``wanted`` items of a query that its list holds.

    Queries that want none are left out; NaN if all are.
    """
    import numpy as np

    pairs = [pair for pair in zip(lists, wanted, strict=True) if len(pair[1])]
    shares = [len(np.intersect1d(one, other)) / len(other) for one, other in pairs]
    return float(np.mean(shares)) if shares else float("nan")


def _vectors(path: Path) -> "np.ndarray":
    import numpy as np

    from hashgnn.errors import InputError
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

    from hashgnn.errors import InputError

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
