import datetime
import math
import re
from typing import Any, Literal

import numpy as np
import pytest
import torch
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from hashgnn.config.base import Count, Section, parse
from hashgnn.errors import InputError


class Inner(Section):
    share: float = Field(0.5, ge=0, lt=1)
    """Part of the whole."""


class Outer(Section):
    widths: tuple[Count, ...] = Field((1,), min_length=1)
    kind: Literal["a", "b"] = "a"
    deep: bool = False
    inner: Inner = Inner()
    count: int = 3
    most: int | None = Field(None, gt=0, le=1024)
    free: dict[str, Any] = Field(default_factory=dict)
    tested: float | tuple[int, ...] | None = None
    several: dict[str, tuple[Inner, ...]] = Field(default_factory=dict)
    other: Inner | None = None

    def check(self) -> None:
        if self.most is not None and self.most < self.count:
            raise InputError(f"most: expected {self.count} or more, got {self.most}")


class Needed(Section):
    outer: Outer
    name: str


KNOWN = "count, deep, free, inner, kind, most, other, several, tested, widths"


def test_parse_converts_lists_and_nested_blocks() -> None:
    block = {"widths": [3, 4], "kind": "b", "inner": {"share": 0}, "several": {"a": [{}]}}

    found = parse(Outer, block, "x")

    assert found == Outer(
        widths=(3, 4), kind="b", inner=Inner(share=0.0), several={"a": (Inner(),)}
    )
    assert type(found.inner.share) is float


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (
            {"wdths": [1]},
            f"x.wdths: unknown key; known keys: {KNOWN}; did you mean widths?",
        ),
        ({"widths": [1, "two"]}, "x.widths.1: expected a whole number, got 'two'"),
        ({"widths": [1, 0]}, "x.widths.1: expected 1 or more, got 0"),
        ({"widths": []}, "x.widths: expected a non-empty list, got []"),
        ({"widths": 2}, "x.widths: expected a list, each a whole number, got 2"),
        ({"inner": 0.5}, "x.inner: expected a mapping of share, got 0.5"),
        ({"other": 0.5}, "x.other: expected a mapping of share, got 0.5"),
        ({"free": 1}, "x.free: expected a mapping, got 1"),
        ({"free": {1: 2}}, "x.free: expected text as keys, got 1"),
        ({"most": "few"}, "x.most: expected a whole number or nothing, got 'few'"),
        ({"most": 0}, "x.most: expected more than 0, got 0"),
        ({"most": 2000}, "x.most: expected 1,024 or less, got 2000"),
        ({"most": 2}, "x.most: expected 3 or more, got 2"),
        ({"count": 2**63}, f"x.count: expected a number of at most 64 bits, got {2**63}"),
        ({"count": None}, "x.count: expected a whole number, got None"),
        (
            {"inner": {"share": 2**63}},
            f"x.inner.share: expected a number of at most 64 bits, got {2**63}",
        ),
        ({1: 2, "count": 3}, f"x.1: unknown key; known keys: {KNOWN}"),
        ({"kind": "c"}, "x.kind: expected one of 'a', 'b', got 'c'"),
        ({"deep": 1}, "x.deep: expected true or false, got 1"),
        ({"inner": {"share": "half"}}, "x.inner.share: expected a number, got 'half'"),
        ({"inner": {"share": True}}, "x.inner.share: expected a number, got True"),
        ({"inner": {"share": 1}}, "x.inner.share: expected less than 1, got 1"),
        ({"inner": {"share": math.nan}}, "x.inner.share: expected a finite number, got nan"),
        ({"inner": {"share": -math.inf}}, "x.inner.share: expected a finite number, got -inf"),
        (
            {"inner": {"shares": 1}},
            "x.inner.shares: unknown key; known keys: share; did you mean share?",
        ),
        (
            {"several": {"a": [{}, {"shar": 1}]}},
            "x.several.a.1.shar: unknown key; known keys: share; did you mean share?",
        ),
        (
            {"tested": "all"},
            "x.tested: expected a number or a list, each a whole number or nothing, got 'all'",
        ),
        ({"tested": math.inf}, "x.tested: expected a finite number, got inf"),
    ],
)
def test_a_mistake_is_named(block: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(Outer, block, "x")

    assert str(caught.value) == message


def test_what_is_missing_is_named_with_what_belongs_there() -> None:
    with pytest.raises(InputError) as caught:
        parse(Needed, {"outer": {"most": 1}})

    assert str(caught.value).splitlines() == [
        "outer.most: expected 3 or more, got 1",
        "name: missing; expected text",
    ]


def test_all_mistakes_are_named_unknown_keys_first() -> None:
    with pytest.raises(InputError) as caught:
        parse(Outer, {"deep": 1, "widths": [0, 0], "other": {"shar": 1}}, "x")

    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "x.other.shar",
        "x.widths.0",
        "x.widths.1",
        "x.deep",
    ]


def test_sections_cannot_be_changed_and_check_themselves() -> None:
    with pytest.raises(ValidationError):
        Outer().count = 4  # type: ignore[misc]
    with pytest.raises(ValidationError, match="expected 3 or more, got 1"):
        Outer(most=1)


def test_docstrings_describe_fields() -> None:
    assert Inner.model_fields["share"].description == "Part of the whole."


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

    assert found == Outer(
        widths=(3, 4),
        kind="b",
        deep=True,
        inner=Inner(share=0.25),
        count=7,
        most=9,
        free={"heads": 2, "shares": [0.5]},
    )
    kept = [*found.widths, found.kind, found.deep, found.inner.share, found.count, found.most]
    kept += [found.free["heads"], *found.free["shares"]]
    assert {type(value) for value in kept} == {int, str, bool, float}


@pytest.mark.parametrize("value", [b"3", {3}, datetime.date(2020, 1, 1), Inner(), object()])
def test_what_no_record_can_hold_is_refused_wherever_it_is(value: object) -> None:
    for block in ({"count": value}, {"free": {"a": [value]}}, {"inner": {"share": value}}):
        with pytest.raises(InputError, match=r"^x\.[a-z.]+: expected numbers, text, or lists or"):
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
        ({"tested": ".5"}, "0.5"),
        ({"deep": "True"}, "true"),
    ],
)
def test_a_number_that_is_text_is_told_how_to_be_one(block: dict[str, Any], written: str) -> None:
    with pytest.raises(InputError, match=f"which is text: write {re.escape(written)} without"):
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
