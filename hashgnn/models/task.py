"""What a method gets to train on, and what it gives back."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from hashgnn.data.interactions import Split
from hashgnn.errors import InputError
from hashgnn.models.hashing import pack
from hashgnn.training.checkpoint import Checkpoint


class Moment(NamedTuple):
    """How far a training has come: iterations done, of so many, and what there is to say.

    ``values``: the numbers in the ``news``, by name, where there are any.
    """

    iteration: int
    iterations: int
    news: str
    values: Mapping[str, float] = MappingProxyType({})


def print_news(moment: Moment) -> None:
    """A line to stderr: what the log of a job gets."""
    print(moment.news, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Task:
    """One training: data, size of the code, seed and hyper-parameters.

    ``triplets`` int32 [rounds, training interactions, n]: negatives, in the order of
    ``split.train``, where the config's entry takes the shared training. ``parameters``: the
    method's hyper-parameters, as the config has them. ``checkpoint``: where an interrupted
    training goes on. ``pretrained``: float32 vectors of users [U, d] and items [I, d] by another
    method, where the config's entry names one. ``watch`` is told now and then how far the training
    has come.
    """

    split: Split
    triplets: np.ndarray | None
    bits: int
    seed: int
    parameters: Mapping[str, Any]
    device: torch.device
    checkpoint: Checkpoint
    pretrained: tuple[np.ndarray, np.ndarray] | None = None
    watch: Callable[[Moment], None] = print_news

    def negatives(self) -> np.ndarray:
        """``triplets``; ``InputError`` where there are none."""
        if self.triplets is None:
            raise InputError(
                "this method trains on the workflow's negatives: "
                "leave shared_training out of the model's entry"
            )
        return self.triplets

    def vectors_to_hash(self) -> tuple[np.ndarray, np.ndarray]:
        """``pretrained``; ``InputError`` where there is none."""
        if self.pretrained is None:
            raise InputError(
                "this method hashes the vectors of another one: "
                "name it with the key pretrained of the model's entry"
            )
        return self.pretrained


class Fitted(NamedTuple):
    """Vectors float32 [users or items, d], codes uint8 [users or items, ceil(bits/8)], history.

    ``bits``: the codes' own length, which need not be the one asked for. ``facts`` join the
    provenance.
    """

    user_vectors: np.ndarray
    item_vectors: np.ndarray
    user_codes: np.ndarray
    item_codes: np.ndarray
    bits: int
    history: pd.DataFrame
    facts: Mapping[str, Any]

    @classmethod
    def of_vectors(
        cls,
        users: np.ndarray,
        items: np.ndarray,
        history: pd.DataFrame,
        facts: Mapping[str, Any],
    ) -> "Fitted":
        """Codes are the signs of the vectors."""
        return cls(users, items, pack(users), pack(items), users.shape[1], history, facts)

    def recorded(self) -> dict[str, Any]:
        """What the provenance gets."""
        return {"code_bits": self.bits, **self.facts}
