"""Quantizers: the trained vectors of another model, made small enough for codes of so many bits.

Codes of signs (sign, lsh, itq) are the signs of rotated vectors, of users and items alike. The
others (pq, opq, rabitq) compress the items only: an item's vector is what its code stands for, and
the inner product with a user's vector is the asymmetric distance that FAISS searches by. FAISS
trains all of them, on the items.

Gong and Lazebnik (2011), Iterative Quantization, CVPR; Jegou, Douze and Schmid (2011), Product
Quantization for Nearest Neighbor Search, TPAMI; Ge et al. (2013), Optimized Product Quantization,
CVPR; Gao and Long (2024), RaBitQ, SIGMOD.
"""

from typing import Literal

import faiss
import numpy as np
from pydantic import Field
from threadpoolctl import threadpool_limits

from hashgnn.config.base import Section
from hashgnn.errors import InputError
from hashgnn.models.method import Task, VectorMethod, Vectors
from hashgnn.search.approximate import Parts, divide

Quantizer = Literal["sign", "lsh", "itq", "pq", "opq", "rabitq"]

_RABITQ_BYTES = 8  # two floats beside the signs


class Parameters(Section):
    """Which quantizer, and what it takes."""

    quantizer: Quantizer = "itq"
    """``sign``: signs of the vectors; ``lsh``: of randomly rotated ones; ``itq``: of vectors
    rotated so that little is lost; ``pq``: a centroid for each part of a vector; ``opq``: the same
    of rotated vectors; ``rabitq``: signs of randomly rotated vectors about their mean, and two
    floats."""

    equal_lengths: bool = True
    """For ``itq``: whether items get one more dimension that makes all of them equally long, so
    that a large inner product is a small angle; users get 0 there."""

    part_bits: int = Field(default=8, ge=1, le=16)
    """For ``pq`` and ``opq``: bits of a part's centroid, at most. Fewer are taken where the items
    are fewer than 39 for each centroid: such centroids would list the items."""

    training_items: int = Field(default=65_536, ge=78)
    """For ``pq`` and ``opq``: items, drawn by the seed, that centroids and the rotation are learned
    from, at most."""


def vectors(task: Task, parameters: Parameters) -> Vectors:
    """Quantize the task's pretrained vectors to codes of ``task.bits``."""
    assert task.pretrained is not None
    users, items = task.pretrained
    # Sums differ with the number of threads, and with them k-means.
    with threadpool_limits(limits=1):
        return quantize(users, items, task.bits, parameters, task.seed)


def quantize(
    users: np.ndarray, items: np.ndarray, bits: int, parameters: Parameters, seed: int
) -> Vectors:
    """Return vectors of users and items that the searches of codes or of floats are right for.

    Args:
        users: float32 [users, d].
        items: float32 [items, d].
        bits: Size of an item's code; RaBitQ has two floats besides.
        parameters: The quantizer, and what it takes.
        seed: Seed of random rotations and of k-means.

    Returns:
        For codes of signs float32 [rows, bits] each. For others the users' vectors and what the
        items' codes stand for; for RaBitQ both with one more dimension.
    """
    kind = parameters.quantizer
    if kind == "sign":
        return _as_they_are(users, items, bits)
    if kind == "lsh":
        rotation = _random_rotation(items.shape[1], bits, seed)
        return users @ rotation.T, items @ rotation.T
    if kind == "itq":
        return _itq(users, items, bits, parameters.equal_lengths)
    if kind == "rabitq":
        return _rabitq(users, items, bits, seed)
    most = parameters.training_items
    parts = divide(min(len(items), most), items.shape[1], bits, parameters.part_bits)
    return users, product_quantized(items, parts, seed, rotated=kind == "opq", most=most)


def bytes_of_item(parameters: Parameters, bits: int) -> int:
    """Return the bytes of an item's code of ``bits``, and of the floats beside it."""
    beside = _RABITQ_BYTES if parameters.quantizer == "rabitq" else 0
    return -(-bits // 8) + beside


def is_sign(parameters: Parameters) -> bool:
    """Return whether codes are signs, of users and items alike."""
    return parameters.quantizer in ("sign", "lsh", "itq")


def _as_they_are(users: np.ndarray, items: np.ndarray, bits: int) -> Vectors:
    if items.shape[1] != bits:
        raise InputError(
            f"sign: expected vectors of {bits} dimensions, one for each bit, got {items.shape[1]}; "
            "train the pretrained model with as many, or take lsh"
        )
    return users, items


def _random_rotation(width: int, bits: int, seed: int) -> np.ndarray:
    """Draw a matrix float32 [bits, width] whose rows, or else columns, are orthonormal."""
    rotation = faiss.RandomRotationMatrix(width, bits)
    rotation.init(seed)
    return np.asarray(faiss.vector_to_array(rotation.A).reshape(bits, width))


def _itq(users: np.ndarray, items: np.ndarray, bits: int, equal_lengths: bool) -> Vectors:
    """Rotate the items about their mean, and the users about 0: products keep their order."""
    if equal_lengths:
        users, items = equally_long(users, items)
    width = items.shape[1]
    if bits > width:
        raise InputError(
            f"itq: expected vectors of {bits} dimensions or more, one for each bit, got {width}; "
            "train the pretrained model with as many, or take lsh"
        )
    itq = faiss.ITQTransform(width, bits, True)
    itq.train(items)
    rotation = faiss.vector_to_array(itq.pca_then_itq.A).reshape(bits, width)
    return users @ rotation.T, (items - faiss.vector_to_array(itq.mean)) @ rotation.T


def equally_long(users: np.ndarray, items: np.ndarray) -> Vectors:
    """Add a dimension that makes all items equally long; it is 0 for users.

    Neyshabur and Srebro (2015), On Symmetric and Asymmetric LSHs for Inner Product Search, ICML.
    """
    squares = np.einsum("ij,ij->i", items, items, dtype=np.float64)[:, None]
    missing = np.sqrt(squares.max(initial=0) - squares).astype(np.float32)
    none = np.zeros((len(users), 1), dtype=np.float32)
    return np.hstack([users, none]), np.hstack([items, missing])


def _rabitq(users: np.ndarray, items: np.ndarray, bits: int, seed: int) -> Vectors:
    """Return users with a 1, and items x as they are decoded, x', with <x - x', mean>.

    The product is then FAISS's estimate <u, x'> + <x - x', mean>, which it computes from the two
    floats.
    """
    rotation = _random_rotation(items.shape[1], bits, seed)
    rotated = np.ascontiguousarray(items @ rotation.T)
    index = faiss.IndexRaBitQ(bits, faiss.METRIC_INNER_PRODUCT)
    index.train(rotated)
    decoded = index.sa_decode(index.sa_encode(rotated))
    offsets = (rotated - decoded) @ faiss.vector_to_array(index.center)
    ones = np.ones((len(users), 1), dtype=np.float32)
    return np.hstack([users, ones]), np.hstack([decoded @ rotation, offsets[:, None]])


def product_quantized(
    items: np.ndarray,
    parts: Parts,
    seed: int,
    *,
    rotated: bool = False,
    most: int = 65_536,
) -> np.ndarray:
    """Return what the codes of ``items`` stand for: float32 [items, d].

    With ``rotated`` a rotation is learned first (OPQ). Both it and the centroids are learned from
    at most ``most`` items. Parts differ by at most one dimension; shorter ones are filled up with
    zeros.
    """
    longest = -(-items.shape[1] // parts.number)
    groups = np.array_split(np.arange(items.shape[1]), parts.number)
    places = np.concatenate([n * longest + np.arange(len(group)) for n, group in enumerate(groups)])
    filled = np.zeros((len(items), parts.number * longest), dtype=np.float32)
    filled[:, places] = items
    learned = filled
    if len(items) > most:
        chosen = np.random.default_rng(seed).choice(len(items), most, replace=False)
        learned = filled[np.sort(chosen)]
    index = faiss.IndexPQ(filled.shape[1], *parts)
    index.pq.cp.seed = seed
    rotation = np.eye(filled.shape[1], dtype=np.float32)
    if rotated:
        matrix = faiss.OPQMatrix(filled.shape[1], parts.number)
        matrix.pq = index.pq
        matrix.train(learned)
        rotation = faiss.vector_to_array(matrix.A).reshape(rotation.shape)
        filled, learned = (np.ascontiguousarray(rows @ rotation.T) for rows in (filled, learned))
    index.train(learned)
    decoded = index.sa_decode(index.sa_encode(filled))
    return np.ascontiguousarray((decoded @ rotation)[:, places])


METHOD = VectorMethod(Parameters, vectors, hashes_pretrained=True)
