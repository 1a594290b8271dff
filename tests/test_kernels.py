"""numba caches compiled kernels on disk by the time stamp of their own file alone.

What a kernel takes from another file is frozen into that cache: an edit there would go unseen, and
wrong results would look right. So kernels take nothing from other files of the package, but for
what asks the memory ahead: that changes no result.
"""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "hashgnn"
HARMLESS = "hashgnn.prefetch"


def is_kernel(function: ast.stmt) -> bool:
    return isinstance(function, ast.FunctionDef) and any(
        "njit" in ast.unparse(decorator) for decorator in function.decorator_list
    )


def foreign_names(tree: ast.Module) -> set[str]:
    """Names bound by importing from the package."""
    return {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and (module := getattr(node, "module", None) or node.names[0].name).startswith("hashgnn")
        and module != HARMLESS
        for alias in node.names
    }


def offenders(text: str) -> set[str]:
    tree = ast.parse(text)
    foreign = foreign_names(tree)
    return {
        f"{kernel.name}: {node.id}"
        for kernel in filter(is_kernel, tree.body)
        for statement in kernel.body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and node.id in foreign
    }


@pytest.mark.parametrize(
    ("use", "found"), [("scan.BOUND", {"f: scan"}), ("helper(1)", {"f: helper"}), ("OWN", set())]
)
def test_the_check_sees_what_it_should(use: str, found: set[str]) -> None:
    text = (
        "from numba import njit\nfrom hashgnn.search import scan\n"
        f"from hashgnn.a import helper\nOWN = 1\n@njit(cache=True)\ndef f():\n    return {use}\n"
    )

    assert offenders(text) == found


def test_kernels_take_nothing_from_other_files() -> None:
    files = list(PACKAGE.rglob("*.py"))
    assert sum(is_kernel(s) for f in files for s in ast.parse(f.read_text()).body) > 10

    assert {f"{file}: {name}" for file in files for name in offenders(file.read_text())} == set()
