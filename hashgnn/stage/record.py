"""Provenance records of results: inputs, settings, versions, machine, time and memory.

A stage records the checksums of the files that it reads and writes, and compares its inputs with
the records of the stages that wrote them.
"""

import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from hashgnn.errors import InputError, shown
from hashgnn.files import atomic_write, file_checksum, load_object

SUFFIX = ".provenance.json"
CHECKSUM = "record_checksum"
_OBJECTS = ("settings", "inputs", "outputs", "versions", "integer_ids")
CGROUP = Path("/sys/fs/cgroup")
_MB = 1 << 20
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


def memory_mb() -> int:
    """Return the memory of this machine in MB, or the limit of a control group around this process.

    Containers and Slurm jobs have such limits.
    """
    return min([psutil.virtual_memory().total // _MB, *(limit for limit, _ in _groups())])


def available_mb() -> int:
    """Return the available memory in MB, including caches that can be freed."""
    return min([psutil.virtual_memory().available // _MB, *(left for _, left in _groups())])


def _groups() -> list[tuple[int, int]]:
    """Return the limit and the unused part, in MB, of each control group (version 2)."""
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
    """Return the folders of this process's control group and those around it, the root last."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    own = next((line.split("::", 1)[1] for line in lines if line.startswith("0::")), "/")
    folder = CGROUP / own.lstrip("/")
    return [folder, *(parent for parent in folder.parents if parent.is_relative_to(CGROUP))]


class Inputs:
    """Checksums of the files among ``paths`` that exist.

    Raises ``InputError`` if a file differs from its checksum in a record of the same folder, other
    than ``own_record``. Files without a record are the user's own.
    """

    def __init__(self, paths: Iterable[Path], own_record: Path | None) -> None:
        given = [path for path in dict.fromkeys(paths) if path.is_file() and path != own_record]
        self._states = {path: _state(path) for path in given}
        self._checksums = {path: _checksum(path) for path in given}
        recorded = cache(lambda folder: _recorded(folder, own_record))
        for path, checksum in self._checksums.items():
            _check(path, checksum, recorded(path.parent))

    def unchanged(self, written: Collection[Path]) -> dict[str, str]:
        """Return the SHA-256 by path of all inputs that were not ``written``.

        Raises ``InputError`` if one has changed since the start.
        """
        read = [path for path in self._states if path not in written]
        for path in read:
            if _state(path) != self._states[path] and _checksum(path) != self._checksums[path]:
                raise InputError(f"{path}: changed while it was read; run the same command again")
        return {str(path): self._checksums[path] for path in read}


def _recorded(folder: Path, own_record: Path | None) -> dict[str, tuple[Path, str]]:
    """Return the record and checksum of each file in ``folder`` that records list, by name."""
    records = set(folder.glob(f"*{SUFFIX}")) - {own_record}
    return {
        name: (record, checksum)
        for record in sorted(filter(None, records))
        for name, checksum in recorded_outputs(record).items()
    }


def _check(path: Path, found: str, recorded: dict[str, tuple[Path, str]]) -> None:
    record, expected = recorded.get(path.name, (None, found))
    if record and found != expected:
        raise altered(
            path, expected, found, record, f"delete {path} and run the same command again"
        )


def _checksum(path: Path) -> str:
    return str(file_checksum(path, "sha256"))


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def describe_outputs(record: Path, written: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of files that exist, by path relative to the folder of ``record``."""
    return {
        os.path.relpath(path, record.parent): str(file_checksum(path, "sha256"))
        for path in sorted(set(written))
        if path.is_file()
    }


def read_record(path: Path) -> dict[str, Any]:
    """Read the record at ``path``; raise ``InputError`` if it is unreadable or altered."""
    record = load_object(path)
    for key in _OBJECTS:
        if not isinstance(record.get(key, {}), dict):
            raise InputError(
                f"{path}: {key}: expected a JSON object, found {shown(record[key])}; delete it "
                "and run the same command again"
            )
    if CHECKSUM in record and record[CHECKSUM] != (found := record_checksum(record)):
        raise InputError(
            f"{path}: altered or damaged since it was made: its {CHECKSUM} says "
            f"{shown(record[CHECKSUM])}, found {found}; delete it and run the same command again"
        )
    return record


def record_checksum(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a record, as read from JSON, without its own checksum."""
    said = {key: value for key, value in record.items() if key != CHECKSUM}
    return f"sha256:{hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()}"


def job_digest(code: str | None, settings: object) -> str:
    """Return a digest of a job's ``code``, as ``PlannedCode`` gives it, and its settings."""
    said = json.dumps([code, settings], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def recorded_outputs(record: Path) -> dict[str, str]:
    """Return the outputs in ``record`` as ``describe_outputs`` gave them, empty if it has none.

    Raises ``InputError`` if it cannot be read.
    """
    return dict(read_record(record).get("outputs", {}))


def check_output(path: Path, expected: object, record: Path) -> None:
    """Raise ``InputError`` if ``path`` does not have the SHA-256 in ``record``."""
    try:
        found = str(file_checksum(path, "sha256"))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error}), though {record} lists it; make it again"
        ) from error
    if found != expected:
        raise altered(path, expected, found, record, "train or save it again")


def altered(path: Path, expected: object, found: str, record: Path, remedy: str) -> InputError:
    """Return the error for a ``path`` that differs from its ``record``."""
    return InputError(
        f"{path}: altered or damaged since it was made: {record} says {shown(expected)}, found "
        f"{found}; {remedy}"
    )


class Recorder:
    """Measures a stage from its construction on, and writes the record of it."""

    def __init__(
        self,
        settings: Mapping[str, object],
        paths: Iterable[Path] = (),
        record: Path | None = None,
    ) -> None:
        """Start the clock and take the checksums of the inputs.

        Args:
            settings: the part of the config that the stage uses.
            paths: all files that the command names; those that exist are its inputs.
            record: where the record will be written.

        Raises:
            InputError: an input is not what the stage that made it recorded.
        """
        self._wall = time.perf_counter()
        self._cpu = time.process_time()
        self.settings = settings
        self._inputs = Inputs(paths, record)

    def write(self, path: Path, facts: Mapping[str, object], written: Collection[Path]) -> None:
        """Write the record atomically, as JSON; ``written`` are the outputs."""
        outputs = describe_outputs(path, written)
        write_record(path, self.record({"outputs": outputs, **facts}, written))

    def record(self, facts: Mapping[str, object], written: Collection[Path] = ()) -> dict[str, Any]:
        """Return command, settings, versions, machine, time and memory so far, and ``facts``.

        ``facts`` take precedence over the default device. Raises ``InputError`` if an input changed
        since the construction.
        """
        return {
            "command": [sys.executable, "-m", _module_name(), *sys.argv[1:]],
            "settings": self.settings,
            "inputs": self._inputs.unchanged(written),
            "device": "cpu",  # the default
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
    """Write a record atomically, as JSON; raise ``InputError`` if a value cannot be written so."""
    try:
        plain = json.loads(json.dumps(record, default=_plain))
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: cannot be written as JSON ({error})") from error
    signed = {**plain, CHECKSUM: record_checksum(plain)}
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(signed, indent=2) + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """Convert a NumPy scalar to a Python number."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r:.80} is a {type(value).__name__}")


def peak_memory_mb() -> int:
    """Return the peak memory of this process in MB.

    On Linux it is read from /proc: psutil does not have it there, and the portable ru_maxrss begins
    at the parent's.
    """
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
    """Return versions of packages without importing any: importing torch takes seconds."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    """Return the model of the processor; py-cpuinfo takes 1.5 s for it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _git_commit() -> str | None:
    """Return the commit of the code that ran, with ``-dirty`` appended if it was edited since."""
    root = Path(__file__).resolve().parents[2]
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    command += ["--exclude=*"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
