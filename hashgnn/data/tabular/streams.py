"""Streams of text on their way to the parser."""

import io
from typing import Protocol

from hashgnn.errors import InputError

STAND_IN = b"\x1f"  # ASCII's unit separator


class Readable(Protocol):
    """Something with bytes to read."""

    def read(self, size: int = -1, /) -> bytes:
        """About ``size`` bytes; none at the end only."""


class QuoteWatch(io.RawIOBase):
    """A stream that remembers in ``seen`` whether a quote has passed."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.seen = False

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """About ``size`` bytes; none at the end only."""
        block = self._stream.read(size)
        self.seen = self.seen or b'"' in block
        return block


class SingleSeparator(io.RawIOBase):
    """A stream with each ``separator`` replaced by ``STAND_IN``, from left to right."""

    def __init__(self, stream: Readable, separator: bytes) -> None:
        self._stream = stream
        self._separator = separator
        self._held = b""  # the end of the last block, where it may begin a separator

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """About ``size`` bytes; none at the end only."""
        block = self._stream.read(size)
        if STAND_IN in block:
            raise InputError("the text holds the control character 0x1f; use another separator")
        text = (self._held + block).replace(self._separator, STAND_IN)
        self._held = self._beginning(text) if block else b""
        ready = text[: len(text) - len(self._held)]
        return ready if ready or not block else self.read(size)

    def _beginning(self, text: bytes) -> bytes:
        """The longest end of ``text`` that a separator may begin with."""
        for length in range(len(self._separator) - 1, 0, -1):
            if text.endswith(self._separator[:length]):
                return self._separator[:length]
        return b""
