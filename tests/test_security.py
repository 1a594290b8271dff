"""Nothing that is read is ever run, nothing is written outside its folder."""

import ast
import os
import pickle
import stat
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from hashgnn.config.model import resolve
from hashgnn.data import readers
from hashgnn.data.prepare import prepare
from hashgnn.errors import InputError
from hashgnn.experiment.runs import variant_id
from hashgnn.files import load_array, load_arrays
from hashgnn.training.checkpoint import Checkpoint

ROOT = Path(__file__).parents[1]
SOURCES = [p for f in ("hashgnn", "benchmarks", "docs") for p in sorted((ROOT / f).rglob("*.py"))]

# What runs, unpickles or unpacks; and what does so unless an argument forbids it.
FORBIDDEN = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "pd.read_pickle"),
    *("yaml.load", "yaml.unsafe_load", "yaml.full_load", "torch.jit.load", "torch.package"),
    *("shutil.unpack_archive", "tempfile.mktemp"),
}
METHODS = {"extract", "extractall", "read_pickle", "to_pickle"}
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "tarfile"}
WANTED = {"np.load": ("allow_pickle", False), "torch.load": ("weights_only", True)}


def offences(source: str) -> list[str]:
    """Calls and imports that have no place here."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names]
            found += [name for name in names if name.split(".")[0] in MODULES]
        elif isinstance(node, ast.Call):
            found += _offending_call(node)
    return found


def _offending_call(node: ast.Call) -> list[str]:
    name = ast.unparse(node.func)
    given = {word.arg: ast.unparse(word.value) for word in node.keywords}
    if name in FORBIDDEN or (isinstance(node.func, ast.Attribute) and node.func.attr in METHODS):
        return [name]
    if given.get("shell", "False") != "False" or given.get("allow_pickle", "False") != "False":
        return [name]
    key, value = WANTED.get(name, ("", None))
    return [name] if key and given.get(key) != str(value) else []


@pytest.mark.parametrize(
    "source",
    [
        *("import pickle", "from joblib import load", "eval(x)", "os.system(x)", "a.extractall()"),
        *("np.load(x)", "np.load(x, allow_pickle=True)", "torch.load(x)", "yaml.load(x)"),
        *("subprocess.run(x, shell=True)", "np.save(x, y, allow_pickle=True)"),
    ],
)
def test_offences_are_seen(source: str) -> None:
    assert offences(source)


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_source_unpickles_evaluates_or_unpacks(path: Path) -> None:
    assert offences(path.read_text(encoding="utf-8")) == []


class Bomb:
    """Leaves a file where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def test_pickles_are_not_loaded(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    loaded = np.array([Bomb(mark)], dtype=object)
    np.save(tmp_path / "x.npy", loaded, allow_pickle=True)
    np.savez(tmp_path / "x.npz", user=loaded)
    (tmp_path / "raw.npy").write_bytes(pickle.dumps(Bomb(mark)))
    torch.save({"fingerprint": "f", "state": Bomb(mark)}, tmp_path / "checkpoint.pt")

    for name in ("x.npy", "raw.npy"):
        with pytest.raises(InputError, match="cannot be read"):
            load_array(tmp_path / name)
    with pytest.raises(InputError, match="cannot be read"):
        load_arrays(tmp_path / "x.npz")
    assert Checkpoint(tmp_path / "checkpoint.pt", "f").load() is None
    assert not mark.exists()
    pickle.loads((tmp_path / "raw.npy").read_bytes())  # the bomb is one
    assert mark.exists()


def archive(path: Path, members: dict[str, str], link: str = "") -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
        if link:
            entry = zipfile.ZipInfo(link)
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            file.writestr(entry, "/etc/passwd")
    return path


def read(path: Path, member: str | None = None) -> list[str]:
    layout = {"header": False, **({"member": member} if member else {})}
    columns = {"user": 0, "item": 1}
    settings = {"dataset": "x", "reader": "table", "columns": columns, "format": layout}
    return prepare([path], settings).user_ids.to_pylist()


@pytest.mark.parametrize("member", ["../../out.csv", "/abs.csv", "a/../../b.csv", "c:\\d.csv"])
def test_members_are_read_where_they_lie_whatever_their_names(tmp_path: Path, member: str) -> None:
    path = archive(tmp_path / "x.zip", {member: "u,i\n"})
    before = sorted(tmp_path.parent.rglob("*"))

    assert read(path) == ["u"]
    assert sorted(tmp_path.parent.rglob("*")) == before
    assert not Path("/abs.csv").exists()


def test_a_link_in_an_archive_leads_nowhere(tmp_path: Path) -> None:
    with pytest.raises(InputError):  # "/etc/passwd" is a line without a second column
        read(archive(tmp_path / "x.zip", {}, link="data.csv"))


def test_a_line_without_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "_BLOCK", 1000)
    path = tmp_path / "x.txt"
    path.write_text("1 2\n" + "0" * 10**6)

    with pytest.raises(InputError, match="more than 1,000 bytes without a line break"):
        prepare([path], {"dataset": "x", "reader": "adjacency"})


def test_a_compressed_table_that_memory_cannot_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "available_mb", lambda: 1)
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.parquet", bytes(1 << 23))

    with pytest.raises(InputError, match="unpacks to more than the available memory, 1 MB"):
        read(path, "x.parquet")


NAMES = ["../x", "/etc", "a;rm -rf b", "$(x)", "`x`", "a b", "a\n", "a\nb", "", ".", "..", "-r"]
NAMES += ["a'b", 'a"b', "a|b", "a&b", "a>b", "a*", "a{b}", "ä", "a/b", "a\\b", "a\0"]


def config_with(kind: str, name: str) -> dict[str, Any]:
    """The config with something called ``name``."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    if kind == "file":
        config["datasets"]["gowalla"]["files"] = {name: {"address": "x"}}
    elif kind == "grid":
        config["grids"][name] = config["grids"]["fig3"]
    elif kind == "value":
        config["sweeps"]["triplets"]["values"] = [name]
    elif kind == "module":
        config["models"]["hashgnn"]["module"] = name
    else:
        entries = config[kind]
        entries[name] = next(iter(entries.values()))
    return config


@pytest.mark.parametrize(
    "kind", ["datasets", "models", "sweeps", "file", "grid", "value", "module"]
)
def test_names_that_could_leave_a_folder_or_enter_a_command_are_refused(kind: str) -> None:
    harmless = {"value": [".", "..", "-r"]}.get(kind, [])
    of_kind = {
        "grid": "unknown key",
        "file": "expected a file's name of letters, digits",
        "module": "expected a module of this package",
    }
    expected = of_kind.get(kind, "expected letters, digits")
    for name in NAMES:
        if name not in harmless:  # they stand behind "model@key="
            with pytest.raises(InputError, match=expected):
                resolve(config_with(kind, name))


@pytest.mark.parametrize("values", [{"a;b": 1}, {"a": "b c"}, {"a": [8, 7]}, {"a": "../x"}])
def test_what_is_swept_cannot_leave_a_folder_or_enter_a_command(values: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="become folder names"):
        variant_id("hashgnn", values)
