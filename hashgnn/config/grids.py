"""Sections of the configuration about runs: grids of figures and tables, sweeps, tuning."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from hashgnn.config.base import Bits, Count, Line, Matching, Section, Seed, Several
from hashgnn.errors import InputError

# A value stands in the name of a folder.
Value = int | float | Annotated[str, Matching("[A-Za-z0-9._-]+", "letters, digits, . _ and -")]


class DataGrid(Section):
    """The data sets that a table shows."""

    datasets: Several[str]
    """Ids of data sets."""


class Grid(DataGrid):
    """The trainings that a figure or table is made of: each data set, model, length and seed."""

    models: Several[str] | None = None
    """Ids of models. By default those whose `shown_in` names the figure or table, in the order of
    their entries."""

    bits: Several[Bits]
    """Lengths of the codes. With several, figures have a row of panels for each and tables rows;
    methods are compared within one length."""

    seeds: Several[Seed]
    """Seeds of the trainings."""


class SweptGrid(DataGrid):
    """The trainings of sweeps: each data set, value of a sweep, length and seed."""

    sweeps: Several[str]
    """Ids of sweeps; each value is a model of its own."""

    bits: Several[Bits]
    """Lengths of the codes, where a sweep does not vary them."""

    seeds: Several[Seed]
    """Seeds of the trainings."""


class GuidanceGrid(Grid):
    """The trainings of a model and of a sweep of it."""

    sweeps: Annotated[tuple[str, ...], Field(min_length=1, max_length=1)]
    """Id of one sweep, of a model in `models`."""


class Grids(Section):
    """For each figure and table, the runs that it is made of; null for one that is not made."""

    fig1: Grid | None = None
    """Figure 1: recall by codes and by continuous vectors."""

    fig3: Grid | None = None
    """Figure 3: recall of Hamming and of hierarchical search."""

    fig4: Grid | None = None
    """Figure 4: loss in the course of training."""

    fig5: SweptGrid | None = None
    """Figure 5: recall as hyper-parameters vary."""

    fig6: Grid | None = None
    """Figure 6: AUC in the course of training."""

    fig7: GuidanceGrid | None = None
    """Figure 7: recall at fixed p beside that of guidance."""

    table1: DataGrid | None = None
    """Table 1: sizes of the data sets."""

    table2: Grid | None = None
    """Table 2: hierarchical search on the public data sets; the first model is compared with each
    other one."""

    table3: Grid | None = None
    """Table 3: the same on Alibaba's data, or what stands in for them."""

    table4: Grid | None = None
    """Table 4: seconds of the searches."""

    methods: Grid | None = None
    """Table of all methods by codes and by vectors (`config/all_methods.yaml`)."""

    encoders: Grid | None = None
    """Table of one method on several encoders (`config/encoders.yaml`)."""

    published: Grid | None = None
    """Methods beside what others report on the same splits (`config/published.yaml`)."""


# Cutoffs that figures and tables show.
CUTOFFS = {
    **dict.fromkeys(("fig5", "fig7", "tuning"), (50,)),
    **dict.fromkeys(("table2", "table3", "methods", "encoders"), (50, 100)),
    "published": (20,),
}


def showing_models() -> list[str]:
    """Return the figures and tables that show models: those which ``shown_in`` may name."""
    kinds = {name: field.annotation for name, field in Grids.model_fields.items()}
    return [name for name, kind in kinds.items() if kind not in (SweptGrid | None, DataGrid | None)]


def check_cutoffs(config: Mapping[str, Any], name: str) -> None:
    """Raise ``InputError`` if ``name`` shows lists of a length that is not evaluated.

    Args:
        config: The resolved configuration.
        name: A figure or table that is about to be made, or ``tuning``.
    """
    cutoffs, needed = config["evaluation"]["cutoffs"], CUTOFFS.get(name, ())
    if lacking := [n for n in needed if n not in cutoffs]:
        raise InputError(
            f"evaluation.cutoffs: {_text(cutoffs)}: {name} shows lists of {_text(needed)}: "
            f"add {_text(lacking)}, or ask for other figures and tables (grids: {{{name}: null}})"
        )


def _text(numbers: Any) -> str:
    return ", ".join(map(str, numbers))


class Sweep(Section):
    """Hyper-parameters that a figure varies; each value makes a model of its own."""

    name: Line
    """How the axis of the figure is called."""

    model: str
    """Id of the model that is trained for each value."""

    vary: Several[str]
    """The keys that take the value, all of them the same: hyper-parameters (a dot leads into a
    nested one: `guidance.floor`) or `negatives`. `bits`, alone, varies the length of the code."""

    values: Several[Value]
    """Numbers or texts. A value that the model has anyway on a data set is the model's own run, and
    is not trained again."""

    def check(self) -> None:
        """Raise ``InputError`` for lengths of codes that are varied with another key."""
        if "bits" in self.vary and len(self.vary) > 1:
            raise InputError("vary: bits can only be varied alone")


class Tuning(Section):
    """Settings that are tried on the validation part, for `results/tuning.csv`.

    Tuning is a target of its own (`snakemake -j8 results/tuning.csv`), not a part of everything: it
    takes long. The table has all that was tried. Models with the key `tuning` are tuned. The config
    holds what is used; where tuning found better values, the job says so, and to take them over is
    an edit of `models`.
    """

    datasets: Several[str]
    """Ids of the data sets that are tuned on."""

    bits: Bits = 32
    """Length of the codes."""

    seed: Seed = 0
    """Seed of the draw of settings and of the trainings."""

    budget: Count = 8
    """Settings tried of each model on each data set: what the config has, and others drawn from its
    space."""

    training: dict[str, Any] = Field(default_factory=dict)
    """Hyper-parameters of all trials besides, such as `{epochs: 8}` to shorten them."""


def unusable_counts(keys: tuple[str, ...], values: Any, is_shared: bool) -> Iterator[str]:
    """Yield what is wrong with values of ``bits`` or ``negatives``, where ``keys`` are these.

    Args:
        keys: Keys that are varied or tuned.
        values: Their values.
        is_shared: Whether the model takes the workflow's negatives.
    """
    most = 1024 if "bits" in keys else 2**31 - 1
    if "bits" in keys or ("negatives" in keys and is_shared):
        for value in values:
            if not isinstance(value, int) or not 1 <= value <= most:
                yield f"expected whole numbers from 1 to {most:,}, got {value!r}"
