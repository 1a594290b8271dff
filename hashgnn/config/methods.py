"""Sections of the configuration about methods: entries, hyper-parameters, tuning, looks."""

from collections.abc import Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field

from hashgnn.config.base import Bits, Count, Line, Matching, Section, Seed, Several, distinct
from hashgnn.config.evaluation import showing_models
from hashgnn.errors import InputError, did_you_mean

# Tuning: search spaces, and the budget of each study.

# A value of a hyper-parameter; lists are those of layers, such as fanouts.
Choice = int | float | bool | str | tuple[int, ...]


class Dimension(Section):
    """The values of a hyper-parameter that tuning may try: a range, or choices.

    The value that the config gives to the hyper-parameter is one of them in any case.
    """

    low: int | float | None = None
    """Lower bound, included. If both bounds are whole numbers, so are the values."""

    high: int | float | None = None
    """Upper bound, included."""

    log: bool = False
    """Whether the values of a range are drawn evenly on a logarithmic scale."""

    choices: Several[Choice] | None = None
    """The values, if they are no range: numbers, text, or lists such as those of `fanouts`."""

    def check(self) -> None:
        """Raise ``InputError`` unless the keys describe a range or choices."""
        if self.choices is not None:
            if self.low is not None or self.high is not None or self.log:
                raise InputError("choices: given besides low, high or log; keep one kind")
        elif self.low is None or self.high is None:
            raise InputError("low: expected low and high, or choices")
        elif self.low >= self.high:
            raise InputError(f"high: expected more than low ({self.low:g}), got {self.high:g}")
        elif self.log and self.low <= 0:
            raise InputError(f"low: expected more than 0, as log is true, got {self.low:g}")

    def ends(self) -> Iterator[Any]:
        """Yield the choices, or the bounds of the range."""
        yield from self.choices or (self.low, self.high)


Space = Annotated[dict[str, Dimension], Field(min_length=1)]


class Tuning(Section):
    """Studies that choose hyper-parameters on the validation part, one per method and data set.

    A study trains a method with settings from its search space (the key `tuning` of its entry);
    the first is that of the config. A trial that is behind the others after some epochs ends
    early (successive halving). Every study has the same limits and ends at the first that it
    reaches; an interrupted one resumes. It is made where `settings: tuned` needs it, for
    `results/tuning.csv`, or by `make tune`.
    """

    datasets: Several[str]
    """Ids of the data sets."""

    bits: Bits = 32
    """Length of the codes."""

    seed: Seed = 0
    """Seed of the draw of settings and of the trainings."""

    trials: Count = 24
    """Settings per study, with that of the config."""

    seconds: Count = 1200
    """Processor seconds per study. The trial that reaches the limit ends after its epoch."""

    reduction: Annotated[int, Field(ge=2)] = 2
    """One of so many trials goes on at each rung of successive halving."""

    least_epochs: Count = 4
    """Epochs of the first rung; each following one has `reduction` times as many."""


# Methods.

Config = Mapping[str, Any]

Module = Annotated[
    str,
    Matching(
        "hashgnn([.][A-Za-z_][A-Za-z0-9_]*)+", "a module of this package, such as hashgnn.models.mf"
    ),
]
Color = Annotated[str, Matching("#[0-9A-Fa-f]{6}", "a color as #RRGGBB, in quotes")]
# Shapes of matplotlib that differ at print size, filled or open.
Shape = Literal["o", "s", "D", "^", "v", "P", "X", "*", "<", ">"]
Open = Literal[
    "open o",
    "open s",
    "open D",
    "open ^",
    "open v",
    "open P",
    "open X",
    "open *",
    "open <",
    "open >",
]
Marker = Literal[Shape, Open]


def _shown(names: tuple[str, ...]) -> tuple[str, ...]:
    known = showing_models()
    for name in names:
        if name not in known:
            nearest = did_you_mean(name, known)
            raise ValueError(
                f"{name}: not a figure or table of models; known: {', '.join(known)}{nearest}"
            )
    return distinct(names)


class Printed(Section):
    """What a paper prints of a method, where the entry has other values."""

    shown_in: Annotated[tuple[str, ...], AfterValidator(_shown)] | None = None
    """In place of the entry's `shown_in`."""

    negatives: Count | None = None
    """In place of the entry's `negatives`."""

    parameters: dict[str, Any] = Field(default_factory=dict)
    """Updates the entry's `parameters`."""

    per_dataset: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Updates the entry's `per_dataset`."""


class Model(Section):
    """A method and its hyper-parameters, shown as a curve in figures and as a row in tables."""

    name: Line
    """Name in figures and tables."""

    module: Module
    """Python module of the method, in this package; its class `Parameters` defines the
    hyper-parameters."""

    color: Color | None = None
    """Color in figures, such as `"#D55E00"`. By default one of a palette of sixteen, if possible
    one that no other model has."""

    marker: Marker | None = None
    """Marker in figures: one of matplotlib's `o s D ^ v P X * < >`, or the same with a white face,
    such as `open o`. By default, if possible, one that no other model has. No two models have both
    color and marker the same."""

    place: Line | None = None
    """Its rank in the paper's tables 2 and 3, shown as given."""

    shown_in: Annotated[tuple[str, ...], AfterValidator(_shown)] = ()
    """Figures and tables that show it. Has no effect on those whose grid lists `models`."""

    continuous: bool = False
    """Whether tables rank it by inner product because it has no codes of its own."""

    pretrained: str | None = None
    """Id of the model whose vectors this one hashes; it is trained first, for the same data set,
    bits and seed."""

    shared_training: bool = True
    """Whether the shared hyper-parameters of `training` and the negatives of `triplets` apply to
    it. False for methods that train no encoder."""

    own_layers: Count | None = None
    """For a method that ignores the shared encoder and propagates vectors as wide as a code over
    whole neighborhoods: the number of its layers, by which memory and run time are estimated."""

    baseline: bool = False
    """Whether every other model has to be better than this one, which the checks of the results
    compare."""

    negatives: Count | None = None
    """Negatives per training interaction; by default `triplets.per_interaction`."""

    parameters: dict[str, Any] = Field(default_factory=dict)
    """Hyper-parameters of the method, and shared ones that differ from `training`."""

    per_dataset: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Hyper-parameters that differ for a data set: `{gowalla: {epochs: 40}}`. Nested ones, such as
    `guidance`, are updated, not replaced."""

    printed: Printed | None = None
    """Updates the entry if `settings` is `printed`, as in `config/paper.yaml`."""

    tuning: Space | None = None
    """The search space of tuning, by hyper-parameter; dotted keys such as `guidance.floor` name
    nested ones. Models without this key are not tuned."""


class Triplets(Section):
    """Negatives of the training interactions."""

    per_interaction: Count
    """Items drawn for each training interaction, uniformly from those the user has no training
    interaction with."""

    rounds: Count
    """Independent draws; epoch e trains on draw e modulo this number."""


class Training(Section):
    """How every method is trained, besides the hyper-parameters that graph methods share."""

    refit: bool = False
    """Whether to train once more after validation has chosen the epoch: on the training and
    validation parts together, for as many epochs, on the same schedules, never looking at the test
    part. For all methods, those without an encoder too. Tuning needs `false`."""


def refits(config: Config) -> bool:
    """Return whether trainings end with a refit."""
    return bool(config["training"].get("refit", False))


def parameters(config: Config, dataset: str, model: str) -> dict[str, Any]:
    """Return the hyper-parameters of a model on a data set.

    Later values take precedence: ``training``, the data set's ``training``, the model's
    ``parameters``, and its ``per_dataset``. The first two apply to models with shared training
    only. Nested mappings are merged.
    """
    entry = config["models"][model]
    shared = [shared_parameters(config), config["datasets"][dataset].get("training", {})]
    own = [entry.get("parameters", {}), entry.get("per_dataset", {}).get(dataset, {})]
    return reduce(merged, (shared if takes_training(config, model) else []) + own, {})


def shared_parameters(config: Config) -> dict[str, Any]:
    """Return the hyper-parameters of ``training``."""
    return {k: v for k, v in config["training"].items() if k not in Training.model_fields}


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``below`` updated with ``above``, recursively for nested mappings."""
    made = dict(below)
    for key, value in above.items():
        nested = isinstance(value, Mapping) and isinstance(made.get(key), Mapping)
        made[key] = merged(made[key], value) if nested else value
    return made


def with_values(parameters: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of ``parameters`` with ``values`` set; dots in keys lead into nested ones.

    Of a nested mapping those keys that are given are updated. Raises ``InputError`` if a key leads
    into a value that is not a mapping.
    """
    made = dict(parameters)
    for key, value in values.items():
        first, dot, rest = key.partition(".")
        if not dot:
            made = merged(made, {key: value})
        elif isinstance(inner := made.get(first, {}), Mapping):
            made[first] = with_values(inner, {rest: value})
        else:
            raise InputError(f"{key}: {first} is {inner!r}, which has no keys to set")
    return made


def value_of(parameters: Mapping[str, Any], key: str) -> Any:
    """Return a hyper-parameter's value; dots in ``key`` lead into nested ones.

    Raises ``KeyError`` if there is none.
    """
    value: Any = parameters
    for part in key.split("."):
        if not isinstance(value, Mapping):
            raise KeyError(key)
        value = value[part]
    return value


def takes_training(config: Config, model: str) -> bool:
    """Return whether the shared hyper-parameters and negatives apply to a model."""
    return shares_training(config["models"][model])


def shares_training(entry: Mapping[str, Any]) -> bool:
    """Return whether the shared hyper-parameters and negatives apply to an entry of ``models``."""
    return entry.get("shared_training", True)


def negatives(config: Config, model: str) -> int:
    """Return the number of negatives per training interaction."""
    return config["models"][model].get("negatives", config["triplets"]["per_interaction"])


def negative_rounds(config: Config, dataset: str) -> int:
    """Return the number of independent draws of negatives for a data set."""
    return config["datasets"][dataset].get("negative_rounds") or config["triplets"]["rounds"]


def named_modules(config: Config) -> list[str]:
    """Return the Python modules of all methods and encoders that trainings may use."""
    methods = {entry["module"] for entry in config["models"].values()}
    encoders = {
        parameters(config, dataset, model).get("encoder")
        for dataset in config["datasets"]
        for model in config["models"]
    }
    return sorted(methods | {name for name in encoders if isinstance(name, str)})


def check_modules(config: Config, root: Path) -> None:
    """Raise ``InputError`` for models whose module is no file below ``root``; a line for each."""
    folder = root / "hashgnn/models"
    known = [f"hashgnn.models.{path.stem}" for path in folder.glob("[!_]*.py")]
    missing = [
        f"models.{id}.module: no module {entry['module']} in {root}"
        f"{did_you_mean(entry['module'], known)}"
        for id, entry in config["models"].items()
        if not _is_module(root.joinpath(*entry["module"].split(".")))
    ]
    if missing:
        raise InputError("\n".join(missing))


def _is_module(path: Path) -> bool:
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


class Look(NamedTuple):
    """Hexadecimal color and marker of a method, in figures and on the results page."""

    color: str
    marker: str


# The first eight colors are Okabe and Ito's (2008), with a gray for their yellow. Any two are 0.12
# or more apart in OKLab, and all have a contrast of 2.2 or more to white.
PALETTE = tuple(
    Look(f"#{color}", marker)
    for color, marker in (
        *(("D55E00", "o"), ("E69F00", "s"), ("CC79A7", "D"), ("0072B2", "^")),
        *(("56B4E9", "v"), ("009E73", "P"), ("7F7F7F", "X"), ("000000", "*")),
        *(("332288", "open o"), ("613600", "open s"), ("78C000", "<"), ("E6006E", ">")),
        *(("8F7F00", "open D"), ("06561E", "open ^"), ("8B0A3C", "open v"), ("9A3FE8", "open *")),
    )
)


def looks(models: Mapping[str, Any]) -> dict[str, Look]:
    """Return the look of each of ``models``, by id.

    Missing colors and markers are taken from the palette: if possible a color and a marker that no
    other model has, else a combination that no other model has. The palette is searched from its
    end, whose entries are used by methods that no figure shows.
    """
    given = {id: (entry.get("color"), entry.get("marker")) for id, entry in models.items()}
    made = {id: Look(c.upper(), m) for id, (c, m) in given.items() if c and m}
    for id, (color, marker) in given.items():
        if id not in made:
            made[id] = _free(color, marker, list(made.values()))
    return {id: made[id] for id in models}


def _free(color: str | None, marker: str | None, used: list[Look]) -> Look:
    colors, markers = ({look[part] for look in used} for part in (0, 1))
    backwards = PALETTE[::-1]
    pairs = [
        Look((color or one.color).upper(), marker or other.marker)
        for shift in range(len(PALETTE))
        for one, other in zip(backwards, backwards[shift:] + backwards[:shift], strict=True)
    ]
    return min(pairs, key=lambda p: (p in used, p.color in colors, p.marker in markers))


def same_looks(models: Mapping[str, Any]) -> list[str]:
    """Return a line for each pair of models with the same color and marker."""
    seen: dict[Look, str] = {}
    lines = []
    for id, look in looks(models).items():
        if look in seen:
            lines.append(
                f"models.{id}.color: {id} and {seen[look]} have the same color and marker, "
                f"{look.color} {look.marker!r}; change one of them"
            )
        seen.setdefault(look, id)
    return lines
