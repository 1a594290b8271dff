"""The command ``hashgnn status``: how far a run of the workflow is, and how long it will take."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hashgnn.experiment.status import Running, Status

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
