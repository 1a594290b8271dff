"""Saved indexes: replaced as a whole, and damaged ones refused before anything is searched."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from hashgnn.errors import InputError
from hashgnn.search import Index
from tests import damages

RANDOM = np.random.default_rng(0)
CODES = RANDOM.integers(0, 256, (1100, 4), dtype=np.uint8)
VECTORS = RANDOM.standard_normal((1100, 5)).astype(np.float32)
FILES = ("order.npy", "planes.npy", "vectors.npy", "index.json")

Answers = list[np.ndarray]


def answers(index: Index) -> Answers:
    found = index.hamming(CODES[:3], 9), index.continuous(VECTORS[:3], 9)
    return [*found[0], *found[1], *index.hierarchical(CODES[:3], VECTORS[:3], 9, candidates=50)]


@pytest.fixture(scope="module")
def expected() -> Answers:
    return answers(Index(CODES, VECTORS))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "index"
    Index(CODES, VECTORS).save(folder)
    return folder


@pytest.fixture
def saved(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "index")


def forget_checksums(folder: Path) -> None:
    """As an index that was saved before there were any."""
    path = folder / "index.json"
    description = json.loads(path.read_text())
    del description["checksums"]
    path.write_text(json.dumps(description))


def check(folder: Path, expected: Answers, refused: bool | None, verify: bool = True) -> None:
    """Refused by one line that names the folder, or answered right; None: either."""
    refusal, found = "", expected
    try:
        found = answers(Index.load(folder, verify=verify))
    except InputError as error:
        refusal = str(error)
    assert refused in (None, bool(refusal))
    assert not refusal or (str(folder) in refusal and "\n" not in refusal)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("how", damages.BYTES)
@pytest.mark.parametrize("name", FILES)
def test_damaged_bytes_are_refused(saved: Path, expected: Answers, name: str, how: str) -> None:
    damages.damage_bytes(saved / name, how)
    check(saved, expected, refused=None if name == "index.json" else True)


@pytest.mark.parametrize("how", [damages.remove, damages.make_folder])
@pytest.mark.parametrize("name", FILES)
def test_missing_files_are_refused(saved: Path, expected: Answers, name: str, how: object) -> None:
    how(saved / name)  # type: ignore[operator]
    check(saved, expected, refused=True)


@pytest.mark.parametrize("checksums", [True, False])
@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize(
    ("name", "how"),
    [(name, how) for name in FILES[:3] for how in damages.ARRAYS]
    + [("order.npy", how) for how in damages.INTEGERS]
    + [("vectors.npy", how) for how in damages.FLOATS],
)
def test_unfit_arrays_are_refused_with_checksums_and_without(
    saved: Path, expected: Answers, name: str, how: str, verify: bool, checksums: bool
) -> None:
    damages.damage_array(saved / name, how)
    if not checksums:
        forget_checksums(saved)
    if how in damages.FLOATS and not verify:
        return  # the numbers are not read
    if name == "vectors.npy" and how == "narrower rows" and not (verify and checksums):
        # A right array of other vectors: the queries do not fit it.
        with pytest.raises(InputError, match="vectors are float32"):
            answers(Index.load(saved, verify=verify))
        return
    flat = name == "order.npy" and how == "fewer dimensions"
    check(saved, expected, refused=None if flat else True, verify=verify)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"format": 2, "arrays": ["order", "planes"]}',
        '{"format": 1, "arrays": 5}',
        '{"format": 1, "arrays": null}',
        '{"format": 1, "arrays": ["order"]}',
        '{"format": 1, "arrays": ["planes", "vectors"]}',
        '{"format": 1, "arrays": ["order", "planes", "../x"]}',
        '{"format": 1, "arrays": ["order", ["planes"]]}',
        '{"format": 1, "arrays": ["order", "planes"], "checksums": []}',
        '{"format": 1, "arrays": ["order", "planes"], "checksums": {"order": "x"}}',
        '{"format": 1, "arrays": ["order", "planes"], "checksums": {"x": "x"}}',
        '{"format": 1, "arrays": ["order", "planes"], "checksums": {"order": null, "planes": 3}}',
    ],
)
def test_descriptions_that_no_index_writes_are_refused(saved: Path, text: str) -> None:
    (saved / "index.json").write_text(text)
    with pytest.raises(InputError, match=str(saved)):
        Index.load(saved)


def test_an_older_index_without_checksums_answers(saved: Path, expected: Answers) -> None:
    forget_checksums(saved)
    check(saved, expected, refused=False)


@pytest.mark.parametrize("verify", [True, False])
def test_a_whole_index_answers_from_mapped_memory(
    saved: Path, expected: Answers, verify: bool
) -> None:
    check(saved, expected, refused=False, verify=verify)
    loaded = Index.load(saved, verify=verify)
    assert isinstance(loaded.planes, np.memmap)
    assert isinstance(loaded.vectors, np.memmap)


class AsPath(os.PathLike[str]):
    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


@pytest.mark.parametrize("kind", [str, Path, AsPath])
def test_paths_are_text_or_path_like(tmp_path: Path, expected: Answers, kind: type) -> None:
    Index(CODES, VECTORS).save(kind(tmp_path / "index"))
    check(tmp_path / "index", expected, refused=False)
    assert len(Index.load(kind(tmp_path / "index"))) == len(CODES)


def test_a_mapped_index_outlives_its_replacement(saved: Path, expected: Answers) -> None:
    mapped = Index.load(saved)
    Index(CODES[:7]).save(saved)
    for one, other in zip(answers(mapped), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (len(Index.load(saved)), Index.load(saved).vectors) == (7, None)
    assert not (saved / "vectors.npy").exists()


def test_an_index_without_items_is_saved(tmp_path: Path) -> None:
    Index(CODES[:0], VECTORS[:0]).save(tmp_path)
    ids, _ = Index.load(tmp_path).hierarchical(CODES[:2], VECTORS[:2], 3)
    assert ids.tolist() == [[-1] * 3] * 2


@pytest.mark.parametrize("missing", ["nowhere", "file"])
def test_what_is_no_folder_is_refused(tmp_path: Path, missing: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=f"{missing}: not a saved index"):
        Index.load(tmp_path / missing)
