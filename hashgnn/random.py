"""Random numbers as a function of seed, stream and counter: the same on every machine.

SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"), used as
a hash. It keeps no state, so that the order of drawing does not matter, and does not depend on the
version of NumPy. Kernels call it as ``hashgnn.kernels.mix``.
"""

import numpy as np

GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # the step from one counter to the next
_MASK = (1 << 64) - 1


def mix(bits: np.ndarray) -> np.ndarray:
    """Return a hash (uint64) of uint64: the finalizer of SplitMix64.

    Output n of the generator with the state ``s`` is ``mix(s + n * GOLDEN)``, n = 1, 2, ...
    """
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def random_bits(seed: int, stream: int, counters: np.ndarray) -> np.ndarray:
    """Return 64 random bits (uint64) for each of ``counters`` (integers of any shape)."""
    # Scrambled twice, so that neighboring seeds and streams share no run of counters.
    offset = np.uint64((stream * int(GOLDEN)) & _MASK)
    start = mix(np.array([seed & _MASK], np.uint64)) + offset
    return mix(mix(start) + counters.astype(np.uint64) * GOLDEN)


def uniform(seed: int, stream: int, n: int) -> np.ndarray:
    """Return ``n`` numbers (float64) from [0, 1)."""
    return (random_bits(seed, stream, np.arange(n)) >> np.uint64(11)) * 2.0**-53
