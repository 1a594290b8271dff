"""An edit changes the digest if, and only if, the entries reach what was edited."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashgnn.errors import InputError
from hashgnn.stage import code_digest
from hashgnn.stage.code_digest import CodeDigest


def package(root: Path, files: dict[str, str]) -> CodeDigest:
    """Write modules of the package ``hashgnn``; a file that is not named ``__init__`` has one."""
    for name, text in {"__init__.py": "", **files}.items():
        path = root / "hashgnn" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
    return CodeDigest(root)


def differs(root: Path, files: dict[str, str], edits: dict[str, str], *entries: str) -> bool:
    """Whether the digest of ``entries`` changes with ``edits`` of ``files``."""
    before = package(root, files)(*entries)
    return package(root, {**files, **edits})(*entries) != before


RUN = '''"""Doc."""
import sys

import hashgnn.sub.inner
from hashgnn import tools
from hashgnn.sub import shown as seen

LIMIT = 3


def run():
    """Doc."""
    return seen(LIMIT) + tools.scale(2) + hashgnn.sub.inner.deep()


if __name__ == "__main__":
    sys.exit(run())
'''
FILES = {
    "run.py": RUN,
    "tools.py": '"""T."""\nimport math\n\nPI, E = 3, 2\n\ndef scale(x):\n    """S."""\n'
    "    return math.floor(x * PI)\n\ndef unused(x):\n    return E + other()\n\n"
    "def other():\n    return 0\n",
    "sub/__init__.py": "from hashgnn.sub.inner import hidden, shown\n",
    "sub/inner.py": "def shown(n):\n    return Kept().get(n)\n\ndef hidden():\n    return 1\n\n"
    "def deep():\n    from hashgnn.late import value\n    return value\n\n"
    "class Base:\n    size = 1\n\nclass Kept(Base):\n    def get(self, n: 'Kind'):\n"
    "        return n\n    def never(self):\n        return 2\n\nKind = int\n\nclass Lone:\n"
    "    x = 1\n",
    "late.py": "value = 4\nother = 5\n",
    "alone.py": "y = 1\n",
}


@pytest.mark.parametrize(
    ("file", "old", "new", "changes"),
    [
        # Reached: by a name, a re-export, an attribute of a module, within a function.
        ("run.py", "LIMIT = 3", "LIMIT = 4", True),
        ("run.py", "sys.exit(run())", "sys.exit(2 * run())", True),
        ("run.py", "shown as seen", "hidden as seen", True),
        ("tools.py", "x * PI", "PI * x", True),
        ("tools.py", "PI, E = 3, 2", "PI, E = 4, 2", True),
        ("tools.py", "import math", "import cmath as math", True),
        ("sub/__init__.py", "hidden, shown", "hidden as shown", True),
        ("sub/inner.py", "get(n)\n", "get(-n)\n", True),
        ("sub/inner.py", "size = 1", "size = 2", True),
        ("sub/inner.py", "return 2", "return 3", True),  # a class counts whole
        ("sub/inner.py", "Kind = int", "Kind = float", True),
        ("late.py", "value = 4", "value = 5", True),
        # Not reached.
        ("tools.py", "E + other()", "E - other()", False),
        ("tools.py", "return 0", "return 1", False),
        ("sub/inner.py", "return 1\n", "return 2\n", False),
        ("sub/inner.py", "x = 1", "x = 2", False),
        ("late.py", "other = 5", "other = 6", False),
        ("alone.py", "y = 1", "y = 2", False),
        ("alone.py", "y = 1", "print()", False),
        ("sub/__init__.py", "hidden, ", "", False),
        ("stage/__init__.py", "", "x = 1\n", False),
        # Comments, docstrings and layout.
        ("run.py", "Doc.", "Another text.", False),
        ("run.py", "LIMIT = 3", "LIMIT = (\n    3  # why\n)", False),
        ("tools.py", '"""S."""', "", False),
    ],
)
def test_what_is_reached_counts(
    tmp_path: Path, file: str, old: str, new: str, changes: bool
) -> None:
    text = FILES.get(file, "")
    assert old in text
    edited = {file: text.replace(old, new) if old else new}
    assert differs(tmp_path, FILES, edited, "hashgnn.run") == changes


ENTRY = "from hashgnn.m import f\n"
TOOL = "def f():\n    return 1\n"


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        # What is executed when the module is imported counts.
        ("", "print(1)\n", True),
        ("", "for x in (1, 2):\n    pass\n", True),
        ("", "T = {}\nT['x'] = f\n", True),
        ("", "def g(): ...\ng.x = 1\n", True),
        ("", "import colorama\n", True),  # for nothing but its effect
        ("", "from hashgnn.n import register\n@register\ndef g(): ...\n", True),
        ("", "from hashgnn.n import register\n@register('g')\ndef g(): ...\n", True),
        ("", "from hashgnn.n import register\nx = register(f)\n", True),
        ("", "from hashgnn.n import register\ndef g(x=register(f)): ...\n", True),
        ("", "from hashgnn.n import Listed\nx = Listed()\n", True),
        ("", "from hashgnn.n import Parent\nclass C(Parent): ...\n", True),
        ("", "class C(metaclass=print): ...\n", True),
        ("", "class C:\n    print(1)\n", True),
        ("", "import numba.extending\n@numba.extending.overload(len)\ndef g(x): ...\n", True),
        ("", "import hashgnn.n\nx = hashgnn.n.register(f)\n", True),
        ("", "import numpy as np\nold = np.seterr(all='raise')\n", True),
        ("", "from hashgnn.n import register\nx = tuple(map(register, 'ab'))\n", True),
        ("", "def g(x): ...\nx = sorted('ba', key=g)\n", True),
        ("", "x = max((1, 2), key=lambda y: print(y))\n", True),
        ("", "from abc import ABC\n@ABC.register\nclass C: ...\n", True),
        ("", "import operator\nX = []\ny = operator.iadd(X, [1])\n", True),
        ("", "try:\n    import json\nexcept ImportError:\n    json = None\n", True),
        ("print(1)\n", "print(2)\n", True),
        ("X = []\nX.append(1)\n", "X = []\nX.append(2)\n", True),
        ("X = []\nY = tuple(X)\nX.append(1)\n", "X = []\nX.append(1)\nY = tuple(X)\n", True),
        ("if f:\n    def g(): return 1\n", "if f:\n    def g(): return 2\n", True),
        ("from hashgnn.n import effect\neffect()\n", "from hashgnn.n import effect2\n", True),
        # A definition that is not reached does not.
        ("", "import json\nT = json\n", False),
        ("", "import numpy as np\nX = frozenset((1, 2))\nY = np.uint64(3)\n", False),
        ("", "import re\nP = re.compile('a' + 'b'.upper())\nx: int = 1\n", False),
        ("", "import functools\n@functools.cache\ndef g(): ...\n", False),
        ("", "from hashgnn.kernels import njit\n@njit(cache=True)\ndef g(): ...\n", False),
        ("", "from hashgnn.n import Plain\nx = Plain(1)\nclass C(Plain): ...\n", False),
        ("", "from hashgnn.n import Listed\nclass C(Listed): ...\n", False),
        ("", "class C:\n    @property\n    def x(self): ...\n    @x.setter\n"
         "    def x(self, y): ...\n", False),
        ("", "g = lambda x: print(x)\n", False),
        ("", "X = (2, 1)\ny = sorted(X, key=abs)\nz = max(X)\n", False),
        ("", "from hashgnn.n import Plain\nclass C(Plain, total=False): ...\n", False),
        ("", "import hashgnn.kernels\ng = hashgnn.kernels.njit(cache=True)(abs)\n", False),
        ("", "def g():\n    print(1)\n", False),
        ("from hashgnn.n import effect\n", "from hashgnn.n import Plain\n", False),
        # Run or read by type checkers alone.
        ("", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
         "    from hashgnn.n import Plain\n", False),
        ("", "TYPE_CHECKING = 1\nif TYPE_CHECKING:\n    import json\n", True),
        ("", "if __name__ == '__main__':\n    print(1)\n", False),
    ],
)  # fmt: skip
def test_of_what_else_a_module_holds_its_effects_count(
    tmp_path: Path, before: str, after: str, changes: bool
) -> None:
    other = "def register(f):\n    return f\n\ndef effect(): ...\n\ndef effect2(): ...\n\n"
    other += "class Plain:\n    x = 1\n\n"
    other += "class Listed:\n    def __init__(self):\n        print()\n\n"
    other += "class Parent:\n    def __init_subclass__(cls):\n        print(cls)\n"
    files = {"run.py": ENTRY, "m.py": TOOL + before, "n.py": other}
    assert differs(tmp_path, files, {"m.py": TOOL + after}, "hashgnn.run") == changes


@pytest.mark.parametrize(
    "use",
    [
        *("from hashgnn import m\nx = m\n", "from hashgnn import m\nx = getattr(m, 'f')\n"),
        *("from hashgnn.m import *\n", "from hashgnn import m\nx = m.nowhere\n"),
        *("import hashgnn.m\nx = (hashgnn.m,)\n", "import hashgnn.m as m\nx = m.__dict__\n"),
        *("from hashgnn.m import nowhere\nx = nowhere\n", "import hashgnn\nx = vars(hashgnn)\n"),
        "import sys\nimport hashgnn.m\ndef x():\n    return sys.modules['hashgnn.m'].f\n",
        "from hashgnn.m import f\ndef x():\n    return object.__subclasses__()\n",
        "def x():\n    from hashgnn import m\n    return [m]\n",
        *("from hashgnn.m import twice\n", "from hashgnn.m import more\n"),
        *("from hashgnn.m import seen\n", "from hashgnn.m import unknown\n"),
        *("from hashgnn import m\nx = m.__name__\n", "from hashgnn.m import named\nx = named\n"),
    ],
)
def test_where_it_cannot_be_told_the_whole_module_counts(tmp_path: Path, use: str) -> None:
    text = "twice = 1\ntwice = 2\n\nmore = 1\nmore += 1\n\ndef seen():\n    return globals()\n"
    text += "\ndef unknown():\n    return set_elsewhere\n\ndef f():\n    return 1\n"
    text += "\nnamed = [__name__]\n"
    files = {"run.py": use, "m.py": text}
    edited = {"m.py": text.replace("return 1", "return 2")}
    assert differs(tmp_path, files, edited, "hashgnn.run")
    assert not differs(tmp_path, {**files, "m.py": TOOL, "run.py": ENTRY}, {}, "hashgnn.run")


def test_names_of_a_function_are_not_those_of_its_module(tmp_path: Path) -> None:
    text = "def f(g):\n    def h(x):\n        return x + i\n"
    text += "    i = [h(k) for k in g]\n    return i\n"
    text += "".join(f"\ndef {name}():\n    return 1\n" for name in "ghikx")
    files = {"run.py": ENTRY, "m.py": text}
    edited = {"m.py": text.replace("return 1", "return 2")}
    assert not differs(tmp_path, files, edited, "hashgnn.m:f")
    reading = text.replace("return i\n", "return i, g, x()\n", 1)
    edited = {"m.py": reading.replace("return 1", "return 2")}
    assert differs(tmp_path, {"m.py": reading}, edited, "hashgnn.m:f")


def test_an_entry_may_be_one_definition(tmp_path: Path) -> None:
    files = {"m.py": "def f():\n    return 1\n\ndef g():\n    return 2\n"}
    edited = {"m.py": files["m.py"].replace("return 2", "return 3")}
    assert not differs(tmp_path, files, edited, "hashgnn.m:f")
    assert differs(tmp_path, files, edited, "hashgnn.m:g")
    assert differs(tmp_path, files, edited, "hashgnn.m")
    assert differs(tmp_path, files, edited, "hashgnn.m:f", "hashgnn.m:g")
    with pytest.raises(InputError, match=r"hashgnn\.m:h: hashgnn\.m has no definition of this"):
        CodeDigest(tmp_path)("hashgnn.m:h")


def test_what_an_entry_has_imported_can_be_asked_of_it(tmp_path: Path) -> None:
    files = {"own.py": "from hashgnn.m import f\n", "m.py": TOOL}
    assert differs(tmp_path, files, {"m.py": TOOL.replace("1", "2")}, "hashgnn.own")
    assert differs(tmp_path, files, {"m.py": TOOL.replace("1", "2")}, "hashgnn.own:f")


def test_imports_in_circles_end(tmp_path: Path) -> None:
    files = {"a.py": "from hashgnn.b import x\n", "b.py": "from hashgnn.a import x\n"}
    assert package(tmp_path, files)("hashgnn.a:x")
    files = {"a.py": "def f():\n    from hashgnn.b import g\n    return g\n"}
    files["b.py"] = "from hashgnn.a import f\ndef g():\n    return f, 1\n"
    edited = {"b.py": files["b.py"].replace("1", "2")}
    assert differs(tmp_path, files, edited, "hashgnn.a")


IMPORTED = {
    "__init__.py": "",
    "a.py": "from hashgnn.b import f\n\ndef g():\n    return f()\n",
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
    "early.py": "class C:\n    from hashgnn import alone\n",
}


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("a", {"a", "b", "sub", "sub.c"}),
        ("late", {"late", "alone"}),
        ("early", {"early", "alone"}),
        ("near", {"near", "near.inner", "alone", "sub", "sub.c"}),  # a package's own __init__
        ("near.user", {"near.user", "near", "near.inner", "alone", "sub", "sub.c"}),
        ("bare.method", {"bare.method", "bare.helper"}),  # a folder without __init__
    ],
)
def test_modules_that_are_imported_on_the_way(tmp_path: Path, entry: str, found: set[str]) -> None:
    modules = package(tmp_path, IMPORTED).reached(f"hashgnn.{entry}").modules

    assert modules == {"hashgnn", *(f"hashgnn.{name}" for name in found)}


def test_what_is_no_python_is_named(tmp_path: Path) -> None:
    files = {"a.py": "from hashgnn.b import f\n", "b.py": "def f(:\n"}

    with pytest.raises(InputError, match=r"hashgnn/b\.py: not valid Python .*line 1"):
        package(tmp_path, files)("hashgnn.a")


def test_a_module_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"hashgnn\.nowhere"):
        package(tmp_path, {})("hashgnn.nowhere")


# How a function of module 0 may name one of module 1: an import, and an expression.
_NAMED = [
    ("from hashgnn.m{m} import {f}", "{f}()"),
    ("from hashgnn.m{m} import {f} as {f}_", "{f}_()"),
    ("from hashgnn import m{m}", "m{m}.{f}()"),
    ("import hashgnn.m{m}", "hashgnn.m{m}.{f}()"),
    ("import hashgnn.m{m} as n{m}", "n{m}.{f}()"),
    ("from hashgnn.facade import {f}", "{f}()"),
    ("from hashgnn import facade", "facade.{f}()"),
    ("", "(lambda: __import_within__)()"),
]


@st.composite
def _packages(draw: st.DrawFn) -> tuple[list[list[str]], dict[str, set[str]]]:
    """Modules of functions, each as a list of its statements; which function names which."""
    functions = [f"f{n}" for n in range(draw(st.integers(2, 9)))]
    home = {name: draw(st.integers(0, 2)) for name in functions}
    calls = {name: draw(st.sets(st.sampled_from(functions), max_size=3)) for name in functions}
    modules: list[list[str]] = [["X = 1"], ["X = 2"], ["X = 3"]]
    for name in functions:
        lines = [f"def {name}():", "    value = 0"]
        for other in sorted(calls[name]):
            place = {"m": home[other], "f": other}
            if home[other] == home[name]:
                lines.append(f"    {other}()")
                continue
            statement, call = (text.format(**place) for text in draw(st.sampled_from(_NAMED)))
            if not statement:
                lines += [f"    from hashgnn.m{home[other]} import {other}", f"    {other}()"]
            # A name that is imported twice is that of the import which comes last.
            elif draw(st.booleans()) or _binds_again(modules[home[name]], statement):
                lines += [f"    {statement}", f"    {call}"]
            else:
                if statement not in modules[home[name]]:
                    modules[home[name]].insert(0, statement)
                lines.append(f"    {call}")
        modules[home[name]].append("\n".join([*lines, "    return value"]))
    return modules, calls


def _binds_again(module: list[str], statement: str) -> bool:
    """Return whether another import of the module binds the same name."""
    bound = statement.split()[-1]
    return any(
        other != statement and other.split()[-1] == bound
        for other in module
        if not other.startswith(("def", "X"))
    )


def _write(root: Path, modules: list[list[str]]) -> CodeDigest:
    texts = {f"m{n}.py": "\n\n".join(statements) for n, statements in enumerate(modules)}
    names = [
        f"from hashgnn.m{n} import {statement[4:6]}\n"
        for n, statements in enumerate(modules)
        for statement in statements
        if statement.startswith("def")
    ]
    return package(root, {**texts, "facade.py": "".join(names)})


@settings(max_examples=60, deadline=None)
@given(_packages(), st.data())
def test_of_any_package_what_is_reached_and_nothing_else_counts(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: tuple[list[list[str]], dict[str, set[str]]],
    data: st.DataObject,
) -> None:
    modules, calls = drawn
    root = tmp_path_factory.mktemp("package")
    entry = data.draw(st.sampled_from(sorted(calls)))
    reached, waiting = set[str](), [entry]
    while waiting:
        if (name := waiting.pop()) not in reached:
            reached.add(name)
            waiting += calls[name]
    (home,) = (n for n, parts in enumerate(modules) if any(f"def {entry}(" in p for p in parts))
    root_entry = f"hashgnn.m{home}:{entry}"
    before = _write(root, modules)(root_entry)

    for edited in sorted(calls):
        texts = [
            [p.replace("= 0", "= 1") if f"def {edited}(" in p else p for p in parts]
            for parts in modules
        ]
        assert (_write(root, texts)(root_entry) != before) == (edited in reached), edited
    moved = [data.draw(st.permutations(parts)) for parts in modules]
    assert _write(root, moved)(root_entry) == before


KERNEL = """from functools import cache

RESULTS_VERSION = 1
_WIDTH = 8

@cache
def scan(x: int, k: int = 2) -> int:
    return _inner(x) * _WIDTH

def _inner(x):
    return x

class Found:
    size = 1

    def first(self, k):
        return k
"""


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("_inner(x) * _WIDTH", "_WIDTH * _inner(x)", False),
        ("return x", "return x + 0", False),
        ("_WIDTH = 8", "_WIDTH = 16", False),
        ("@cache\n", "", False),
        ("size = 1", "size = 2", False),
        ("return k", "return -k", False),
        ("_inner", "_renamed", False),
        ("from functools import cache", "import json\nfrom functools import cache", False),
        ("x: int, k", "k", True),
        ("k: int = 2", "k: int = 3", True),
        ("first(self, k)", "first(self, k, x)", True),
        ("class Found", "class Found(list)", True),
        ("RESULTS_VERSION = 1", "RESULTS_VERSION = 2", True),
        ("RESULTS_VERSION = 1", "", True),
    ],
)
def test_of_kernels_the_interface_and_the_version_count(
    tmp_path: Path, old: str, new: str, changes: bool
) -> None:
    kernel = "search/_kernels/one.py"
    other = "search/_kernels/other.py"  # without a version: all of it counts
    use = "from hashgnn.search._kernels import one, other\n\ndef f():\n"
    use += "    return one.scan(1), one.Found(), other.scan(1), other.Found()\n"
    without = KERNEL.replace("RESULTS_VERSION = 1\n", "")
    files = {"run.py": use, kernel: KERNEL, other: without}
    assert old in KERNEL
    assert differs(tmp_path, files, {kernel: KERNEL.replace(old, new)}, "hashgnn.run") == changes
    if old in without and old not in ("_inner", "from functools import cache"):
        assert differs(tmp_path, files, {other: without.replace(old, new)}, "hashgnn.run")


def test_digests_are_kept_until_the_code_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a.py": "from hashgnn.b import f\n", "b.py": "def f():\n    return 1\n"}
    first = package(tmp_path, files)("hashgnn.a")
    read = code_digest.read_module
    monkeypatch.setattr(code_digest, "read_module", None)  # which now fails

    assert CodeDigest(tmp_path)("hashgnn.a") == first
    with pytest.raises(TypeError):
        package(tmp_path, {**files, "b.py": "def f():\n    return 2\n"})("hashgnn.a")
    monkeypatch.setattr(code_digest, "read_module", read)
    assert CodeDigest(tmp_path)("hashgnn.a") != first


@pytest.mark.parametrize("text", ["", "[1", "[]", '{"state": 1}', '{"state": 1, "results": [3]}'])
def test_a_damaged_file_of_digests_is_replaced(tmp_path: Path, text: str) -> None:
    digest = package(tmp_path, {"a.py": "def f():\n    return 1\n"})
    first = digest("hashgnn.a")
    (kept,) = (tmp_path / "hashgnn/__pycache__").iterdir()
    good = kept.read_text()
    kept.write_text(text)

    assert CodeDigest(tmp_path)("hashgnn.a") == first
    assert kept.read_text() == good


def test_digests_need_no_place_to_be_kept(tmp_path: Path) -> None:
    files = {"a.py": "def f():\n    return 1\n"}
    kept = package(tmp_path / "one", files)("hashgnn.a")
    digest = package(tmp_path / "two", files)
    (tmp_path / "two/hashgnn/__pycache__").write_text("in the way")

    assert digest("hashgnn.a") == kept
