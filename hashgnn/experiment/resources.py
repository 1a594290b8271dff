"""What each job of the workflow will cost, from its config and the files that are there."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hashgnn.config.methods import Config, negatives, parameters, takes_training
from hashgnn.errors import InputError
from hashgnn.experiment import memory, runtime
from hashgnn.experiment.batch import training, tried
from hashgnn.experiment.sizes import Sizes, generated, prepared, raw_rows

Wildcards = Mapping[str, str]
Files = Sequence[str]


class Cost(NamedTuple):
    """At its peak, and on one thread."""

    megabytes: float
    seconds: float


def cost(stage: str, config: Config, wildcards: Wildcards, files: Files) -> Cost:
    """Of one job of ``stage``, a rule's name; ``files``: its inputs.

    ``FileNotFoundError`` if that depends on a file which is not there yet.
    """
    return _STAGES.get(stage, _summary)(config, wildcards, files)


def _summary(config: Config, wildcards: Wildcards, files: Files) -> Cost:
    """Of what reads small results, or copies a file."""
    megabytes = sum(Path(file).stat().st_size for file in files) / 1e6
    return Cost(memory.of_summary(megabytes), 0.1 * megabytes)


def _download(config: Config, wildcards: Wildcards, files: Files) -> Cost:
    return Cost(memory.SMALL, 3600)  # by the line, not by the machine


def _prepare(config: Config, wildcards: Wildcards, files: Files) -> Cost:
    dataset = config["datasets"][wildcards["dataset"]]
    made = generated(dataset)
    rows = made.interactions if made else sum(raw_rows(Path(file), dataset) for file in files)
    return Cost(memory.of_prepare(rows), runtime.of_rows(rows))


def _split(config: Config, wildcards: Wildcards, files: Files) -> Cost:
    sizes = _sizes(config, wildcards, files)
    return Cost(memory.of_split(sizes), runtime.of_rows(sizes.interactions))


def _triplets(config: Config, wildcards: Wildcards, files: Files) -> Cost:
    sizes, number = _sizes(config, wildcards, files), int(wildcards["negatives"])
    rounds = config["triplets"]["rounds"]
    seconds = runtime.of_rows(sizes.interactions * number * rounds / 10)
    return Cost(memory.of_triplets(sizes, number), seconds)


def _train(config: Config, wildcards: Wildcards, files: Files) -> Cost:
    model, bits = wildcards["model"], int(wildcards["bits"])
    sizes = _sizes(config, wildcards, files)
    given = parameters(config, wildcards["dataset"], model)
    method = config["models"][model]["module"]
    try:
        if takes_training(config, model):
            job = training(method, sizes, given, bits, negatives(config, model))
            peaks = map(memory.of_training, [job, *tried(job)])
            return Cost(max(peaks), runtime.of_training(job))
        width, epochs = given.get("dimensions") or bits, given.get("epochs", 1)
        seconds = runtime.of_other_training(sizes, int(epochs), bits)
        return Cost(memory.of_other_training(sizes, int(width)), seconds)
    except (InputError, TypeError, ValueError):  # the training says which setting is wrong
        return Cost(memory.SMALL, 0)


def _evaluate(config: Config, wildcards: Wildcards, files: Files) -> Cost:
    sizes, bits = _sizes(config, wildcards, files), int(wildcards["bits"])
    cutoffs = len(config["evaluation"].get("cutoffs", range(5)))
    return Cost(memory.of_evaluation(sizes, bits, cutoffs), runtime.of_search(sizes, bits))


def _timing(config: Config, wildcards: Wildcards, files: Files) -> Cost:
    bits = int(wildcards["bits"])
    users, items = (Path(file).stat().st_size // (4 * bits) for file in files[2:4])
    sizes = Sizes(users, items, 0)
    once = runtime.of_search(sizes, bits, searches=4)
    return Cost(memory.of_timing(sizes, bits), (1 + config["timing"]["rounds"]) * once)


def _check_runs(config: Config, wildcards: Wildcards, files: Files) -> Cost:
    sizes = _sizes(config, wildcards, files)
    longest = max(bits for grid in config["grids"].values() for bits in grid.get("bits", []))
    seconds = 0.1 * len(files) + runtime.of_rows(sizes.interactions)
    return Cost(memory.of_evaluation(sizes, longest, 5), seconds)


def _sizes(config: Config, wildcards: Wildcards, files: Files) -> Sizes:
    """By the first of ``files``, or what the config asks to be generated until it is there."""
    try:
        return prepared(Path(files[0]))
    except FileNotFoundError:
        if made := generated(config["datasets"][wildcards["dataset"]]):
            return made
        raise FileNotFoundError(2, "not there yet", files[0]) from None


_STAGES: dict[str, Callable[[Config, Wildcards, Files], Cost]] = {
    "download": _download,
    "prepare": _prepare,
    "split": _split,
    "triplets": _triplets,
    "train": _train,
    "evaluate": _evaluate,
    "validate": _evaluate,
    "timing": _timing,
    "check_runs": _check_runs,
}
