"""Edits of every config key, and which jobs they must and may make run again: by hand.

Keys are written with slashes between their parts.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from typing import Any

from tests.e2e.faults.matrix_expected import (
    EVALUATIONS,
    MEAN,
    NEGATIVES,
    NONE,
    OTHERS,
    SHARED,
    TUNED,
    Patterns,
    Row,
    showing,
    shown_by,
    trains,
)

# Values in place of what a rule by type would give, by pattern of key: the first that fits.
VALUES: dict[str, Any] = {
    "device": "cpu",
    "mirror": "elsewhere",
    "mirror_checksums": "trust",
    "datasets/gowalla/reader": "table",
    "models/popularity/module": "hashgnn.models.puresvd",
    "models/puresvd/module": "hashgnn.models.popularity",
    "models/hash_ste/module": "hashgnn.models.graphsage",
    "models/graphsage/module": "hashgnn.models.hash_ste",
    "models/lightgcn/module": "hashgnn.models.mf",
    "models/mf/module": "hashgnn.models.lightgcn",
    "models/*/module": "hashgnn.models.popularity",
    "models/*/pretrained": "mf",
    "models/*/color": "#123456",
    "models/*/marker": "open >",
    **{f"models/{m}/shown_in": ["encoders"] for m in ("als", "lightgcn", "puresvd", "popularity")},
    "models/*/printed/shown_in": ["encoders"],
    "training/encoder": "hashgnn.models.lightgcn",
    "training/batch_by": "users",
    "*/batch_by": "interactions",
    "training/aggregator": "gcn",
    "training/widths": [128, 64],
    "training/fanouts": [10, 4],
    "training/initialization": "normal",
    "training/engine": "auto",  # full is refused beside a neighbor_share of less than 1
    "training/initial_embeddings": "spectral",
    "*/initial_embeddings": "normal",
    "training/embedding_updates": "all",
    "*/unit": "iterations",
    "*/granularity": "row",
    "*/ranking_loss": "bpr",
    "datasets/*/columns/user": 7,
    "datasets/*/columns/item": 8,
    "datasets/*/checksum": "md5:" + "0" * 32,
    "datasets/taobao_userbehavior/filter/time_from": "2017-11-26T00:00:00+08:00",
    "datasets/taobao_userbehavior/filter/time_before": "2017-12-03T00:00:00+08:00",
    "datasets/*/reader": "adjacency",
    "datasets/*/split/by": "random",
    "datasets/*/stands_in_for": "Another",
    "checks/baselines": "report",
    "sweeps/fixed_p/model": "hashgnn",
    "sweeps/*/model": "hashgnn_nr",
    "sweeps/*/vary": ["scale"],
    "evaluation/ndcg": "retrieved",
    "evaluation/metrics": ["hr", "ndcg"],
    "settings": "tuned",
    "training/length": "validation",
    "*/length": "epochs",
    "models/*/tuning/epochs/low": 9,
    "models/*/tuning/*/low": 0.01,
    "grids/fig7/models": ["hashgnn_nr", "hash_ste"],
    "grids/published/models": ["graphsage", "hash_ste"],
}

# Whatever other value these have, the config is refused: another key has to change as well.
_REFUSED = (
    "datasets/alibaba_like/reader",
    "datasets/gowalla/reader",
    "datasets/synthetic/reader",
    "datasets/taobao_userbehavior/reader",
    "datasets/*/split/by",
    *(f"models/hashgnn{name}/module" for name in ("", "_nr", "_sp", "_plus")),
    *(f"models/{name}/module" for name in ("hash_gumb", "hashnet", "lsh", "als", "pte", "bine")),
    "models/*/shared_training",
    "sweeps/fixed_p/model",
    "grids/fig7/sweeps",
)


def is_refused(key: str) -> bool:
    """Whether the config is refused with any other value of ``key``."""
    return any(fnmatch(key, pattern) for pattern in _REFUSED)


def leaves(config: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Key and value of whatever is not itself a mapping with keys."""
    for key, value in config.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{above}{key}/")
        else:
            yield f"{above}{key}", value


def other_value(key: str, value: Any) -> Any:
    """A value that the key may have as well."""
    for pattern, other in VALUES.items():
        if fnmatch(key, pattern) and other != value:
            return other
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value / 2 or 0.25
        case str():
            return f"{value}x"
        case [_, *rest] if rest:
            return value[:-1]
        case [int() as only]:
            return [only + 1]
        case ["movielens"]:
            return ["gowalla"]
        case [str()] if key.endswith("/datasets"):
            return ["movielens"]
        case [str()] if key.endswith("/models"):
            return ["hash_ste"]
        case [str()] if key.endswith("/sweeps"):
            return ["ranking_weight"]
        case dict() | None:
            return {"new": 1}
    raise AssertionError(f"{key}: say in VALUES what other value than {value!r} it may have")


def changes(key: str, value: Any) -> dict[str, Any]:
    """The config file that gives ``key`` another value."""
    head, slash, rest = key.partition("/")
    return {head: changes(rest, value) if slash else value}


def row(key: str, config: Mapping[str, Any]) -> Row:
    """What must and what may run again after an edit of ``key``."""
    match key.split("/"):
        case [("device" | "existing" | "mirror" | "mirror_checksums" | "tensorboard"), *_]:
            return Row(key, NONE)
        case [
            "datasets",
            ("taobao_userbehavior" | "taobao_subset" | "synthetic"),
            *_,
        ]:  # which nothing shows
            return Row(key, NONE)
        case ["datasets", dataset, part, *rest]:
            return _of_data_set(key, config, dataset, part, rest)
        case ["triplets", "per_interaction"]:
            must = (f"train * {model} *" for model in SHARED if model not in NEGATIVES)
            return Row(key, tuple(must), trains(*SHARED))
        case ["triplets", "rounds"]:
            return Row(key, ("triplets *",))
        case ["training", "refit"]:
            return Row(key, ("train *",))
        case ["training", parameter]:
            return Row(key, _takers(config, parameter, MEAN), trains(*SHARED))
        case ["models", model, part, *rest]:
            return _of_model(key, config, model, part, rest)
        case ["sweeps", sweep, _]:
            figure = "fig7" if sweep == "fixed_p" else "fig5"
            return Row(key, (shown_by(figure),), ("train *@*", "evaluate *@*", "check*"))
        case ["evaluation", ("candidates" | "validation_cutoff") as part]:
            more = (*EVALUATIONS, "timing *") if part == "candidates" else NONE
            return Row(key, (*more, *trains(*SHARED)), trains(*OTHERS))
        case ["evaluation", _]:
            return Row(key, EVALUATIONS)
        case ["timing", _]:
            return Row(key, ("timing *",))
        case ["checks", _]:
            return Row(key, ("checks",))
        case ["tuning", *_]:
            return Row(key, ("tuning",), ("tune *", "study *"))
        case ["settings"]:  # the trainings of what has a study take its settings
            return Row(key, tuple(f"train movielens {model} *" for model in TUNED), trains(*TUNED))
        case ["grids", name, *_]:
            return Row(key, (shown_by(name),), ("check*",))
    raise AssertionError(f"{key}: say in the table what must run again after an edit of it")


def _of_data_set(
    key: str, config: Mapping[str, Any], dataset: str, part: str, rest: list[str]
) -> Row:
    match part:
        case "citation":
            return Row(key, NONE)
        case "name" | "stands_in_for":
            named = showing("datasets", dataset)
            return Row(key, named if named == ("table table1",) else (*named, "claims"))
        case "in_paper":  # of interest for data that replace none
            own = {"movielens": ("table table2", "table table4")}
            return Row(key, own.get(dataset, NONE))
        case "files":
            return Row(key, (f"download {dataset} {rest[0]}",))
        case "split":
            return Row(key, (f"split {dataset}",))
        case "training":
            rules = (f"train {dataset} {{}}*", f"tune {dataset} {{}}")
            one = tuple(rule.format(model) for rule in rules for model in SHARED)
            return Row(key, _takers(config, rest[0], MEAN, dataset), one)
    return Row(key, (f"prepare {dataset}",))  # reader, format, columns, filter, generator


def _of_model(key: str, config: Mapping[str, Any], model: str, part: str, rest: list[str]) -> Row:
    match part:
        case "name":
            return Row(key, _naming(model))
        case "color" | "marker":
            drawn = [job for job in _naming(model) if job.startswith(("figure", "study"))]
            return Row(key, tuple(drawn))
        case "place":
            ranked = [job for job in _naming(model) if job in ("table table2", "table table3")]
            return Row(key, (*ranked, "claims"))
        case "shown_in":  # of interest for grids that list no models, which these are not
            return Row(key, NONE)
        case "continuous":
            return Row(key, (f"evaluate * {model} *",), _naming(model))
        case "printed":  # of interest for settings: printed
            return Row(key, NONE)
        case "own_layers":  # by which resources are estimated
            return Row(key, NONE)
        case "baseline":
            return Row(key, ("checks",))
        case "tuning":  # a study of it, if there is one
            must = (f"tune * {model}",) if model in TUNED else NONE
            return Row(key, must, ("tuning",))
        case "negatives":  # other negatives for it, and none of those that there are
            return Row(key, (f"train * {model} *",))
        case "per_dataset":
            used = rest[0] in ("movielens", "gowalla", "pinterest", "alibaba_like")
            one = tuple(p.replace("train *", f"train {rest[0]}", 1) for p in trains(model))
            return Row(key, one[:1] if used else NONE, one if used else NONE)
        case "parameters":
            entry = config["models"][model].get("per_dataset", {})
            must = [
                f"train {dataset} {model} *"
                for dataset in ("movielens", "gowalla", "alibaba_like")
                if rest[0] not in entry.get(dataset, {})
            ]
            return Row(key, tuple(must), trains(model))
    return Row(key, trains(model))  # module, pretrained, shared_training


def _naming(model: str) -> Patterns:
    """What prints the name of a model; not the courses' own files."""
    return tuple(job for job in showing("models", model))


def _takers(
    config: Mapping[str, Any], parameter: str, models: tuple[str, ...], dataset: str = ""
) -> Patterns:
    """Trainings of models on a data set, or all, that neither of them says otherwise for."""
    return tuple(
        f"train {name} {model} *"
        for name in ([dataset] if dataset else ("movielens", "gowalla", "alibaba_like"))
        for model in models
        if dataset or parameter not in config["datasets"][name].get("training", {})
        if parameter not in config["models"][model].get("parameters", {})
        if parameter not in config["models"][model].get("per_dataset", {}).get(name, {})
    )
