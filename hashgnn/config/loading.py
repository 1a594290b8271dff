"""What Snakemake makes of config files and of --config without a word."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from hashgnn.errors import InputError

_MERGE = "tag:yaml.org,2002:merge"  # the key <<, which may stand several times


def refuse_repeated_keys(files: Iterable[Path | str]) -> None:
    """``InputError`` if a mapping in one of the YAML or JSON files has a key twice.

    YAML loaders keep the last one.
    """
    mistakes: list[str] = []
    for file in files:
        with suppress(yaml.YAMLError):  # JSON that is no YAML, or a file that Snakemake refuses
            mistakes += _repeated_keys(str(file), Path(file).read_text(encoding="utf-8"))
    _refuse(mistakes)


def with_types(config: Mapping[str, Any], arguments: Iterable[str]) -> dict[str, Any]:
    """``config`` with nested values of ``--config KEY=VALUE`` as a config file would have them.

    Snakemake hands on all that is nested as texts: 64 in ``training={epochs: 64}`` too.
    """
    made = dict(config)
    for argument in arguments:
        key, _, text = argument.partition("=")
        if key not in made or not text.lstrip().startswith(("{", "[")):
            continue
        try:
            refuse_repeated_keys_in(f"--config {key}", text)
            texts = yaml.BaseLoader(text).get_single_data()  # texts alone, as Snakemake has them
            typed = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InputError(f"--config {argument}: cannot be read as YAML ({error})") from error
        made[key] = _typed(made[key], texts, typed)
    return made


def refuse_repeated_keys_in(where: str, text: str) -> None:
    """``InputError`` if a mapping in ``text``, the YAML given at ``where``, has a key twice."""
    _refuse(_repeated_keys(where, text))


def _refuse(mistakes: Iterable[str]) -> None:
    if lines := list(dict.fromkeys(mistakes)):
        raise InputError("\n".join(lines))


def _repeated_keys(where: str, text: str) -> Iterator[str]:
    # JSON may be indented by tabs, which YAML refuses; no text in JSON holds one.
    root = yaml.compose(text.replace("\t", " "), Loader=yaml.SafeLoader)
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
    """``found`` with what came from ``text`` replaced by its counterpart in ``typed``."""
    if isinstance(found, Mapping) and isinstance(text, Mapping):
        named = {str(key): value for key, value in typed.items()}
        return {k: _typed(v, text[k], named[k]) if k in named else v for k, v in found.items()}
    if isinstance(found, list) and isinstance(text, list) and len(found) == len(text):
        return [_typed(*three) for three in zip(found, text, typed, strict=True)]
    return typed if found == text else found
