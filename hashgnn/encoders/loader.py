"""Encoders by name: the config says which module builds the encoder."""

from importlib import import_module
from typing import Protocol, cast

from hashgnn.encoders.base import Encoder
from hashgnn.errors import InputError
from hashgnn.graph.bipartite import Graph
from hashgnn.training.settings import TrainingSettings


class _EncoderModule(Protocol):
    def build(self, settings: TrainingSettings, graph: Graph) -> Encoder: ...


def build_encoder(settings: TrainingSettings, graph: Graph) -> Encoder:
    """The encoder of the module ``settings.encoder``, made by its ``build(settings, graph)``."""
    try:
        module = cast(_EncoderModule, import_module(settings.encoder))
    except ModuleNotFoundError as error:
        raise InputError(f"encoder {settings.encoder}: {error}") from error
    return module.build(settings, graph)
