"""Kernels take nothing from other files, and run where nothing can be kept on disk.

numba keeps compiled kernels for as long as their own file is what it was. What a kernel takes from
another file is frozen with it: an edit there would go unseen, and wrong results would look right.
So kernels take nothing from other files of the package, but for what asks the memory ahead, which
changes no result, and the generator, whose file ``hashgnn.kernels.njit`` takes into account.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hashgnn import kernels
from tests.e2e.faults.namespaces import with_mount

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "hashgnn"
HARMLESS = {"hashgnn.kernels", "hashgnn.random"}  # an edit of the latter compiles all anew


def kernels_of(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    """At any depth: some are made by functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(
            "njit" in ast.unparse(decorator) for decorator in node.decorator_list
        ):
            yield node


def foreign_names(tree: ast.Module) -> set[str]:
    """Names bound by importing from the package."""
    return {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and (module := getattr(node, "module", None) or node.names[0].name).startswith("hashgnn")
        and module not in HARMLESS
        for alias in node.names
    }


def definitions(tree: ast.Module) -> dict[str, ast.stmt]:
    """What each name at the top of the file is made by."""
    found: dict[str, ast.stmt] = {}
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            found[statement.name] = statement
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For | ast.If):
            stored = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            found |= {node.id: statement for node in stored if isinstance(node.ctx, ast.Store)}
    return found


def reached(kernel: ast.FunctionDef, tree: ast.Module) -> set[str]:
    """Names that a kernel uses, and those that their definitions in the same file use."""
    own = definitions(tree)
    waiting: list[ast.AST] = list(kernel.body)
    names: set[str] = set()
    while waiting:
        used = {node.id for node in ast.walk(waiting.pop()) if isinstance(node, ast.Name)} - names
        names |= used
        waiting += [own[name] for name in used if name in own]
    return names


def offenders(text: str) -> set[str]:
    tree = ast.parse(text)
    foreign = foreign_names(tree)
    return {
        f"{kernel.name}: {name}"
        for kernel in kernels_of(tree)
        for name in reached(kernel, tree) & foreign
    }


@pytest.mark.parametrize(
    ("use", "found"),
    [
        ("scan.BOUND", {"f: scan"}),
        ("helper(1)", {"f: helper"}),
        ("BOTH", {"f: scan"}),
        ("plain()", {"f: helper"}),
        ("other()", {"f: helper"}),
        ("OWN", set()),
        ("prefetch_line", set()),
    ],
)
@pytest.mark.parametrize("inner", [False, True])
def test_the_check_sees_what_it_should(use: str, found: set[str], inner: bool) -> None:
    head = (
        "from hashgnn.kernels import njit\nfrom hashgnn.search import scan\n"
        "from hashgnn.a import helper\nfrom hashgnn.kernels import prefetch_line\n"
        "OWN = 1\nTWICE = 2 * scan.BOUND\nBOTH = OWN + TWICE\n"
        "def plain():\n    return helper(1)\n@intrinsic\ndef other():\n    return plain()\n"
    )
    kernel = f"@njit(cache=True)\ndef f():\n    return {use}\n"
    if inner:
        kernel = "def made():\n    " + kernel.replace("\n", "\n    ") + "return f\n"

    assert offenders(head + kernel) == found


def test_kernels_take_nothing_from_other_files() -> None:
    trees = {file: ast.parse(file.read_text()) for file in PACKAGE.rglob("*.py")}
    assert sum(len(list(kernels_of(tree))) for tree in trees.values()) > 40

    assert {f"{file}: {name}" for file in trees for name in offenders(file.read_text())} == set()


def test_all_kernels_find_a_place_for_what_is_compiled() -> None:
    texts = {file: file.read_text() for file in PACKAGE.rglob("*.py") if file.name != "kernels.py"}
    wanted = {file for file, text in texts.items() if re.search(r"njit\(", text)}
    imported = re.compile(r"^from hashgnn\.kernels import .*\bnjit\b", re.MULTILINE)
    taken = {file for file, text in texts.items() if imported.search(text)}

    assert len(taken) > 10
    assert taken == wanted
    assert not [file for file, text in texts.items() if re.search(r"numba\.njit\(", text)]


KERNEL = """
from hashgnn.kernels import njit
@njit(cache=True)
def double(x):
    return 2 * x
@njit(cache=True, nogil=True)
def triple(x):
    return 3 * x
print(double(3), triple(3))
"""


def run_kernel(folder: Path, mount: str, temporary: str) -> subprocess.CompletedProcess[str]:
    """Run a file of kernels in ``folder`` after ``mount``, with a home that cannot be written."""
    prefix = with_mount(mount)
    if not prefix:
        pytest.skip("no mount namespace can be made here")
    (folder / "package").mkdir(exist_ok=True)
    (folder / "package/kernel.py").write_text(KERNEL)
    (folder / "home").mkdir(exist_ok=True)
    given = {"HOME": str(folder / "home"), "TMPDIR": temporary, "PYTHONPATH": str(ROOT)}
    removed = {"XDG_CACHE_HOME", "NUMBA_CACHE_DIR"}
    return subprocess.run(
        [*prefix, sys.executable, str(folder / "package/kernel.py")],
        capture_output=True,
        text=True,
        env={key: value for key, value in os.environ.items() if key not in removed} | given,
    )


STAGE = """
from hashgnn.kernels import mix
from hashgnn.stage.command import run_stage, stage_parser

def stage(args):
    print(mix(1) != mix(2))
    return {}

raise SystemExit(run_stage(stage_parser(None), stage))
"""


def test_compilation_is_announced_once(tmp_path: Path) -> None:
    given = {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", STAGE]
    said = []
    for _ in range(2):
        ran = subprocess.run(command, capture_output=True, text=True, env=os.environ | given)
        assert (ran.returncode, ran.stdout) == (0, "True\n"), ran.stderr
        said.append(ran.stderr)

    assert said == ["compiling kernels, once; later runs read them from the cache\n", ""]


def read_only(*folders: Path) -> str:
    return " && ".join(f"mount --bind {f} {f} && mount -o remount,bind,ro {f}" for f in folders)


def test_kernels_run_where_package_and_home_cannot_be_written(tmp_path: Path) -> None:
    for name in ("package", "home", "tmp"):
        (tmp_path / name).mkdir()
    mount = read_only(tmp_path / "package", tmp_path / "home")

    for _ in range(2):  # the second finds what the first has kept
        ran = run_kernel(tmp_path, mount, str(tmp_path / "tmp"))

        assert (ran.returncode, ran.stdout) == (0, "6 9\n"), ran.stderr
        assert ran.stderr.count("\n") == 1  # once, not for each kernel
        assert f"kernels are cached in {tmp_path}/tmp/hashgnn-kernels-" in ran.stderr
    (kept,) = (tmp_path / "tmp").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o700
    assert len(list(kept.rglob("*.nbc"))) == 2


def test_kernels_run_where_nothing_can_be_written(tmp_path: Path) -> None:
    for name in ("package", "home", "tmp"):
        (tmp_path / name).mkdir()

    mount = read_only(*(tmp_path / name for name in ("package", "home", "tmp")))
    ran = run_kernel(tmp_path, mount, str(tmp_path / "tmp"))

    assert (ran.returncode, ran.stdout) == (0, "6 9\n"), ran.stderr
    assert ran.stderr.count("\n") == 1


def test_kernels_run_on_a_full_disk(tmp_path: Path) -> None:
    full = tmp_path / "package/__pycache__"
    full.mkdir(parents=True)

    mount = f"mount -t tmpfs -o size=4k none {full} && head -c 4096 /dev/zero > {full}/fill"
    ran = run_kernel(tmp_path, mount, str(tmp_path))

    assert (ran.returncode, ran.stdout) == (0, "6 9\n"), ran.stderr
    assert ran.stderr.count("\n") == 1
    assert "compiled again in each process: No space left on device" in ran.stderr


@pytest.mark.parametrize("trap", ["link", "open to others", "file"])
def test_a_folder_that_others_may_write_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trap: str
) -> None:
    """numba unpickles what lies in its cache."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(kernels, "_say", lambda news: None)
    folder = tmp_path / f"hashgnn-kernels-{os.getuid()}"
    (tmp_path / "theirs").mkdir()
    if trap == "link":
        folder.symlink_to(tmp_path / "theirs")
    elif trap == "file":
        folder.touch()
    else:
        folder.mkdir()
        folder.chmod(0o777)

    assert kernels._temporary_cache.__wrapped__() is None
    if trap != "open to others":
        folder.unlink()
        assert kernels._temporary_cache.__wrapped__() == str(folder)


NAMED = """
from typing import NamedTuple
from hashgnn.kernels import njit

class {name}(NamedTuple):
    number: int

@njit(cache=True)
def kernel(pair):
    return pair.number + 1

print(kernel({name}(2)))
"""


def test_a_cache_with_types_that_are_gone_is_replaced(tmp_path: Path) -> None:
    for name in ("Before", "After", "After"):
        (tmp_path / "named.py").write_text(NAMED.format(name=name))
        ran = subprocess.run(
            [sys.executable, "-c", "import named"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        )
        assert (ran.returncode, ran.stdout) == (0, "3\n"), ran.stderr
    assert len(list((tmp_path / "__pycache__").glob("named.kernel*.nbc"))) >= 1
