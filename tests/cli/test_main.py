"""Exit status, error messages, help and completion of the command; ``hashgnn status``."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from hashgnn.cli.main import clock, main
from hashgnn.errors import InputError
from hashgnn.experiment.status import RUN, Job, write_run
from hashgnn.stage.command import progress_file, progress_path, report
from tests.cli.conftest import LAYOUT
from tests.helpers import run_hashgnn as run


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["recommend", "{folder}", "--user", "x"], 2, "error: unknown user: 'x'; the model knows"),
        (["recommend", "{folder}", "-n", "0"], 2, "'-n': 0 is not in the range x>=1"),
        (
            ["recommend", "{empty}"],
            2,
            "error: {empty}: not a result folder, as train.prov",
        ),
        (["recommend", "{empty}/none"], 2, "Directory '{empty}/none' does not exist"),
        (["train", "{clicks}", "--output", "{folder}"], 2, "holds a model; choose another folder"),
        (["train", "{clicks}", "--output", "{empty}"], 2, "no column 'user' for user; there are:"),
        (["train", "{clicks}", "--output", "x", "--set", "epochs"], 2, "'epochs' is not KEY=VALUE"),
        (
            ["train", "{clicks}", "--output", "x", "--set", "method=mf"],
            2,
            "method is no hyper-parameter; use --method mf",
        ),
        (["train", "{clicks}", "--output", "x", "--set", "=3"], 2, "'=3' is not KEY=VALUE"),
        (
            ["train", "{clicks}", *LAYOUT, "--output", "x", "--set", "learning_rate=1e-3"],
            2,
            "error: parameters.learning_rate: expected a number, got '1e-3', which is text: "
            "write 1.0e-3 without quotes",
        ),
        (
            ["train", "{clicks}", *LAYOUT, "--output", "x", "--set", "scale.x=1"],
            2,
            "error: scale.x: scale is 0.25, which has no keys to set",
        ),
        (["train", "{clicks}", "--output", "x", "--bits", "0"], 2, "error: bits: expected 1 or"),
        (["train", "{clicks}", "--output", "x", "--seed", "-1"], 2, "error: seed: expected 0 or"),
        (
            ["train", "{clicks}", "--output", "x", "--validation", "nan"],
            2,
            "error: validation: expected a finite number, got nan",
        ),
        (
            ["train", "{clicks}", "--output", "x", "--method", "hashgn"],
            2,
            "did you mean hashgnn?",
        ),
        (["train", "{clicks}"], 2, "Missing option '--output'"),
        (
            ["train", "{clicks}", "--output", "x", "--set", "guidance={{floor: 0.1, floor: 0.2}}"],
            2,
            "--set guidance, line 1",
        ),
        (["export", "{folder}", "--output", "/proc/none"], 1, "No such file or directory"),
        (["inform"], 2, "No such command 'inform'"),
    ],
)
def test_failures_are_one_line_and_a_status(
    folder: Path, tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    named = {"folder": folder, "empty": tmp_path, "clicks": folder.parent / "clicks.csv"}

    ran = run(*(argument.format(**named) for argument in arguments))

    assert ran.exit_code == status
    last = ran.stderr.splitlines()[-1]
    assert message.format(**named) in last


@pytest.mark.parametrize(
    ("command", "called", "rest"),
    [
        (
            "train",
            "fitting.fit",
            "; a training resumes from its last checkpoint, if any",
        ),
        ("recommend", "folder.load_model", ""),
    ],
)
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_an_interrupted_command_says_how_to_go_on(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    called: str,
    rest: str,
    number: int,
    status: int,
) -> None:
    def stopped(*given: object) -> None:
        os.kill(os.getpid(), number)
        time.sleep(5)

    monkeypatch.setattr(f"hashgnn.recommender.{called}", stopped)
    layout = ["--separator", ";", "--no-header", "--user", "1", "--item", "2"]
    train = [folder.parent / "clicks.csv", *layout, "--output", tmp_path / "new"]

    ran = run(command, *(train if command == "train" else [folder]))

    assert ran.exit_code == status
    assert ran.stderr == f"error: interrupted: run the same command again{rest}\n"


def test_help_needs_no_heavy_import_and_completion_knows_the_commands() -> None:
    code = "import sys, hashgnn.cli.main; print({'torch', 'pandas'} & set(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert loaded.stdout.strip() == "set()", loaded.stderr

    completing = "from hashgnn.cli.main import main; main(prog_name='hashgnn')"
    words = {"COMP_WORDS": "hashgnn rec", "COMP_CWORD": "1"}
    completed = subprocess.run(
        [sys.executable, "-c", completing],
        capture_output=True,
        text=True,
        env={**os.environ, **words, "_HASHGNN_COMPLETE": "bash_complete"},
    )
    assert completed.stdout.split() == ["plain,recommend"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "{clicks}", "--output", "{folder}"], "holds a model; choose another folder"),
        (["update", "{empty}", "{clicks}"], "no model of hashgnn train or HashGNN.save"),
        (["evaluate", "{clicks}", "--test-days", "3"], "name the column of times with --time"),
        (["export", "{folder}", "--output", "{folder}"], "holds a model; choose another folder"),
        (["recommend", "{empty}"], "not a result folder"),
    ],
)
def test_what_is_cheap_to_check_is_checked_before_torch_is_imported(
    folder: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    """Which takes seconds."""
    places = {"clicks": folder.parent / "clicks.csv", "folder": folder, "empty": tmp_path}
    given = [argument.format(**places) for argument in arguments]
    code = (
        "import atexit, sys; from hashgnn.cli.main import main; "
        "atexit.register(lambda: print('torch' in sys.modules)); main(sys.argv[1:])"
    )
    ran = subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True)

    assert message in ran.stderr
    assert (ran.returncode, ran.stdout) == (2, "False\n")


@pytest.mark.parametrize("command", ["train", "evaluate"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "hashgn"], "method 'hashgn': expected one of .*; did you mean hashgnn"),
        (["--bits", "2000"], "bits: expected 1,024 or less, got 2000"),
        (["--device", "gpu"], "device: expected auto, cpu, cuda or cuda:N, got 'gpu'"),
        (["--tune", "3x"], "tune: expected a duration such as 90s, 10m or 1h, got '3x'"),
    ],
)
def test_wrong_settings_of_a_training_are_refused_at_once(
    command: str, options: list[str], message: str, tmp_path: Path
) -> None:
    (tmp_path / "clicks.csv").write_text("user,item\na,x\n")
    output = ["--output", str(tmp_path / "model")]
    code = (
        "import atexit, sys; from hashgnn.cli.main import main; atexit.register(lambda: "
        "print({'torch', 'pandas', 'numba', 'scipy'} & set(sys.modules))); main(sys.argv[1:])"
    )
    given = [command, str(tmp_path / "clicks.csv"), *output, *options]
    ran = subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True)

    assert (ran.returncode, ran.stdout) == (2, "set()\n")
    assert re.fullmatch(f"error: {message}.*\n", ran.stderr)


def test_no_error_names_none(monkeypatch: pytest.MonkeyPatch, small_model: Path) -> None:
    def fail(small_model: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("hashgnn.recommender.folder.load_model", fail)
    ran = run("recommend", small_model)
    assert (ran.exit_code, ran.stderr) == (1, "error: Input/output error\n")


def test_bad_input_has_its_line(monkeypatch: pytest.MonkeyPatch, small_model: Path) -> None:
    def fail(small_model: Path) -> None:
        raise InputError("this is bad")

    monkeypatch.setattr("hashgnn.recommender.folder.load_model", fail)
    ran = run("recommend", small_model)
    assert (ran.exit_code, ran.stderr) == (2, "error: this is bad\n")


def test_each_mistake_has_its_line(folder: Path) -> None:
    table = folder.parent / "clicks.csv"
    ran = run("train", table, "--output", "x", "--bits", "0", "--seed", "-1")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr.splitlines() == [
        "error: bits: expected 1 or more, got 0",
        "error: seed: expected 0 or more, got -1",
    ]


def test_commands_that_compute_announce_the_compilation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    announced: list[bool] = []
    monkeypatch.setattr("hashgnn.kernels.announce_compilation", lambda: announced.append(True))

    run("info", tmp_path)
    assert announced == []
    run("recommend", tmp_path)
    assert announced == [True]


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "0:00"), (65.4, "1:05"), (3599.6, "1:00:00"), (7265, "2:01:05")]
)
def test_clock(seconds: float, expected: str) -> None:
    assert clock(seconds) == expected


@pytest.fixture
def half_run(tmp_path: Path) -> Path:
    """A run of two trainings, one of which is done."""
    jobs = [Job("train", f"results/d/{m}/train.provenance.json", 45.0) for m in "ab"]
    write_run(jobs, 1, tmp_path / RUN)
    for job in jobs:
        (tmp_path / job.record).parent.mkdir(parents=True)
    (tmp_path / jobs[0].record).write_text(json.dumps({"seconds": 30.0}))
    return tmp_path


def test_the_whole_and_each_running_job_have_a_line(half_run: Path) -> None:
    record = half_run / "results/d/b/train.provenance.json"
    with progress_file(record):
        report(40, 160, "iterations")
        written = progress_path(record)
        told = json.loads(written.read_text()) | {
            **{"seconds": 10.0, "earlier_done": 0, "earlier_seconds": 0.0},
            "updated": time.time(),
        }
        written.write_text(json.dumps(told))

        result = CliRunner().invoke(main, ["status", str(half_run)])

    whole, job = result.output.splitlines()
    assert whole == "[#################.............]  57%  1 of 2 jobs, 0:30 left on 1 core"
    assert job.split("  ") == [
        *("", " 25%", "train d/b", "40 of 160 iterations, 4.0 per second", "0:30 left")
    ]


@pytest.mark.parametrize("option", ["--watch", "--bar"])
def test_following_ends_with_the_run(half_run: Path, option: str) -> None:
    (half_run / "results/d/b/train.provenance.json").write_text(json.dumps({"seconds": 30.0}))

    result = CliRunner().invoke(main, ["status", str(half_run), option])

    assert result.output == f"[{'#' * 30}] all 2 jobs are done\n"


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["status", str(tmp_path)])

    assert result.exit_code == 2
    assert "no run of the workflow was started here" in result.output
