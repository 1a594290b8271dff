"""Refuse methods whose code or data the workflow cannot see an edit of.

The digest of a method's code takes in what it imports by name from the package. What it loads in
another way would go unseen, and old results would pass for those of the edited method.
"""

import ast
import functools
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from importlib.machinery import PathFinder
from pathlib import Path

from hashgnn.errors import InputError
from hashgnn.stage.code_digest import PACKAGE, CodeDigest, Node
from hashgnn.stage.definitions import Definition, Import, Module, imports_of

# Names that nobody has to import.
_GIVEN = {
    *("__import__", "exec", "eval", "compile", "open"),
    *("__file__", "__path__", "__spec__", "__loader__", "__builtins__"),
}

# Whatever bears these full names, or lies within them: code that is loaded or run, what is read.
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
    """Raise ``InputError`` if what ``modules``, methods or encoders, load cannot be followed."""
    shared = code.reached(*_shared(code.root))
    found = code.reached(*modules)
    used: dict[str, list[str]] = {name: [] for name in found.modules - shared.modules}
    for node in sorted(found.nodes - shared.nodes):
        if node.module:
            used.setdefault(node.module, []).append(node.name)
    for module in sorted(used, key=lambda name: (name not in modules, name)):
        for line, name, why in sorted(_unseen(code, module, used[module])):
            raise InputError(
                f"{module}, line {line}: {name} {why}: an edit of it would go unseen, and old "
                f"results would stand. A method takes its code from modules in {PACKAGE}/, which "
                "it imports by name, and its data from its task"
            )


def _shared(root: Path) -> list[str]:
    """Return what all trainings share.

    It loads what the config names, which the rules pass to the digest, and reads files that are
    inputs of the job.
    """
    files = sorted((root / PACKAGE / "training").glob("[!_]*.py"))
    return [f"{PACKAGE}.training.{file.stem}" for file in files]


def _unseen(code: CodeDigest, name: str, used: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield line, name and fault of what the ``used`` names of a module load unseen."""
    module = code.module(name)
    for statement in module.tree.body:
        for item in imports_of(statement, name, module.is_package):
            # What is imported is executed, whether or not it is used.
            yield from _unseen_import(code.root, item, statement.lineno, item.bound in used)
    for node in (Node(name, one) for one in used):
        for definition in code.definitions(node):
            for part in definition.statements:
                yield from _unseen_within(code.root, module, definition, part)


def _unseen_import(
    root: Path, item: Import, line: int, is_used: bool
) -> Iterator[tuple[int, str, str]]:
    if item.attribute == "*":
        yield line, item.full, "binds names that are not listed"
    if _is_local(root, item.full):
        yield line, item.full, f"lies outside {PACKAGE}/"
    elif is_used and _matches(item.full):
        yield line, item.full, "loads what is not followed"


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
                yield node.lineno, full, "loads what is not followed"
            elif isinstance(node, ast.Attribute) and node.attr in _METHODS:
                yield node.lineno, f".{node.attr}", "loads what is not followed"


def _is_local(root: Path, full: str) -> bool:
    """Whether a module lies beside the package, and none of its name is installed.

    Beside an installed package lie all others that are. A file that is only called like an
    installed module or one of Python's is nothing to the jobs.
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
    """What a dotted name stands for; empty for what was neither imported nor is given."""
    if isinstance(node, ast.Attribute) and (inner := _full_name(node.value, known)):
        return f"{inner}.{node.attr}"
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id if node.id in _GIVEN else "")
    return ""
