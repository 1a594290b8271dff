"""A digest of the code that a stage runs, so that the workflow reruns what an edit made stale.

Snakemake does not look into Python packages. Each rule therefore carries, as a parameter, the
digest of its entry module and of every module of this package that it imports, directly or not.
Comments, docstrings and layout do not count. What a method imports or reads in a way that cannot be
followed is refused: ``followed.py``.
"""

import ast
import functools
import hashlib
import json
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from hashgnn.errors import InputError

PACKAGE = "hashgnn"

# What watches and records how a result came to be does not change the result.
OBSERVERS = f"{PACKAGE}.stage"


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


_VARIABLE = "HASHGNN_PLANNED"

# The package that runs.
own_code = CodeDigest(Path(__file__).parents[2])


class PlannedCode:
    """What rules hand to their stages as ``--code``: a digest, and the modules it begins at.

    On a cluster each job is planned again, where it runs: there the first plan counts, which the
    environment brings.
    """

    def __init__(self, digest: CodeDigest, main_process: bool) -> None:
        self._digest = digest
        told = None if main_process else os.environ.get(_VARIABLE)
        self._planned: dict[str, str] = json.loads(told) if told else {}

    def __call__(self, *entries: str) -> str:
        """Digest and ``entries`` (dotted module names), separated by spaces."""
        modules = " ".join(entries)
        if modules not in self._planned:
            self._planned[modules] = self._digest(*entries)
        return f"{self._planned[modules]} {modules}"

    def hand_on(self) -> None:
        """Let the jobs on a cluster know all that was asked for so far."""
        os.environ[_VARIABLE] = json.dumps(self._planned)


def check_planned(planned: str) -> None:
    """Raise ``InputError`` unless the code is still what ``PlannedCode`` said."""
    digest, stage, *others = planned.split()
    for module in others:  # first: no edit may come between the check and the import
        import_module(module)
    if own_code(stage, *others) != digest:
        raise InputError(
            f"the code of {', '.join([stage, *others])} changed since the workflow planned this "
            "job; give the same command again"
        )
