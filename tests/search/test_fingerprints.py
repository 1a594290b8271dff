"""Results of kernels do not change unless the ``RESULTS_VERSION`` of their module is raised.

The code digest takes that number in place of the code. ``python -m tests.search.test_fingerprints``
records the results of versions that have no fingerprint yet, in ``fingerprints.json``.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from hashgnn.data.interactions import Csr
from hashgnn.search import _kernels, exact
from hashgnn.search._kernels import bit_planes
from hashgnn.stage.code_digest import CodeDigest

RECORDED = Path(__file__).with_name("fingerprints.json")
ROOT = Path(__file__).parents[2]
FOLDER = Path(_kernels.__file__).parent

Results = Iterator[np.ndarray]


def _codes(rows: int, width: int, kinds: int) -> np.ndarray:
    """Like random ones, by a rule of its own: the same with any version of NumPy."""
    numbers = np.arange(kinds * width, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    codes = (numbers >> np.uint64(56)).astype(np.uint8).reshape(kinds, width)
    return codes[np.arange(rows) * 7 % kinds]


def _vectors(rows: int, width: int) -> np.ndarray:
    numbers = np.arange(rows * width, dtype=np.uint64) * np.uint64(0xBF58476D1CE4E5B9)
    return ((numbers >> np.uint64(40)).astype(np.float32) - 2**23).reshape(rows, width) / 2**22


def _excluded(rows: int, n_items: int) -> Csr:
    each = np.arange(3, n_items, 11, dtype=np.int32)
    return Csr(np.arange(rows + 1) * len(each), np.tile(each, rows))


def _of_bit_planes() -> Results:
    for rows, width in ((1, 1), (513, 4), (1500, 3)):
        codes = _codes(rows, width, 1009)
        yield bit_planes.to_planes(codes)
        yield bit_planes.to_masks(codes[:9])
        yield bit_planes.to_patterns(codes[:9], 8)
        items = exact.Items(bit_planes.to_planes(codes), rows)
        yield exact.pair_distances(items, codes[:3], _excluded(len(codes[:3]), rows))


def _of_hamming_scan() -> Results:
    for n_items, width, kinds, k in ((1, 4, 1, 3), (700, 1, 50, 100), (3000, 8, 2999, 40)):
        items = exact.Items(bit_planes.to_planes(_codes(n_items, width, kinds)), n_items)
        for n_queries in (1, 5, 33):
            queries, excluded = _codes(n_queries, width, 97), _excluded(n_queries, n_items)
            positions, distances = exact.nearest(items, queries, k, excluded)
            yield from (positions, distances)
            counts = exact.level_counts(items, queries, k, excluded)
            last = np.where(distances[:, -1] < 0, width * 8, distances[:, -1])
            yield np.where(np.arange(counts.shape[1]) <= last[:, None], counts, 0)


def _of_weighted_codes() -> Results:
    for rows, width in ((1, 1), (513, 4), (1500, 3)):
        codes, queries = _codes(rows, width, 1009), _vectors(3, width * 8).astype(np.float64)
        weights = np.abs(queries * 3).astype(np.uint8)
        yield bit_planes.to_weighted_masks(_codes(3, width, 97), weights, 3)
        positions = np.arange(3 * 40, dtype=np.int32).reshape(3, 40) % (rows + 1) - 1
        sums = np.empty(positions.shape)
        bit_planes.signed_sums(bit_planes.to_planes(codes), queries, positions, sums)
        yield sums


def _of_weighted_scan() -> Results:
    for n_items, width, kinds, k in ((1, 3, 1, 3), (3000, 3, 2999, 40)):
        items = exact.Items(bit_planes.to_planes(_codes(n_items, width, kinds)), n_items)
        for n_queries in (1, 5, 33):
            queries, excluded = _codes(n_queries, width, 97), _excluded(n_queries, n_items)
            weights = np.abs(_vectors(n_queries, width * 8) * 3).astype(np.uint8)
            yield from exact.nearest_weighted(items, queries, weights, 3, k, excluded)


def _of_inner_products() -> Results:
    for n_items, width, k in ((1, 3, 2), (333, 17, 400), (2000, 64, 30)):
        items = _vectors(n_items, width)
        for n_queries in (1, 2, 13):
            queries = _vectors(n_queries, width)[::-1].copy()
            yield from exact.largest(queries, items, k, _excluded(n_queries, n_items))
            candidates = np.arange(n_queries * 30, dtype=np.int32).reshape(n_queries, 30) % n_items
            candidates[:, 25:] = -1
            yield from exact.rerank(queries, items, candidates, min(k, 30))


# By module; after a colon, what else the module computes.
RESULTS: dict[str, Callable[[], Results]] = {
    "bit_planes": _of_bit_planes,
    "bit_planes:weighted": _of_weighted_codes,
    "hamming_scan": _of_hamming_scan,
    "hamming_scan:weighted": _of_weighted_scan,
    "inner_products": _of_inner_products,
}


def version(kernel: str) -> str:
    """What the author of the module says."""
    module = kernel.partition(":")[0]
    return str(import_module(f"{_kernels.__name__}.{module}").RESULTS_VERSION)


def fingerprint(results: Results) -> str:
    """A digest of arrays: their types, shapes and values."""
    digest = hashlib.sha256()
    for array in results:
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def check(kernel: str, said: str, found: str, recorded: dict[str, str]) -> None:
    """Fail unless ``found`` is the fingerprint that was recorded for the version ``said``."""
    assert said in recorded, (
        f"{kernel} has RESULTS_VERSION {said}, of which no fingerprint is recorded: run "
        "python -m tests.search.test_fingerprints"
    )
    assert recorded[said] == found, (
        f"the results of {kernel} changed: raise its RESULTS_VERSION, so that what was made with "
        "it is made again, and record the fingerprint"
    )


@pytest.mark.parametrize("kernel", sorted(RESULTS))
def test_results_are_those_of_their_version(kernel: str) -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    check(kernel, version(kernel), fingerprint(RESULTS[kernel]()), recorded[kernel])


def test_every_kernel_has_a_version_and_a_fingerprint() -> None:
    assert {path.stem for path in FOLDER.glob("[!_]*.py")} == {
        kernel.partition(":")[0] for kernel in RESULTS
    }


def test_a_fingerprint_that_differs_or_is_lacking_fails() -> None:
    check("one", "1", "a", {"1": "a"})
    with pytest.raises(AssertionError, match="raise its RESULTS_VERSION"):
        check("one", "1", "b", {"1": "a"})
    with pytest.raises(AssertionError, match="no fingerprint is recorded"):
        check("one", "2", "b", {"1": "a"})


@pytest.mark.parametrize(
    ("kernel", "old", "new"),
    [
        ("hamming_scan", "inside += 1", "inside = 1 + inside"),
        ("inner_products", "sum_a = sum_b = sum_c = sum_d", "sum_d = sum_c = sum_b = sum_a"),
        ("bit_planes", "_CONVERTED_AT_ONCE = 128", "_CONVERTED_AT_ONCE = 64"),
    ],
)
def test_an_edit_that_keeps_the_results_reruns_nothing(
    tmp_path: Path, kernel: str, old: str, new: str
) -> None:
    shutil.copytree(ROOT / "hashgnn", tmp_path / "hashgnn")
    file = tmp_path / f"hashgnn/search/_kernels/{kernel}.py"
    text = file.read_text(encoding="utf-8")

    def digests(old: str, new: str) -> list[str]:
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")
        code = CodeDigest(tmp_path)
        evaluation = code("hashgnn.evaluation.evaluate")
        return [evaluation, code("hashgnn.training.train", "hashgnn.models.hashgnn")]

    before = digests("", "")
    assert digests(old, new) == before
    raised = digests("RESULTS_VERSION = 1", "RESULTS_VERSION = 2")
    assert all(one != other for one, other in zip(before, raised, strict=True))


@pytest.mark.parametrize("row", [0, 1])
def test_a_fingerprint_sees_values_types_and_shapes(row: int) -> None:
    array = np.arange(6).reshape(2, 3)
    changed = array.copy()
    changed[row] += 1

    prints = {fingerprint(iter([a])) for a in (array, changed, array.T, array.astype(np.int32))}
    assert len(prints) == 4


def record() -> None:
    """Write the fingerprints of versions that have none."""
    recorded = json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}
    for kernel, results in RESULTS.items():
        recorded.setdefault(kernel, {}).setdefault(version(kernel), fingerprint(results()))
    RECORDED.write_text(json.dumps(recorded, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record()
