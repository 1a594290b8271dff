"""Which jobs there are and which follow from which: by hand, from what each is for.

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
    """Trainings of models and of what sweeps derive of them, and their studies."""
    derived = tuple(f"train * {model}{name} *" for model in models for name in ("", "@*"))
    return (*derived, *(f"tune * {model}" for model in models))


SPLITS = ("split *",)
EVALUATIONS = ("evaluate *",)
SUMMARIES = ("figure *", "table *", "study *", "tuning", "checks")

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
    own = f"study {id} *" if kind == "datasets" else f"study * {id}"
    tuned = ["tuning", own] * (id in ("movielens", *TUNED))
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
            yield f"triplets {dataset} *"
            yield from (f"{rule} {dataset} *" for rule in ("train", "evaluate"))
            yield f"tune {dataset} *"
        case "triplets", dataset, number:
            named = {name for name, own in NEGATIVES.items() if own == int(number)}
            if number == "10":
                yield from (f"train {dataset} {model}@[!t]* *" for model in SHARED)
                named = set(SHARED) - set(NEGATIVES)
            yield from (f"train {dataset} {model} *" for model in named)
            yield from (f"tune {dataset} {model}" for model in named)
        case "train", dataset, model, bits:
            yield from (f"{rule} {dataset} {model} {bits}" for rule in ("evaluate", "timing"))
            if model == "graphsage":
                yield from (f"train {dataset} {other} {bits}" for other in ("lsh", "hashgnn_sp"))
            yield from _figures(dataset, model, "fig4", "fig6")
        case "evaluate", dataset, model, _:
            yield "checks"
            yield from _figures(dataset, model, *(set(SHOWN) - {"fig4", "fig6", "table4"}))
        case "tune", dataset, model:
            yield from (f"study {dataset} {model}", "tuning")
        case "study", *_:
            yield "tuning"
        case "timing", *_:
            yield "table table4"
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
