"""What a process can be denied through namespaces of Linux: a network, room on a disk, writing."""

import subprocess
from functools import cache

Prefix = tuple[str, ...]


@cache
def _works(*prefix: str) -> bool:
    try:
        return subprocess.run([*prefix, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def without_network() -> Prefix:
    """Words before a command that take the network from it; none where that cannot be had."""
    prefix = ("unshare", "--map-root-user", "--net")
    return prefix if _works(*prefix) else ()


def with_mount(mount: str) -> Prefix:
    """Words before a command that run ``mount``, a line of shell, first and for it alone.

    None where that cannot be had.
    """
    prefix = ("unshare", "--map-root-user", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh")
    return prefix if _works(*prefix) else ()
