"""Tables as users have them, and a reader of them in plain Python that knows nothing of ours."""

import csv
import datetime
import io
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from hypothesis import strategies as st

COMMA, TAB = ",", "\t"
# "quoted" has a separator and a quote in it; numbers are ids as any text is.
IDS = ["1", "2", "01", "-1", "+1", "1.0", "9223372036854775807", "-9223372036854775809"]
IDS += ["18446744073709551616", "é", "e\u0301", "商店", "🛒", " a", "a ", "NA", "null", "nan", "#"]
IDS += ['quoted,"\t;id', "'", "x" * 300, "\u200b", "TRUE", "1e5", "\x1f", "0", "-0"]
NUMBERS = ["0", "1", "5", "-3", "4.5", "1e3", " 2", "1e-300"]
NO_NUMBERS = ["nan", "NaN", "inf", "-inf", "", "x", "1e999", "0x10", "1,5"]
FIRST, LAST = 0, 4_000_000_000  # seconds: 1970 to 2096


class Read(NamedTuple):
    """What is to come out: the pairs, with the earliest time of each where there are times."""

    pairs: dict[tuple[str, str], int | None]
    rows: int


class RefusedError(Exception):
    """The oracle's: this is no table with such columns."""


@dataclass(frozen=True)
class Table:
    """Rows of cells, and how they are written."""

    rows: list[list[str]]
    settings: dict[str, Any]
    newline: str = "\n"
    mark: bool = False  # a byte order mark before the text
    tail: str = ""  # after the last row
    names: list[str] = field(default_factory=lambda: ["user", "item", "rating", "time"])

    def bytes(self) -> bytes:
        layout = self.settings["format"]
        file = io.StringIO()
        lines = ([self.names] if layout["header"] else []) + self.rows
        if layout["quote"]:
            kind = {"delimiter": layout["separator"], "lineterminator": self.newline}
            csv.writer(file, quoting=csv.QUOTE_ALL, **kind).writerows(lines)
        else:
            file.writelines(layout["separator"].join(line) + self.newline for line in lines)
        text = file.getvalue() + self.tail
        return ("\ufeff" if self.mark else "").encode() + text.encode()


def naive(content: bytes, settings: dict[str, Any]) -> Read:
    """Read a table slowly; ``RefusedError`` for what is no such table."""
    layout, columns = settings["format"], settings["columns"]
    text = content.decode("utf-8-sig", "surrogateescape")
    lines = [line for line in _rows(text, layout) if line]
    if not lines:
        raise RefusedError
    if layout["header"]:
        names, *lines = lines
        try:
            columns = {role: names.index(name) for role, name in columns.items()}
        except ValueError as error:
            raise RefusedError from error
    kept = settings.get("filter", {})
    pairs: dict[tuple[str, str], int | None] = {}
    for line in lines:
        if max(columns.values()) >= len(line):
            raise RefusedError
        cells = {role: line[place] for role, place in columns.items()}
        if not cells["user"] or not cells["item"] or not all(map(_is_text, cells.values())):
            raise RefusedError
        rating = _number(cells["rating"]) if "rating" in cells else math.inf
        time = _seconds(cells["time"], layout.get("time", "seconds")) if "time" in cells else None
        if rating < kept.get("rating_at_least", -math.inf):
            continue
        pair = cells["user"], cells["item"]
        before = pairs.get(pair, time)
        pairs[pair] = time if before is None or time is None else min(before, time)
    return Read(core(pairs, kept), len(lines))


def _rows(text: str, layout: dict[str, Any]) -> list[list[str]]:
    if layout["quote"]:
        try:
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=layout["separator"])
            return list(reader)
        except csv.Error as error:
            raise RefusedError from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [line.split(layout["separator"]) for line in lines if line]


def _is_text(cell: str) -> bool:
    """Bytes that are no UTF-8 matter where they are read."""
    return not any("\ud800" <= character <= "\udfff" for character in cell)


def _number(cell: str) -> float:
    try:
        value = float(cell)
    except ValueError as error:
        raise RefusedError from error
    if not math.isfinite(value):
        raise RefusedError
    return value


def _seconds(cell: str, unit: str) -> int:
    if unit == "iso":
        try:
            moment = datetime.datetime.fromisoformat(cell)
        except ValueError as error:
            raise RefusedError from error
        moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        return math.floor(moment.timestamp())
    return math.floor(_number(cell) / (1000 if unit == "milliseconds" else 1))


def core(pairs: dict[Any, Any], kept: dict[str, Any]) -> dict[Any, Any]:
    """Users and items with too few interactions dropped until none is left."""
    least = kept.get("user_interactions", 1), kept.get("item_interactions", 1)
    while True:
        counts = [Counter(pair[side] for pair in pairs) for side in (0, 1)]
        left = {
            pair: time
            for pair, time in pairs.items()
            if all(counts[side][pair[side]] >= least[side] for side in (0, 1))
        }
        if len(left) == len(pairs):
            return left
        pairs = left


def _time(unit: str) -> st.SearchStrategy[str]:
    moments = st.integers(FIRST, LAST)
    if unit == "seconds":
        return moments.map(str)
    if unit == "milliseconds":
        return st.builds(
            lambda second, more: str(1000 * second + more), moments, st.integers(0, 999)
        )
    zone = datetime.UTC
    return moments.map(
        lambda second: datetime.datetime.fromtimestamp(second, zone).isoformat()[:-6]
    )


@st.composite
def tables(draw: st.DrawFn, clean: bool = True) -> Table:
    """Tables with up to 30 rows, repeats among them; where not ``clean``, with a bad cell."""
    quote, unit = draw(st.booleans()), draw(st.sampled_from(["seconds", "milliseconds", "iso"]))
    separator = draw(
        st.sampled_from([COMMA, TAB, ";", "|"] + ([] if quote else ["::", "§", " | "]))
    )
    safe = [id_ for id_ in IDS if quote or not set(id_) & set('"' + separator)]
    if len(separator.encode()) > 1:
        safe.remove("\x1f")
    users, items = (draw(st.lists(st.sampled_from(safe), min_size=1, max_size=8)) for _ in "ui")
    cells = [st.sampled_from(users), st.sampled_from(items), st.sampled_from(NUMBERS), _time(unit)]
    rows = draw(st.lists(st.tuples(*cells).map(list), min_size=1, max_size=30))
    if draw(st.booleans()):  # one item that every user has
        rows += [[user, items[0], *rows[0][2:]] for user in dict.fromkeys(users)]
    if not clean:
        row, column = draw(st.sampled_from(rows)), draw(st.sampled_from([0, 1, 2, 3]))
        row[column] = draw(st.sampled_from(["", *NO_NUMBERS[:-1]]))
    header, roles = draw(st.booleans()), ["user", "item"]
    roles += [role for role in ("rating", "time") if draw(st.booleans())]
    places = {"user": 0, "item": 1, "rating": 2, "time": 3}
    kept = {key: draw(st.integers(1, 3)) for key in ("user_interactions", "item_interactions")}
    if "rating" in roles and draw(st.booleans()):
        kept["rating_at_least"] = draw(st.sampled_from([0, 2, 4.5]))
    settings = {
        "dataset": "toy",
        "reader": "table",
        "columns": {role: role if header else places[role] for role in roles},
        "format": {"separator": separator, "quote": quote, "header": header, "time": unit},
        "filter": kept if draw(st.booleans()) else {},
    }
    newline, mark = draw(st.sampled_from(["\n", "\r\n"])), draw(st.booleans())
    tail = draw(st.sampled_from(["", "", newline, 2 * newline]))
    return Table(rows, settings, newline, mark, tail)
