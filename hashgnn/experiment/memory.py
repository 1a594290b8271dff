"""Peak memory of the stages, in MB: what it is made of, times what was measured.

The coefficients were fitted to the peaks in benchmarks/resources.csv, none of which lies above
what is said here (a test). Of the numbers (float32) of a part of a training's state more than one
copy lives at its peak: weights, gradients, moments, the best epoch's weights, temporaries.
"""

from hashgnn.experiment.batch import Training
from hashgnn.experiment.sizes import Sizes

_MB = 1e6
SMALL = 400.0  # interpreter, libraries, kernels being compiled; and small results
SUBMITTED = 400.0  # two processes of Snakemake that go with a job to a cluster, 180 each
_LIGHT = 150.0  # the interpreter and NumPy
_TORCH = 620.0  # as SMALL, with torch
_SEARCHED_BLOCK = 2048  # users that are searched for at a time


def of_prepare(rows: int) -> float:
    """``rows`` interactions as they are read, with times."""
    return SMALL + 115 * rows / _MB


def of_split(sizes: Sizes) -> float:
    """Sizes of the whole data set."""
    return _LIGHT + 50 * sizes.interactions / _MB


def of_triplets(sizes: Sizes, negatives: int) -> float:
    """One round; the file's pages of those before give way where memory is short."""
    return SMALL + 4 * sizes.interactions * (4 + negatives) / _MB


def of_training(training: Training) -> float:
    """With the shared settings."""
    settings, sizes, layers = training.settings, training.sizes, training.layers
    tables = 6 * sizes.nodes * settings.embedding_width
    whole = 3 * sizes.nodes * (settings.embedding_width + sum(settings.widths) + training.bits)
    step = 3.0 * sum(layer.targets * (layer.before + layer.after) for layer in layers)
    step += 6.0 * (layers[0].targets if layers else 0) * training.bits
    links = 2 * sum(layer.links for layer in layers)
    logits = 30 * training.logits
    return _TORCH + 4 * (tables + whole + step + links + logits) / _MB + _data(sizes)


def of_other_training(sizes: Sizes, bits: int) -> float:
    """By a method that brings its own trainer."""
    return _TORCH + 12 * 4 * sizes.nodes * bits / _MB + _data(sizes)


def _data(sizes: Sizes) -> float:
    """Split, graph and negatives of the training part."""
    return 200 * sizes.interactions / _MB


def of_evaluation(sizes: Sizes, bits: int, cutoffs: int) -> float:
    """Vectors and codes, every metric of every user, and a block of users under search."""
    vectors = 3 * 4 * sizes.nodes * bits
    values = 2 * 8 * 9 * cutoffs * sizes.users
    block = 8 * _SEARCHED_BLOCK * min(sizes.items, 4096)
    return SMALL + (vectors + values + block + 24 * sizes.interactions) / _MB


def of_timing(sizes: Sizes, bits: int) -> float:
    """Of searches, with torch."""
    return _TORCH + (3 * 4 * sizes.nodes * bits + 8 * _SEARCHED_BLOCK * sizes.items / 8) / _MB


def of_summary(input_mb: float) -> float:
    """Of a figure or table: ``input_mb`` of results are read."""
    return SMALL + 4 * input_mb
