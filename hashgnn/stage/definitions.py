"""Split a module into definitions: the names each one binds and uses, and code run at import.

A definition is a function, a class, or an assignment to names. An *effect* is code that may change
other objects when the module is imported: any other statement at module level, and definitions with
decorators or calls that are not listed as harmless. Effects are part of the digest of everything
that imports the module.
"""

import ast
import builtins
import functools
import re
import symtable
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import decode_source
from typing import NamedTuple

Chain = tuple[str, ...]  # a.b.c as ("a", "b", "c")

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Scope = _Function | ast.ClassDef

_COMPILES = "hashgnn.kernels.njit"  # its result is a decorator that only compiles

# Calls that only make a value. Calls of names that begin with a capital, classes, do so, too.
_HARMLESS_CALLS = (
    *("re", "functools", "typing", "collections", "itertools", "math", "struct", "pathlib", "abc"),
    *("dataclasses", "contextlib", "enum", "pydantic", "click", "operator.itemgetter"),
    *("torch.no_grad", "torch.inference_mode", "torch.device", "numpy.dtype", "numpy.iinfo"),
    *("numpy.finfo", "numpy.array", "numpy.arange", "numpy.zeros", "numpy.ones", "numpy.full"),
    *(f"numpy.{kind}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64)),
    *("numba.njit", "numba.vectorize", "numba.guvectorize", "numba.extending.intrinsic"),
    _COMPILES,
)
# Calls that only make a value unless an argument is a function, which they call.
_CALLING = {"map", "filter", "sorted", "min", "max", "functools.reduce", "itertools.starmap"}
_HARMFUL_BUILTINS = {"open", "exec", "eval", "print", "input", "setattr", "delattr", "__import__"}
_HARMLESS_BUILTINS = {name for name in dir(builtins) if name[0].islower()} - _HARMFUL_BUILTINS


class Import(NamedTuple):
    """The name ``bound`` refers to ``module`` or to its ``attribute``, which may be a module."""

    bound: str
    module: str
    attribute: str
    loads: str  # a module, or a name in a module

    @property
    def full(self) -> str:
        """Return the dotted name of the imported object."""
        return f"{self.module}.{self.attribute}" if self.attribute else self.module


class Uses(NamedTuple):
    """The names that a definition uses.

    ``names`` are dotted names of the module. ``soft`` names may also be local to the definition, so
    they are followed only if the module binds them. ``imports`` are those inside of functions,
    classes and compound statements.
    """

    names: frozenset[Chain]
    soft: frozenset[Chain]
    imports: tuple[Import, ...]


@dataclass(frozen=True, eq=False)
class Definition:
    """Statements of a module that are treated as one definition."""

    statements: tuple[ast.stmt, ...]
    _reader: "_Reader"

    @cached_property
    def dump(self) -> str:
        """Return the syntax tree as text, without docstrings, comments and layout."""
        return "\n".join(map(ast.dump, self.statements))

    @cached_property
    def uses(self) -> Uses:
        """Return the names it uses; computed on demand, as many definitions are not reached."""
        return self._reader.uses(*self.statements)


@dataclass(eq=False)
class Module:
    """The definitions and imports of a module, by the names that they bind."""

    name: str
    is_package: bool
    tree: ast.Module
    definitions: dict[str, Definition] = field(default_factory=dict)
    imports: dict[str, tuple[Import, ...]] = field(default_factory=dict)
    # Statements that run at import, in order, with the names that they define.
    parts: list[tuple[tuple[str, ...], Definition]] = field(default_factory=list)
    program: list[Definition] = field(default_factory=list)  # under __name__ == "__main__"
    bound_otherwise: set[str] = field(default_factory=set)
    for_types: set[str] = field(default_factory=set)  # bound under TYPE_CHECKING

    def binds(self, name: str) -> bool:
        """Return whether the module binds ``name``."""
        return name in self.definitions or name in self.imports or name in self.bound_otherwise

    def evaluated_before(self, effect: Definition) -> list[str]:
        """Return the names defined before ``effect``, whose values it may change."""
        before: list[str] = []
        for names, part in self.parts:
            if part is effect:
                break
            if not _is_plain_function(part.statements[0]):
                before += names
        return sorted(before)

    def full_name(self, chain: Chain) -> str:
        """Return the full name of a dotted name of the module; empty if it is not bound."""
        name, *rest = chain
        if found := self.imports.get(name, ()):
            return ".".join([found[0].full, *rest])
        if name not in self.definitions:
            return ""
        match self.definitions[name].statements:
            case [ast.Assign(value=ast.Name(id=other)) | ast.AnnAssign(value=ast.Name(id=other))]:
                return self.full_name((other, *rest)) if other != name else ""
        return ".".join([self.name, *chain])


RESULTS_VERSION = "RESULTS_VERSION"  # marks modules that may be read by their interface only


def read_module(
    name: str, is_package: bool, text: bytes, filename: str, interface: bool = False
) -> Module:
    """Parse ``text``; raise SyntaxError or ValueError if it is not Python.

    With ``interface``, only the names of constants and the signatures of functions and methods are
    read, if the module has a ``RESULTS_VERSION``.
    """
    source = decode_source(text)
    tree = ast.parse(source, filename)
    tables = symtable.symtable(source, filename, "exec").get_children()
    _strip_docstrings(tree)
    reduced = interface and any(RESULTS_VERSION in _names_bound(part) for part in tree.body)
    if reduced:
        tree.body = [part for part in tree.body if _reduce(part)]
    module = Module(name, is_package, tree)
    _Reader(module, {(table.get_name(), table.get_lineno()): table for table in tables}).read()
    if reduced:  # remove imports that only function bodies use
        module.parts = [(names, part) for names, part in module.parts if names]
    return module


def imports_of(node: ast.AST, module: str, is_package: bool) -> Iterator[Import]:
    """Return the imports of an import statement of ``module``; empty for other nodes."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            first = alias.name.split(".")[0]
            bound, source = (alias.asname, alias.name) if alias.asname else (first, first)
            yield Import(bound, source, "", alias.name)
    elif isinstance(node, ast.ImportFrom):
        source = node.module or ""
        if node.level:
            package = module.split(".")[: None if is_package else -1]
            parts = package[: len(package) + 1 - node.level]
            source = ".".join([*parts, *([node.module] if node.module else [])])
        for alias in node.names:
            loads = f"{source}.{alias.name}"
            yield Import(alias.asname or alias.name, source, alias.name, loads)


class _Reader:
    """Sorts the statements of a module into definitions, imports and effects."""

    def __init__(self, module: Module, tables: dict[tuple[str, int], symtable.SymbolTable]) -> None:
        self.module = module
        self.tables = tables
        self.nodes = functools.cache(lambda statement: tuple(walk(statement)))

    def read(self) -> None:
        """Fill in the module."""
        module = self.module
        imported: set[tuple[str, str]] = set()
        times_bound = Counter[str]()
        for statement in module.tree.body:
            named = isinstance(statement, _Function)
            imports = [] if named else self._imports_in(statement)
            names = _names_bound(statement)
            if isinstance(statement, ast.Import | ast.ImportFrom):
                self._add_imports(imports)
                imported |= {(item.bound, item.full) for item in imports}
            elif _is_for_types(statement, module.tree):
                module.for_types |= {item.bound for item in imports}
            elif _is_program(statement):
                module.program.append(Definition((statement,), self))
            else:
                part = Definition((statement,), self)
                module.parts.append((names, part))
                if not names:
                    self._add_imports(imports)
                    names = tuple(
                        _stored(*self.nodes(statement)) | {item.bound for item in imports}
                    )
                    module.bound_otherwise |= set(names)
                times_bound.update(names)
        times_bound.update(name for name, _ in imported)
        self._define(times_bound)
        self._add_unused_imports()

    def _add_imports(self, imports: list[Import]) -> None:
        for item in imports:
            known = self.module.imports.get(item.bound, ())
            self.module.imports[item.bound] = tuple(dict.fromkeys((*known, item)))

    def _add_unused_imports(self) -> None:
        """Treat unused imports of other packages as effects."""
        module = self.module
        used: set[str] = set()
        for statement in module.tree.body:
            for node in self.nodes(statement):
                if isinstance(node, ast.Name):
                    used.add(node.id)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    used.update(re.findall(r"\w+", node.value))  # of __all__, or an annotation
        for statement in module.tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                for item in self._imports_in(statement):
                    foreign = item.module.split(".")[0] != module.name.split(".")[0]
                    if foreign and item.bound not in used:
                        module.parts.append(((), Definition((statement,), self)))

    def _define(self, times_bound: Counter[str]) -> None:
        """Assign definitions to names; for names that are bound twice, order matters."""
        whole = Definition(tuple(self.module.tree.body), self)
        for names, part in self.module.parts:
            for name in names:
                self.module.definitions[name] = part if times_bound[name] == 1 else whole

    def uses(self, *statements: ast.stmt) -> Uses:
        """Return the names that ``statements`` use."""
        names: set[Chain] = set()
        soft: set[Chain] = set()
        imports: list[Import] = []
        for statement in statements:
            imports += self._imports_in(statement)
            hard_names, soft_names = self._names_of(statement)
            hard_names |= {item.bound for item in imports}
            for chain in _chains(*self.nodes(statement)):
                if chain[0] in hard_names:
                    names.add(chain)
                elif chain[0] in soft_names:
                    soft.add(chain)
            for text in _texts_of_annotations(*self.nodes(statement)):
                soft.update(_chains(*ast.walk(text)))
        return Uses(frozenset(names), frozenset(soft - names), tuple(imports))

    def _imports_in(self, statement: ast.stmt) -> list[Import]:
        module = self.module
        return [
            item
            for node in self.nodes(statement)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for item in imports_of(node, module.name, module.is_package)
        ]

    def _names_of(self, statement: ast.stmt) -> tuple[set[str], set[str]]:
        """Return the names that ``statement`` takes from the module, certainly and possibly."""
        if not isinstance(statement, _Scope):
            used = {node.id for node in self.nodes(statement) if isinstance(node, ast.Name)}
            own = _stored(*self.nodes(statement))
            return used - own, used & own
        hard: set[str] = set()
        soft: set[str] = set()
        table = self.tables.get((statement.name, statement.lineno))
        if table is None:  # with parameters of types, its table lies deeper
            return set(), {n.id for n in self.nodes(statement) if isinstance(n, ast.Name)}
        _global_names(table, hard, soft)
        for part in _evaluated_outside(statement):
            hard |= {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
        return hard, soft - hard


def _global_names(table: symtable.SymbolTable, hard: set[str], soft: set[str]) -> None:
    for symbol in table.get_symbols():
        if symbol.is_global():
            hard.add(symbol.get_name())
        elif table.get_type() == "class" and symbol.is_referenced():
            soft.add(symbol.get_name())  # the module's until the class binds it
    for child in table.get_children():
        _global_names(child, hard, soft)


def _evaluated_outside(statement: _Scope) -> Iterator[ast.AST]:
    """Return the parts of a function or class that are evaluated in the module's scope."""
    yield from statement.decorator_list
    if isinstance(statement, ast.ClassDef):
        yield from (*statement.bases, *statement.keywords)
    else:
        yield statement.args
        if statement.returns:
            yield statement.returns


def _is_plain_function(statement: ast.stmt) -> bool:
    """Return whether it is a function whose definition evaluates nothing."""
    return (
        isinstance(statement, _Function)
        and not statement.decorator_list
        and not statement.args.defaults
        and not any(statement.args.kw_defaults)
    )


def _names_bound(statement: ast.stmt) -> tuple[str, ...]:
    """Return the names that a definition binds; empty for other statements."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.Assign(targets=targets):
            waiting = list(targets)
        case ast.AnnAssign(target=target):
            waiting = [target]
        case ast.AugAssign(target=target):  # of what was bound before
            waiting = [target, target]
        case _:
            return ()
    names = [n.target.id for n in ast.walk(statement) if isinstance(n, ast.NamedExpr)]
    while waiting:
        match waiting.pop():
            case ast.Tuple(elts=inner) | ast.List(elts=inner):
                waiting += inner
            case ast.Starred(value=value):
                waiting.append(value)
            case ast.Name(id=name):
                names.append(name)
            case _:
                return ()
    return tuple(names)


def _stored(*nodes: ast.AST) -> set[str]:
    """Return all names that ``nodes`` bind somewhere."""
    found = set()
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                found.add(name)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                found.add(name)
            case ast.MatchMapping(rest=str(name)):
                found.add(name)
    return found


def _chains(*nodes: ast.AST) -> Iterator[Chain]:
    """Yield the full dotted names among ``nodes``, which hold parents before children."""
    inner = set()
    for node in nodes:
        if isinstance(node, ast.Name | ast.Attribute) and node not in inner:
            attributes: list[str] = []
            part: ast.expr = node
            while isinstance(part, ast.Attribute):
                attributes.append(part.attr)
                part = part.value
                inner.add(part)
            if isinstance(part, ast.Name):
                yield (part.id, *reversed(attributes))


def _texts_of_annotations(*nodes: ast.AST) -> Iterator[ast.AST]:
    """Parse string annotations, as pydantic and dataclasses do."""
    for inner in nodes:
        match inner:
            case ast.arg(annotation=annotation) | ast.AnnAssign(annotation=annotation):
                pass
            case ast.FunctionDef(returns=annotation) | ast.AsyncFunctionDef(returns=annotation):
                pass
            case _:
                continue
        for part in ast.walk(annotation) if annotation else ():
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                try:
                    yield ast.parse(part.value, mode="eval")
                except (SyntaxError, ValueError):
                    continue  # a string in Literal


def walk(node: ast.AST) -> list[ast.AST]:
    """Return ``node`` and all nodes below it, parents first; faster than ``ast.walk``.

    Nodes without fields, such as operators, are left out.
    """
    found = [node]
    for parent in found:  # which grows
        for name in parent._fields:
            value = getattr(parent, name, None)
            if isinstance(value, list):
                found += [part for part in value if isinstance(part, ast.AST) and part._fields]
            elif isinstance(value, ast.AST) and value._fields:
                found.append(value)
    return found


def _strip_docstrings(tree: ast.Module) -> None:
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Module | _Scope):
            node.body = [s for s in node.body if not _is_docstring(s)]
            if not isinstance(node, ast.Module):
                node.body = node.body or [ast.Pass()]
        for name in ("body", "orelse", "handlers", "finalbody", "cases"):
            parts = getattr(node, name, ())
            waiting += parts if isinstance(parts, list) else ()  # no lambda, no "a if b else c"


def _reduce(statement: ast.stmt) -> bool:
    """Reduce a statement to its interface; return False if it has none."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            statement.decorator_list = []
            statement.body = [ast.Pass()]
        case ast.ClassDef():
            statement.body = [part for part in statement.body if _reduce(part)]
        case ast.Assign() | ast.AnnAssign() if RESULTS_VERSION not in _names_bound(statement):
            statement.value = ast.Constant(None)
    return bool(_names_bound(statement)) or isinstance(statement, ast.Import | ast.ImportFrom)


def _is_docstring(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _is_program(statement: ast.stmt) -> bool:
    """Return whether the statement is ``if __name__ == "__main__":`` without ``else``."""
    return (
        isinstance(statement, ast.If)
        and not statement.orelse
        and ast.unparse(statement.test) == "__name__ == '__main__'"
    )


def _is_for_types(statement: ast.stmt, tree: ast.Module) -> bool:
    """Return whether the statement is ``if TYPE_CHECKING:`` (of ``typing``) without ``else``."""
    if not isinstance(statement, ast.If) or statement.orelse:
        return False
    test = ast.unparse(statement.test)
    first = test.split(".")[0]
    sources = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        if any((alias.asname or alias.name) == first for alias in node.names)
    ]
    match test, sources:
        case "TYPE_CHECKING", [ast.ImportFrom(module="typing")]:
            return True
        case "typing.TYPE_CHECKING", [ast.Import()]:
            return True
    return False


# Methods that run when a class is inherited from, and when it is instantiated.
_INHERITED = {"__init_subclass__", "__pydantic_init_subclass__", "__class_getitem__"}
_INSTANTIATED = {"__init__", "__new__", "__post_init__", "model_post_init", "__set_name__"}

FindClass = Callable[[Module, Chain], tuple[Module, ast.ClassDef] | None]


class Effects:
    """Finds definitions that may change other objects when their module is imported.

    ``find_class`` returns the class of the package that a dotted name of a module refers to, and
    its module; None if the name does not refer to a class of the package.
    """

    def __init__(self, find_class: FindClass) -> None:
        self._find_class = find_class

    def may_act(self, module: Module, definition: Definition) -> bool:
        """Return whether code of ``definition`` that runs at import may change other objects.

        Bodies of functions do not run at import.
        """
        waiting: list[ast.AST] = list(definition.statements)
        while waiting:
            node = waiting.pop()
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    if not all(self._decorates(module, d) for d in node.decorator_list):
                        return True
                    waiting += [*node.decorator_list, node.args]
                    continue
                case ast.Lambda():
                    waiting.append(node.args)
                    continue
                case ast.ClassDef():
                    meta = {keyword.arg for keyword in node.keywords} & {"metaclass", None}
                    if meta or not (
                        all(self._decorates(module, d) for d in node.decorator_list)
                        and all(self._is_plain(module, base, _INHERITED) for base in node.bases)
                    ):
                        return True
                case ast.Call(func=function):
                    if not self._makes_a_value(module, function):
                        return True
                    if self._calls_arguments(module, node):
                        return True
                case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                    return True
            waiting += ast.iter_child_nodes(node)
        return False

    def _calls_arguments(self, module: Module, call: ast.Call) -> bool:
        """Return whether ``call`` calls functions among its arguments, other than builtins."""
        name = ast.unparse(call.func)
        if name not in _CALLING and module.full_name(tuple(name.split("."))) not in _CALLING:
            return False
        given = [*call.args, *(keyword.value for keyword in call.keywords)]
        return any(
            isinstance(part, ast.Lambda)
            or (isinstance(part, ast.Name | ast.Attribute) and self._may_be_function(module, part))
            for part in given
        )

    def _may_be_function(self, module: Module, part: ast.expr) -> bool:
        chain = next(_chains(*ast.walk(part)), ("",))
        definition = module.definitions.get(chain[0])
        if definition is not None:
            return not isinstance(definition.statements[0], ast.Assign | ast.AnnAssign)
        return module.full_name(chain).split(".")[0] == module.name.split(".")[0]

    def _decorates(self, module: Module, decorator: ast.expr) -> bool:
        match decorator:
            case ast.Call():  # checked with the other calls
                return True
            case ast.Attribute(attr=("setter" | "getter" | "deleter")):
                return True
        return self._makes_a_value(module, decorator)

    def _makes_a_value(self, module: Module, function: ast.expr) -> bool:
        """Return whether a call of ``function`` only makes a value."""
        match function:
            case ast.Attribute(value=(ast.Constant() | ast.JoinedStr())):
                return True  # a method of a string
            case ast.Name() | ast.Attribute():
                chain = next(_chains(*ast.walk(function)), ("",))
            case ast.Call(func=(ast.Name() | ast.Attribute()) as maker):
                chain = next(_chains(*ast.walk(maker)), ("",))
                return module.full_name(chain) == _COMPILES
            case _:
                return False
        if not module.binds(chain[0]):
            return chain[0] in _HARMLESS_BUILTINS
        full = module.full_name(chain)
        if chain[-1] == "register":  # abstract classes register subclasses
            return False
        if any(full == name or full.startswith(f"{name}.") for name in _HARMLESS_CALLS):
            return True
        return self._is_plain(module, function, _INHERITED | _INSTANTIATED)

    def _is_plain(self, module: Module, expression: ast.expr, methods: set[str]) -> bool:
        """Return whether it is a class without ``methods``; other packages' classes pass."""
        while isinstance(expression, ast.Subscript):  # Generic[T]
            expression = expression.value
        if not isinstance(expression, ast.Name | ast.Attribute):
            return True  # calls are checked separately
        chain = next(_chains(*ast.walk(expression)), ("",))
        if found := self._find_class(module, chain):
            home, definition = found
            own = {part.name for part in definition.body if isinstance(part, _Function)}
            return not own & methods and all(
                self._is_plain(home, base, methods) for base in definition.bases
            )
        if not module.binds(chain[0]):
            return chain[0] in dir(builtins)
        root = module.full_name(chain).split(".")[0]
        external = root not in ("", module.name.split(".")[0])
        return external and chain[-1].lstrip("_")[:1].isupper()
