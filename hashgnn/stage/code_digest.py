"""Compute a digest of the code that a stage runs, so that the workflow reruns edited stages.

Snakemake does not notice edits of a Python package. Each rule therefore has a parameter with a
digest of the definitions (functions, classes, constants) that its entries reach by name, in any
module of the package. Comments, docstrings, layout and the order of definitions have no effect. If
it cannot be determined what is reached (a module passed as a value, a name bound twice), the whole
module is included. ``followed.py`` refuses methods that import or read in ways that cannot be
followed.

For the kernels of the searches (``search/_kernels``) the digest covers their interface: public
names and signatures, and the ``RESULTS_VERSION`` of their module, which is increased when results
change. A kernel can thus be optimized without reruns.

Parsing the package takes a second, so digests are kept in its ``__pycache__`` until a file of the
package changes.
"""

import ast
import builtins
import functools
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from hashgnn.errors import InputError
from hashgnn.stage.definitions import (
    RESULTS_VERSION,
    Chain,
    Definition,
    Effects,
    Import,
    Module,
    read_module,
)

PACKAGE = "hashgnn"

# Code that records how results are made does not change them.
_OBSERVERS = f"{PACKAGE}.stage"

# Low-level code that the digest covers by its interface and version. tests/search/
# test_fingerprints.py fails if results change without a new version.
KERNELS = f"{PACKAGE}.search._kernels."

# Names that every module has and that do not depend on its definitions. ``__name__`` is not one of
# them, as it can be used to import a module.
_GIVEN = {f"__{name}__" for name in ("file", "doc", "package", "spec", "loader", "path")}
_BUILTINS = set(dir(builtins)) - {"globals", "eval", "exec", "__name__"}


class Node(NamedTuple):
    """A definition or an import of a module.

    ``name`` is ``*`` for the whole module, and ``@`` with a number for an effect: code that is
    included whenever the module is imported.
    """

    module: str
    name: str


# All modules that are imported by the entries, as a whole.
_EVERYTHING = Node("", "*")


class Reached(NamedTuple):
    """The nodes that entries reach by name, and the modules imported for them."""

    nodes: frozenset[Node]
    modules: frozenset[str]


class Known:
    """Results computed from the code of the package, kept in a file until the code changes.

    Processes may use the file at the same time; what one of them does not find is computed again.
    Without permission to write the file, nothing is kept.
    """

    def __init__(self, root: Path, texts: Mapping[Path, bytes]) -> None:
        """Take the content of all files of the package in ``root``, by path."""
        state = hashlib.sha256(sys.version.encode())
        for path in sorted(Path(__file__).parent.glob("*.py")):  # what computes the results
            state.update(path.read_bytes())
        for path, text in sorted(texts.items()):
            state.update(f"\n{path.relative_to(root)} {len(text)}\n".encode())
            state.update(text)
        self._state = state.hexdigest()
        self._file = root / PACKAGE / "__pycache__" / "code_digests.json"
        self._results = self._read()

    def __call__(self, key: str, compute: Callable[[], str]) -> str:
        """Return the result named ``key``; call ``compute`` unless it is known."""
        if key not in self._results:
            self._results[key] = compute()
            self._write({**self._read(), **self._results})
        return self._results[key]

    def _read(self) -> dict[str, str]:
        with suppress(OSError, ValueError, LookupError, TypeError):
            content = json.loads(self._file.read_bytes())
            if content["state"] == self._state:
                return dict(content["results"])
        return {}

    def _write(self, results: Mapping[str, str]) -> None:
        temporary = self._file.with_suffix(f".{secrets.token_hex(8)}")
        with suppress(OSError):
            try:
                self._file.parent.mkdir(exist_ok=True)
                temporary.write_text(json.dumps({"state": self._state, "results": results}))
                temporary.replace(self._file)
            finally:
                temporary.unlink(missing_ok=True)


def _package_files(root: Path) -> dict[Path, bytes]:
    """Return the content of all modules of the package in ``root``."""
    found = {}
    for folder, below, names in os.walk(root / PACKAGE):
        below[:] = [name for name in below if name != "__pycache__"]
        for path in (Path(folder, name) for name in names if name.endswith(".py")):
            found[path] = path.read_bytes()
    return found


class CodeDigest:
    """Digests of code of the package in ``root``/hashgnn, as it is when the first one is made."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._texts = functools.cache(lambda: _package_files(root))
        # Cached, as hundreds of jobs share definitions.
        self.module = functools.cache(self._read)
        self._path = functools.cache(self._find_file)
        self.effects = functools.cache(self._effects_of)
        self._leads_to = functools.cache(lambda node: tuple(self._led_to(node)))
        self._imports = functools.cache(lambda module: tuple(self._imported_with(module)))
        self._dump = functools.cache(self._dumped)
        self._judge = Effects(self._find_class)

    def __call__(self, *entries: str) -> str:
        """Return a digest (16 hexadecimal digits) of all code that ``entries`` reach.

        An entry is "module:definition", or "module" for all definitions of the module.
        """
        return self.known(" ".join(entries), lambda: self._digest_of(entries))

    @functools.cached_property
    def known(self) -> Known:
        """Results that were computed from the same code before."""
        return Known(self.root, self._texts())

    def _digest_of(self, entries: tuple[str, ...]) -> str:
        digest = hashlib.sha256()
        for node in sorted(self.reached(*entries).nodes):
            digest.update(self._dump(node))
        return digest.hexdigest()[:16]

    def reached(self, *entries: str) -> Reached:
        """Return all code of the package that ``entries`` reach."""
        nodes: set[Node] = set()
        modules: set[str] = set()
        waiting = [node for entry in entries for node in self._roots(entry)]
        loading = [entry.partition(":")[0] for entry in entries]
        while waiting or loading:
            while loading:
                if (module := loading.pop()) not in modules:
                    modules.add(module)
                    loading += self._imports(module)
                    if not _observes(module):
                        waiting += [Node(module, name) for name in self.effects(module)]
            if waiting and (node := waiting.pop()) not in nodes:
                if node.module:
                    loading.append(node.module)
                if _observes(node.module):
                    continue
                nodes.add(node)
                for definition in self.definitions(node):
                    for item in definition.uses.imports:
                        loading += self._loaded(item.loads)
                waiting += self._leads_to(node)
            if not waiting and not loading and _EVERYTHING in nodes:
                whole = {Node(name, "*") for name in modules if not _observes(name)}
                waiting = list(whole - nodes)
        return Reached(frozenset(nodes), frozenset(modules))

    def _roots(self, entry: str) -> Iterator[Node]:
        module, _, name = entry.partition(":")
        read = self.module(module)
        if name:
            if not read.binds(name):
                raise InputError(f"{entry}: {module} has no definition of this name")
            yield from self._resolve(module, (name,))
            return
        for name in (*read.definitions, *read.imports):  # imported names are entries, too
            for node in self._resolve(module, (name,)):
                if node.name != "*" or name == "*":
                    yield node
        if read.program:
            yield Node(module, _PROGRAM)

    def definitions(self, node: Node) -> tuple[Definition, ...]:
        """Return the definitions of ``node`` itself; empty for an import or a whole module."""
        module, name = node
        if name == _PROGRAM:
            return tuple(self.module(module).program)
        if name.startswith("@"):
            return (self.effects(module)[name],)
        found = self.module(module).definitions.get(name) if module else None
        return (found,) if found else ()

    def _led_to(self, node: Node) -> Iterator[Node]:
        """Yield the nodes that ``node`` refers to."""
        if node == _EVERYTHING:
            return
        if node.name == "*":
            yield from self._whole(node.module)
        read = self.module(node.module)
        for definition in self.definitions(node):
            for chain in (*definition.uses.names, *definition.uses.soft):
                own = [item for item in definition.uses.imports if item.bound == chain[0]]
                for item in own:
                    yield from self._imported(item, chain[1:])
                if chain == ("__name__",):  # by which others may import the module
                    if node.name != _PROGRAM:
                        yield Node(node.module, "*")
                    continue
                if read.binds(chain[0]) or not (own or chain in definition.uses.soft):
                    yield from self._resolve(node.module, chain)
            if "__subclasses__" in definition.dump:
                yield _EVERYTHING
        if node.module.startswith(KERNELS) and RESULTS_VERSION in read.definitions:
            yield Node(node.module, RESULTS_VERSION)

    def _whole(self, module: str) -> Iterator[Node]:
        read = self.module(module)
        for name in (*read.definitions, *read.imports):
            yield from self._resolve(module, (name,))
        folder = self._path(module)
        if read.is_package and folder is not None:
            for path in folder.parent.iterdir():
                if path.stem != "__init__" and self._path(inner := f"{module}.{path.stem}"):
                    yield Node(inner, "*")

    def _resolve(
        self, module: str, chain: Chain, seen: frozenset[tuple[str, Chain]] = frozenset()
    ) -> Iterator[Node]:
        """Yield the nodes that the dotted name ``chain`` refers to in ``module``."""
        name, *rest = chain
        known = False
        if self._path(module):
            read = self.module(module)
            known = read.binds(name) or name in read.for_types or name in _GIVEN
            if name in read.definitions or name in read.imports:
                yield Node(module, name)
            for item in read.imports.get(name, ()):
                if (item.full, chain) not in seen:
                    yield from self._imported(item, tuple(rest), seen | {(item.full, chain)})
            for item in read.imports.get("*", ()):
                if item.module.split(".")[0] == PACKAGE:
                    yield Node(item.module, "*")
        if self._path(inner := f"{module}.{name}"):
            yield from self._resolve(inner, tuple(rest), seen) if rest else [Node(inner, "*")]
        elif not known and name not in _BUILTINS and self._path(module):
            yield Node(module, "*")

    def _imported(
        self, item: Import, rest: Chain, seen: frozenset[tuple[str, Chain]] = frozenset()
    ) -> Iterator[Node]:
        """Yield the nodes that an import refers to, or its attribute ``rest``."""
        chain = (item.attribute, *rest) if item.attribute else rest
        if ".".join([item.module, *chain]).startswith("sys.modules"):
            yield _EVERYTHING
        elif item.module.split(".")[0] != PACKAGE:
            return
        elif chain:
            yield from self._resolve(item.module, chain, seen)
        elif self._path(item.module):
            yield Node(item.module, "*")

    def _imported_with(self, module: str) -> Iterator[str]:
        """Yield the modules of the package that importing ``module`` imports."""
        read = self.module(module)
        yield from self._loaded(module.rpartition(".")[0])
        items = [item for found in read.imports.values() for item in found]
        for _, part in read.parts:  # imports in functions run when these are called
            if not isinstance(part.statements[0], ast.FunctionDef | ast.AsyncFunctionDef):
                items += part.uses.imports
        for item in items:
            yield from self._loaded(item.loads)

    def _loaded(self, name: str) -> Iterator[str]:
        """Yield the module of the package that is ``name`` or contains it."""
        while name.split(".")[0] == PACKAGE and self._path(name) is None:
            name = name.rpartition(".")[0]
        if name.split(".")[0] == PACKAGE:
            yield name

    def _effects_of(self, module: str) -> dict[str, Definition]:
        """Return the effects of ``module``, in order."""
        read = self.module(module)
        parts = [part for names, part in read.parts if not names or self._judge.may_act(read, part)]
        return {f"@{number}": part for number, part in enumerate(parts)}

    def _dumped(self, node: Node) -> bytes:
        """Return a digest of the code of the node itself."""
        texts = [*node, *(definition.dump for definition in self.definitions(node))]
        if node.module:
            read = self.module(node.module)
            texts += [item.full for item in read.imports.get(node.name, ())]
            if node.name in self.effects(node.module):
                texts += read.evaluated_before(self.effects(node.module)[node.name])
        return hashlib.sha256("\n".join(texts).encode()).digest()

    def _find_class(self, module: Module, chain: Chain) -> tuple[Module, ast.ClassDef] | None:
        for node in self._resolve(module.name, chain):
            for definition in self.definitions(node):
                statement = definition.statements[0]
                if isinstance(statement, ast.ClassDef) and statement.name == chain[-1]:
                    return self.module(node.module), statement
        return None

    def _find_file(self, module: str) -> Path | None:
        base = self.root.joinpath(*module.split("."))
        candidates = (base.with_suffix(".py"), base / "__init__.py")
        texts = self._texts()
        return next((path for path in candidates if path in texts), None)

    def _read(self, module: str) -> Module:
        path = self._path(module)
        if path is None:
            raise InputError(f"the config names {module}, but {self.root} has no such module")
        try:
            return read_module(
                module,
                path.name == "__init__.py",
                self._texts()[path],
                str(path),
                interface=module.startswith(KERNELS),
            )
        except (SyntaxError, ValueError) as error:
            raise InputError(f"{path}: not valid Python ({error})") from error


_PROGRAM = "@main"  # the effect of running a module


def _observes(module: str) -> bool:
    return module == _OBSERVERS or module.startswith(f"{_OBSERVERS}.")


_VARIABLE = "HASHGNN_PLANNED"

# The code of the running package.
own_code = CodeDigest(Path(__file__).parents[2])


class PlannedCode:
    """Make the option ``--code`` that rules pass to their stages: a digest and its entries.

    On a cluster, Snakemake plans each job again on its node. There the digests of the first plan
    are used, which the environment holds.
    """

    def __init__(self, digest: CodeDigest, main_process: bool) -> None:
        self._digest = digest
        inherited = None if main_process else os.environ.get(_VARIABLE)
        self._planned: dict[str, str] = json.loads(inherited) if inherited else {}

    def __call__(self, *entries: str) -> str:
        """Return the digest and ``entries``, separated by spaces."""
        joined = " ".join(entries)
        if joined not in self._planned:
            self._planned[joined] = self._digest(*entries)
        return f"{self._planned[joined]} {joined}"

    def hand_on(self) -> None:
        """Save all digests made so far in the environment, for jobs on a cluster."""
        os.environ[_VARIABLE] = json.dumps(self._planned)


def check_planned(planned: str) -> None:
    """Raise ``InputError`` if the code has changed since ``PlannedCode`` made ``planned``."""
    digest, *entries = planned.split()
    running = getattr(sys.modules["__main__"], "__spec__", None)
    for module in (entry.partition(":")[0] for entry in entries):
        if not running or running.name != module:
            import_module(module)  # before the check, so that later edits have no effect
    if own_code(*entries) != digest:
        raise InputError(
            f"the code of {', '.join(entries)} changed since the workflow planned this job; run "
            "the same command again"
        )
