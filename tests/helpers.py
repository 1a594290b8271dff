"""Helpers that tests of several rooms share."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result

from hashgnn.cli.main import main
from hashgnn.data.interactions import Csr


def csr_of(*rows: list[int]) -> Csr:
    """Rows of a sparse 0/1 matrix, each given by its column indices."""
    indptr = np.cumsum([0, *map(len, rows)])
    return Csr(indptr, np.array([column for row in rows for column in row], dtype=np.int32))


def run_hashgnn(*arguments: str | Path, given: str | bytes = b"") -> Result:
    """The ``hashgnn`` command in this process, with ``given`` as standard input."""
    return CliRunner().invoke(main, list(map(str, arguments)), input=given)


def shell_hashgnn(
    command: str, model: Path, **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """What bash makes of ``command``, where H is the command ``hashgnn`` and M the model."""
    code = "from hashgnn.cli.main import main; main(prog_name='hashgnn')"
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    given = {"PYTHON": sys.executable, "CODE": code, "M": str(model), **variables}
    script = f'H() {{ "$PYTHON" -c "$CODE" "$@"; }}; {command}'
    return subprocess.run(["bash", "-c", script], capture_output=True, env=inherited | given)
