"""Random numbers as a function of seed, stream and counter: the same on every machine.

SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"),
used as a hash. No state, so that the order of drawing does not matter, and no dependence on
the version of numpy.
"""

import numpy as np

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def random_bits(seed: int, stream: int, counters: np.ndarray) -> np.ndarray:
    """64 random bits (uint64) for each of ``counters`` (integers of any shape)."""
    # Scrambled twice, so that neighboring seeds and streams share no run of counters.
    start = _mixed(np.array([seed & _MASK], np.uint64)) + np.uint64((stream * _GOLDEN) & _MASK)
    return _mixed(_mixed(start) + counters.astype(np.uint64) * np.uint64(_GOLDEN))


def uniform(seed: int, stream: int, n: int) -> np.ndarray:
    """``n`` numbers (float64) from [0, 1)."""
    return (random_bits(seed, stream, np.arange(n)) >> np.uint64(11)) * 2.0**-53


def _mixed(bits: np.ndarray) -> np.ndarray:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
