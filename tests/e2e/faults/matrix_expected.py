"""What must and what may run again after which edit: by hand, from what each part is for.

A job is called by its rule and what tells it from the others of its rule: data set, model and
length of code; or file; or number of negatives. Patterns are those of fnmatch.
"""

from collections.abc import Iterable
from fnmatch import fnmatch
from typing import Any, NamedTuple

Patterns = tuple[str, ...]

NONE: Patterns = ()
ALL: Patterns = ("*",)

# Methods of the shared training, those whose encoder is the mean, and the others.
MEAN = ("hashgnn", "hashgnn_nr", "hashgnn_plus", "hash_ste", "hash_gumb", "hashnet", "graphsage")
SHARED = (*MEAN, "hashgnn_sp", "mf", "lightgcn")
OTHERS = ("lsh", "als", "pte", "bine", "puresvd", "popularity")
# Of their own; all others have 10.
NEGATIVES = {"hashgnn_plus": 1, "lightgcn": 4, "graphsage": 20, "hashgnn@triplets=1": 1}


def trains(*models: str) -> Patterns:
    """Trainings of models, and of what sweeps and tuning derive of them."""
    return tuple(f"train * {model}{derived} *" for model in models for derived in ("", "@*"))


SPLITS = ("split *",)
EVALUATIONS = ("evaluate *", "validate *")
SUMMARIES = ("figure *", "table *", "tuning", "check_runs *", "checks")

# What figures and tables show.
SHOWN: dict[str, dict[str, Any]] = {
    "fig1": {"datasets": ["gowalla"], "models": ["graphsage", "hash_ste"]},
    "fig3": {"datasets": ["movielens"], "models": ["hashgnn", "hashgnn_plus"]},
    "fig4": {"datasets": ["alibaba_like"], "models": ["hashgnn_nr", "hash_ste"]},
    "fig5": {
        "datasets": ["movielens"],
        "models": ["hashgnn", "hashgnn@triplets=1", "hashgnn@ranking_weight=0"],
    },
    "fig6": {"datasets": ["alibaba_like"], "models": ["hashgnn_nr", "hash_ste"]},
    "fig7": {
        "datasets": ["alibaba_like"],
        "models": ["hashgnn_nr", "hashgnn_nr@fixed_p=1", "hashgnn_nr@fixed_p=0.4"],
    },
    "table1": {"datasets": ["movielens", "gowalla", "pinterest"], "models": []},
    "table2": {"datasets": ["movielens"], "models": [*SHARED, *OTHERS]},
    "table3": {"datasets": ["alibaba_like"], "models": ["hashgnn", "graphsage"]},
    "table4": {"datasets": ["movielens"], "models": ["hashgnn"]},
    "methods": {"datasets": ["movielens"], "models": ["hashgnn", "als"]},
    "published": {"datasets": ["gowalla"], "models": ["graphsage"]},
}
TUNED = ("hashgnn", "hash_ste")  # on movielens


def shown_by(name: str) -> str:
    """The job that makes a figure or table."""
    return f"{'figure' if name.startswith('fig') else 'table'} {name}"


def showing(kind: str, id: str) -> Patterns:
    """Figures and tables that show a data set or model (``kind``), and tuning if it does."""
    found = [shown_by(name) for name, grid in SHOWN.items() if id in grid[kind]]
    tuned = ["tuning"] * (id in ("movielens", *TUNED))
    return (*found, *tuned)


def followers(job: str) -> Iterable[str]:
    """Patterns of the jobs that read what ``job`` makes."""
    rule, *rest = job.split()
    match rule, *rest:
        case "download", dataset, _:
            yield f"prepare {dataset}"
        case "prepare", dataset:
            yield f"split {dataset}"
            if dataset in SHOWN["table1"]["datasets"]:
                yield "table table1"
        case "split", dataset:
            yield f"check_runs {dataset}"
            yield f"triplets {dataset} *"
            yield from (f"{rule} {dataset} *" for rule in ("train", "evaluate", "validate"))
        case "triplets", dataset, number:
            named = {name for name, own in NEGATIVES.items() if own == int(number)}
            if number == "10":
                yield from (f"train {dataset} {model}@[!t]* *" for model in SHARED)
                named = set(SHARED) - set(NEGATIVES)
            yield from (f"train {dataset} {model} *" for model in named)
        case "train", dataset, model, bits:
            yield from (
                f"{rule} {dataset} {model} {bits}" for rule in ("evaluate", "validate", "timing")
            )
            if model == "graphsage":
                yield from (f"train {dataset} {other} {bits}" for other in ("lsh", "hashgnn_sp"))
            yield from _figures(dataset, model, "fig4", "fig6")
        case "evaluate", dataset, model, _:
            yield from (f"check_runs {dataset}", "checks")
            yield from _figures(dataset, model, *(set(SHOWN) - {"fig4", "fig6", "table4"}))
        case "validate", *_:
            yield "tuning"
        case "timing", *_:
            yield "table table4"
        case "check_runs", _:
            yield "checks"
        case (("figure" | "table"), name) if name not in ("table1", "methods", "published"):
            yield "claims"
            if name in ("table2", "table3"):
                yield "checks"


def _figures(dataset: str, model: str, *names: str) -> Iterable[str]:
    for name in names:
        grid = SHOWN[name]
        if dataset in grid["datasets"] and model in grid["models"]:
            yield shown_by(name)


def closure(patterns: Iterable[str], jobs: set[str]) -> set[str]:
    """The jobs that match, and all that follow from them."""
    waiting, found = list(patterns), set[str]()
    while waiting:
        pattern = waiting.pop()
        new = {job for job in jobs if fnmatch(job, pattern)} - found
        found |= new
        waiting.extend(follower for job in new for follower in followers(job))
    return found


class Row(NamedTuple):
    """Edits of ``what`` must make these jobs run again, and may make those run, with followers."""

    what: str
    must: Patterns
    may: Patterns = NONE


def chosen(rows: Iterable[Row], what: str, separator: str) -> Row:
    """The row with the longest ``what`` that is the name or a parent of it."""
    fitting = [row for row in rows if what == row.what or what.startswith(row.what + separator)]
    assert fitting, f"{what}: say in the table what must run again after an edit of it"
    return max(fitting, key=lambda row: len(row.what))


FILED = ("prepare movielens", "prepare pinterest")  # read from tables
PREPARED = ("prepare *",)

MODULES = [
    # Every stage runs these.
    Row("hashgnn.__init__", ALL),
    *(Row(f"hashgnn.{name}", ALL) for name in ("errors", "files", "locks", "special_files")),
    # No stage runs these, or they only watch.
    *(Row(f"hashgnn.{name}", NONE) for name in ("cli", "experiment", "recommender", "stage")),
    Row("hashgnn.config", (*trains(*SHARED), *SPLITS, *FILED), trains(*OTHERS)),
    *(
        Row(f"hashgnn.config.{name}", NONE)
        for name in ("check", "data_sets", "files", "needs", "parameters")
    ),
    Row("hashgnn.config.settings", trains(*SHARED), trains(*OTHERS)),
    Row("hashgnn.checksums", ("download *",), ALL),
    Row("hashgnn.random", (*SPLITS, "prepare alibaba_like")),
    *(
        Row(f"hashgnn.{name}", (*EVALUATIONS, "timing *"), trains(*SHARED, *OTHERS))
        for name in ("folders", "threads")
    ),
    # What compiles the kernels; generated data and the drawing of negatives have some too.
    Row(
        "hashgnn.kernels",
        (*EVALUATIONS, "timing *", "triplets *", "prepare alibaba_like", *trains(*SHARED)),
        (*PREPARED, *trains(*OTHERS)),
    ),
    Row("hashgnn.data", PREPARED, ALL),
    Row("hashgnn.data.download", ("download *",)),
    Row("hashgnn.data.fetch", ("download *",)),
    Row("hashgnn.data.archive", (*FILED, "prepare gowalla")),
    *(Row(f"hashgnn.data.{name}", PREPARED) for name in ("ids", "prepare")),
    Row("hashgnn.data.interactions", PREPARED),
    Row("hashgnn.data.readers", (*FILED, "prepare gowalla")),
    Row("hashgnn.data.synthetic", ("prepare alibaba_like",)),
    Row("hashgnn.data.delimited", FILED, ("prepare gowalla",)),
    Row("hashgnn.data.cells", (*FILED, "prepare gowalla")),
    Row("hashgnn.config.data_sets", (*SPLITS, *FILED)),
    Row("hashgnn.data.split", SPLITS),
    Row("hashgnn.data.negatives", ("triplets *",)),
    Row("hashgnn.graph", trains(*SHARED, "als", "bine", "puresvd")),
    *(
        Row(f"hashgnn.graph.{name}", trains(*MEAN), trains(*SHARED))
        for name in ("aggregate", "mean_layer")
    ),
    Row("hashgnn.graph.sampling", trains(*SHARED)),
    Row("hashgnn.graph.walks", trains("bine")),
    Row("hashgnn.search", (*EVALUATIONS, "timing *"), trains(*SHARED, *OTHERS)),
    Row("hashgnn.search.approximate", NONE),
    # Validation chooses the epoch of a training by the ranks of its lists.
    Row("hashgnn.evaluation", EVALUATIONS, (*trains(*SHARED, *OTHERS), *SUMMARIES, "timing *")),
    *(
        Row(f"hashgnn.evaluation.{name}", EVALUATIONS, ("check_runs *", "checks"))
        for name in ("evaluate", "evaluation", "metrics")
    ),
    *(
        Row(f"hashgnn.evaluation.{name}", (*EVALUATIONS, *trains(*SHARED)), trains(*OTHERS))
        for name in ("representation", "ranks")
    ),
    *(
        Row(f"hashgnn.evaluation.{name}", ("figure fig3", "table table2"), SUMMARIES)
        for name in ("statistics", "results")
    ),
    Row("hashgnn.evaluation.time_searches", ("timing *",), ("table table4",)),
    Row("hashgnn.models", trains(*SHARED, *OTHERS)),
    Row("hashgnn.models.method", trains(*SHARED, *OTHERS)),
    Row("hashgnn.models.graph_hasher", trains(*SHARED, "lsh"), trains(*OTHERS)),
    Row("hashgnn.models.losses", trains(*MEAN, "hashgnn_sp"), trains(*SHARED)),
    Row("hashgnn.models.encoders", trains(*SHARED)),
    Row("hashgnn.models.encoders.convolution", NONE),  # the shipped config names no such encoder
    Row("hashgnn.models.encoders.mean", trains(*MEAN), trains(*SHARED)),
    Row("hashgnn.models.hashgnn", trains("hashgnn", "hashgnn_nr", "hashgnn_sp")),
    Row("hashgnn.models.lightgcn", trains("lightgcn"), trains("mf")),
    *(
        Row(f"hashgnn.models.{name}", trains(name))
        for name in (*SHARED, *OTHERS)
        if name not in ("hashgnn", "lightgcn")
    ),
    Row("hashgnn.training", trains(*SHARED, *OTHERS)),
    *(
        Row(f"hashgnn.training.{name}", trains(*SHARED))
        for name in ("batches", "optimizer", "steps")
    ),
    Row("hashgnn.training.fit", trains(*SHARED, *OTHERS)),
    Row("hashgnn.training.validation", trains(*SHARED), trains(*OTHERS)),
    Row("hashgnn.training.checkpoint", NONE, trains(*SHARED, *OTHERS)),
    Row("hashgnn.reporting", (*SUMMARIES, "claims")),
    Row("hashgnn.reporting.explore", NONE),  # its page of all results is no job of the matrix
    Row("hashgnn.reporting.checks", ("check_runs *",), ("checks",)),
    *(Row(f"hashgnn.reporting.checks.{name}", ("checks",)) for name in ("judge", "tables")),
    Row("hashgnn.reporting.claims", ("claims",)),
    Row("hashgnn.reporting.figures", ("figure *",)),
    Row("hashgnn.reporting.figures.curves", ("figure fig4", "figure fig6")),
    Row("hashgnn.reporting.figures.rates", ("figure fig1", "figure fig3")),
    Row("hashgnn.reporting.figures.sweep", ("figure fig5", "figure fig7")),
    *(Row(f"hashgnn.reporting.figures.fig{n}", (f"figure fig{n}",)) for n in (1, 3, 4, 5, 6, 7)),
    Row("hashgnn.reporting.tables", ("table *",), ("checks", "claims", "tuning")),
    Row("hashgnn.reporting.tables.hierarchical", ("table table2", "table table3")),
    Row(
        "hashgnn.reporting.tables.formats",
        ("table table2", "table table3", "table methods"),
        ("table *", "checks", "claims", "tuning"),
    ),
    Row("hashgnn.reporting.tables.methods", ("table methods",)),
    *(Row(f"hashgnn.reporting.tables.table{n}", (f"table table{n}",)) for n in (1, 2, 3, 4)),
    Row("hashgnn.reporting.tables.tuning", ("tuning",)),
]
