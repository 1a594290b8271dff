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
    return _module(settings.encoder).build(settings, graph)


def check_encoder(settings: TrainingSettings) -> None:
    """``InputError`` if there is no such encoder, or its ``check``, if it has one, raises it."""
    module = _module(settings.encoder)
    if check := getattr(module, "check", None):
        check(settings)


def _module(name: str) -> _EncoderModule:
    try:
        return cast(_EncoderModule, import_module(name))
    except ModuleNotFoundError as error:
        raise InputError(f"encoder: {name}: {error}") from error
