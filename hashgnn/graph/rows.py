"""Kernels that read and add rows of a matrix by their numbers.

The rows of a large matrix lie anywhere in memory. Each kernel therefore asks for the rows of the
next target while it works on those of this one.
"""

import numpy as np

from hashgnn.kernels import njit
from hashgnn.prefetch import LINE, prefetch_line


@njit(cache=True)
def _prefetch(matrix: np.ndarray, row: int) -> None:
    for offset in range(0, matrix.shape[1] * matrix.itemsize, LINE):
        prefetch_line(matrix, np.int64(row), offset)


@njit(cache=True, fastmath={"contract"})
def _add(sink: np.ndarray, weight: np.float32, source: np.ndarray) -> None:
    for d in range(len(source)):
        sink[d] += weight * source[d]


@njit(cache=True, fastmath={"contract"})
def gather_rows(
    x: np.ndarray,
    targets: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    indices: np.ndarray,
    share: np.float32,
    out: np.ndarray,
) -> None:
    """Mix each target's own row with the mean row of its neighbors.

    ``x`` float32 [rows, d]; see ``Neighborhoods`` for the next four. ``out`` [T, 2 d] takes the
    two side by side; ``out`` [T, d] takes ``share`` of the one and 1 - ``share`` of the other.
    """
    width = x.shape[1]
    beside = out.shape[1] > width
    mixed = 1.0 if beside else 1.0 - share  # of the mean
    for row in range(len(targets)):
        own, mean = out[row, :width], out[row, out.shape[1] - width :]
        mean[:] = 0.0
        if beside:
            own[:] = x[targets[row]]
        elif share > 0:
            _add(mean, share, x[targets[row]])
        weight = np.float32(mixed / (stops[row] - starts[row]))
        following = min(row + 1, len(targets) - 1)
        _prefetch(x, targets[following])
        ahead, behind = starts[following], stops[following]
        for place in range(starts[row], stops[row]):
            if ahead < behind:
                _prefetch(x, indices[ahead])
                ahead += 1
            _add(mean, weight, x[indices[place]])


@njit(cache=True, fastmath={"contract"})
def scatter_rows(
    gradient: np.ndarray,
    targets: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    indices: np.ndarray,
    share: np.float32,
    out: np.ndarray,
) -> None:
    """Add to ``out`` [rows, d] what a gradient of ``gather_rows``' result makes of its ``x``."""
    width = out.shape[1]
    beside = gradient.shape[1] > width
    mixed = 1.0 if beside else 1.0 - share  # of the mean
    for row in range(len(targets)):
        own, mean = gradient[row, :width], gradient[row, gradient.shape[1] - width :]
        _add(out[targets[row]], np.float32(1.0) if beside else share, own)
        weight = np.float32(mixed / (stops[row] - starts[row]))
        following = min(row + 1, len(targets) - 1)
        _prefetch(out, targets[following])
        ahead, behind = starts[following], stops[following]
        for place in range(starts[row], stops[row]):
            if ahead < behind:
                _prefetch(out, indices[ahead])
                ahead += 1
            _add(out[indices[place]], weight, mean)
