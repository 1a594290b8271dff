"""Peak memory and run time of the workflow's jobs, estimated before they run.

The coefficients are fitted to benchmarks/resources.csv and benchmarks/training.json, so that no
measured job exceeds its estimated memory and no estimate is much higher than measured.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hashgnn.config.base import parse
from hashgnn.config.methods import (
    Config,
    negative_rounds,
    negatives,
    parameters,
    refits,
    takes_training,
)
from hashgnn.config.studies import Dimension
from hashgnn.errors import InputError
from hashgnn.experiment.runs import variant
from hashgnn.experiment.sizes import Sizes, Training, generated, prepared, raw_rows, training, tried
from hashgnn.training import TARGET_COST

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
