"""How far a run of the workflow is: its jobs, their estimated times, what has been measured."""

import heapq
import json
import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path, PurePath
from typing import Any, NamedTuple

from hashgnn.errors import InputError
from hashgnn.files import atomic_write
from hashgnn.stage.command import Progress, read_progress

RUN = Path(".snakemake/hashgnn/run.json")
_START = 5.0  # seconds of a job that no estimate covers: imports, reading compiled kernels
_MEASURED = 3.0  # seconds over which speed has to be measured
_EARLY = 0.02  # share of a job below which its own speed says little


class Job(NamedTuple):
    """A job that a run has to do, its record, and its estimated seconds if its data are known."""

    stage: str
    record: str
    seconds: float | None

    @property
    def name(self) -> str:
        """Return what the job makes, as ``train movielens/hashgnn/bits32/seed0``."""
        path = self.record.removeprefix("results/").removesuffix(".provenance.json")
        folder = path.rpartition("/")[0] if self.stage in ("train", "evaluate", "timing") else path
        return f"{self.stage} {folder}"


class Run(NamedTuple):
    """A run of the workflow: when and by which process it began, with how many cores."""

    began: float
    process: int
    cores: int
    jobs: list[Job]


class Running(NamedTuple):
    """A job that runs: what it has told, and the seconds that it still takes."""

    job: Job
    progress: Progress
    left: float

    @property
    def share(self) -> float:
        """Return the share that is done, by the time it takes."""
        return self.progress.seconds / max(1e-9, self.progress.seconds + self.left)


class Status(NamedTuple):
    """The state of a run; ``left`` is in seconds, of the whole run on its cores."""

    run: Run
    done: int
    running: list[Running]
    waiting: int
    spent: float
    work_left: float
    left: float
    unknown: int

    @property
    def share(self) -> float:
        """Return the share of the work that is done, by processor time."""
        if self.done == len(self.run.jobs):
            return 1.0
        return self.spent / max(1e-9, self.spent + self.work_left)


def write_run(jobs: Sequence[Job], cores: int, path: Path = RUN) -> None:
    """Write what a run has to do, for ``read_run``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"began": time.time(), "process": os.getpid(), "cores": cores}
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps({**content, "jobs": jobs}), encoding="utf-8")


def read_run(folder: Path) -> Run:
    """Return the last run in the working directory ``folder``; ``InputError`` if there is none."""
    path = folder / RUN
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return Run(**content | {"jobs": [Job(*job) for job in content["jobs"]]})
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(
            f"{path}: no run of the workflow was started here; name the folder in which it runs "
            "(the config's workdir), as in: hashgnn status demo"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: damaged ({error}); start the workflow again") from error


def opening_line(jobs: Sequence[Job], cores: int, free_mb: float) -> str:
    """Return what a run has to do, in one line: jobs, time, disk."""
    known = [job.seconds for job in jobs if job.seconds is not None]
    hours = (sum(known) + _START * len(jobs)) / 3600
    here = max([hours / cores, *(seconds / 3600 for seconds in known)])
    unknown = len(jobs) - len(known)
    without = f", {unknown} of them unknown until data are there" if unknown else ""
    least = "at least" if unknown else "about"
    number = f"{len(jobs)} job{'s' * (len(jobs) != 1)}"
    return (
        f"{number}{without}: {least} {_hours(hours)} of processor time, {_hours(here)} here "
        f"with {cores} core{'s' * (cores > 1)}; {free_mb / 1000:,.1f} GB of disk are free. "
        "Follow it with: hashgnn status --watch"
    )


def replaced_line(jobs: Mapping[str, tuple[Path, Collection[str]]]) -> str:
    """Return a warning that results will be replaced by those of a grid that lacks some runs.

    Args:
        jobs: For each figure or table to make, its record of an earlier run, if it exists, and the
            inputs of this run.

    Returns:
        One line, or "" if all that the earlier results show is shown again.
    """
    lost: dict[str, set[tuple[str, ...]]] = {}
    for name, (record, inputs) in jobs.items():
        with suppress(OSError, ValueError, KeyError, AttributeError):
            earlier = json.loads(record.read_text(encoding="utf-8"))["inputs"]
            left_out = _shown(earlier) - _shown(inputs)
            if left_out:
                lost[name] = left_out
    if not lost:
        return ""
    now = set().union(*(_shown(inputs) for name, (_, inputs) in jobs.items() if name in lost))
    missing = set().union(*lost.values())
    for place, what in enumerate(("data sets", "methods")):
        gone = {run[place] for run in missing if len(run) > place}
        gone -= {run[place] for run in now if len(run) > place}
        if gone:
            named = f"{what} {', '.join(sorted(gone))}"
            break
    else:
        number = f"{len(missing)} training{'s' * (len(missing) != 1)}"
        named = f"{number} of {', '.join(sorted({run[0] for run in missing}))}"
    return (
        f"warning: {', '.join(lost)} will be replaced, without the {named} that earlier runs put "
        "in. To keep both, set another workdir in the config file."
    )


def _shown(inputs: Iterable[str]) -> set[tuple[str, ...]]:
    """Return the data set, method, bits and seed of each file; the data set alone of its own."""
    folders = {PurePath(path).parts[1:-1] for path in inputs if path.startswith("results/")}
    return {folder for folder in folders if folder}


def _hours(hours: float) -> str:
    if hours >= 1:
        return f"{hours:.1f} hours"
    minutes = max(1, round(60 * hours))
    return f"{minutes} minutes" if minutes > 1 else "a minute"


def status(folder: Path) -> Status:
    """Return the state of the last run in ``folder``.

    The estimate of a job is multiplied by how much longer the finished jobs of its stage took than
    estimated; that of a running job gives way to its own speed as soon as that is known.
    """
    run = read_run(folder)
    took = {job: seconds for job in run.jobs if (seconds := _seconds(folder, job, run)) is not None}
    means = _corrections(took)
    running, waiting, unknown = [], [], 0
    for job in run.jobs:
        if job in took:
            continue
        expected = _expected(job, means)
        told = read_progress(folder / job.record)
        if told is not None and told.is_running():
            running.append(Running(job, told, _left(told, expected or _START)))
        else:
            unknown += expected is None
            waiting.append(expected or 0.0)
    work_left = sum(waiting) + sum(one.left for one in running)
    return Status(
        *(run, len(took), running, len(waiting)),
        spent=sum(took.values()) + sum(one.progress.seconds for one in running),
        work_left=work_left,
        left=makespan([one.left for one in running], waiting, run.cores),
        unknown=unknown,
    )


def makespan(running: Iterable[float], waiting: Iterable[float], cores: int) -> float:
    """Return the seconds until all jobs are done, if each free core takes the longest that waits.

    Args:
        running: Seconds that are left of each job that runs.
        waiting: Seconds of each other job; what they depend on is not considered.
        cores: Jobs that run at a time.
    """
    ends = sorted(running)
    ends += [0.0] * (cores - len(ends))
    heapq.heapify(ends)
    for seconds in sorted(waiting, reverse=True):
        heapq.heapreplace(ends, ends[0] + seconds)
    return max(ends)


def _seconds(folder: Path, job: Job, run: Run) -> float | None:
    """Return the seconds that a job of this run took; None if it is not done."""
    record = folder / job.record
    try:
        if record.stat().st_mtime < run.began:
            return None
        return float(json.loads(record.read_text(encoding="utf-8"))["seconds"])
    except (OSError, ValueError, KeyError):
        return None


def _corrections(took: Mapping[Job, float]) -> dict[str, tuple[float, float]]:
    """Return by stage: seconds per estimated second, and mean seconds, of the finished jobs.

    Those of all stages have the name "".
    """
    made = {}
    for stage in {job.stage for job in took} | {""}:
        own = {job: seconds for job, seconds in took.items() if stage in ("", job.stage)}
        estimated = sum(_START + job.seconds for job in own if job.seconds is not None)
        measured = sum(s for job, s in own.items() if job.seconds is not None)
        factor = measured / estimated if estimated else float("nan")
        made[stage] = (factor, sum(own.values()) / len(own) if own else float("nan"))
    return made


def _expected(job: Job, means: Mapping[str, tuple[float, float]]) -> float | None:
    """Return the seconds that a job will take; None if nothing is known."""
    factor, mean = means.get(job.stage, means[""])
    if job.seconds is not None:
        return (_START + job.seconds) * (factor if factor == factor else 1.0)
    return mean if job.stage in means and mean == mean else None


def _left(told: Progress, expected: float) -> float:
    """Return the seconds that a running job still takes, by its own speed if that is known."""
    now = told.seconds + max(0.0, min(60.0, time.time() - told.updated))
    measured = told.seconds - told.earlier_seconds
    if told.done < _EARLY * told.total or measured < _MEASURED or not told.speed:
        return max(1.0, expected - now)
    return max(0.0, (told.total - told.done) / told.speed - (now - told.seconds))
