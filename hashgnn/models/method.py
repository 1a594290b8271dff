"""Declare a method: its hyper-parameters, what it trains on, and how it is trained.

Each module of a method defines a ``Section`` named ``Parameters`` and one declaration, ``METHOD``.
The declaration's class tells the training loop what to do: train a ``GraphHasher`` on batches
(``GraphMethod``), take vectors epoch by epoch (``EpochMethod``), take vectors at once
(``VectorMethod``), or hash the vectors of another model (``HashMethod``).

The workflow reads hyper-parameters while it plans, so this module does not import torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, NamedTuple, TypeVar

import numpy as np
from pydantic import Field

from hashgnn.config.base import Count, Section
from hashgnn.config.evaluation import ValidationSettings
from hashgnn.data.interactions import Csr, Split
from hashgnn.errors import InputError

if TYPE_CHECKING:
    import torch

    from hashgnn.data.negatives import DrawnNegatives
    from hashgnn.models.graph_hasher import GraphHasher

Unit = Literal["iterations", "epochs"]
P = TypeVar("P", bound=Section)
G = TypeVar("G", bound="GraphParameters")
E = TypeVar("E", bound="EpochParameters")
Codes = tuple[np.ndarray, np.ndarray]  # of users and items: uint8 [rows, ceil(bits / 8)]
Vectors = tuple[np.ndarray, np.ndarray]  # of users and items: float32 [rows, d]


class GraphParameters(Section):
    """Hyper-parameters of every graph method: the ``training:`` block of the configuration."""

    encoder: str = "hashgnn.models.encoders.mean"
    """Python module of the encoder: ``hashgnn.models.encoders.mean`` averages neighbors;
    ``hashgnn.models.encoders.convolution`` is any PyTorch Geometric convolution with separate
    inputs for neighbors and targets; ``hashgnn.models.lightgcn`` has a layer for each of
    ``fanouts`` and no weights; ``hashgnn.models.encoders`` returns the embeddings unchanged."""

    aggregator: Literal["sage", "gcn"] = "sage"
    """For the mean encoder: ``sage`` is act(W [self ; mean(neighbors)]), as in the authors' code;
    ``gcn`` is act(W mean(self and neighbors)), the paper's Eq. 1."""

    convolution: str = "SAGEConv"
    """For the convolution encoder: a class of ``torch_geometric.nn``, such as ``GATConv``,
    ``SAGEConv`` or ``TransformerConv``. Neighbors are averaged or attended to, never summed, and
    there are no self-loops."""

    convolution_arguments: dict[str, Any] = Field(default_factory=dict)
    """For the convolution encoder: arguments of that class, such as ``{heads: 2}``."""

    embedding_width: int = Field(default=128, ge=1)
    """Dimensions of the id embeddings."""

    user_embeddings: bool = True
    """Whether users have embeddings; if not, they are represented by their items alone, and new
    users need no training."""

    embedding_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of the embeddings' values that each step sets to 0."""

    widths: tuple[Count, ...] = Field(default=(128, 68), min_length=1)
    """Dimensions of the encoder's layers, nearest hop first."""

    fanouts: tuple[Count, ...] = Field(default=(10, 5), min_length=1)
    """Neighbors sampled per node, nearest hop first."""

    neighbor_share: float = Field(default=1.0, gt=0, le=1)
    """Share of its neighbors that a node draws at most, one at least: with 0.3 and a fanout of 20 a
    user with 10 items is encoded from 3 of them in each step, one with 100 from 20. Without
    ``user_embeddings`` a user who is known by few items would otherwise be encoded from the very
    items that are to be predicted."""

    shared_hash_layer: bool = False
    """Whether users and items share the weights of the hash layer."""

    initialization: Literal["normal", "glorot"] = "normal"
    """Distribution of the initial weights: N(0, ``initial_deviation``) as in the paper, or Glorot
    and Bengio (2010). Convolutions draw their own weights."""

    initial_embeddings: Literal["normal", "spectral"] = "normal"
    """Where embeddings start: drawn from N(0, ``initial_deviation``) as in the paper, or at the
    leading singular vectors of the normalized interaction matrix, which tell from the start which
    nodes are close in the graph."""

    initial_deviation: float = Field(default=0.02, ge=0)
    """Standard deviation of the initial embeddings, and of the weights with ``normal``."""

    batch_size: int = Field(default=2048, ge=1)
    """Interactions per batch."""

    batch_by: Literal["interactions", "users"] = "interactions"
    """Whether a batch holds single interactions or all interactions of some users."""

    learning_rate: float = Field(default=0.001, ge=0)
    """Learning rate of Adam at the start."""

    learning_rate_end: float = Field(default=1.0, ge=0)
    """Learning rate at the end as a multiple of the one at the start; it follows half a cosine."""

    length: Literal["epochs", "validation"] = "epochs"
    """Whether a training has ``epochs``, or goes on while ``validation`` recall rises: the learning
    rate is constant until recall has not risen for ``patience_steps``, then decreases to
    ``learning_rate_end`` over ``decay_share`` of the epochs so far, and the training ends. The best
    epoch is kept in any case."""

    epochs: int = Field(default=20, ge=1)
    """With ``length: epochs``: largest number of epochs."""

    patience: int = Field(default=0, ge=0)
    """With ``length: epochs``: epochs without a better validation recall after which training
    stops; 0: never."""

    least_steps: int = Field(default=500, ge=0)
    """With ``length: validation``: least number of steps at the constant learning rate. All numbers
    of steps are rounded to whole epochs."""

    most_steps: int = Field(default=10_000, ge=1)
    """With ``length: validation``: largest number of steps."""

    patience_steps: int = Field(default=500, ge=1)
    """With ``length: validation``: steps without a better recall, one epoch or more, after which
    the learning rate decreases."""

    decay_share: float = Field(default=0.5, gt=0)
    """With ``length: validation``: epochs of the decrease, in units of those before it."""

    warmup_steps: int = Field(default=50, ge=0)
    """With ``length: validation``: steps over which the learning rate rises from 0."""

    scale: float = Field(default=0.25, ge=0)
    """Factor of the inner product before the sigmoid."""

    scale_bits: int = Field(default=0, ge=0)
    """Code length that ``scale`` is meant for. With K bits the factor is ``scale`` times
    ``scale_bits`` / K, since inner products grow with K. 0: the same factor for every length."""

    feature_buckets: int = Field(default=16_384, ge=1)
    """With features of users or items: number of embeddings that the hashes of features share."""

    cold_share: float = Field(default=0.2, ge=0, le=1)
    """With features: share of a batch's nodes that have features which a step represents by these
    alone, so that users and items without interactions can be represented."""

    history_every: int = Field(default=250, ge=1)
    """Iterations per row of ``history.csv``."""

    engine: Literal["sampled", "full", "auto"] = "sampled"
    """Whether a step propagates over ``sampled`` neighbors or ``full`` neighborhoods, which suit
    small graphs and large batches. ``auto`` times some steps of both at the start and takes the
    faster one; a resumed training keeps it. The log states the choice and the reason."""

    embedding_updates: Literal["all", "touched", "auto"] = "auto"
    """Whether Adam updates ``all`` embeddings in each step, or only those ``touched`` by it (as
    ``torch.optim.SparseAdam`` does), which graphs of millions of nodes need. ``auto`` is
    ``touched`` if the first batch reads less than a quarter of them."""

    mixed_precision: bool = False
    """Whether layers multiply in bfloat16 on a GPU; weights, codes and losses stay float32. It has
    no effect on a CPU, which the log states."""

    validated_users: int = Field(default=0, ge=0)
    """Number of users, drawn by the seed, on whom each epoch is validated; 0: all."""

    def scale_of(self, bits: int) -> float:
        """Return the factor of the inner product for codes of ``bits`` bits."""
        return self.scale * self.scale_bits / bits if self.scale_bits else self.scale

    def check(self) -> None:
        """Raise ``InputError`` for hyper-parameters that contradict each other."""
        if self.engine == "full" and self.neighbor_share < 1:
            raise InputError(
                f"neighbor_share: found {self.neighbor_share:g}, but engine is full, which reads "
                "whole neighborhoods; expected 1, or engine: sampled"
            )
        if self.length == "validation" and self.most_steps < self.least_steps:
            raise InputError(
                f"most_steps: expected least_steps = {self.least_steps:,} or more, got "
                f"{self.most_steps:,}; lower least_steps too"
            )

    def check_layers(self) -> None:
        """Raise ``InputError`` unless each layer has a width and a fanout."""
        if len(self.widths) != len(self.fanouts):
            raise InputError(
                f"widths: found {len(self.widths)}, but fanouts has {len(self.fanouts)}; "
                "expected one of each per layer"
            )


class EpochParameters(Section):
    """Hyper-parameters of every method that trains its vectors itself, epoch by epoch."""

    epochs: int = Field(default=20, ge=1)
    """Largest number of epochs."""

    patience: int = Field(default=0, ge=0)
    """Epochs without a better validation recall after which training stops; 0: never."""

    dimensions: int | None = Field(default=None, ge=1, le=1024)
    """Dimensions of the vectors; by default as many as a code has bits."""


class NoParameters(Section):
    """For methods without hyper-parameters: every key is an error."""


class Progress(NamedTuple):
    """The progress of a training, on which schedules depend."""

    iteration: int  # iterations done
    per_epoch: int  # iterations per epoch

    def steps(self, every: float, unit: Unit) -> int:
        """Return how often a schedule that is renewed each ``every`` ``unit`` was renewed."""
        return int(self.iteration // (every * (self.per_epoch if unit == "epochs" else 1)))


class Epoch(NamedTuple):
    """Vectors after an epoch, and its mean loss if known."""

    users: np.ndarray  # float32 [users, d]
    items: np.ndarray  # float32 [items, d]
    loss: float = float("nan")


@dataclass(frozen=True)
class Task:
    """The inputs of a training.

    Attributes:
        split: The interactions.
        bits: Length of the codes.
        seed: Seed of all random numbers.
        device: Device of the tensors.
        negatives: int32 [rounds, training interactions, n], in the order of ``split.train``, or
            ``DrawnNegatives`` of this shape; None unless the method takes the shared training.
        pretrained: Vectors of users and items by another model, None unless the configuration
            names one.
        validation: How the epochs are compared.
        features: Hashed features of each node, users first (``Graph.features``).
    """

    split: Split
    bits: int
    seed: int
    device: torch.device
    negatives: np.ndarray | DrawnNegatives | None = None
    pretrained: Vectors | None = None
    validation: ValidationSettings = field(default_factory=ValidationSettings)
    features: Csr | None = None


@dataclass(frozen=True)
class Method(Generic[P]):
    """Base class of declarations.

    Attributes:
        parameters: Section that the configuration's hyper-parameters are parsed into.
        fixed: Hyper-parameters that the method sets, regardless of the configuration.
        hashes_pretrained: Whether it needs the vectors of another model (``Task.pretrained``).
        takes_training: Whether it takes the ``training:`` block and the workflow's negatives.
        new_users: Returns the vectors float32 [users, d] of users who have the given items, without
            training, from those of the items [items, d] and the hyper-parameters. Graph methods
            without it represent new users by their encoder.
        takes_weights: Whether it uses the weights of interactions (``Split.train_weight``).
    """

    parameters: type[P]
    _: KW_ONLY
    fixed: Mapping[str, Any] = field(default_factory=dict)
    hashes_pretrained: bool = False
    takes_training: ClassVar[bool] = False
    new_users: Callable[[Csr, np.ndarray, P], np.ndarray] | None = None
    takes_weights: bool = False


@dataclass(frozen=True)
class GraphMethod(Method[G]):
    """A ``GraphHasher`` that the shared loop trains on batches.

    Attributes:
        model: Class of the model, made from the graph, the number of bits and the
            hyper-parameters; a method that ``hashes_pretrained`` vectors also takes these as a
            tensor float32 [n_nodes, d], users first.
    """

    model: Callable[..., GraphHasher]
    takes_training: ClassVar[bool] = True
    _: KW_ONLY
    takes_weights: bool = True


@dataclass(frozen=True)
class EpochMethod(Method[E]):
    """A method that trains itself; the loop validates each epoch's vectors and keeps the best.

    Attributes:
        epochs: Yields the vectors after each epoch. Arrays may be reused from epoch to epoch.
    """

    epochs: Callable[[Task, E], Iterator[Epoch]]


@dataclass(frozen=True)
class VectorMethod(Method[P]):
    """A method that computes its vectors at once. Codes are their signs.

    Attributes:
        vectors: Returns the vectors of users and items.
    """

    vectors: Callable[[Task, P], Vectors]


@dataclass(frozen=True)
class HashMethod(Method[P]):
    """A method that makes codes for the vectors of another model, which stay its own vectors.

    Attributes:
        codes: Returns the packed codes of users and items for the vectors that it is given.
    """

    codes: Callable[[Vectors, Task, P], Codes]
    _: KW_ONLY
    hashes_pretrained: bool = True
