"""Sizes that the resources of a job depend on: of data sets, and of training steps."""

import functools
import math
import zipfile
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from hashgnn.config.base import parse
from hashgnn.data.archive import Content, describe_data, open_data
from hashgnn.errors import InputError
from hashgnn.models.method import GraphParameters
from hashgnn.training import HOPELESS, TARGET_COST

_SAMPLE = 1 << 20  # bytes at the beginning of a text file whose lines are counted
_SHRINKS = 4  # highest compression ratio of tables of ids and times


class Sizes(NamedTuple):
    """Number of users, items and interactions, of a whole data set or of its training part."""

    users: int
    items: int
    interactions: int

    @property
    def nodes(self) -> int:
        """Nodes of the graph."""
        return self.users + self.items


def generated(dataset: Mapping[str, Any]) -> Sizes | None:
    """Return the sizes of the generator of a data set's entry; None without a generator."""
    made = dataset.get("generator")
    return made and Sizes(made["users"], made["items"], made["interactions"])


def prepared(path: Path) -> Sizes:
    """Read the sizes from the headers of ``interactions.npz`` or ``split.npz``.

    The sizes of an unreadable file are 0, as the stage that reads it reports the error. Raises
    ``FileNotFoundError`` if the file does not exist; Snakemake then calls again when it does.
    """
    return _prepared(path, path.stat().st_mtime_ns)


@functools.cache
def _prepared(path: Path, changed: int) -> Sizes:  # hundreds of jobs ask for the same file
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            rows = "user" if "user" in archive else "train_items"
            return Sizes(int(archive["n_users"]), int(archive["n_items"]), _length(path, rows))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return Sizes(0, 0, 0)


def _length(path: Path, name: str) -> int:
    """Read the length of one array of an archive without reading its numbers."""
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        assert version == (1, 0)
        return np.lib.format.read_array_header_1_0(file)[0][0]


def raw_rows(path: Path, dataset: Mapping[str, Any]) -> int:
    """Estimate the number of interactions in a raw file from its length and its beginning.

    Returns 0 if the file cannot be read, as its reader reports the error.
    """
    layout = dataset.get("format", {})
    members = [member["name"] for member in layout.get("members", [])] or [layout.get("member")]
    return sum(_rows_of(path, member, dataset) for member in members)


def _rows_of(path: Path, member: str | None, dataset: Mapping[str, Any]) -> int:
    try:
        found = describe_data(path, member)
        if found.parquet:
            return pq.ParquetFile(path).metadata.num_rows if not found.wrapped else 0
        with open_data(path, member) as stream:
            sample = stream.read(_SAMPLE)
        rows = len(sample.split()) if dataset["reader"] == "adjacency" else sample.count(b"\n")
        return round(rows * _text_bytes(path, found) / max(1, len(sample)))
    except (InputError, OSError, ValueError):
        return 0


def _text_bytes(path: Path, content: Content) -> int:
    """Estimate the bytes of the text in a file, which may be compressed."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
        return sizes.get(content.name, max(sizes.values(), default=0))
    return path.stat().st_size * (_SHRINKS if content.wrapped else 1)


class Layer(NamedTuple):
    """An encoder layer: ``targets`` rows of width ``after`` from ``links`` rows of ``before``."""

    targets: float
    links: float
    before: int
    after: int


class Training(NamedTuple):
    """The quantities that the resources of a training with shared settings depend on."""

    sizes: Sizes  # of the training part
    settings: GraphParameters
    bits: int
    negatives: int
    layers: list[Layer]

    @property
    def iterations(self) -> int:
        """Steps of an epoch."""
        return max(1, round(self.sizes.interactions / self.batch))

    @property
    def batch(self) -> int:
        """Interactions of a step."""
        return max(1, min(self.settings.batch_size, self.sizes.interactions))

    @property
    def rows(self) -> float:
        """Rows that a step reads; a target counts as ``TARGET_COST`` of them."""
        return sum(TARGET_COST * layer.targets + layer.links for layer in self.layers)

    @property
    def logits(self) -> float:
        """Pairs of a user and an item in a batch of whole users."""
        if self.settings.batch_by != "users":
            return 0
        users = self.batch * self.sizes.users / max(1, self.sizes.interactions)
        return users * distinct(self.batch * (1 + self.negatives), self.sizes.items)


def training(
    sizes: Sizes,
    parameters: Mapping[str, Any],
    bits: int,
    negatives: int,
    own_layers: int | None = None,
) -> Training:
    """Describe a training with ``parameters``; ``own_layers`` as of the model's entry.

    Raises ``InputError`` if a shared hyper-parameter has a wrong type.
    """
    shared = GraphParameters.model_fields
    own = {key: value for key, value in parameters.items() if key in shared}
    if own_layers:
        widths = [bits] * own_layers
        own |= {"embedding_width": bits, "widths": widths, "fanouts": [1], "engine": "full"}
    settings = parse(GraphParameters, own, "parameters")
    layers = _whole if settings.engine == "full" else _sampled
    return Training(sizes, settings, bits, negatives, layers(sizes, settings, negatives))


def tried(job: Training) -> list[Training]:
    """Return ``job`` by whole neighbourhoods too, if ``engine: auto`` tries them."""
    layers = _whole(job.sizes, job.settings, job.negatives)
    least = job._replace(layers=layers[1:]).rows  # the last layer covers the nodes of the batch
    tries = job.settings.engine == "auto" and least <= HOPELESS * job.rows
    return [job._replace(layers=layers)] if tries else []


def distinct(draws: float, among: int) -> float:
    """Return the expected number of distinct values in ``draws`` with replacement."""
    return among * -math.expm1(-draws / among) if among else 0


def _sampled(sizes: Sizes, settings: GraphParameters, negatives: int) -> list[Layer]:
    """Return the layers of sampled neighbourhoods, the last one first."""
    batch = max(1, min(settings.batch_size, sizes.interactions))
    users = batch * sizes.users / max(1, sizes.interactions)
    if settings.batch_by == "interactions":
        users = distinct(batch, sizes.users)
    targets = users + distinct(batch * (1 + negatives), sizes.items)
    layers = []
    for fanout, (before, after) in zip(settings.fanouts, _widths(settings), strict=False):
        layers.append(Layer(targets, targets * fanout, before, after))
        targets = max(targets, distinct(targets * (1 + fanout), sizes.nodes))
    return layers


def _whole(sizes: Sizes, settings: GraphParameters, negatives: int) -> list[Layer]:
    links = 2 * sizes.interactions
    return [Layer(sizes.nodes, links, *widths) for widths in _widths(settings)]


def _widths(settings: GraphParameters) -> list[tuple[int, int]]:
    """Return the width before and after each layer, the last one first."""
    return list(pairwise([settings.embedding_width, *settings.widths]))[::-1]
