"""Graph encoders: their interface, and how the config's name leads to one."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import import_module
from typing import ClassVar, Protocol, cast

from torch import Tensor, nn

from hashgnn.errors import InputError
from hashgnn.graph.bipartite import Graph
from hashgnn.models.settings import TrainingSettings


class Encoder(nn.Module, ABC):
    """From node embeddings to representations, by sampled or by whole neighborhoods.

    Both must agree in expectation: what is inferred must be what was trained. ``width`` is the
    number of dimensions that come out. Weights are drawn as the settings say, unless the encoder
    ``draws_weights`` itself when it is made.
    """

    draws_weights: ClassVar[bool] = False

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    @abstractmethod
    def forward(
        self, x: Tensor, blocks: Sequence[tuple[Tensor, Tensor]], nodes: Tensor | None = None
    ) -> Tensor:
        """Sampled: ``x`` [rows, width] to the last block's targets [T, ``self.width``].

        A block is (targets [T'], neighbors [T', fanout]), rows of what the layer before made. The
        rows of ``x`` are those of ``nodes`` int [rows], or of all nodes.
        """

    @abstractmethod
    def propagate(self, x: Tensor, graph: Graph, targets: Tensor | None = None) -> Tensor:
        """Whole neighborhoods: ``x`` [n_nodes, width] to [n_nodes, ``self.width``].

        Or to the rows of the nodes ``targets`` int [T] alone, which may cost less.
        """


class _EncoderModule(Protocol):
    def build(self, settings: TrainingSettings, graph: Graph) -> Encoder: ...


def build_encoder(settings: TrainingSettings, graph: Graph) -> Encoder:
    """The encoder of the module ``settings.encoder``, made by its ``build(settings, graph)``."""
    return _module(settings.encoder).build(settings, graph)


def check_encoder(settings: TrainingSettings) -> None:
    """``InputError`` if there is no such encoder, or its ``check``, if it has one, raises it."""
    module = _module(settings.encoder)
    if check := getattr(module, "check", None):
        check(settings)


def _module(name: str) -> _EncoderModule:
    try:
        module = import_module(name)
    except (ImportError, TypeError, ValueError) as error:  # also of what is no module's name
        raise InputError(f"encoder: {name}: {error}") from error
    if not callable(getattr(module, "build", None)):
        raise InputError(f"encoder: {name} has no function build; see docs/methods/encoders.md")
    return cast(_EncoderModule, module)
