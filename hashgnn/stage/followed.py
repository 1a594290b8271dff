"""Refuse methods that load code or data whose edits the workflow cannot notice.

The digest of a method's code covers what it imports by name from the package. After an edit of
anything it loads in other ways, old results would be taken for those of the edited method.
"""

import ast
import functools
import json
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from importlib.machinery import PathFinder
from pathlib import Path

from hashgnn.errors import InputError
from hashgnn.stage.code_digest import PACKAGE, CodeDigest, Node
from hashgnn.stage.definitions import Definition, Import, Module, imports_of

# Names that need no import.
_GIVEN = {
    *("__import__", "exec", "eval", "compile", "open"),
    *("__file__", "__path__", "__spec__", "__loader__", "__builtins__"),
}

# Full names, and prefixes of full names, that load or run code or read data.
_UNSEEN = (
    *("builtins", "importlib", "imp", "runpy", "pkgutil", "zipimport", "ctypes", "cffi"),
    *("sys.path", "sys.modules", "sys.meta_path", "subprocess", "os.system", "os.popen"),
    *("os.environ", "os.getenv", "os.open", "io.open", "codecs.open", "fileinput", "mmap"),
    *("sqlite3", "zipfile", "urllib.request", "requests", "pooch", "numpy.load*"),
    *("numpy.genfromtxt", "numpy.fromfile", "numpy.memmap", "numpy.lib.format", "pandas.read_*"),
    *("torch.load", "torch.from_file", "torch.hub", "torch.jit.load", "torch.package"),
    *("torch.utils.cpp_extension", "scipy.io", "scipy.sparse.load_npz", "pyarrow.parquet"),
    *("pyarrow.csv", "pyarrow.feather", "pyarrow.memory_map", "h5py", f"{PACKAGE}.HashGNN"),
    *("pyarrow.dataset", "pyarrow.ipc", "pyarrow.json", "pyarrow.orc", "pyarrow.OSFile"),
    *("gzip", "bz2", "lzma", "tarfile", "io.FileIO", "os.fdopen", "os.read", "os.stat"),
    *("os.listdir", "os.scandir", "os.walk", "glob", "linecache", "configparser", "xml", "netrc"),
    *("pickle", "shelve", "dbm", "marshal", "logging.config", "socket", "http", "site", "sys.argv"),
    *("polars.read_*", "polars.scan_*", "duckdb", "joblib", "safetensors", "faiss.read_*"),
    *("pandas.HDFStore", "pandas.ExcelFile", "sklearn.datasets", "networkx.read_*"),
    *("torch_geometric.datasets", "torch.serialization", "torch.ops.load_library"),
    *(f"{PACKAGE}.recommender", f"{PACKAGE}.files.load_*", f"{PACKAGE}.data.interactions.load_*"),
)
_METHODS = ("open", "read_text", "read_bytes", "__dict__")


def check_followed(code: CodeDigest, *modules: str) -> None:
    """Raise ``InputError`` if methods or encoders load what the digest cannot follow."""
    beside = sorted(
        path.name
        for path in code.root.iterdir()
        if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))
    )
    used = json.dumps([modules, beside, (code.root / "Snakefile").exists(), sys.path])
    code.known(f"followed {used}", lambda: _check(code, modules))


def _check(code: CodeDigest, modules: Sequence[str]) -> str:
    shared = code.reached(*_shared(code.root))
    found = code.reached(*modules)
    used: dict[str, list[str]] = {name: [] for name in found.modules - shared.modules}
    for node in sorted(found.nodes - shared.nodes):
        if node.module:
            used.setdefault(node.module, []).append(node.name)
    for module in sorted(used, key=lambda name: (name not in modules, name)):
        for line, name, why in sorted(_unseen(code, module, used[module])):
            raise InputError(
                f"{module}, line {line}: {name} {why}, so the workflow would not notice edits and "
                f"would keep old results; import code by name from modules in {PACKAGE}/, and "
                "take data from the task"
            )
    return "yes"


def _shared(root: Path) -> list[str]:
    """Return the modules that all trainings share.

    They may load modules that the config names, which the rules pass to the digest, and files,
    which are inputs of the job.
    """
    files = sorted((root / PACKAGE / "training").glob("[!_]*.py"))
    return [f"{PACKAGE}.training.{file.stem}" for file in files]


def _unseen(code: CodeDigest, name: str, used: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield line, name and reason of what the ``used`` names of a module load."""
    module = code.module(name)
    for statement in module.tree.body:
        for item in imports_of(statement, name, module.is_package):
            # Imports run even if they are not used.
            yield from _unseen_import(code.root, item, statement.lineno, item.bound in used)
    for node in (Node(name, one) for one in used):
        for definition in code.definitions(node):
            for part in definition.statements:
                yield from _unseen_within(code.root, module, definition, part)


def _unseen_import(
    root: Path, item: Import, line: int, is_used: bool
) -> Iterator[tuple[int, str, str]]:
    if item.attribute == "*":
        yield line, item.full, "binds unlisted names"
    if _is_local(root, item.full):
        yield line, item.full, f"lies outside {PACKAGE}/"
    elif is_used and _matches(item.full):
        yield line, item.full, "loads code or data that is not followed"


def _unseen_within(
    root: Path, module: Module, definition: Definition, part: ast.stmt
) -> Iterator[tuple[int, str, str]]:
    known = {bound: found[0].full for bound, found in module.imports.items()}
    known |= {item.bound: item.full for item in definition.uses.imports}
    for node in ast.walk(part):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for item in imports_of(node, module.name, module.is_package):
                yield from _unseen_import(root, item, node.lineno, True)
        elif isinstance(node, ast.Name | ast.Attribute):
            full = _full_name(node, known)
            if _matches(full):
                yield node.lineno, full, "loads code or data that is not followed"
            elif isinstance(node, ast.Attribute) and node.attr in _METHODS:
                yield node.lineno, f".{node.attr}", "loads code or data that is not followed"


def _is_local(root: Path, full: str) -> bool:
    """Return whether a module is in the project's folder and not installed.

    False if the package itself is installed, since all other packages are beside it then, and for
    files that have the name of an installed or standard module, since jobs do not import these.
    """
    first = full.split(".")[0]
    if first in ("", PACKAGE) or not (root / "Snakefile").exists():
        return False
    beside = (root / f"{first}.py").exists() or any((root / first).glob("*.py"))
    return beside and not _is_installed(root, first)


def _is_installed(root: Path, name: str) -> bool:
    if name in sys.stdlib_module_names:
        return True
    elsewhere = [folder for folder in sys.path if Path(folder).resolve() != root.resolve()]
    return PathFinder.find_spec(name, elsewhere) is not None


@functools.cache
def _matches(full: str) -> bool:
    return full in _GIVEN or any(
        fnmatchcase(full, name) or full.startswith(f"{name}.") for name in _UNSEEN
    )


def _full_name(node: ast.expr, known: dict[str, str]) -> str:
    """Return the full name of a dotted name; empty if it is neither imported nor predefined."""
    if isinstance(node, ast.Attribute) and (inner := _full_name(node.value, known)):
        return f"{inner}.{node.attr}"
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id if node.id in _GIVEN else "")
    return ""
