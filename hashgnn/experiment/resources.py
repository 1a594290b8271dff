"""Peak memory and run time of the workflow's jobs, estimated before they run from sizes of data.

The coefficients are fitted to benchmarks/resources.csv and benchmarks/training.json, so that no
measured job exceeds its estimated memory and no estimate is much higher than measured.
"""

import functools
import math
import zipfile
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from hashgnn.config.base import parse
from hashgnn.config.methods import (
    Config,
    Dimension,
    negative_rounds,
    negatives,
    parameters,
    refits,
    takes_training,
)
from hashgnn.data.archive import Content, describe_data, open_data
from hashgnn.errors import InputError
from hashgnn.experiment.runs import variant
from hashgnn.models.method import GraphParameters
from hashgnn.training import HOPELESS, TARGET_COST

# Sizes of data sets and of training steps.

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


# Memory and time.

Wildcards = Mapping[str, str]
Files = Sequence[str]

# Memory in MB.
_MB = 1e6
SMALL = 400.0  # interpreter, libraries, compilation of kernels, small results
SUBMITTED = 400.0  # two processes of Snakemake, 180 each, that accompany a job on a cluster
_LIGHT = 150.0  # interpreter and NumPy
_TORCH = 620.0  # as SMALL, with torch
_SEARCHED_BLOCK = 2048  # users that are searched for at a time

# Run time in seconds on one thread.
_START = 60.0  # imports, compilation of kernels
_MARGIN = 4  # for slower and busy processors; a stopped training resumes from its checkpoint
_ROW = 0.2e-6  # a row read, forward and backward, at width 128
_WIDTH = 128
_LOGIT = 60e-9  # a pair in a batch's softmax, forward and backward
_PARAMETER = 2e-9  # Adam's update of one number
_PAIR = 6e-9  # a search over one pair of a user and an item, at 32 dimensions


class Resources(NamedTuple):
    """Peak memory (MB) and single-thread run time (s) of a job."""

    megabytes: float
    seconds: float

    @property
    def minutes(self) -> int:
        """Run time to ask a scheduler for, at least ten minutes."""
        return max(10, math.ceil(_MARGIN * (_START + self.seconds) / 60))


def job_resources(stage: str, config: Config, wildcards: Wildcards, files: Files) -> Resources:
    """Estimate the resources of one job.

    Args:
        stage: The name of its rule.
        config: The resolved config.
        wildcards: Its wildcards.
        files: Its inputs.

    Raises ``FileNotFoundError`` if the estimate needs a file that does not exist yet.
    """
    return _STAGES.get(stage, _summary)(config, wildcards, files)


def too_large(needs: Mapping[str, int], available: int, total: int) -> None:
    """Raise ``InputError`` if a job needs more memory than is available.

    Args:
        needs: Estimated peak memory (MB) by name of the job.
        available: Free memory (MB).
        total: All memory of the machine (MB).
    """
    found = sorted(f"{job}: about {need:,} MB" for job, need in needs.items() if need > available)
    if found:
        raise InputError(
            f"{len(found)} jobs need more memory than is free here, {available:,} MB "
            f"of {total:,}:\n"
            + "\n".join(found[:10])
            + "\nUse a machine with more memory, free some, or choose smaller settings "
            "(batch_size, embedding_width, a data set's filter). To run them all the same: "
            "--resources mem_mb=N."
        )


# Estimates by size, which the stages below share with the fit to the measurements.


def of_prepare(rows: int) -> Resources:
    """Resources of reading ``rows`` interactions with times."""
    return Resources(SMALL + 115 * rows / _MB, _seconds_of_rows(rows))


def of_split(sizes: Sizes) -> Resources:
    """Resources of splitting a data set of ``sizes``."""
    return Resources(_LIGHT + 50 * sizes.interactions / _MB, _seconds_of_rows(sizes.interactions))


def of_negatives(sizes: Sizes, number: int, rounds: int) -> Resources:
    """Resources of drawing ``number`` negatives per interaction, ``rounds`` times.

    One round is in memory: pages of the earlier ones are released where memory is short.
    """
    megabytes = SMALL + 4 * sizes.interactions * (4 + number) / _MB
    return Resources(megabytes, _seconds_of_rows(sizes.interactions * number * rounds / 10))


def of_training(job: Training) -> Resources:
    """Resources of a training with the shared settings.

    More than one copy of the numbers (float32) of a training's state exists at its peak: weights,
    gradients, moments, the weights of the best epoch, temporaries.
    """
    settings, sizes, layers = job.settings, job.sizes, job.layers
    tables = 6 * sizes.nodes * settings.embedding_width
    whole = 3 * sizes.nodes * (settings.embedding_width + sum(settings.widths) + job.bits)
    step = 3.0 * sum(layer.targets * (layer.before + layer.after) for layer in layers)
    step += 6.0 * (layers[0].targets if layers else 0) * job.bits
    links = 2 * sum(layer.links for layer in layers)
    logits = 30 * job.logits
    megabytes = _TORCH + 4 * (tables + whole + step + links + logits) / _MB + _data(sizes)
    return Resources(megabytes, _training_seconds(job))


def _training_seconds(job: Training) -> float:
    settings, sizes = job.settings, job.sizes
    widths = max([settings.embedding_width, *settings.widths, job.bits])
    step = _ROW * max(0.25, widths / _WIDTH) * job.rows + _LOGIT * job.logits
    if settings.embedding_updates != "touched":
        step += _PARAMETER * sizes.nodes * settings.embedding_width
    whole = _ROW * (TARGET_COST * sizes.nodes + 2 * sizes.interactions) * len(job.layers)
    looks = 1 + job.iterations / max(1, settings.history_every)
    epoch = job.iterations * step + looks * whole + _seconds_of_search(sizes, job.bits, 2)
    epochs = settings.epochs
    if settings.length == "validation":
        epochs = math.ceil(settings.most_steps / job.iterations)
    return epochs * epoch


def of_other_training(sizes: Sizes, width: int, bits: int, epochs: int) -> Resources:
    """Resources of a method with a training loop of its own and vectors of ``width``."""
    megabytes = _TORCH + 12 * 4 * sizes.nodes * width / _MB + _data(sizes)
    epoch = 40e-6 * sizes.interactions + _seconds_of_search(sizes, bits, 1)
    return Resources(megabytes, epochs * epoch)


def of_refit(once: Resources, sizes: Sizes) -> Resources:
    """Resources of a training and a refit, given those of the training alone.

    The refit has a copy of the interactions, with the validation part, and takes as many epochs.
    """
    return Resources(once.megabytes + _data(sizes) / 2, 2.5 * once.seconds)


def _data(sizes: Sizes) -> float:
    """Memory (MB) of the split, the graph and the negatives of a training part."""
    return 140 * sizes.interactions / _MB


def of_evaluation(sizes: Sizes, bits: int, cutoffs: int, metrics: int = 3) -> Resources:
    """Resources of all searches, with ``metrics`` of every user at ``cutoffs`` list lengths."""
    vectors = 3 * 4 * sizes.nodes * bits
    values = 2 * 8 * 3 * metrics * cutoffs * sizes.users
    block = 8 * _SEARCHED_BLOCK * min(sizes.items, 4096)
    megabytes = SMALL + (vectors + values + block + 24 * sizes.interactions) / _MB
    return Resources(megabytes, _seconds_of_search(sizes, bits))


def of_timing(sizes: Sizes, bits: int, rounds: int) -> Resources:
    """Resources of timing the searches ``rounds`` times."""
    numbers = 3 * 4 * sizes.nodes * bits + 8 * _SEARCHED_BLOCK * sizes.items / 8
    return Resources(
        _TORCH + numbers / _MB, (1 + rounds) * _seconds_of_search(sizes, bits, searches=4)
    )


def of_query_times(sizes: Sizes, bits: int, repeated: int, rounds: int) -> Resources:
    """Resources of timing queries among ``repeated`` items: vectors, their copy in the index."""
    numbers = 2 * 4 * (sizes.nodes + repeated) * (bits + 1) + 3 * repeated * bits / 8
    return Resources(_TORCH + numbers / _MB, 60 + (1 + rounds) * 12)


def _seconds_of_rows(rows: float) -> float:
    """Run time of reading, splitting or drawing negatives for ``rows`` interactions."""
    return 3e-6 * rows


def _seconds_of_search(sizes: Sizes, bits: int, searches: int = 3) -> float:
    """Run time of ``searches`` of all users over all items."""
    return searches / 3 * _PAIR * sizes.users * sizes.items * max(1, bits / 64)


# One function per rule.


def _summary(config: Config, wildcards: Wildcards, files: Files) -> Resources:
    """Resources of a stage that reads small results or copies a file."""
    megabytes = sum(Path(file).stat().st_size for file in files) / 1e6
    return Resources(SMALL + 4 * megabytes, 0.1 * megabytes)


def _download(config: Config, wildcards: Wildcards, files: Files) -> Resources:
    return Resources(SMALL, 3600)  # depends on the network


def _prepare(config: Config, wildcards: Wildcards, files: Files) -> Resources:
    dataset = config["datasets"][wildcards["dataset"]]
    made = generated(dataset)
    rows = made.interactions if made else sum(raw_rows(Path(file), dataset) for file in files)
    return of_prepare(rows)


def _split(config: Config, wildcards: Wildcards, files: Files) -> Resources:
    return of_split(_sizes(config, wildcards, files))


def _features(config: Config, wildcards: Wildcards, files: Files) -> Resources:
    """Resources of reading tables of features, the inputs from the third on."""
    size = sum(Path(file).stat().st_size for file in files)
    return Resources(SMALL + 60 * size / _MB, 1e-6 * size)


def _triplets(config: Config, wildcards: Wildcards, files: Files) -> Resources:
    rounds = negative_rounds(config, wildcards["dataset"])
    return of_negatives(_sizes(config, wildcards, files), int(wildcards["negatives"]), rounds)


def _train(config: Config, wildcards: Wildcards, files: Files) -> Resources:
    model, bits = wildcards["model"], int(wildcards["bits"])
    sizes = _sizes(config, wildcards, files)
    used = parameters(config, wildcards["dataset"], model)
    own_layers = config["models"][model].get("own_layers")
    try:
        if takes_training(config, model):
            job = training(sizes, used, bits, negatives(config, model), own_layers)
            peak = max(of_training(one).megabytes for one in [job, *tried(job)])
            once = Resources(peak, of_training(job).seconds)
        else:
            width, epochs = used.get("dimensions") or bits, used.get("epochs", 1)
            once = of_other_training(sizes, int(width), bits, int(epochs))
        return of_refit(once, sizes) if refits(config) else once
    except (InputError, TypeError, ValueError):  # the training reports the wrong setting
        return Resources(SMALL, 0)


def _tune(config: Config, wildcards: Wildcards, files: Files) -> Resources:
    """Resources of a study: the memory of its largest training, and the limit of its seconds."""
    tuning, model = config["tuning"], wildcards["model"]
    largest = {
        key: max(parse(Dimension, block).ends(), key=_size)
        for key, block in tuning["spaces"][model].items()
    }
    entry = variant(config["models"][model], largest)
    changed = {**config, "models": {**config["models"], model: entry}}
    once = _train(changed, {**wildcards, "bits": str(tuning["bits"])}, files)
    return Resources(once.megabytes, tuning["seconds"])


def _size(value: Any) -> float:
    """Return a number by which the values of a hyper-parameter can be compared."""
    if isinstance(value, tuple):
        return float(sum(value))
    return 0.0 if isinstance(value, str) else float(value)


def _evaluate(config: Config, wildcards: Wildcards, files: Files) -> Resources:
    cutoffs = len(config["evaluation"].get("cutoffs", range(5)))
    metrics = len(config["evaluation"].get("metrics", range(3)))
    sizes = _sizes(config, wildcards, files)
    return of_evaluation(sizes, int(wildcards["bits"]), cutoffs, metrics)


def _timing(config: Config, wildcards: Wildcards, files: Files) -> Resources:
    bits = int(wildcards["bits"])
    users, items = (Path(file).stat().st_size // (4 * bits) for file in files[2:4])
    return of_timing(Sizes(users, items, 0), bits, config["timing"]["rounds"])


def _query_times(config: Config, wildcards: Wildcards, files: Files) -> Resources:
    bits = int(wildcards["bits"])
    users, items = (Path(file).stat().st_size // (4 * bits) for file in files[2:4])
    repeated, rounds = config["grids"]["fig9"]["items"], config["timing"]["rounds"]
    return of_query_times(Sizes(users, items, 0), bits, repeated, rounds)


def _sizes(config: Config, wildcards: Wildcards, files: Files) -> Sizes:
    """Return the sizes in the first of ``files``, or those of the generator until it exists."""
    try:
        return prepared(Path(files[0]))
    except FileNotFoundError:
        if made := generated(config["datasets"][wildcards["dataset"]]):
            return made
        raise FileNotFoundError(2, "does not exist yet", files[0]) from None


_STAGES: dict[str, Callable[[Config, Wildcards, Files], Resources]] = {
    "download": _download,
    "prepare": _prepare,
    "split": _split,
    "triplets": _triplets,
    "features": _features,
    "train": _train,
    "tune": _tune,
    "evaluate": _evaluate,
    "timing": _timing,
    "query_times": _query_times,
}
