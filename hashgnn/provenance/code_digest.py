"""A digest of the code that a stage runs, so that the workflow reruns what an edit made stale.

Snakemake does not look into Python packages. Each rule therefore carries, as a parameter, the
digest of its entry module and of every module of this package that it imports, directly or not.
Comments, docstrings and layout do not count. What a method imports or reads in a way that cannot be
followed is refused: ``followed.py``.
"""

import ast
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path

from hashgnn.errors import InputError

PACKAGE = "hashgnn"

# What watches and records how a result came to be does not change the result.
OBSERVERS = f"{PACKAGE}.provenance"


class CodeDigest:
    """Digests over the modules of the package that lies in ``root``/hashgnn."""

    def __init__(self, root: Path) -> None:
        self.root = root
        # Hundreds of jobs ask for the digests of the same modules.
        self.tree = functools.cache(self._parse_module)
        self._dump = functools.cache(self._dump_module)
        self._imports = functools.cache(self._imports_of)
        self._digest = functools.cache(self._digest_of)

    def __call__(self, *entries: str) -> str:
        """16 hexadecimal digits over the closure of ``entries`` (dotted module names)."""
        return self._digest(entries)

    def _digest_of(self, entries: tuple[str, ...]) -> str:
        digest = hashlib.sha256()
        for module in sorted(self.closure(*entries)):
            if module.startswith(OBSERVERS):
                continue
            digest.update(self._dump(module))
        return digest.hexdigest()[:16]

    def closure(self, *entries: str) -> set[str]:
        """``entries`` and all modules of the package that importing them loads."""
        found: set[str] = set()
        waiting = list(entries)
        while waiting:
            module = waiting.pop()
            if module not in found:
                found.add(module)
                waiting.extend(self._imports(module))
        return found

    def _dump_module(self, module: str) -> bytes:
        return f"{module}\n{ast.dump(self.tree(module))}\n".encode()

    def _imports_of(self, module: str) -> tuple[str, ...]:
        return tuple(self._loaded_by(module))

    def _loaded_by(self, module: str) -> Iterator[str]:
        """Parents of a module (Python runs their ``__init__``) and what it names in imports."""
        named = [module.rpartition(".")[0]]
        for node in ast.walk(self.tree(module)):
            if isinstance(node, ast.Import):
                named += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                source = self.source(node, module)
                named += [source, *(f"{source}.{alias.name}" for alias in node.names)]
        for name in named:
            # A folder without __init__ is no module, but has parents that Python runs.
            while name.split(".")[0] == PACKAGE and self._path(name) is None:
                name = name.rpartition(".")[0]
            if name.split(".")[0] == PACKAGE:
                yield name

    def source(self, node: ast.ImportFrom, module: str) -> str:
        """The full name of what ``node``, a statement of ``module``, imports from."""
        if not node.level:
            return node.module or ""
        path = self._path(module)
        inside = path is not None and path.name == "__init__.py"
        package = module.split(".")[: None if inside else -1]
        parts = package[: len(package) + 1 - node.level]
        return ".".join([*parts, *([node.module] if node.module else [])])

    def _path(self, module: str) -> Path | None:
        base = self.root.joinpath(*module.split("."))
        candidates = (base.with_suffix(".py"), base / "__init__.py")
        return next((path for path in candidates if path.is_file()), None)

    def _parse_module(self, module: str) -> ast.Module:
        """The syntax of ``module`` without docstrings."""
        path = self._path(module)
        if path is None:
            raise InputError(f"the config names {module}: no such module below {self.root}")
        try:
            tree = ast.parse(path.read_bytes(), filename=str(path))
        except (SyntaxError, ValueError) as error:
            raise InputError(f"{path}: is not Python ({error})") from error
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                node.body = [s for s in node.body if not _is_docstring(s)] or [ast.Pass()]
        return tree


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
