"""The ``hashgnn`` command: its subcommands, ``hashgnn status``, exit status and error messages.

Subcommands import what they need when they run, so that help and completion are quick.
"""

import functools
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hashgnn.cli.compare import evaluate, quantize
from hashgnn.cli.recommend import recommend, similar
from hashgnn.cli.saved_model import export, info, serve
from hashgnn.cli.streams import drop_unwritten, use_utf8
from hashgnn.cli.train_model import train, update
from hashgnn.errors import InputError, not_installed
from hashgnn.stage.command import exit_status, interruptible

if TYPE_CHECKING:
    from hashgnn.experiment.status import Running, Status


# The progress of a run of the workflow.

_EVERY = 2.0  # seconds between two looks
_WIDTH = 30  # characters of a bar


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--watch", is_flag=True, help="Show it every two seconds until the run has ended.")
@click.option("--bar", is_flag=True, help="Show one line only, of a run that runs or will begin.")
def status(folder: Path, watch: bool, bar: bool) -> None:
    """Show how far the workflow is that runs in FOLDER, and how long it will still take.

    FOLDER is the working directory of the run (the config's workdir): demo for make demo.
    """
    from hashgnn.experiment import status as of_runs

    if bar:
        _show_bar(folder)
        return
    while True:
        found = of_runs.status(folder)
        if watch and sys.stdout.isatty():
            click.clear()
        click.echo("\n".join(lines(found)))
        if not watch or found.done == len(found.run.jobs) or not _lives(found.run.process):
            return
        time.sleep(_EVERY)


def lines(found: "Status") -> list[str]:
    """Return the state of a run: a line of the whole, and one for each job that runs."""
    running = sorted(found.running, key=lambda one: -one.left)
    return [_whole(found), *(f"  {_line(one)}" for one in running)]


def _whole(found: "Status") -> str:
    jobs = len(found.run.jobs)
    if found.done == jobs:
        return f"{_bar(1.0)} all {jobs} jobs are done"
    least = "at least " if found.unknown else ""
    cores = f"{found.run.cores} core{'s' * (found.run.cores > 1)}"
    ended = "" if _lives(found.run.process) else "; the workflow does not run: start it again"
    return (
        f"{_bar(found.share)} {found.share:4.0%}  {found.done} of {jobs} jobs, "
        f"{least}{clock(found.left)} left on {cores}{ended}"
    )


def _line(one: "Running") -> str:
    told = one.progress
    parts = [f"{one.share:4.0%}", one.job.name, f"{clock(one.left)} left"]
    if told.done:
        shown = f"{told.done:,.0f} of {told.total:,.0f} {told.unit}, {told.speed:,.1f} per second"
        parts.insert(2, shown)
    return "  ".join(parts)


def clock(seconds: float) -> str:
    """Return a time as ``1:05`` (minutes and seconds) or ``2:01:05`` (with hours)."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _bar(share: float) -> str:
    filled = round(share * _WIDTH)
    return f"[{'#' * filled}{'.' * (_WIDTH - filled)}]"


def _show_bar(folder: Path) -> None:
    """Rewrite one line until the run ends; print a line per tenth if this is no terminal."""
    shown = -1
    while True:
        found = _current(folder)
        if found is not None:
            tenth = int(10 * found.share)
            if sys.stdout.isatty():
                click.echo(f"\r\033[K{_whole(found)}", nl=False)
            elif tenth > shown:
                click.echo(_whole(found))
            shown = tenth
            if found.done == len(found.run.jobs):
                break
        elif shown >= 0:
            break
        time.sleep(_EVERY)
    if sys.stdout.isatty():
        click.echo()


def _current(folder: Path) -> "Status | None":
    """Return the state of the run in ``folder`` if its workflow runs."""
    from hashgnn.errors import InputError
    from hashgnn.experiment import status as of_runs

    try:
        found = of_runs.status(folder)
    except InputError:
        return None
    return found if _lives(found.run.process) else None


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process > 0


# The group.

# The optional dependencies of subcommands that need other ones than train.
_EXTRAS = {"quantize": "workflow", "serve": "serve", "status": "workflow"}


class _Group(click.Group):
    def main(self, *args: Any, **extra: Any) -> Any:
        use_utf8()
        try:
            return super().main(*args, **extra)
        except InputError as error:
            message, status = str(error), 2
        except OSError as error:  # click itself handles a closed pipe
            where = f"{error.filename}: " if error.filename else ""
            message, status = f"{where}{error.strerror or error}", 1
        with suppress(OSError):  # stderr may be closed, too; the exit status remains
            for line in message.splitlines():
                click.echo(f"error: {line}", err=True)  # the format of the workflow's stages
        drop_unwritten()
        sys.exit(status)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with interruptible():
                return super().invoke(ctx)
        except ModuleNotFoundError as error:
            raise not_installed(error, _EXTRAS.get(str(ctx.invoked_subcommand), "train")) from error
        except KeyboardInterrupt as error:
            resumes = ctx.invoked_subcommand == train.name
            rest = "; a training resumes from its last checkpoint, if any" if resumes else ""
            click.echo(f"error: interrupted: run the same command again{rest}", err=True)
            ctx.exit(exit_status(error))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hashgnn")
def main() -> None:
    """Learn binary codes of users and items, and recommend items with them.

    \b
    hashgnn train clicks.csv --output model
    hashgnn update model today.csv
    hashgnn evaluate clicks.csv --time ts --test-days 7
    hashgnn recommend model --user anna --number 5
    hashgnn similar model items --id 42
    hashgnn export model --output exported --format faiss
    hashgnn serve model --port 8000
    hashgnn info model
    hashgnn quantize items.npy --users users.npy
    hashgnn status --watch

    recommend, similar, export, serve and info also accept a result folder of the workflow,
    results/DATASET/MODEL/bitsK/seedS.

    Tab completion: eval "$(_HASHGNN_COMPLETE=bash_source hashgnn)", or zsh_source, fish_source.

    Output is UTF-8. Exit status: 0 on success, 2 after bad input or usage, 1 if a file cannot be
    read or written, 130 after Ctrl-C, 143 after SIGTERM. Errors are printed to standard error, one
    line each; errors of usage, with the usage of the command before them.
    """


def _announcing(command: click.Command) -> click.Command:
    """Let ``command`` say so when it compiles kernels."""
    run: Callable[..., Any] = command.callback or (lambda: None)

    @functools.wraps(run)
    def announced(*args: Any, **options: Any) -> Any:
        from hashgnn.kernels import announce_compilation

        announce_compilation()
        return run(*args, **options)

    command.callback = announced
    return command


for _command in (update, recommend, similar, export, serve, quantize):
    main.add_command(_announcing(_command))
for _command in (train, evaluate, info, status):  # the first two announce it after their checks
    main.add_command(_command)
