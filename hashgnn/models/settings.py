"""Hyper-parameters that the graph methods share, and the lack of any."""

from dataclasses import dataclass, field
from typing import Any, Literal

from hashgnn.config.settings import require
from hashgnn.errors import InputError


@dataclass(frozen=True)
class TrainingSettings:
    """What every graph method has in common; the config's ``training:`` block.

    Embeddings begin as N(0, ``initial_deviation``), and so do the weights with ``normal``
    (paper); ``glorot`` draws these as Glorot and Bengio (2010) do. ``aggregator`` is the mean
    encoder's, ``convolution`` and its arguments the convolution encoder's. Widths are numbers of
    dimensions; ``fanouts`` neighbors drawn a node, nearest hop first. ``scale``, meant for codes of
    ``scale_bits``, multiplies the inner product before the sigmoid. ``history_every`` is in
    iterations, ``patience`` in epochs without a better validation HR (0: train to the end).
    ``batch_by``: a batch holds single interactions, or all those of some users. The learning rate
    falls along a cosine to ``learning_rate_end`` times what it was. Users without
    ``user_embeddings`` are known by their items alone, so that new ones need no training.
    ``embedding_dropout``: share of the embeddings' numbers that each step leaves out.
    ``mixed_precision``: on a GPU layers multiply in bfloat16; weights and losses stay float32.
    ``engine`` and ``embedding_updates``: see hashgnn.training.engine and
    hashgnn.training.optimizer. Validation looks at ``validated_users``, drawn by the seed, if there
    are more (0: at all).
    """

    encoder: str = "hashgnn.models.encoders.mean"
    aggregator: Literal["sage", "gcn"] = "sage"
    convolution: str = "SAGEConv"
    convolution_arguments: dict[str, Any] = field(default_factory=dict)
    embedding_width: int = 128
    user_embeddings: bool = True
    embedding_dropout: float = 0.0
    widths: tuple[int, ...] = (128, 68)
    fanouts: tuple[int, ...] = (10, 5)
    shared_hash_layer: bool = False
    initialization: Literal["normal", "glorot"] = "normal"
    initial_deviation: float = 0.02
    batch_size: int = 2048
    batch_by: Literal["interactions", "users"] = "interactions"
    learning_rate: float = 0.001
    learning_rate_end: float = 1.0
    epochs: int = 20
    patience: int = 0
    scale: float = 0.25
    scale_bits: int = 0
    history_every: int = 250
    engine: Literal["sampled", "full", "auto"] = "sampled"
    embedding_updates: Literal["all", "touched", "auto"] = "auto"
    mixed_precision: bool = False
    validated_users: int = 0

    def __post_init__(self) -> None:
        """``InputError`` for what no training can be made with."""
        counts = ("embedding_width", "widths", "fanouts", "batch_size", "epochs", "history_every")
        rates = ("embedding_dropout", "initial_deviation", "learning_rate", "learning_rate_end")
        others = ("patience", "scale", "scale_bits", "validated_users", *rates)
        require(self, **dict.fromkeys(counts, 1), **dict.fromkeys(others, 0))
        if self.embedding_dropout >= 1:
            raise InputError(
                f"embedding_dropout: expected less than 1, got {self.embedding_dropout}"
            )

    def scale_of(self, bits: int) -> float:
        """Factor of the inner product of codes of so many bits.

        ``scale`` is meant for ``scale_bits`` bits; inner products of codes of twice the length are
        twice as large, and get half the factor. 0: it is meant for all.
        """
        return self.scale * self.scale_bits / bits if self.scale_bits else self.scale

    def check_layers(self) -> None:
        """``InputError`` unless each layer has a width and a fanout."""
        if len(self.widths) != len(self.fanouts):
            raise InputError(
                f"widths: {len(self.widths)} of them, but {len(self.fanouts)} fanouts; "
                "give one of each a layer"
            )


@dataclass(frozen=True)
class NoSettings:
    """For methods without hyper-parameters: every key is refused."""
