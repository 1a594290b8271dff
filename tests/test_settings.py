from dataclasses import dataclass
from typing import Literal

import pytest

from hashgnn.errors import InputError
from hashgnn.settings import parse


@dataclass(frozen=True)
class Inner:
    share: float = 0.5


@dataclass(frozen=True)
class Outer:
    widths: tuple[int, ...] = (1,)
    kind: Literal["a", "b"] = "a"
    deep: bool = False
    inner: Inner = Inner()


def test_parse_converts_lists_and_nested_blocks() -> None:
    block = {"widths": [3, 4], "kind": "b", "inner": {"share": 1}}

    assert parse(Outer, block, "x") == Outer((3, 4), "b", False, Inner(1.0))


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (
            {"wdths": [1]},
            "x.wdths: no such key; known here: deep, inner, kind, widths; did you mean widths?",
        ),
        ({"widths": [1, "2"]}, "x.widths: expected a whole number, got '2'"),
        ({"kind": "c"}, "x.kind: expected one of 'a', 'b', got 'c'"),
        ({"deep": 1}, "x.deep: expected true or false, got 1"),
        ({"inner": {"share": "half"}}, "x.inner.share: expected a number, got 'half'"),
        ({"inner": {"share": True}}, "x.inner.share: expected a number, got True"),
        (
            {"inner": {"shares": 1}},
            "x.inner.shares: no such key; known here: share; did you mean share?",
        ),
    ],
)
def test_a_mistake_is_named(block: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(Outer, block, "x")

    assert str(caught.value) == message
