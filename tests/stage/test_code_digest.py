from pathlib import Path

import pytest

from hashgnn.errors import InputError
from hashgnn.stage.code_digest import CodeDigest

FILES = {
    "__init__.py": "",
    "a.py": '"""Doc."""\nfrom hashgnn.b import f\n\ndef g():\n    """Doc."""\n    return f()\n',
    "b.py": "import hashgnn.sub.c\n\ndef f():\n    return 1\n",
    "sub/__init__.py": "",
    "sub/c.py": "x = 1\n",
    "alone.py": "y = 1\n",
    "near/__init__.py": "from . import inner\n",
    "near/inner.py": "from .. import alone\nfrom ..sub.c import x\n",
    "near/user.py": "from .inner import x\n",
    "bare/method.py": "from . import helper\nfrom .helper import f\nimport os\n",
    "bare/helper.py": "",
    "late.py": "def f():\n    from hashgnn import alone\n    return alone.y\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "hashgnn" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    return tmp_path


def test_closure_is_transitive_and_sees_imports_inside_functions(root: Path) -> None:
    code = CodeDigest(root)

    chain = {"hashgnn", "hashgnn.a", "hashgnn.b", "hashgnn.sub", "hashgnn.sub.c"}
    assert code.closure("hashgnn.a") == chain
    assert code.closure("hashgnn.late") == {"hashgnn", "hashgnn.late", "hashgnn.alone"}


@pytest.mark.parametrize(
    ("module", "found"),
    [
        ("near", {"near", "near.inner", "alone", "sub", "sub.c"}),  # a package's own __init__
        ("near.user", {"near.user", "near", "near.inner", "alone", "sub", "sub.c"}),
        ("bare.method", {"bare.method", "bare.helper"}),  # a folder without __init__
    ],
)
def test_relative_imports_are_followed(root: Path, module: str, found: set[str]) -> None:
    closure = CodeDigest(root).closure(f"hashgnn.{module}")

    assert closure == {"hashgnn", *(f"hashgnn.{name}" for name in found)}


def test_what_is_no_python_is_named(root: Path) -> None:
    (root / "hashgnn/b.py").write_text("def f(:\n")

    with pytest.raises(InputError, match=r"hashgnn/b\.py: is not Python .*line 1"):
        CodeDigest(root)("hashgnn.a")


@pytest.mark.parametrize(
    ("file", "old", "new", "changes"),
    [
        ("sub/c.py", "x = 1", "x = 2", True),
        ("b.py", "return 1", "return 1.0", True),
        ("sub/__init__.py", "", "import os\n", True),
        ("alone.py", "y = 1", "y = 2", False),
        ("a.py", "Doc.", "Another text.", False),
        ("a.py", "    return f()", "    # why\n\n    return (f())", False),
    ],
)
def test_what_changes_the_digest(root: Path, file: str, old: str, new: str, changes: bool) -> None:
    before = CodeDigest(root)("hashgnn.a")
    path = root / "hashgnn" / file
    path.write_text(path.read_text().replace(old, new) if old else new)

    assert (CodeDigest(root)("hashgnn.a") != before) == changes


def test_a_module_that_is_not_there_is_named(root: Path) -> None:
    with pytest.raises(InputError, match=r"hashgnn\.nowhere"):
        CodeDigest(root)("hashgnn.nowhere")
