"""The whole configuration: read its files, parse it, check it, and fill in derived values."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from hashgnn.config.base import Id, Line, Matching, Section, parse
from hashgnn.config.data_sets import RANDOM_TEST, DataSet
from hashgnn.config.evaluation import (
    Checks,
    EvaluationSettings,
    Grids,
    Sweep,
    TimingSettings,
    unusable_counts,
)
from hashgnn.config.methods import Model, Training, Triplets, Tuning, looks, merged, same_looks
from hashgnn.errors import InputError, did_you_mean

Device = Annotated[
    str, Matching("auto|cpu|cuda|cuda:[0-9]+", "auto, cpu, cuda or cuda: and a number")
]


class Configuration(Section):
    """The configuration of the workflow."""

    workdir: Line | None = None
    """Folder for `results/` and `figures/`, relative to the folder in which Snakemake is started,
    which is the default."""

    device: Device = "auto"
    """Where to train: `auto` (a GPU where there is one), `cpu`, `cuda`, `cuda:1`."""

    mirror: Line | None = None
    """Folder or base URL that is tried before the addresses of the data sets. It holds files as
    `<mirror>/<dataset>/<file>`. A file must match its checksum in `datasets` and its checksum in
    the mirror's `SHA256SUMS`, if it has these. Edits of files in a folder are noticed even without
    a checksum in `datasets`."""

    mirror_checksums: Literal["check", "trust"] = "check"
    """`trust`: the checksums in the mirror's `SHA256SUMS` replace those in `datasets`, for a mirror
    of other versions. The provenance of the download states which were checked."""

    tensorboard: bool = False
    """Whether trainings also write losses and validation results for TensorBoard, to `tensorboard/`
    in their result folder; needs `pip install tensorboard`."""

    datasets: dict[Id, DataSet]
    """Data sets by id (letters, digits, `_`, `-`)."""

    triplets: Triplets
    """Negatives of the training interactions."""

    training: dict[str, Any]
    """Hyper-parameters that all graph methods share."""

    models: dict[Id, Model]
    """Methods with their hyper-parameters, by id."""

    sweeps: dict[Id, Sweep] = Field(default_factory=dict)
    """Hyper-parameters that figures vary, by id."""

    evaluation: EvaluationSettings = EvaluationSettings()
    """How rankings are measured."""

    timing: TimingSettings = TimingSettings()
    """How searches are timed, for table 4."""

    settings: Literal["config", "printed", "tuned"] = "config"
    """Where the hyper-parameters of trainings come from: `config`, the entries of `models`;
    `printed`, the same, updated by what each entry has under `printed`; `tuned`, the studies of
    `tuning`, which are made first, on its data sets and for the models that have a search
    space. `config/tuned.yaml` holds what shipped studies chose, without a study."""

    existing: bool = False
    """Show only trainings whose results exist, such as those restored from records: figures and
    tables leave out the others, and nothing is trained (`config/pages.yaml`)."""

    tuning: Tuning | None = None
    """Studies that choose hyper-parameters on the validation part."""

    checks: Checks = Checks()
    """Checks of the results."""

    grids: Grids
    """The runs that each figure and table shows; null if it is not made."""

    def check(self) -> None:
        """Raise ``InputError`` for sections that contradict each other."""
        of_all = {key: self.training[key] for key in Training.model_fields if key in self.training}
        parse(Training, of_all, "training")
        if (found := self.evaluation.candidates) < (needed := self.evaluation.validation_cutoff):
            raise InputError(
                f"evaluation.candidates: expected evaluation.validation_cutoff ({needed}) or more, "
                f"got {found}"
            )
        mistakes = [*self._of_grids(), *self._of_sweeps(), *self._of_models(), *self._of_tuning()]
        if mistakes:
            raise InputError("\n".join(mistakes))

    def _of_grids(self) -> Iterator[str]:
        for name, grid in self.grids:
            if grid is None:
                continue
            models = _shown_in(name, grid, self.models)
            if models == ():
                yield f"grids.{name}.models: missing; list models, or add {name} to their shown_in"
            shown = {"datasets": grid.datasets, "models": models or ()}
            for kind, ids in {**shown, "sweeps": getattr(grid, "sweeps", ())}.items():
                yield from self._unless_known(f"grids.{name}.{kind}", kind, ids)
            for kind, ids in shown.items():
                yield from self._same_names(f"grids.{name}.{kind}", kind, ids)
            for model in getattr(grid, "bits_of", ()):
                if models and model not in models:
                    among, nearest = ", ".join(models), did_you_mean(model, models)
                    yield f"grids.{name}.bits_of: {model} is none of its models: {among}{nearest}"
        if (guided := self.grids.fig7) and guided.sweeps[0] in self.sweeps:
            model = self.sweeps[guided.sweeps[0]].model
            if model not in (_shown_in("fig7", guided, self.models) or ()):
                yield f"grids.fig7.models: lacks {model}, whose p falls"

    def _unless_known(self, where: str, kind: str, names: Any) -> Iterator[str]:
        known = getattr(self, kind)
        for name in names:
            if name not in known:
                among, nearest = ", ".join(sorted(known)), did_you_mean(name, known)
                yield f"{where}: unknown {name}; known {kind}: {among}{nearest}"

    def _same_names(self, where: str, kind: str, ids: Any) -> Iterator[str]:
        """Yield a message for each name that several of ``ids`` have, as readers confuse these."""
        by_name: dict[str, list[str]] = {}
        for id in ids:
            if id in getattr(self, kind):
                by_name.setdefault(getattr(self, kind)[id].name, []).append(id)
        for name, same in by_name.items():
            if len(same) > 1:
                yield f"{where}: {' and '.join(same)} have the same name, {name!r}"

    def _of_sweeps(self) -> Iterator[str]:
        for name, sweep in self.sweeps.items():
            where = f"sweeps.{name}"
            yield from self._unless_known(f"{where}.model", "models", [sweep.model])
            if model := self.models.get(sweep.model):
                yield from _unknown_blocks(f"{where}.vary", sweep.model, model, sweep.vary)
                for mistake in unusable_counts(sweep.vary, sweep.values, model.shared_training):
                    yield f"{where}.values: {mistake}"

    def _of_models(self) -> Iterator[str]:
        for id, model in self.models.items():
            where, base = f"models.{id}", model.pretrained
            yield from self._unless_known(f"{where}.per_dataset", "datasets", model.per_dataset)
            if base is not None:
                yield from self._unless_known(f"{where}.pretrained", "models", [base])
                if base in self.models and self.models[base].pretrained is not None:
                    yield f"{where}.pretrained: {base} itself uses the vectors of another model"
        yield from same_looks(_dumped(self.models))

    def _of_tuning(self) -> Iterator[str]:
        if self.tuning is not None:
            yield from self._unless_known("tuning.datasets", "datasets", self.tuning.datasets)
        elif self.settings == "tuned":
            yield "settings: tuned needs the section tuning, which is missing; add it"
        for id, model in self.models.items():
            where = f"models.{id}.tuning"
            shared = set(self.training) if model.shared_training else set()
            known = (shared - set(Training.model_fields)) | set(model.parameters)
            yield from _unknown_blocks(where, id, model, model.tuning or ())
            for key in model.tuning or ():
                if key == "negatives" and model.shared_training:
                    yield f"{where}.negatives: drawn before the training, not tuned; remove it"
                elif key.split(".")[0] not in known:
                    nearest = did_you_mean(key, known)
                    yield f"{where}.{key}: not set in models.{id}.parameters or training{nearest}"


def _unknown_blocks(where: str, id: str, model: Model, keys: Any) -> Iterator[str]:
    """Yield a message for each dotted key whose first part the model does not set."""
    for key in keys:
        first, *nested = key.split(".")
        if nested and not isinstance(found := model.parameters.get(first), Mapping):
            if found is None:
                yield f"{where}: {key}: models.{id}.parameters has no mapping {first}"
            else:
                yield f"models.{id}.parameters.{first}: expected a mapping, got {found!r}"


def _shown_in(name: str, grid: Any, models: Mapping[str, Model]) -> tuple[str, ...] | None:
    """Return the models of a grid: those it lists, else those whose ``shown_in`` names it.

    None if the grid has no models.
    """
    if "models" not in type(grid).model_fields:
        return None
    return grid.models or tuple(id for id, model in models.items() if name in model.shown_in)


def resolve(config: Mapping[str, Any]) -> dict[str, Any]:
    """Check a configuration and return it with defaults and derived values.

    Derived are the test share of random splits, the models of grids that do not list them, the
    colors and markers of models, and ``tuning.spaces``, the search spaces of all models. Grids that
    are null are left out.

    Raises:
        InputError: With one line per mistake: the key, what was found, what was expected.
    """
    configuration = parse(Configuration, as_printed(config))
    made: dict[str, Any] = _dumped(configuration)
    made = {"workdir": None, "mirror": None, **made}
    for entry in made["datasets"].values():
        if entry["split"]["by"] == "random":
            entry["split"].setdefault("test", RANDOM_TEST)
    for id, look in looks(made["models"]).items():
        made["models"][id] |= look._asdict()
        made["models"][id].pop("printed", None)
    for name, grid in configuration.grids:
        if grid is not None and (models := _shown_in(name, grid, configuration.models)):
            made["grids"][name]["models"] = list(models)
    if "tuning" in made:
        entries = made["models"].items()
        made["tuning"]["spaces"] = {id: e["tuning"] for id, e in entries if "tuning" in e}
    return made


def as_printed(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a configuration with its models updated by their ``printed``, if it asks for that."""
    models = config.get("models")
    if config.get("settings") != "printed" or not isinstance(models, Mapping):
        return config
    return {**config, "models": {id: _updated(entry) for id, entry in models.items()}}


def _updated(entry: Any) -> Any:
    """Return a model's entry with its ``printed`` merged in, unless either is no mapping."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("printed"), Mapping):
        return entry
    return merged({key: entry[key] for key in entry if key != "printed"}, entry["printed"])


def _dumped(value: Any) -> Any:
    """Return ``value`` in the types of JSON, without the keys of a section that are None."""
    if isinstance(value, Section):
        return {name: _dumped(inner) for name, inner in value if inner is not None}
    if isinstance(value, Mapping):
        return {key: _dumped(inner) for key, inner in value.items()}
    return [_dumped(inner) for inner in value] if isinstance(value, list | tuple) else value


def base_folder(started_in: str, main_process: bool) -> str:
    """Return the folder where the user started Snakemake, to which configured paths are relative.

    Executors may start a job in another folder; Slurm's starts it in the working directory. The
    main process therefore saves the folder in the environment, which jobs inherit.

    Args:
        started_in: The folder where this process started.
        main_process: Whether this is the process that the user started.
    """
    if main_process:
        os.environ["HASHGNN_BASE"] = started_in
    return os.environ.get("HASHGNN_BASE", started_in)


# Reading files and ``--config`` more strictly than Snakemake does.

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
