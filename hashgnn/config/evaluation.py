"""Sections of the configuration about evaluation, timing and checks."""

from typing import Literal

from hashgnn.config.base import Count, Section, Seed, Several
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
    """Lengths n of the lists. Tables 2, 3, `methods`, `encoders` and `full_size` show 50 and 100,
    figures 5, 7, tuning and `quantization` 50, `published` 20: one that lacks its own is refused
    when it is asked for."""

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
