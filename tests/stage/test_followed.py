"""Methods whose edits the workflow could not see are refused."""

from pathlib import Path

import pytest

from hashgnn.config.methods import named_modules
from hashgnn.errors import InputError
from hashgnn.stage.code_digest import CodeDigest
from hashgnn.stage.followed import check_followed
from tests.e2e.workflow.project import PAPER, ROOT

# Of the real package: what all trainings share, and so is not a method's own.
SHARED = {
    "training/train.py": "import hashgnn.stage.command\n",
    "training/fit.py": "",
    "stage.py": "",
}
SHARED |= {"files.py": "def load_array(path): ...\ndef save_array(path): ...\n", "__init__.py": ""}


def check(root: Path, text: str, module: str = "models/own.py") -> None:
    beside = {"helpers.py": "", "my_tools/more.py": "", "Snakefile": ""}
    beside |= {"numpy.py": "", "hashgnn/models/near.py": ""}
    files = {f"hashgnn/{name}": text for name, text in SHARED.items()} | beside
    for name, content in {**files, f"hashgnn/{module}": text}.items():
        path = root / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(content)
    check_followed(CodeDigest(root), "hashgnn.models.own")


@pytest.mark.parametrize(
    "text",
    [
        *("from importlib import import_module\n", "import importlib.util as u\n"),
        *("import importlib\n", "m = __import__('os')\n", "exec('x = 1')\n", "eval('1')\n"),
        *("import runpy\n", "import sys\nsys.path.insert(0, 'x')\n", "import subprocess\n"),
        *("from sys import modules\n", "import ctypes\n", "import builtins\n"),
        *("import helpers\n", "from helpers import f\n", "import my_tools.more\n"),
        *("from hashgnn import HashGNN\n", "import hashgnn\nhashgnn.HashGNN()\n"),
        *("open('data.csv')\n", "from pathlib import Path\nPath('x').read_text()\n"),
        *("from pathlib import Path\nPath(__file__)\n", "f = open\n"),
        *("import numpy as np\nnp.load('x.npy')\n", "from numpy import loadtxt as l\nl('x')\n"),
        *("import pandas as pd\npd.read_csv('x')\n", "import torch\ntorch.load('x')\n"),
        *("from os import *\npopen('x')\n", "from gzip import open as o\n", "import glob\n"),
        *("import numpy as np\nnp.__dict__['load']('x')\n", "import tarfile\n"),
        *("from hashgnn.files import load_array\n", "from ..files import load_array\n"),
        "def fit(task):\n    from pathlib import Path\n    return Path('x').open().read()\n",
    ],
)
def test_what_cannot_be_followed_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"^hashgnn\.models\.own, line \d+: .* old results"):
        check(tmp_path, text)


def test_what_a_helper_of_the_method_does_is_refused_too(tmp_path: Path) -> None:
    check(tmp_path, "from . import near\n")
    (tmp_path / "hashgnn/models/near.py").write_text("x = 1\ny = open('data')\n")

    with pytest.raises(InputError, match=r"^hashgnn\.models\.near, line 2: open "):
        check_followed(CodeDigest(tmp_path), "hashgnn.models.own")


@pytest.mark.parametrize(
    "text",
    [
        *("from . import near\n", "import hashgnn.models.near as n\n", "import numpy as np\n"),
        *("import re\nre.compile('x')\n", "import torch\ntorch.compile(f)\n", "m.eval()\n"),
        *("from hashgnn.files import save_array\n", "import os.path\n", "np.load_balance = 1\n"),
        *("import sys\nsys.stderr.write('x')\n", "imp = 1\nprint(imp)\n"),
    ],
)
def test_what_is_followed_or_harmless_is_not(tmp_path: Path, text: str) -> None:
    check(tmp_path, text)


def test_beside_an_installed_package_lie_others_that_are_installed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lies outside hashgnn/"):
        check(tmp_path, "import helpers\n")
    (tmp_path / "Snakefile").unlink()
    check_followed(CodeDigest(tmp_path), "hashgnn.models.own")


def test_what_all_trainings_share_may_load_what_the_config_names(tmp_path: Path) -> None:
    check(tmp_path, "import hashgnn.stage.command\n")
    check(tmp_path, "import importlib\n", "stage.py")


def test_the_methods_and_encoders_that_are_there_can_be_followed() -> None:
    modules = named_modules(PAPER)
    assert {"hashgnn.models.hashgnn", "hashgnn.models.encoders.mean"} < set(modules)

    for path in sorted(ROOT.glob("hashgnn/models/**/*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        modules.append(name.removesuffix(".__init__"))
    check_followed(CodeDigest(ROOT), *modules)


def test_only_what_loads_what_the_config_names_imports_by_name() -> None:
    """The rules give what they load to the digest: training, preparation, encoders."""
    loaders = {
        str(path.relative_to(ROOT / "hashgnn"))
        for path in ROOT.glob("hashgnn/**/*.py")
        if "import_module" in path.read_text()
    }

    assert loaders <= {
        *("__init__.py", "training/fit.py", "data/prepare.py", "models/encoders/__init__.py"),
        *("reporting/entries.py", "stage/code_digest.py"),
        "recommender/export.py",  # optional libraries, no code of the package
    }
