"""The size of the package: short functions, few parameters, few modules, one meaning per name."""

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "hashgnn").rglob("*.py"))

EVERYWHERE = {"__init__.py", "__main__.py"}  # names that Python gives

# scikit-learn's estimators take each hyper-parameter as an argument of its own.
ESTIMATOR = ("hashgnn/recommender/estimator.py", "__init__")

# Tokens of a line that holds no code.
NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    """All functions, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def length(function: Function) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def parameters(function: Function) -> list[str]:
    """The names of all parameters but a method's own object."""
    given = function.args
    named = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    names = [one.arg for one in named if one]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


NAMED = re.compile(r"[\"\' ](hashgnn(?:\.[a-z]\w*)+)(?=[\"\':])")
NAMING = [*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "workflow").rglob("*.smk"), *MODULES]


def test_modules_that_are_named_exist() -> None:
    """Commands name modules in strings, which no type checker follows."""
    files = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES}
    there = files | {name.removesuffix(".__init__") for name in files}
    named = {
        (str(path.relative_to(ROOT)), name)
        for path in NAMING
        for name in NAMED.findall(path.read_text(encoding="utf-8"))
    }
    assert len(named) > 40
    unknown = [(path, name) for path, name in sorted(named) if name not in there]
    assert [one for one in unknown if one[1].rpartition(".")[0] not in files] == []  # a function


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_are_short_and_take_few_parameters(path: Path) -> None:
    for function in functions(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{path.relative_to(ROOT)}, line {function.lineno}: {function.name}"
        assert length(function) <= 60, f"{where} has {length(function)} lines, at most 60"
        names = parameters(function)
        if (str(path.relative_to(ROOT)), function.name) == ESTIMATOR:
            continue
        assert len(names) <= 8, f"{where} has {len(names)} parameters, at most 8"


def lines_of_code(text: str) -> int:
    """The number of lines that hold more than comments and docstrings."""
    code = set[int]()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            code.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(code)


def test_modules_are_few_and_of_a_readable_size() -> None:
    lengths = [lines_of_code(path.read_text(encoding="utf-8")) for path in MODULES]

    assert len(MODULES) <= 130
    assert 60 <= median(lengths) <= 130


def test_no_file_name_means_two_things() -> None:
    found = defaultdict(list)
    for path in MODULES:
        found[path.name].append(str(path.relative_to(ROOT)))

    assert {name: paths for name, paths in found.items() if len(paths) > 1}.keys() <= EVERYWHERE


def test_nested_functions_and_all_kinds_of_parameters_count() -> None:
    tree = ast.parse("def f(self, a, /, b, *c, d, **e):\n    def g(x):\n        return 1\n")

    outer, inner = functions(tree)
    assert parameters(outer) == ["a", "b", "c", "d", "e"]
    assert (length(outer), length(inner)) == (3, 2)


def test_comments_docstrings_and_blank_lines_are_no_code() -> None:
    text = '"""Two\nlines."""\n\n# A comment.\nTEXT = """a\n\nb"""  # why\nLONG = (\n    1,\n)\n'

    assert lines_of_code(text) == 6
    assert lines_of_code(text + '"""What LONG is."""\n') == 6
