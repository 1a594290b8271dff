"""Train one method on one data set, for one number of bits and one seed: a stage."""

import argparse
import ctypes
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from hashgnn.config.base import parse
from hashgnn.config.evaluation import ValidationSettings
from hashgnn.config.methods import with_values
from hashgnn.data.features import load_features
from hashgnn.data.interactions import Split, load_split
from hashgnn.errors import InputError
from hashgnn.files import atomic_write, file_checksum, load_array, save_array
from hashgnn.models.method import Task, Vectors
from hashgnn.stage.code_digest import own_code
from hashgnn.stage.command import Facts, report, run_stage, stage_parser
from hashgnn.stage.followed import check_followed
from hashgnn.training import training_code
from hashgnn.training.checkpoint import Checkpoint
from hashgnn.training.fit import Fitted, fit, load_method
from hashgnn.training.monitoring import Callback, TrainingProgress, print_progress

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of glibc's malloc.h


def keep_freed_memory() -> None:
    """Keep freed memory in the process, where the C library is glibc.

    Each step frees what the next one allocates again. By default large blocks go back to the
    system, which clears every page: a third of the time of a step on Gowalla.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch: large pages for large tensors
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)


# Advice after an interruption.
RESUME = "run the same command again; a training resumes from its last checkpoint, if any"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = training_parser(__doc__)
    parser.add_argument(
        "--tuned",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="hyper-parameters that a study chose, which replace those of the settings",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--checkpoint-seconds",
        type=float,
        default=60,
        metavar="S",
        help="shortest time between two checkpoints, from which an interrupted training resumes",
    )
    parser.add_argument(
        "--tensorboard",
        action=argparse.BooleanOptionalAction,
        default=os.environ.get("HASHGNN_TENSORBOARD", "") == "1",
        help="also write results for TensorBoard; by default if $HASHGNN_TENSORBOARD is 1",
    )
    return run_stage(parser, _run, argv, RESUME)


def training_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the inputs and the device of stages that train."""
    parser = stage_parser(description)
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument(
        "--triplets",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="negatives, for a method that takes the shared training",
    )
    parser.add_argument(
        "--pretrained",
        type=Path,
        nargs="*",
        default=[],
        metavar="FILE",
        help="vectors of users and of items by another model, for a method that hashes them",
    )
    parser.add_argument(
        "--features",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="features of users and items, for a method that takes the shared training",
    )
    parser.add_argument(
        "--device",
        default=os.environ.get("HASHGNN_DEVICE", "auto"),
        help="auto, cpu, cuda or cuda:N; by default $HASHGNN_DEVICE, else auto",
    )
    return parser


def _run(args: argparse.Namespace) -> Facts:
    keep_freed_memory()
    settings = with_tuned(args.settings, args.tuned)
    device = choose_device(args.device)
    inputs = (args.split, args.triplets, *args.pretrained, args.features)
    checksums = [str(file_checksum(path, "sha256")) for path in inputs if path]
    checkpoint = Checkpoint(
        args.output / "checkpoint.pt",
        fingerprint(settings, device, checksums),
        args.checkpoint_seconds,
    )
    task = task_of(args, load_split(args.split), device)
    callback = board_writer(args.output / "tensorboard") if args.tensorboard else tell
    method = load_method(settings["method"])
    refit = settings.get("refit", False)
    fitted = fit(method, task, settings["parameters"], checkpoint, callback, refit)
    _save(args.output, fitted)
    checkpoint.remove()
    devices = {"device": describe_device(device), "device_option": args.device}
    return {"settings": settings, **devices, **fitted.recorded()}


def with_tuned(settings: Mapping[str, Any], tuned: Path | None) -> dict[str, Any]:
    """Return ``settings`` with the hyper-parameters in the file ``tuned``, if there is one.

    Those that a variant of a model sets (settings key ``varied``) stay as they are.

    Raises:
        InputError: If the file does not hold hyper-parameters by key.
    """
    used = {key: value for key, value in settings.items() if key != "varied"}
    if tuned is None:
        return used
    values = yaml.safe_load(tuned.read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise InputError(f"{tuned}: expected hyper-parameters by key; delete it and tune again")
    chosen = {key: v for key, v in values.items() if key not in settings.get("varied", ())}
    return {**used, "parameters": with_values(used["parameters"], chosen)}


def task_of(args: argparse.Namespace, split: Split, device: torch.device) -> Task:
    """Return what a stage with the arguments of ``training_parser`` trains on."""
    settings = args.settings
    return Task(
        split=split,
        bits=settings["bits"],
        seed=settings["seed"],
        device=device,
        negatives=load_array(args.triplets, memory_map=True) if args.triplets else None,
        pretrained=_pretrained(args.pretrained),
        validation=_validation(settings),
        features=load_features(args.features).of_nodes() if args.features else None,
    )


def _validation(settings: Mapping[str, Any]) -> ValidationSettings:
    """Return the settings of validation, which are among the stage's settings."""
    given = {key: settings[key] for key in ValidationSettings.model_fields if key in settings}
    return parse(ValidationSettings, given, "evaluation")


def _pretrained(files: Sequence[Path]) -> Vectors | None:
    if not files:
        return None
    users, items = map(load_array, files)
    return users, items


def fingerprint(settings: Mapping[str, Any], device: torch.device, checksums: Iterable[str]) -> str:
    """Return a digest of everything that the result depends on.

    Args:
        settings: The stage's settings.
        device: The device, of which the kind counts.
        checksums: Those of the inputs.

    Raises:
        InputError: For a method or encoder whose edits the code digest would miss.
    """
    method, encoder = settings["method"], settings["parameters"].get("encoder")
    check_followed(own_code, *filter(None, (method, encoder)))
    shared = settings.get("negatives") is not None
    code = own_code(*training_code(method, encoder, shared))
    parts = [json.dumps(settings, sort_keys=True), code, device.type, *checksums]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def choose_device(name: str) -> torch.device:
    """Return the device; ``auto`` is a GPU if there is one. ``InputError`` if it is missing."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device {name}: {reason}; use auto, cpu, cuda or cuda:N") from error
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"device {name}: not supported; use auto, cpu, cuda or cuda:N")
    return device


def tell(progress: TrainingProgress) -> None:
    """Print progress, and report it to the workflow."""
    print_progress(progress)
    report(progress.iteration, progress.iterations, "iterations")


def board_writer(folder: Path) -> Callback:
    """Return a callback that prints progress and writes its numbers for TensorBoard to ``folder``.

    Raises:
        InputError: If TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InputError(
            f"TensorBoard cannot be imported ({error}): pip install tensorboard, "
            "or remove the option tensorboard"
        ) from error
    writer = SummaryWriter(str(folder))

    def write(progress: TrainingProgress) -> None:
        tell(progress)
        for name, value in progress.values.items():
            writer.add_scalar(name, value, progress.iteration)
        writer.flush()

    return write


def _save(folder: Path, fitted: Fitted) -> None:
    named = {"user_codes": fitted.user_codes, "item_codes": fitted.item_codes}
    named |= {"user_vectors": fitted.user_vectors, "item_vectors": fitted.item_vectors}
    for name, array in named.items():
        save_array(folder / f"{name}.npy", array)
    with atomic_write(folder / "history.csv") as temporary:
        fitted.history.to_csv(temporary, index=False)


def describe_device(device: torch.device) -> str:
    """Return the name of the GPU, or cpu."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


if __name__ == "__main__":
    sys.exit(main())
