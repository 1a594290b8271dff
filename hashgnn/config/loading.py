"""Read configuration files and ``--config`` more strictly than Snakemake does."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from hashgnn.errors import InputError

# libyaml's loader takes a tenth of the time of the one in Python.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"  # the key <<, which may occur several times


def refuse_repeated_keys(files: Iterable[Path | str]) -> None:
    """Refuse YAML or JSON files with repeated keys, of which loaders keep the last.

    Raises:
        InputError: With the file, line and key of each repetition.
    """
    mistakes: list[str] = []
    for file in files:
        with suppress(yaml.YAMLError):  # JSON that is not YAML, or a file that Snakemake refuses
            mistakes += _repeated_keys(str(file), Path(file).read_text(encoding="utf-8"))
    _refuse(mistakes)


def with_types(config: Mapping[str, Any], arguments: Iterable[str]) -> dict[str, Any]:
    """Return ``config`` with typed values where ``--config KEY=VALUE`` is nested.

    Snakemake passes nested values as text, such as the 64 in ``training={epochs: 64}``.

    Args:
        config: The configuration as Snakemake merged it.
        arguments: The values of ``--config``.

    Raises:
        InputError: A value is not YAML.
    """
    made = dict(config)
    for argument in arguments:
        key, _, text = argument.partition("=")
        if key not in made or not text.lstrip().startswith(("{", "[")):
            continue
        try:
            refuse_repeated_keys_in(f"--config {key}", text)
            texts = yaml.BaseLoader(text).get_single_data()  # all values as text, as in Snakemake
            typed = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InputError(f"--config {argument}: not valid YAML ({error})") from error
        made[key] = _typed(made[key], texts, typed)
    return made


def in_order(config: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """Return ``config`` with the entries of each section in the order of ``file``, others last.

    Snakemake puts the entries of a user's files first, whatever these change in them, while tables
    compare methods with the first one.
    """
    order = _LOADER(file.read_text(encoding="utf-8")).get_single_data()
    return {key: _sorted(section, order.get(key)) for key, section in config.items()}


def _sorted(section: Any, order: Any) -> Any:
    if not isinstance(section, Mapping) or not isinstance(order, Mapping):
        return section
    return {key: section[key] for key in dict.fromkeys([*order, *section]) if key in section}


def refuse_repeated_keys_in(where: str, text: str) -> None:
    """Raise ``InputError`` if a mapping in ``text`` has a key twice; ``where`` names the text."""
    _refuse(_repeated_keys(where, text))


def _refuse(mistakes: Iterable[str]) -> None:
    if lines := list(dict.fromkeys(mistakes)):
        raise InputError("\n".join(lines))


def _repeated_keys(where: str, text: str) -> Iterator[str]:
    # JSON may be indented by tabs, which YAML does not allow. JSON strings contain no tabs.
    root = yaml.compose(text.replace("\t", " "), Loader=_LOADER)
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop(0)
        if id(node) in seen:  # by an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [value for _, value in node.value]
            yield from _repeated_in(where, [key for key, _ in node.value])


def _repeated_in(where: str, keys: Iterable[yaml.Node]) -> Iterator[str]:
    first: dict[str, int] = {}
    for key in keys:
        line = key.start_mark.line + 1
        if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
            if key.value in first:
                before = "before" if first[key.value] == line else f"in line {first[key.value]}"
                yield f"{where}, line {line}: the key {key.value} was given {before}; keep one"
            first.setdefault(key.value, line)


def _typed(found: Any, text: Any, typed: Any) -> Any:
    """Return ``found`` with what came from ``text`` replaced by its counterpart in ``typed``."""
    if isinstance(found, Mapping) and isinstance(text, Mapping):
        named = {str(key): value for key, value in typed.items()}
        return {k: _typed(v, text[k], named[k]) if k in named else v for k, v in found.items()}
    if isinstance(found, list) and isinstance(text, list) and len(found) == len(text):
        return [_typed(*three) for three in zip(found, text, typed, strict=True)]
    return typed if found == text else found
