"""Ways in which a file on disk is damaged."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np


def _flip(at: float) -> Callable[[bytes], bytes]:
    def flipped(content: bytes) -> bytes:
        place = min(len(content) - 1, int(at * len(content)))
        return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]

    return flipped


BYTES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda content: content[: len(content) // 2],
    "cut by a byte": lambda content: content[:-1],
    "longer": lambda content: content + content[-64:],
    "empty": lambda content: b"",
    "garbage": lambda content: np.random.default_rng(0).bytes(len(content)),
    "text": lambda content: b"<html>Not Found</html>\n",
    "null": lambda content: b"null\n",
    "nested": lambda content: b"[" * 100_000,
    "a bit flipped at the start": _flip(0),
    "a bit flipped early": _flip(0.2),
    "a bit flipped in the middle": _flip(0.5),
    "a bit flipped at the end": _flip(1),
}


def _ruined(number: float) -> Callable[[np.ndarray], np.ndarray]:
    def ruined(array: np.ndarray) -> np.ndarray:
        copy = array.copy()
        copy.flat[len(copy.flat) // 2] = number
        return copy

    return ruined


ARRAYS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "longer array": lambda array: np.concatenate([array, array]),
    "shorter array": lambda array: array[:-1],
    "no rows": lambda array: array[:0],
    "doubles": lambda array: array.astype(np.float64),
    "other byte order": lambda array: (
        array.astype(f">{array.dtype.kind}{array.itemsize}")
        if array.itemsize > 1
        else array.astype(">u2")
    ),
    "wider integers": lambda array: array.astype(np.int64),
    "text array": lambda array: array.astype(str),
    "fewer dimensions": lambda array: array.reshape(-1)[: len(array)],
    "more dimensions": lambda array: array[None],
    "a scalar": lambda array: array.reshape(-1)[0],
    "narrower rows": lambda array: array[:, :-1] if array.ndim > 1 else array[:-2],
}
INTEGERS = {
    "negative": lambda array: _ruined(-1)(array.astype(np.int64)).astype(array.dtype),
    "out of range": _ruined(100),
    "far out of range": _ruined(2**31 - 1),
    "twice the same": lambda array: np.concatenate([array[:1], array[:-1]]),
}
FLOATS = {"NaN": _ruined(np.nan), "infinity": _ruined(-np.inf), "1e30": _ruined(1e30)}


def damage_bytes(path: Path, how: str) -> None:
    path.write_bytes(BYTES[how](path.read_bytes()))


def damage_array(path: Path, how: str) -> None:
    """As a program that has no notion of what the array is for would save it."""
    ways = {**ARRAYS, **INTEGERS, **FLOATS}
    buffer = io.BytesIO()
    np.save(buffer, ways[how](np.load(path)))
    path.write_bytes(buffer.getvalue())


def remove(path: Path) -> None:
    path.unlink()


def make_folder(path: Path) -> None:
    """In place of the file."""
    path.unlink()
    path.mkdir()
