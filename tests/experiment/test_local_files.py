"""Sources of downloads by their content, the package's path, the times of results."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hashgnn.errors import InputError
from hashgnn.experiment.local_files import (
    check_local,
    check_places,
    download_settings,
    end_future,
    package_folder,
)
from tests.data.files import zipped

NEW, OLD = (f"sha256:{hashlib.sha256(text).hexdigest()}" for text in (b"new", b"old"))
WEB = {"address": "https://example.org/f.csv"}
CHECKED = {**WEB, "checksum": OLD}
OWN = {"address": "own.csv"}
BY_HAND = {"manual": {"page": "https://example.org"}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where results lie, with a copy that was made of ``old``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("mirror/toy", "home", "results/toy/download"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def planned(folder: Path, entry: dict[str, Any], **config: Any) -> dict[str, Any]:
    """The settings but for the entry itself, which every edit changes."""
    datasets = {"toy": {"files": {"f.csv": entry}}}
    given = {"mirror": None, "mirror_checksums": "check", **config, "datasets": datasets}
    check_places(given)
    found = download_settings(given, "toy", "f.csv", folder)
    assert found.items() >= {"dataset": "toy", "file": "f.csv", **entry}.items()
    return {key: value for key, value in found.items() if key == "content"}


def made(settings: dict[str, Any]) -> None:
    """Record a copy of ``old`` that was planned with ``settings``."""
    record = {"settings": settings, "outputs": {"f.csv": OLD}}
    Path("results/toy/download/f.csv.provenance.json").write_text(json.dumps(record))


MIRROR = {"mirror": "mirror"}
TRUST = {**MIRROR, "mirror_checksums": "trust"}


@pytest.mark.parametrize(
    ("entry", "config", "files", "expected"),
    [
        pytest.param(OWN, {}, {"own.csv": b"old"}, OLD, id="an own file"),
        pytest.param(OWN, {}, {"own.csv": b"new"}, NEW, id="an own file that was edited"),
        pytest.param(OWN, {}, {}, None, id="an own file that was moved away"),
        pytest.param({"address": "results"}, {}, {}, None, id="a folder"),
        pytest.param({"address": "~/f"}, {}, {}, None, id="nothing in the home folder"),
        pytest.param({"address": "~/f"}, {}, {"home/f": b"new"}, NEW, id="in the home folder"),
        pytest.param({**OWN, "checksum": OLD}, {}, {}, None, id="moved away, with a checksum"),
        pytest.param(WEB, {}, {}, "as before", id="the web"),
        pytest.param(WEB, MIRROR, {}, "as before", id="a mirror without the file"),
        pytest.param(WEB, MIRROR, {"mirror/toy/f.csv": b"old"}, "as before", id="the same there"),
        pytest.param(WEB, MIRROR, {"mirror/toy/f.csv": b"new"}, NEW, id="an edited mirror"),
        pytest.param(BY_HAND, MIRROR, {"mirror/toy/f.csv": b"new"}, NEW, id="fetched by hand"),
        pytest.param(BY_HAND, {}, {}, "as before", id="by hand, the mirror not named again"),
        pytest.param(
            WEB,
            {"mirror": "https://m.org"},
            {"mirror/toy/f.csv": b"new"},
            "as before",
            id="a web mirror",
        ),
        pytest.param(
            CHECKED, MIRROR, {"mirror/toy/f.csv": b"new"}, "none", id="checksum settles it"
        ),
        pytest.param(CHECKED, {}, {}, "none", id="no longer trusted"),
        pytest.param(CHECKED, TRUST, {"mirror/toy/f.csv": b"new"}, NEW, id="a trusted mirror"),
        pytest.param(CHECKED, TRUST, {"mirror/toy/f.csv": b"old"}, "as before", id="trusted, same"),
        pytest.param(
            OWN, MIRROR, {"own.csv": b"old", "mirror/toy/f.csv": b"new"}, NEW, id="mirror first"
        ),
    ],
)
@pytest.mark.parametrize("before", [{}, {"content": OLD}, {"content": "sha256:other"}])
def test_content_of_the_source(
    folder: Path,
    entry: dict[str, Any],
    config: dict[str, Any],
    files: dict[str, bytes],
    expected: str | None,
    before: dict[str, Any],
) -> None:
    made(before)
    for name, content in files.items():
        (folder / name).write_bytes(content)

    found = planned(folder, entry, **config)

    if expected == "as before" or expected == OLD:  # the copy is of these bytes
        assert found == before
    else:
        assert found == ({} if expected == "none" else {"content": expected})


def test_before_the_first_fetch_and_after_a_damaged_record(folder: Path) -> None:
    (folder / "own.csv").write_bytes(b"old")
    assert planned(folder, OWN) == {"content": OLD}
    assert planned(folder, WEB) == {}
    for text in ("", "[]", "{}", '{"outputs": null, "settings": {}}'):
        (folder / "results/toy/download/f.csv.provenance.json").write_text(text)
        assert planned(folder, OWN) == {"content": OLD}


def test_an_edit_is_seen_whatever_its_time(folder: Path) -> None:
    own = folder / "own.csv"
    for text, digest in ((b"old", OLD), (b"new", NEW)):
        own.write_bytes(text)
        assert planned(folder, OWN) == {"content": digest}
        os.utime(own, (0, 0))


@pytest.mark.parametrize("place", ["ftp://x.org/f", "file:///f", "~nobody-of-this-name/f"])
def test_places_that_nothing_can_be_fetched_from_are_refused(folder: Path, place: str) -> None:
    for config in ({"mirror": place}, {}):
        with pytest.raises(InputError, match="address"):
            planned(folder, WEB if config else {"address": place}, **config)


PLANNED = {"table1": {"datasets": ["toy"]}, "fig3": None}
TABLE = "user,item,stars\nanna,x,3\n"
NAMES = {"user": "user", "item": "item"}
GOODS = {"features": {"item": {"file": "goods.tsv", "address": "goods.txt", "id": "item"}}}
LISTED = "; there are: 'user', 'item', 'stars'"


@pytest.mark.parametrize(
    ("entry", "file", "config", "message"),
    [
        pytest.param({"columns": NAMES}, "own.csv", {}, None, id="all there"),
        pytest.param({"columns": {"user": 0, "item": 2}}, "own.csv", {}, None, id="positions"),
        pytest.param(
            {"columns": {**NAMES, "rating": "star"}},
            "own.csv",
            {},
            f"{{folder}}/own.csv: no column 'star' for rating{LISTED}",
            id="a column",
        ),
        pytest.param(
            {"columns": {"user": 0, "item": 3}},
            "own.csv",
            {},
            "{folder}/own.csv: no column 3 for item; there are 0 to 2",
            id="a position",
        ),
        pytest.param(
            {"columns": {**NAMES, "user": "u"}},
            "zipped.csv",
            {},
            "{folder}/own.zip: no column 'u' for user; there are: 'user', 'item', 'stars'",
            id="in an archive",
        ),
        pytest.param(
            {"columns": {**NAMES, "user": "u"}},
            "parts.parquet",
            {},
            "{folder}/own.parquet: no column 'u' for user; there are: 'user', 'item'",
            id="Parquet",
        ),
        pytest.param(
            {"columns": {**NAMES, "item": "i"}, "format": {"separator": ";"}},
            "own.csv",
            {},
            "{folder}/own.csv: no column 'user' for user; there are: 'user,item,stars'; if ',' "
            "separates fields, set format.separator",
            id="a separator",
        ),
        pytest.param(
            {"columns": NAMES},
            "away.csv",
            {},
            "no file 'data/away.csv' in {folder}, where relative paths begin; "
            "correct its address in the config, or put the file there",
            id="not there",
        ),
        pytest.param(
            {"columns": NAMES},
            "home.csv",
            {},
            "no file '~/home.csv', which is {folder}/home/home.csv; "
            "correct its address in the config, or put the file there",
            id="not at home",
        ),
        pytest.param(
            {"columns": NAMES},
            "folder.csv",
            {},
            "{folder}/mirror is no regular file; name a file",
            id="a folder",
        ),
        pytest.param({"columns": NAMES}, "away.csv", {"mirror": "mirror"}, None, id="of a mirror"),
        pytest.param(
            {"columns": NAMES}, "away.csv", {"mirror": "https://m.org"}, None, id="a web mirror"
        ),
        pytest.param({"columns": NAMES}, "web.csv", {}, None, id="the web"),
        pytest.param({"reader": "adjacency"}, "own.csv", {}, None, id="no table"),
        pytest.param(GOODS, "goods.tsv", {}, None, id="features"),
        pytest.param(
            {"features": {"item": {**GOODS["features"]["item"], "id": "items"}}},
            "goods.tsv",
            {},
            "{folder}/goods.txt: no column 'items' of item ids; there are: item, color; "
            "did you mean item?",
            id="a column of features",
        ),
    ],
)
def test_unfit_and_missing_local_files_are_found_before_any_job(
    folder: Path, entry: dict[str, Any], file: str, config: dict[str, Any], message: str | None
) -> None:
    (folder / "own.csv").write_text(TABLE)
    (folder / "goods.txt").write_text("item\tcolor\nx\tred\n")
    (folder / "own.zip").write_bytes(zipped(**{"inner.csv": TABLE.encode()}))
    columns = {"user": ["anna"], "item": ["x"]}
    pq.write_table(pa.table(columns), folder / "own.parquet")
    (folder / "mirror/toy/away.csv").write_text(TABLE)
    addresses = {
        "own.csv": "own.csv",
        "zipped.csv": str(folder / "own.zip"),
        "parts.parquet": "own.parquet",
        "away.csv": "data/away.csv",
        "home.csv": "~/home.csv",
        "folder.csv": "mirror",
        "web.csv": "https://example.org/web.csv",
    }
    files = {name: {"address": address} for name, address in addresses.items()}
    toy = {"reader": "table", "files": files, **entry}
    toy["files"] = {} if "features" in entry else {file: files[file]}
    given = {"mirror": None, **config, "datasets": {"toy": toy}}

    assert not check_local({**given, "grids": {"table1": {"datasets": []}, "fig3": None}}, folder)
    given["grids"] = PLANNED
    expected = [] if message is None else [f"toy: {file}: {message}".format(folder=folder)]
    if not message or message.startswith("no file"):
        assert check_local(given, folder) == expected
        return
    with pytest.raises(InputError) as caught:
        check_local(given, folder)
    assert [str(caught.value)] == expected


def test_a_file_moved_away_after_it_was_copied_is_left_to_its_job(folder: Path) -> None:
    made({"address": "own.csv"})
    for address in ("own.csv", "other.csv"):
        files = {"f.csv": {"address": address}}
        toy = {"reader": "table", "files": files, "columns": NAMES}
        given = {"datasets": {"toy": toy}, "grids": PLANNED}
        missing = check_local(given, folder)
        if address == "own.csv":
            assert missing == []
        else:
            assert "no file 'other.csv' in " in missing[0]


def test_a_damaged_table_is_left_to_its_job(folder: Path) -> None:
    (folder / "goods.parquet").write_bytes(b"PAR1 and no more")
    item = {"file": "goods.parquet", "address": "goods.parquet", "id": "item"}
    files = {"broken.parquet": {"address": "goods.parquet"}}
    toy = {"reader": "table", "files": files, "columns": NAMES, "features": {"item": item}}
    check_local({"datasets": {"toy": toy}, "grids": PLANNED}, folder)


@pytest.mark.parametrize("mirror", ["nowhere", "mirror", "https://example.org"])
def test_a_mirror_that_is_not_there_is_named(folder: Path, mirror: str) -> None:
    lines = check_local({"mirror": mirror, "datasets": {}, "grids": {}}, folder)
    assert [line.partition("; ")[0] for line in lines] == (
        [f"mirror: {folder}/nowhere: no such folder"] if mirror == "nowhere" else []
    )


def test_each_missing_file_has_a_line(folder: Path) -> None:
    files = {name: {"address": name} for name in ("a.csv", "b.csv")}
    toy = {"reader": "table", "files": files, "columns": NAMES}
    lines = check_local({"datasets": {"toy": toy}, "grids": PLANNED}, folder)
    assert [line.partition(": no file")[0] for line in lines] == ["toy: a.csv", "toy: b.csv"]


def test_the_package_is_found_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "a:b {c}"
    (project / "hashgnn").mkdir(parents=True)
    (project / "hashgnn/__init__.py").write_text("HERE = True\n")
    (project / "random.py").write_text("raise SystemExit('the user's own file')\n")
    monkeypatch.chdir(tmp_path)

    path = package_folder(project, Path("links"))

    assert path == package_folder(project, Path("links"))  # a second run takes the same
    assert ":" not in str(path)
    assert [entry.name for entry in path.iterdir()] == ["hashgnn"]
    check = "import random, hashgnn; assert hashgnn.HERE"
    environment = {**os.environ, "PYTHONPATH": str(path), "PYTHONSAFEPATH": "1"}
    assert subprocess.run([sys.executable, "-c", check], env=environment).returncode == 0


def test_two_projects_have_two_folders(tmp_path: Path) -> None:
    assert package_folder(tmp_path / "a", tmp_path) != package_folder(tmp_path / "b", tmp_path)


def test_times_in_the_future_end_now_and_others_stay(tmp_path: Path) -> None:
    past, future, missing = (tmp_path / name for name in ("past", "future", "missing"))
    now = time.time()
    for path, at in ((past, now - 1000), (future, now + 1000)):
        path.touch()
        os.utime(path, (at, at))

    end_future(map(str, (past, future, missing)))

    assert past.stat().st_mtime < now - 900
    assert now - 10 < future.stat().st_mtime <= time.time()
    assert not missing.exists()
