"""What entries of ``datasets`` ask for: whether their data can have it."""

from collections.abc import Iterator, Mapping
from typing import Any

from hashgnn.config.timestamps import parse_moment
from hashgnn.errors import InputError

Entry = Mapping[str, Any]

# What a filter looks at in each row.
_FILTERED = {
    "rating_at_least": "rating",
    "behaviors": "behavior",
    "time_from": "time",
    "time_before": "time",
}
# The keys of a split that say what is tested, by ``by``.
_TESTED = {
    "random": ("test",),
    "time": ("test", "test_from", "test_days"),
    "file": ("test",),
}


def unusable_data_sets(config: Mapping[str, Any]) -> Iterator[str]:
    """A line for each mistake; the entries have passed the schema."""
    for name, entry in config["datasets"].items():
        where = f"datasets.{name}"
        yield from _layout(where, entry)
        yield from _members(where, entry)
        yield from _columns(where, entry)
        yield from _filter(where, entry)
        yield from _split(where, entry)


def _layout(where: str, entry: Entry) -> Iterator[str]:
    encoding = entry.get("format", {}).get("encoding", "utf-8")
    try:
        "".encode(encoding)
    except LookupError:
        yield f"{where}.format.encoding: {encoding!r} is no encoding of text, as utf-8 is"
    sizes = entry.get("generator")
    if sizes:
        users, items, interactions = sizes["users"], sizes["items"], sizes["interactions"]
        if not users <= interactions <= users * (items // 2):
            yield (
                f"{where}.generator.interactions: {interactions:,} do not fit {users:,} users, who "
                f"have at least one and at most half of {items:,} items each"
            )


def _members(where: str, entry: Entry) -> Iterator[str]:
    layout = entry.get("format", {})
    members = layout.get("members")
    if members is None:
        return
    names = [member["name"] for member in members]
    if "member" in layout:
        yield f"{where}.format: set member or members, not both"
    if len(entry.get("files", {})) != 1:
        found = len(entry.get("files", {}))
        yield f"{where}.format.members: expected one archive in files, found {found}"
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{where}.format.members: {name!r} stands twice"
    if "behavior" in entry.get("columns", {}) and any("behavior" in member for member in members):
        yield f"{where}: behaviors stand in columns.behavior and in format.members; set one of them"


def _columns(where: str, entry: Entry) -> Iterator[str]:
    columns = entry.get("columns", {})
    if entry["reader"] == "table" and not columns:
        yield f"{where}: the reader table needs the key columns"
    for role, column in columns.items():
        same = [other for other in columns if columns[other] == column]
        if same[0] != role:
            yield f"{where}.columns: {same[0]} and {role} are the same column, {column!r}"


def _filter(where: str, entry: Entry) -> Iterator[str]:
    keep = entry.get("filter", {})
    for key, value in _FILTERED.items():
        if key in keep and value not in _known_of_rows(entry):
            yield f"{where}.filter.{key}: {_lacks(entry, value)}"
    members = entry.get("format", {}).get("members", [])
    kinds = {
        "generator.behaviors": entry.get("generator", {}).get("behaviors") or {},
        "format.members": {member["behavior"] for member in members if "behavior" in member},
    }
    for key, known in kinds.items():
        for behavior in keep.get("behaviors", []) if known else []:
            if str(behavior) not in known:
                yield f"{where}.filter.behaviors: {behavior} is not among {key}"
    bounds = [key for key in ("time_from", "time_before") if key in keep]
    mistakes = [line for key in bounds for line in _moment(f"{where}.filter.{key}", keep[key])]
    yield from mistakes
    if len(bounds) == 2 and not mistakes:
        first, end = (parse_moment(keep[key], key) for key in bounds)
        if first >= end:
            yield f"{where}.filter: time_from is not before time_before: nothing would be left"


def _split(where: str, entry: Entry) -> Iterator[str]:
    split = {key: value for key, value in entry.get("split", {}).items() if value is not None}
    by = split.get("by", "random")
    given = [key for key in _TESTED["time"] if key in split]
    if unfit := [key for key in given if key not in _TESTED[by]]:
        yield f"{where}.split.{unfit[0]}: only with by: time, here by is {by}; null unsets it"
    elif len(given) > 1 or (by != "random" and not given):
        found = " and ".join(given) or "none"
        needed = ", ".join(_TESTED[by])
        yield f"{where}.split: by: {by} needs one of {needed}; found {found}; null unsets one"
    elif isinstance(split.get("test"), str | list) != (by == "file") and "test" in split:
        expected = "names of the tested files" if by == "file" else "a share between 0 and 1"
        yield f"{where}.split.test: by: {by} expects {expected}, got {split['test']!r}"
    elif by == "file":
        yield from _named_files(where, entry, split)
    elif isinstance(split.get("validation"), str | list):
        yield (
            f"{where}.split.validation: by: {by} expects a share between 0 and 1, got "
            f"{split['validation']!r}"
        )
    if by == "time" and "time" not in _known_of_rows(entry):
        yield f"{where}.split.by: {_lacks(entry, 'time')}"
    if "test_from" in split:
        yield from _moment(f"{where}.split.test_from", split["test_from"])


def _named_files(where: str, entry: Entry, split: Entry) -> Iterator[str]:
    members = entry.get("format", {}).get("members", [])
    files = [member["name"] for member in members] or list(entry.get("files", {}))
    chosen: set[str] = set()
    for key in ("test", "validation"):
        value = split.get(key)
        names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
        for name in names:
            if name not in files or name in chosen:
                known = f"expected some of the files {', '.join(files)}"
                problem = "is tested, too" if name in chosen else known
                yield f"{where}.split.{key}: {name!r}: {problem}"
        chosen |= set(names)
    if set(files) <= chosen:
        yield f"{where}.split: no file is left for training: test and validation name all of them"


def _known_of_rows(entry: Entry) -> set[str]:
    """What the data tell of each interaction besides user and item."""
    members = entry.get("format", {}).get("members", [])
    told = {"behavior"} if members and all("behavior" in member for member in members) else set()
    if entry["reader"] == "table":
        return set(entry.get("columns", {})) | told
    if entry["reader"] == "synthetic" and entry.get("generator", {}).get("behaviors"):
        return {"behavior", "time"}
    return set()


def _lacks(entry: Entry, what: str) -> str:
    remedy = {
        "table": f"set columns.{what}",
        "synthetic": "set generator.behaviors, which brings behaviors and times"
        if what != "rating"
        else "the reader synthetic makes none",
        "adjacency": "the reader adjacency reads none",
    }[entry["reader"]]
    return f"the data have no {what}: {remedy}"


def _moment(where: str, text: str) -> Iterator[str]:
    try:
        parse_moment(text, where)
    except InputError as error:
        yield str(error)
