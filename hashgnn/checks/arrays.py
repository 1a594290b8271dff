"""Checks of codes and vectors."""

from collections.abc import Iterator

import numpy as np

from hashgnn.checks.check import Check


def check_codes(subject: str, codes: np.ndarray, rows: int, bits: int) -> Iterator[Check]:
    """uint8 [rows, ceil(bits / 8)]; the bits beyond the last one are zero."""
    shape = (rows, -(-bits // 8))
    fits = codes.dtype == np.uint8 and codes.shape == shape
    seen = f"{codes.dtype} {list(codes.shape)}, expected uint8 {list(shape)}"
    yield Check(
        subject, "codes have a row each and a bit for each of K", fits, "" if fits else seen
    )
    if fits:
        padding = np.unpackbits(codes[:, -1:], axis=1, bitorder="little")[:, (bits - 1) % 8 + 1 :]
        strays = int(np.count_nonzero(padding.any(axis=1)))
        rule = "padding bits of codes are zero"
        yield Check(subject, rule, strays == 0, f"{strays} rows have others" if strays else "")


def check_vectors(subject: str, vectors: np.ndarray, rows: int) -> Iterator[Check]:
    """A finite row each."""
    fits = vectors.ndim == 2 and len(vectors) == rows
    seen = f"{list(vectors.shape)}, expected {rows} rows"
    yield Check(subject, "vectors have a row each", fits, "" if fits else seen)
    odd = int(np.count_nonzero(~np.isfinite(vectors)))
    yield Check(subject, "vectors are finite", odd == 0, f"{odd} numbers are not" if odd else "")
