import datetime
import math
import re
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest
import torch
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from hashgnn.config.settings import parse
from hashgnn.errors import InputError


@dataclass(frozen=True)
class Inner:
    share: float = 0.5


@dataclass(frozen=True)
class Outer:
    widths: tuple[int, ...] = (1,)
    kind: Literal["a", "b"] = "a"
    deep: bool = False
    inner: Inner = Inner()
    count: int = 3
    most: int | None = None
    free: dict[str, Any] = field(default_factory=dict)


def test_parse_converts_lists_and_nested_blocks() -> None:
    block = {"widths": [3, 4], "kind": "b", "inner": {"share": 1}}

    assert parse(Outer, block, "x") == Outer((3, 4), "b", False, Inner(1.0))


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (
            {"wdths": [1]},
            "x.wdths: no such key; known here: count, deep, free, inner, kind, most, widths; "
            "did you mean widths?",
        ),
        ({"widths": [1, "two"]}, "x.widths: expected a whole number, got 'two'"),
        ({"widths": 2}, "x.widths: expected a list, each a whole number, got 2"),
        ({"inner": 0.5}, "x.inner: expected a mapping of share, got 0.5"),
        ({"free": 1}, "x.free: expected a mapping, got 1"),
        ({"most": "few"}, "x.most: expected a whole number or nothing, got 'few'"),
        ({"count": 2**63}, f"x.count: expected a number of at most 64 bits, got {2**63}"),
        (
            {"inner": {"share": 2**63}},
            f"x.inner.share: expected a number of at most 64 bits, got {2**63}",
        ),
        (
            {1: 2, "a": 3},
            "x.1: no such key; known here: count, deep, free, inner, kind, most, widths",
        ),
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


def test_numbers_of_other_libraries_are_the_numbers_they_hold() -> None:
    block = {
        "widths": np.array([3, 4]),
        "kind": np.str_("b"),
        "deep": np.True_,
        "inner": {"share": np.float32(0.25)},
        "count": torch.tensor(7),
        "most": np.uint8(9),
        "free": {"heads": np.int64(2), "shares": (np.float64(0.5),)},
    }

    found = parse(Outer, block)

    assert found == Outer((3, 4), "b", True, Inner(0.25), 7, 9, {"heads": 2, "shares": [0.5]})
    kept = [*found.widths, found.kind, found.deep, found.inner.share, found.count, found.most]
    kept += [found.free["heads"], *found.free["shares"]]
    assert {type(value) for value in kept} == {int, str, bool, float}


@pytest.mark.parametrize("value", [b"3", {3}, datetime.date(2020, 1, 1), Inner(), object()])
def test_what_no_record_can_hold_is_refused_wherever_it_is(value: object) -> None:
    for block in ({"count": value}, {"free": {"a": [value]}}, {"inner": {"share": value}}):
        with pytest.raises(InputError, match=r"^x\.[a-z.]+: expected numbers, texts, or lists or"):
            parse(Outer, block, "x")


@pytest.mark.parametrize(
    ("block", "written"),
    [
        ({"inner": {"share": "1e-3"}}, "1.0e-3"),
        ({"inner": {"share": "1e3"}}, "1.0e+3"),
        ({"inner": {"share": "0.5"}}, "0.5"),
        ({"count": "64"}, "64"),
        ({"count": "1e3"}, "1000"),
        ({"widths": ["64"]}, "64"),
        ({"most": "64"}, "64"),
        ({"deep": "True"}, "true"),
    ],
)
def test_a_number_that_is_text_is_told_how_to_be_one(block: dict[str, Any], written: str) -> None:
    with pytest.raises(InputError, match=f"which is a text: write {re.escape(written)} without"):
        parse(Outer, block, "x")


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["r", "e", ".9e"]))
def test_what_is_advised_is_a_number_to_yaml(number: float, style: str) -> None:
    text = repr(number) if style == "r" else format(number, style)
    assume(math.isfinite(float(text)))  # rounded up, the largest are not

    with pytest.raises(InputError) as caught:
        parse(Inner, {"share": text})

    advised = str(caught.value).partition("write ")[2].partition(" without")[0]
    assert isinstance(yaml.safe_load(advised), float)
    assert yaml.safe_load(advised) == float(text)
