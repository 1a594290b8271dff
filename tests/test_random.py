"""The generator: SplitMix64's published numbers, and the streams that everything draws from it."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hashgnn import kernels, random
from hashgnn.data.negatives import draw_negatives
from hashgnn.data.synthetic import draw_visits
from hashgnn.graph import draw_neighbors
from hashgnn.random import GOLDEN, random_bits, uniform

ROOT = Path(__file__).parents[1]

INDPTR = np.array([0, 2, 5, 5, 9], dtype=np.int64)
INDICES = np.array([1, 4, 0, 2, 3, 1, 2, 5, 6], dtype=np.int32)


def digest(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()[:16]


def negatives() -> np.ndarray:
    drawn = np.empty((len(INDICES), 40), dtype=np.int32)
    draw_negatives(INDPTR, INDICES, 1000, 7, 3, drawn)
    return drawn


def generated() -> np.ndarray:
    order = np.concatenate([np.arange(17), np.arange(17)[::-1]]).astype(np.int32)
    place = np.stack([np.arange(17), np.arange(17)[::-1]]).astype(np.int32)
    mass = np.stack([np.cumsum(1.0 + np.arange(34) % period) for period in (1, 2)])
    start = np.array([0, 1, 2, 2, 4], dtype=np.int64)
    low, high = np.array([0, 3, 20, 5]), np.array([8, 9, 30, 17])
    catalogue, interests = (order, place, mass), (start, low, high)
    return draw_visits(INDPTR, catalogue, interests, np.array([0.2, 0.3]), 2, 11)


def sampled() -> np.ndarray:
    return draw_neighbors(INDPTR, INDICES, np.array([0, 1, 3, 0], dtype=np.int32), 50, 5, 1.0)


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (negatives, "d32590775f745b21"),
        (generated, "6c2fb6ed10cc985c"),
        (sampled, "44979099dccce873"),
        (lambda: random_bits(3, 2, np.arange(50)), "a94225e90dbc5a18"),
        (lambda: uniform(2**70, 1, 50), "149c79001acd460e"),
    ],
)
def test_streams_stay_as_they_are(drawn, expected) -> None:  # type: ignore[no-untyped-def]
    assert digest(drawn()) == expected


def test_its_numbers_are_the_published_ones() -> None:
    # Of the authors' program for the seeds 0 and 1234567.
    counters = np.arange(1, 4, dtype=np.uint64) * GOLDEN
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert random.mix(counters).tolist() == published
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert random.mix(counters + np.uint64(1234567)).tolist() == published


def test_kernels_draw_the_same_numbers() -> None:
    numbers = np.arange(1000, dtype=np.uint64) * np.uint64(0xDEADBEEF12345)

    assert [kernels.mix(number) for number in numbers] == random.mix(numbers).tolist()


def test_uniform_numbers_lie_in_their_range_and_spread() -> None:
    numbers = random.uniform(1, 0, 100_000)

    assert 0 <= numbers.min() < 1e-4
    assert 1 - 1e-4 < numbers.max() < 1
    assert np.histogram(numbers, 10, (0, 1))[0] == pytest.approx(10_000, abs=500)


SCRIPT = """
import numpy as np
from hashgnn.graph import draw_neighbors
neighbors = np.arange(1 << 16, dtype=np.int32)
print(draw_neighbors(np.array([0, len(neighbors)]), neighbors, np.zeros(1, np.int32), 4, 0, 1.0))
"""


def test_kernels_are_compiled_anew_after_an_edit_of_the_generator(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "hashgnn", tmp_path / "hashgnn")
    generator = tmp_path / "hashgnn/random.py"
    text = generator.read_text()

    def drawn(shift: str) -> str:
        generator.write_text(text.replace("np.uint64(30)", f"np.uint64({shift})"))
        ran = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        return ran.stdout

    first, edited, again = (drawn(shift) for shift in ("30", "29", "30"))
    assert first == again != edited
