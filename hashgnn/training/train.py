"""Train one method on one data set, for one number of bits and one seed."""

import argparse
import ctypes
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hashgnn.checksums import file_checksum
from hashgnn.data.interactions import load_split
from hashgnn.errors import InputError
from hashgnn.files import atomic_write, load_array, save_array
from hashgnn.models.task import Fitted, Task, print_news
from hashgnn.stage.code_digest import own_code
from hashgnn.stage.command import Facts, run_stage, stage_parser
from hashgnn.stage.followed import check_followed
from hashgnn.training.checkpoint import Checkpoint
from hashgnn.training.history import board_writer

_TRIM_THRESHOLD, _MMAP_MAX = -1, -4  # of glibc's malloc.h


def keep_freed_memory() -> None:
    """Have the process keep the memory that it frees, where the C library is glibc.

    Each step of a training frees what the next one wants again. By default large pieces go back to
    the system, which clears every page anew: a third of the time of a step on Gowalla.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch: large pages for large tensors
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, 2**31 - 1)


# What an interrupted training is told.
GO_ON = "give the same command again; a training goes on from its last saved state, if any"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = stage_parser(__doc__)
    parser.add_argument("--split", type=Path, required=True)
    parser.add_argument(
        "--triplets",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="negatives for a method that trains on those drawn by the workflow",
    )
    parser.add_argument(
        "--pretrained",
        type=Path,
        nargs="*",
        default=[],
        metavar="FILE",
        help="vectors of users and of items for a method that hashes those of another one",
    )
    parser.add_argument(
        "--device",
        default=os.environ.get("HASHGNN_DEVICE", "auto"),
        help="auto, cpu, cuda or cuda:N; by default $HASHGNN_DEVICE, else auto",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument(
        "--checkpoint-seconds",
        type=float,
        default=60,
        metavar="S",
        help="time between two checkpoints, from which an interrupted training goes on",
    )
    parser.add_argument(
        "--tensorboard",
        action=argparse.BooleanOptionalAction,
        default=os.environ.get("HASHGNN_TENSORBOARD", "") == "1",
        help="write the course for TensorBoard too; by default if $HASHGNN_TENSORBOARD is 1",
    )
    return run_stage(parser, _run, argv, GO_ON)


def _run(args: argparse.Namespace) -> Facts:
    keep_freed_memory()
    settings = args.settings
    device = choose_device(args.device)
    inputs = (args.split, args.triplets, *args.pretrained)
    checksums = [str(file_checksum(path, "sha256")) for path in inputs if path]
    checkpoint = Checkpoint(
        args.output / "checkpoint.pt",
        fingerprint(settings, device, checksums),
        args.checkpoint_seconds,
    )
    task = Task(
        split=load_split(args.split),
        triplets=load_array(args.triplets, memory_map=True) if args.triplets else None,
        bits=settings["bits"],
        seed=settings["seed"],
        parameters=settings["parameters"],
        device=device,
        checkpoint=checkpoint,
        pretrained=_pretrained(args.pretrained),
        watch=board_writer(args.output / "tensorboard") if args.tensorboard else print_news,
    )
    fitted = import_module(settings["method"]).fit(task)
    _save(args.output, fitted)
    checkpoint.remove()
    devices = {"device": describe_device(device), "device_option": args.device}
    return {**devices, **fitted.recorded()}


def _pretrained(files: Sequence[Path]) -> tuple[np.ndarray, np.ndarray] | None:
    if not files:
        return None
    users, items = map(load_array, files)
    return users, items


def fingerprint(settings: Mapping[str, Any], device: torch.device, checksums: Iterable[str]) -> str:
    """A digest of all that the outcome depends on; ``checksums`` stand for the inputs.

    Raises ``InputError`` for a method or encoder whose edits would go unseen.
    """
    encoder = [e for key, e in settings["parameters"].items() if key == "encoder"]
    check_followed(own_code, settings["method"], *encoder)
    code = own_code("hashgnn.training.train", settings["method"], *encoder)
    parts = [json.dumps(settings, sort_keys=True), code, device.type, *checksums]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def choose_device(name: str) -> torch.device:
    """``auto``: a GPU where there is one; ``InputError`` for one that is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"device {name}: {reason}; use auto, cpu, cuda or cuda:N") from error
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"device {name}: not tried with this; use auto, cpu, cuda or cuda:N")
    return device


def _save(folder: Path, fitted: Fitted) -> None:
    named = {"user_codes": fitted.user_codes, "item_codes": fitted.item_codes}
    named |= {"user_vectors": fitted.user_vectors, "item_vectors": fitted.item_vectors}
    for name, array in named.items():
        save_array(folder / f"{name}.npy", array)
    with atomic_write(folder / "history.csv") as temporary:
        fitted.history.to_csv(temporary, index=False)


def describe_device(device: torch.device) -> str:
    """The GPU's name, or cpu."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


if __name__ == "__main__":
    sys.exit(main())
