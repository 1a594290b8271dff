"""Graph encoders: from node embeddings to representations.

A module with a function ``build(parameters, graph)`` is an encoder that the configuration can name.
This package itself is one: it encodes a node by its own embedding.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from typing import ClassVar, Protocol, cast

from torch import Tensor, nn

from hashgnn.errors import InputError
from hashgnn.graph import Graph
from hashgnn.models.method import GraphParameters


class Encoder(nn.Module, ABC):
    """Compute representations from sampled or whole neighborhoods.

    Both must agree in expectation, so that inference computes what training fitted.

    Attributes:
        width: Dimensions of the representations.
        draws_weights: Whether the encoder initializes its own weights; if not, the model does as
            the hyper-parameters say.
    """

    draws_weights: ClassVar[bool] = False

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    @abstractmethod
    def forward(
        self, x: Tensor, blocks: Sequence[tuple[Tensor, Tensor]], nodes: Tensor | None = None
    ) -> Tensor:
        """Propagate over sampled neighbors.

        Args:
            x: [rows, width] embeddings of ``nodes``, or of all nodes.
            blocks: A pair (targets [T'], neighbors [T', fanout]) per layer, rows of the output of
                the layer before.
            nodes: int [rows].

        Returns:
            [T, ``self.width``] for the last block's targets.
        """

    @abstractmethod
    def propagate(self, x: Tensor, graph: Graph, targets: Tensor | None = None) -> Tensor:
        """Propagate over whole neighborhoods.

        Args:
            x: [n_nodes, width] embeddings.
            graph: The graph.
            targets: int [T]: compute the rows of these nodes only, which may cost less.

        Returns:
            [n_nodes, ``self.width``], or [T, ``self.width``].
        """


class Identity(Encoder):
    """Represent a node by its own embedding."""

    def forward(
        self, x: Tensor, blocks: Sequence[tuple[Tensor, Tensor]], nodes: Tensor | None = None
    ) -> Tensor:
        """Return the rows of the last block's targets."""
        for targets, _ in blocks:
            x = x[targets.long()]
        return x

    def propagate(self, x: Tensor, graph: Graph, targets: Tensor | None = None) -> Tensor:
        """Return ``x``, or its rows ``targets``."""
        return x if targets is None else x[targets.long()]


def build(parameters: GraphParameters, graph: Graph) -> Identity:
    """Return the encoder that leaves embeddings as they are."""
    return Identity(parameters.embedding_width)


class _EncoderModule(Protocol):
    def build(self, parameters: GraphParameters, graph: Graph) -> Encoder: ...


def build_encoder(parameters: GraphParameters, graph: Graph) -> Encoder:
    """Return the encoder of the module ``parameters.encoder``."""
    return _module(parameters.encoder).build(parameters, graph)


def check_encoder(parameters: GraphParameters) -> None:
    """Raise ``InputError`` unless ``parameters.encoder`` names an encoder that can be built.

    A module may define ``check(parameters)``, which raises ``InputError`` for what it cannot use.
    """
    module = _module(parameters.encoder)
    if check := getattr(module, "check", None):
        check(parameters)


def _module(name: str) -> _EncoderModule:
    try:
        module = import_module(name)
    except (ImportError, TypeError, ValueError) as error:  # also for text that is not a module name
        raise InputError(f"encoder: {name}: {error}") from error
    if not callable(getattr(module, "build", None)):
        raise InputError(f"encoder: {name} has no function build; see docs/methods/encoders.md")
    return cast(_EncoderModule, module)
