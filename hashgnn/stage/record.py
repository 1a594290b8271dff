"""Records of how results came to be: inputs, settings, versions, machine, time and memory."""

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from hashgnn.errors import InputError
from hashgnn.files import atomic_write
from hashgnn.stage.inputs import CHECKSUM, Inputs, describe_outputs, record_checksum

CGROUP = Path("/sys/fs/cgroup")
_MB = 1 << 20


def memory_mb() -> int:
    """All of it, in MB; less, where a control group (a container, a Slurm job) has a limit."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // _MB
    return min(pages, *(limit for limit, _ in _groups())) if _groups() else pages


def available_mb() -> int:
    """What is free of it now, in MB."""
    free = _kernels_figure()
    return min([free if free is not None else memory_mb(), *(left for _, left in _groups())])


def _kernels_figure() -> int | None:
    """MemAvailable of Linux: free, or held by caches that give way."""
    path = Path("/proc/meminfo")
    for line in path.read_text().splitlines() if path.exists() else ():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return None


def _groups() -> list[tuple[int, int]]:
    """Limit and rest, in MB, of each control group (version 2) around this process that has one."""
    found = []
    for folder in _folders():
        try:
            limit = int((folder / "memory.max").read_text())
            used = int((folder / "memory.current").read_text())
        except (OSError, ValueError):  # no such file, or the limit is "max"
            continue
        found.append((limit // _MB, max(0, limit - used) // _MB))
    return found


def _folders() -> list[Path]:
    """This process's control group and those around it, the root last."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    own = next((line.split("::", 1)[1] for line in lines if line.startswith("0::")), "/")
    folder = CGROUP / own.lstrip("/")
    return [folder, *(parent for parent in folder.parents if parent.is_relative_to(CGROUP))]


_PACKAGES = (
    "hashgnn",
    "implicit",
    "numba",
    "numpy",
    "pandas",
    "scipy",
    "snakemake",
    "torch",
    "torch-geometric",
)


class Recorder:
    """Starts a clock when made; ``record`` stops it."""

    def __init__(
        self,
        settings: Mapping[str, object],
        paths: Iterable[Path] = (),
        record: Path | None = None,
    ) -> None:
        """``paths``: all files that the command names; those there already are its inputs.

        ``record`` is where the record will go. Raises ``InputError`` if an input is not what the
        stage that made it recorded.
        """
        self._wall = time.perf_counter()
        self._cpu = time.process_time()
        self.settings = settings
        self._inputs = Inputs(paths, record)

    def write(self, path: Path, facts: Mapping[str, object], written: Collection[Path]) -> None:
        """Leave the record as JSON, atomically; ``written`` are the outputs."""
        outputs = describe_outputs(path, written)
        write_record(path, self.record({"outputs": outputs, **facts}, written))

    def record(self, facts: Mapping[str, object], written: Collection[Path] = ()) -> dict[str, Any]:
        """Command, settings, versions, machine, cost so far and ``facts``, which go before.

        Raises ``InputError`` if an input changed since the clock was started.
        """
        return {
            "command": [sys.executable, "-m", _module_name(), *sys.argv[1:]],
            "settings": self.settings,
            "inputs": self._inputs.unchanged(written),
            "device": "cpu",  # unless the stage says otherwise
            **facts,
            "seconds": round(time.perf_counter() - self._wall, 3),
            "cpu_seconds": round(time.process_time() - self._cpu, 3),
            "peak_memory_mb": peak_memory_mb(),
            "threads": int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)),
            "machine": {"system": platform.platform(), "processor": _processor()},
            "versions": {"python": platform.python_version(), **_versions()},
            "git_commit": _git_commit(),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "modules": sorted(m for m in sys.modules if m.split(".")[0] == "hashgnn"),
        }


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as JSON, atomically; ``InputError`` if something in it has no such form."""
    try:
        plain = json.loads(json.dumps(record, default=_plain))
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: cannot be written as JSON ({error})") from error
    signed = {**plain, CHECKSUM: record_checksum(plain)}
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(signed, indent=2) + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r:.80} is a {type(value).__name__}")


def peak_memory_mb() -> int:
    """Of this process alone: ru_maxrss, the portable figure, begins at its parent's on Linux."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _module_name() -> str:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return spec.name if spec else sys.argv[0]


def _versions() -> dict[str, str]:
    """Versions without importing anything: importing torch costs seconds."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _git_commit() -> str | None:
    """Commit of the code that ran, ``-dirty`` appended if it was edited since."""
    root = Path(__file__).resolve().parents[2]
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    command += ["--exclude=*"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
