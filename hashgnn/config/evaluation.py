"""Sections of the configuration about what is measured: evaluation, timing, checks, and grids.

A grid holds the trainings that a figure or table shows; a sweep varies a hyper-parameter.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from hashgnn.config.base import Bits, Count, Line, Matching, Section, Seed, Several
from hashgnn.errors import InputError

# Means over users, and those of the lists of all users together.
OF_RANKS = ("hr", "any_hit", "ndcg", "precision", "mrr", "map")
OF_LISTS = ("coverage", "novelty", "gini")
_SHOWN = ("hr", "ndcg")  # by figures, tables, claims and checks


class ValidationSettings(Section):
    """How validation during a training measures rankings."""

    validation_cutoff: Count = 50
    """Length n of the lists that choose the best epoch of a training, by recall on the validation
    part."""

    candidates: Count = 500
    """Items that hierarchical search takes by Hamming distance and re-ranks by the vectors, in
    validation too; no fewer than the longest list."""


class EvaluationSettings(ValidationSettings):
    """How rankings are measured."""

    cutoffs: Several[Count] = (20, 50, 100, 150, 200)
    """Lengths n of the lists. Tables 2, 3, `methods`, `encoders`, `variants` and `full_size` show
    50 and 100, figures 5, 7, tuning and `quantization` 50, figure 10 and `published` 20: one that
    lacks its own is refused when it is asked for."""

    metrics: Several[
        Literal["hr", "any_hit", "ndcg", "precision", "mrr", "map", "coverage", "novelty", "gini"]
    ] = ("hr", "any_hit", "ndcg")
    """What `metrics.csv` holds: recall, which is the paper's HR (`hr`), hit rate (`any_hit`),
    `ndcg`, `precision`, `mrr` and `map` are means over users; `coverage`, `novelty` and `gini` are
    of the lists of all users together. Figures and tables need `hr` and `ndcg`; the page of all
    results shows every one. `docs/glossary.md` defines them."""

    mask_training: bool = True
    """Whether items that a user has in the training or validation part are left out."""

    ndcg: Literal["standard", "retrieved"] = "standard"
    """Ideal of NDCG: `standard`, from all test items; `retrieved`, from those in the top 100, as in
    the authors' code."""

    tie_seed: Seed = 0
    """Seed of the permutation of items that orders ties in lists. Metrics of Hamming search do not
    depend on it."""

    asymmetric: bool = False
    """Whether the searches `asymmetric`, by the inner product of a user's vector with the items'
    codes of -1 and 1, and `asymmetric re-rank`, the same of the `candidates` nearest by Hamming
    distance, are evaluated too. They are not in the paper. They need a bit for each dimension, and
    find what the codes are made for: the signs of vectors, or codes trained for these searches.
    LSH's codes, of random projections, are neither."""

    def check(self) -> None:
        """Raise ``InputError`` for too few candidates, or without metrics that are always shown."""
        if lacking := [name for name in _SHOWN if name not in self.metrics]:
            raise InputError(
                f"metrics: lacks {' and '.join(lacking)}, which figures and tables show"
            )
        if max(self.cutoffs) > self.candidates:
            raise InputError(
                f"candidates: expected the largest of evaluation.cutoffs, {max(self.cutoffs)}, or "
                f"more, got {self.candidates}"
            )


class TimingSettings(Section):
    """How searches are timed, for table 4."""

    threads: Count = 1
    """Threads of each search. The job takes all cores that Snakemake has, so that no other job
    disturbs it, but computes with these."""

    rounds: Count = 5
    """How often each search is run over all users, in turns; the table has the median, the fastest
    and the slowest. A round that did not get 90 % of its processors is run again, up to ten times;
    the table marks it with a star if that did not help."""

    k: Count = 100
    """Items to find for each user. Hierarchical search takes `evaluation.candidates`. No item is
    left out."""


class Checks(Section):
    """Checks of the results, in `results/checks.csv`."""

    baselines: Literal["fail", "report"] = "fail"
    """Whether the run fails if a model is not better than a `baseline`, or only reports it. All
    other checks of trainings and tables fail the run."""

    stale: Literal["fail", "report"] = "fail"
    """Whether the run fails if a result was made by other code or settings than the present ones,
    as those restored from records may be, or `provenance.csv` of the data set only reports it."""


# Grids and sweeps.

# Values become parts of folder names.
Value = int | float | Annotated[str, Matching("[A-Za-z0-9._-]+", "letters, digits, . _ and -")]


class DataGrid(Section):
    """The data sets that a table shows."""

    datasets: Several[str]
    """Ids of data sets."""


class Grid(DataGrid):
    """The trainings that a figure or table shows: all data sets, models, code lengths and seeds."""

    models: Several[str] | None = None
    """Ids of models. By default those whose `shown_in` names the figure or table, in the order of
    their entries."""

    bits: Several[Bits]
    """Code lengths. Figures have a row of panels for each, and tables have rows; methods are
    compared within one length."""

    seeds: Several[Seed]
    """Seeds of the trainings."""


class SweptGrid(DataGrid):
    """The trainings of sweeps: all data sets, values, code lengths and seeds."""

    sweeps: Several[str]
    """Ids of sweeps; each value is trained as a separate model."""

    bits: Several[Bits]
    """Code lengths, for sweeps that do not vary them."""

    seeds: Several[Seed]
    """Seeds of the trainings."""


class GuidanceGrid(Grid):
    """The trainings of a model and of a sweep of it."""

    sweeps: Annotated[tuple[str, ...], Field(min_length=1, max_length=1)]
    """Id of one sweep, of a model in `models`."""


class LengthsGrid(Grid):
    """Trainings whose code lengths may differ between models."""

    bits_of: dict[str, Several[Bits]] = Field(default_factory=dict)
    """Code lengths of single models, by id, in place of `bits`."""


class QueryGrid(LengthsGrid):
    """The trainings whose queries are timed."""

    items: Count = 1_000_000
    """Items of the right panels: those of the data set, repeated."""


class Grids(Section):
    """The runs that each figure and table shows; null if it is not made."""

    fig1: Grid | None = None
    """Figure 1: recall by codes and by continuous vectors."""

    fig3: Grid | None = None
    """Figure 3: recall of Hamming and of hierarchical search."""

    fig4: Grid | None = None
    """Figure 4: loss during training."""

    fig5: SweptGrid | None = None
    """Figure 5: recall by hyper-parameter."""

    fig6: Grid | None = None
    """Figure 6: AUC during training."""

    fig7: GuidanceGrid | None = None
    """Figure 7: recall with fixed p and with the schedule of p."""

    fig8: LengthsGrid | None = None
    """Figure 8, not in the paper: recall by bytes per item, of codes, quantized vectors and floats
    (`config/quantization.yaml`)."""

    fig9: QueryGrid | None = None
    """Figure 9, not in the paper: the same by microseconds of a query."""

    fig10: LengthsGrid | None = None
    """Figure 10, not in the paper: the table `published` as a figure, Recall@20 by bytes per item
    (`config/published.yaml`)."""

    table1: DataGrid | None = None
    """Table 1: sizes of the data sets."""

    table2: Grid | None = None
    """Table 2: hierarchical search on the public data sets; the first model is compared with each
    other one."""

    table3: Grid | None = None
    """Table 3: the same on Alibaba's data, or the data used instead."""

    table4: Grid | None = None
    """Table 4: seconds of the searches."""

    methods: Grid | None = None
    """Table of all methods by codes and by vectors (`config/all_methods.yaml`)."""

    encoders: Grid | None = None
    """Table of one method with several encoders (`config/encoders.yaml`)."""

    variants: Grid | None = None
    """Table of one method, the first of `models`, beside variants of it
    (`config/reproduction.yaml`)."""

    full_size: Grid | None = None
    """The table `methods` on data of Alibaba's size (`config/full_size.yaml`)."""

    published: LengthsGrid | None = None
    """Methods beside what others report on the same splits (`config/published.yaml`)."""

    quantization: LengthsGrid | None = None
    """Recall by bytes per item, of learned codes and of quantized vectors
    (`config/quantization.yaml`)."""

    quantization_verdict: LengthsGrid | None = None
    """Where learned codes beat quantized vectors at equal bytes, and where not."""


# Cutoffs that figures and tables show.
CUTOFFS = {
    **dict.fromkeys(("fig5", "fig7", "fig8", "fig9"), (50,)),
    **dict.fromkeys(("quantization", "quantization_verdict"), (50,)),
    **dict.fromkeys(
        ("table2", "table3", "methods", "encoders", "variants", "full_size"), (50, 100)
    ),
    **dict.fromkeys(("fig10", "published"), (20,)),
}


def showing_models() -> list[str]:
    """Return the figures and tables that show models: those which ``shown_in`` may name."""
    kinds = {name: field.annotation for name, field in Grids.model_fields.items()}
    return [name for name, kind in kinds.items() if kind not in (SweptGrid | None, DataGrid | None)]


def check_cutoffs(config: Mapping[str, Any], name: str) -> None:
    """Raise ``InputError`` if ``name`` needs a cutoff that is not evaluated.

    Args:
        config: The resolved configuration.
        name: A figure or table that is about to be made.
    """
    cutoffs, needed = config["evaluation"]["cutoffs"], CUTOFFS.get(name, ())
    if lacking := [n for n in needed if n not in cutoffs]:
        raise InputError(
            f"evaluation.cutoffs: {name} needs {_text(needed)}, got {_text(cutoffs)}; "
            f"add {_text(lacking)}, or leave {name} out (grids: {{{name}: null}})"
        )


def _text(numbers: Any) -> str:
    return ", ".join(map(str, numbers))


class Sweep(Section):
    """Hyper-parameters that a figure varies; each value is trained as a separate model."""

    name: Line
    """Label of the axis."""

    model: str
    """Id of the model that is trained for each value."""

    vary: Several[str]
    """Keys that are all set to the value: hyper-parameters (dotted keys such as `guidance.floor`
    name nested ones) or `negatives`. `bits`, which must be the only key, varies the code length."""

    values: Several[Value]
    """Numbers or text. A value that equals the model's own on a data set is not trained again."""

    def check(self) -> None:
        """Raise ``InputError`` if the code length is varied together with another key."""
        if "bits" in self.vary and len(self.vary) > 1:
            raise InputError("vary: bits can only be varied alone")


def unusable_counts(keys: tuple[str, ...], values: Any, is_shared: bool) -> Iterator[str]:
    """Yield a message for each invalid value of ``bits`` or ``negatives``, if ``keys`` has these.

    Args:
        keys: Keys that are varied.
        values: Their values.
        is_shared: Whether the model takes the workflow's negatives.
    """
    most = 1024 if "bits" in keys else 2**31 - 1
    if "bits" in keys or ("negatives" in keys and is_shared):
        for value in values:
            if not isinstance(value, int) or not 1 <= value <= most:
                yield f"expected whole numbers from 1 to {most:,}, got {value!r}"
