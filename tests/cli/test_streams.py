"""Standard streams, pipes, links and encodings of the commands."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.helpers import run_hashgnn as run
from tests.helpers import shell_hashgnn as shell

EXPECTED = ["user,item,rank,score", "käufer 1,"]


def test_output_goes_into_a_pipe(folder: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        ran = run("recommend", folder, "--user", "käufer 1", "-n", "1", "--output", pipe)
        assert ran.exit_code == 0, ran.output
        written = reader.communicate()[0].decode().splitlines()
    assert [line[: len(start)] for line, start in zip(written, EXPECTED, strict=True)] == EXPECTED
    assert pipe.is_fifo()


def test_output_goes_into_a_process(folder: Path, tmp_path: Path) -> None:
    """As bash's ``--output >(gzip > x.gz)`` does, by the number of an open pipe."""
    read, write = os.pipe()
    ran = run("recommend", folder, "--user", "käufer 1", "-n", "1", "--output", f"/dev/fd/{write}")
    os.close(write)
    assert ran.exit_code == 0, ran.output
    with os.fdopen(read, encoding="utf-8") as file:
        written = file.read().splitlines()
    assert [line[: len(start)] for line, start in zip(written, EXPECTED, strict=True)] == EXPECTED


def test_output_follows_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("real.csv")
    ran = run("recommend", folder, "--user", "käufer 1", "--output", tmp_path / "link.csv")
    assert ran.exit_code == 0, ran.output
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text(encoding="utf-8").startswith(EXPECTED[0])


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["ascii", "latin-1", "C"],
)
def test_output_is_utf8_on_every_terminal(
    unicode_model: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    ran = shell(
        "H recommend $M --user kä3 -n 1; H recommend $M --user kü", unicode_model, **variables
    )
    assert run("recommend", unicode_model, "--user", "kä3", "-n", "1").stdout.encode() == ran.stdout
    assert ran.stderr.startswith(b"error: unknown user: 'k")
    assert ran.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        ("H recommend $M --user 3 > /dev/full", 1, "error: standard output: No space left on"),
        ("H recommend $M > /dev/full", 1, "error: standard output: No space left on"),
        ("H info $M > /dev/full", 1, "error: No space left on device"),
        ("H --help > /dev/full", 1, "error: No space left on device"),
        ("H recommend $M --user 3 >&-", 2, "error: standard output is closed; give --output"),
        ("H recommend $M --users - <&-", 2, "error: standard input is closed; give a file"),
        ("H train - --output x <&-", 2, "error: standard input is closed; give a file"),
        ("H recommend $M --user 3 | true; exit ${PIPESTATUS[0]}", 1, ""),
        ("H info $M | true; exit ${PIPESTATUS[0]}", 1, ""),
        ("H recommend $M --user x 2> /dev/full", 2, ""),
        ("H recommend $M --user x 2>&-", 2, ""),
    ],
)
def test_streams_that_take_or_give_nothing(
    small_model: Path, command: str, status: int, message: str
) -> None:
    for unbuffered in ("", "1"):
        ran = shell(command, small_model, PYTHONUNBUFFERED=unbuffered)
        assert (ran.returncode, ran.stdout) == (status, b""), ran.stderr
        assert ran.stderr.decode().startswith(message)
        assert ran.stderr.count(b"\n") == bool(message)
