"""Which functions of the package a job runs, seen by running it.

``trace_jobs`` puts this file on the path of a project's jobs as ``sitecustomize``: Python imports
it first, and it writes down the definitions that are called on behalf of the job. That is no more
than what the job depends on: constants and compiled kernels are not seen.
"""

import atexit
import hashlib
import json
import os
import shutil
import sys
import threading
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = "traces"
PACKAGE = "hashgnn"
OBSERVERS = f"{PACKAGE}.stage"
# Called when any kernel that prefetches is compiled, or to announce that one is compiled, and
# without influence on results.
FOR_KERNELS = {"ask", "prefetch_line", "announce_compilation", "_announce", "_Announcement"}
# What the stage's own frame calls besides the stage.
USED_BY_OBSERVERS = (f"{PACKAGE}.files", f"{PACKAGE}.errors")


class Job(NamedTuple):
    """A job that ran: its record, and the definitions that it called, by module."""

    record: dict[str, Any]
    called: dict[str, set[str]]

    @property
    def imported(self) -> set[str]:
        """Modules of the package that it ran or imported."""
        return {*self.record["modules"], self.record["command"][2]}

    @property
    def entries(self) -> list[str]:
        """What the workflow gave to the digest."""
        command = self.record["command"]
        return str(command[command.index("--code") + 1]).split()[1:]


def trace_jobs(root: Path) -> None:
    """Have all jobs of the project in ``root`` be traced from now on."""
    name = hashlib.sha256(str(root).encode()).hexdigest()[:16]
    folder = root / ".snakemake" / f"{PACKAGE}-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(__file__, folder / "sitecustomize.py")


def traced_jobs(root: Path) -> dict[str, Job]:
    """Return the jobs that were traced, by the paths of their records."""
    jobs = {}
    for path in root.glob(f".snakemake/{PACKAGE}-*/{FOLDER}/*.json"):
        record, called = json.loads(path.read_text(encoding="utf-8"))
        known = json.loads((root / record).read_text(encoding="utf-8"))
        jobs[record] = Job(known, {module: set(names) for module, names in called.items()})
    return jobs


def assert_watched(root: Path, jobs: dict[str, Job]) -> None:
    """Check the digest of each job against what it imported and called."""
    # Not in jobs, where this is sitecustomize.
    from hashgnn.stage.code_digest import KERNELS, CodeDigest

    code = CodeDigest(root)
    for path, job in jobs.items():
        reached = code.reached(*job.entries)
        assert job.imported <= reached.modules, path
        for module, names in job.called.items():
            watched = {node.name for node in reached.nodes if node.module == module}
            if module.startswith(KERNELS):
                assert "RESULTS_VERSION" in watched, (path, module)
                continue
            missed = names & set(code.module(module).definitions) - watched - FOR_KERNELS
            assert not missed or "*" in watched, (path, module, missed)


def _module(frame: Any) -> str:
    name = str(frame.f_globals.get("__name__", ""))
    spec = frame.f_globals.get("__spec__")
    return spec.name if name == "__main__" and spec else name


def _counts(frame: Any) -> bool:
    """Whether it was called on behalf of the stage: not by an import, nor by what records it."""
    module, below = _module(frame), frame
    while (below := below.f_back) is not None:
        caller = _module(below)
        if below.f_code.co_name == "<module>" and below.f_globals["__name__"] != "__main__":
            return False
        if caller.startswith(OBSERVERS):
            return below.f_code.co_name == "run_stage" and module not in USED_BY_OBSERVERS
    return True


def _begin() -> None:
    seen: set[Any] = set()
    called: dict[str, set[str]] = {}

    def watch(frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        if event != "call" or code in seen:
            return
        module = _module(frame)
        own = module.split(".")[0] == PACKAGE and not module.startswith(OBSERVERS)
        if not own or code.co_name == "<module>":
            seen.add(code)
        elif _counts(frame):
            seen.add(code)
            called.setdefault(module, set()).add(code.co_qualname.split(".")[0])

    def write() -> None:
        sys.setprofile(None)
        arguments = sys.argv
        if "--provenance" in arguments:
            folder = Path(__file__).with_name(FOLDER)
            folder.mkdir(exist_ok=True)
            found = {module: sorted(names) for module, names in called.items()}
            record = arguments[arguments.index("--provenance") + 1]
            text = json.dumps([record, found])
            (folder / f"{os.getpid()}.json").write_text(text, encoding="utf-8")

    atexit.register(write)
    threading.setprofile(watch)
    sys.setprofile(watch)


if __name__ == "sitecustomize":
    _begin()
