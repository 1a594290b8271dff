"""The memory of this machine, as far as this process may use it."""

import os
from pathlib import Path

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
