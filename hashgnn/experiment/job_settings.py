"""The settings of each job: the part of the config that it uses, edits of which rerun it."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hashgnn.config.methods import (
    Config,
    negative_rounds,
    negatives,
    parameters,
    refits,
    takes_training,
)
from hashgnn.experiment.local_files import download_settings
from hashgnn.experiment.runs import (
    COURSES,
    HIERARCHICAL,
    Grid,
    base_model,
    code_lengths,
    compared_runs,
    is_tuned,
    points,
    runs,
    studies,
    varied,
)
from hashgnn.files import file_checksum

Wildcards = Mapping[str, str]

# Keys of `evaluation` that decide which epoch of a training is kept.
VALIDATED_BY = ("validation_cutoff", "candidates")

# Figures and tables by the bytes that are kept of an item.
FOOTPRINTS = ("fig8", "fig9", "quantization", "quantization_verdict")

# Those that show what others report, too.
BESIDE_PUBLISHED = ("fig10", "published")


def to_text(**used: Any) -> str:
    """Return settings as JSON with sorted keys: Snakemake compares the texts."""
    return json.dumps(used, sort_keys=True)


class JobSettings:
    """Settings of jobs by rule, as JSON text.

    Each method takes the wildcards of its rule, if the rule has any.
    """

    def __init__(self, config: Config, base: Path) -> None:
        """Take the resolved ``config`` and ``base``, the folder where its paths begin."""
        self._config = config
        self._base = base

    # Stages.

    def download(self, wildcards: Wildcards) -> str:
        """Return the entry of one raw file."""
        dataset, file = wildcards["dataset"], wildcards["file"]
        return to_text(**download_settings(self._config, dataset, file, self._base))

    def prepare(self, wildcards: Wildcards) -> str:
        """Return how a data set is read and filtered, or generated."""
        entry = self._config["datasets"][wildcards["dataset"]]
        used = ("reader", "format", "columns", "filter", "generator")
        taken = {key: entry[key] for key in used if key in entry}
        return to_text(dataset=wildcards["dataset"], **taken)

    def split(self, wildcards: Wildcards) -> str:
        """Return how a data set is split; keys of null unset those of an earlier config file."""
        split = self._config["datasets"][wildcards["dataset"]]["split"]
        return to_text(**{key: value for key, value in split.items() if value is not None})

    def features(self, wildcards: Wildcards) -> str:
        """Return the column of ids in the table of features of each kind."""
        tables = feature_tables(self._config, wildcards["dataset"])
        return to_text(**{kind: {"id": table["id"]} for kind, table in tables.items()})

    def triplets(self, wildcards: Wildcards) -> str:
        """Return how many negatives are drawn."""
        return to_text(
            per_interaction=int(wildcards["negatives"]),
            rounds=negative_rounds(self._config, wildcards["dataset"]),
            seed=int(wildcards["seed"]),
        )

    def train(self, wildcards: Wildcards) -> str:
        """Return the method and its hyper-parameters on the data set."""
        config, dataset, model = self._config, wildcards["dataset"], wildcards["model"]
        held_out = config["datasets"][dataset]["split"]["validation"]
        share = {"validation": held_out} if isinstance(held_out, (int, float)) else {}
        tuned = is_tuned(config, dataset, model)
        return to_text(
            **({"varied": varied(config, model)} if tuned else {}),
            **({"refit": True} if refits(config) else {}),
            **share,  # files of a split are no setting of ``HashGNN``, which reads this record
            **self._trained(wildcards),
        )

    def tune(self, wildcards: Wildcards) -> str:
        """Return the method, its search space and the limits of its study."""
        dataset, model, tuning = wildcards["dataset"], wildcards["model"], self._config["tuning"]
        limits = ("trials", "seconds", "reduction", "least_epochs")
        return to_text(
            dataset=dataset,
            space=tuning["spaces"][model],
            **{key: tuning[key] for key in limits},
            **self._trained({**wildcards, "bits": tuning["bits"], "seed": tuning["seed"]}),
        )

    def _trained(self, wildcards: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings that a training and a study of it have in common."""
        config, dataset, model = self._config, wildcards["dataset"], wildcards["model"]
        return dict(
            model=model,
            method=config["models"][model]["module"],
            bits=int(wildcards["bits"]),
            seed=int(wildcards["seed"]),
            negatives=negatives(config, model) if takes_training(config, model) else None,
            parameters=parameters(config, dataset, model),
            **{key: config["evaluation"][key] for key in VALIDATED_BY},
        )

    def evaluate(self, wildcards: Wildcards) -> str:
        """Return the settings of an evaluation, and its part of the data if not the test part."""
        part: dict[str, Any] = {"part": "validation"} if wildcards["part"] else {}
        if self._continuous([wildcards["model"]]):
            part["continuous"] = True
        evaluation = self._config["evaluation"]
        used = {key: value for key, value in evaluation.items() if key != "validation_cutoff"}
        return to_text(**_training(wildcards), evaluation=used, **part)

    def timing(self, wildcards: Wildcards) -> str:
        """Return how searches are timed."""
        candidates = self._config["evaluation"]["candidates"]
        timing = {**self._config["timing"], "candidates": candidates}
        return to_text(**_training(wildcards), timing=timing)

    def query_times(self, wildcards: Wildcards) -> str:
        """Return how queries are timed, among how many items, and what a run is searched by."""
        entry = self._config["models"][wildcards["model"]]
        made_of_others = entry["continuous"] and entry.get("pretrained")
        compressed = {"compressed": entry.get("parameters", {})} if made_of_others else {}
        return to_text(
            **_training(wildcards),
            **compressed,
            has_codes=not entry["continuous"],
            items=self._config["grids"]["fig9"]["items"],
            timing={
                **self._config["timing"],
                "candidates": self._config["evaluation"]["candidates"],
            },
        )

    # Figures, tables, pages.

    def figure(self, wildcards: Wildcards) -> str:
        """Return the names, looks and sweeps that a figure shows."""
        name = wildcards["figure"]
        grid = self._config["grids"][name]
        sweeps = grid.get("sweeps", [])
        models = grid.get("models", [])
        swept = [self._config["sweeps"][sweep]["model"] for sweep in sweeps]
        used = {
            "datasets": self._names("datasets", grid["datasets"]),
            "models": self._names("models", models),
            "continuous": self._continuous(models),
            "looks": self._looks([*models, *swept]),
            "sweeps": [self._sweep(sweep, grid) for sweep in sweeps],
        }
        if name in (*COURSES, *FOOTPRINTS):
            used["runs"] = runs(self._config, grid)
        if name in FOOTPRINTS:
            used["quantized"] = self._quantized(models)
        if name in BESIDE_PUBLISHED:
            used["published"] = self._published(grid["datasets"])
        return to_text(**used)

    def table(self, wildcards: Wildcards) -> str:
        """Return the names and runs that a table shows, and the paper's values."""
        name = wildcards["table"]
        grid = self._config["grids"][name]
        used: dict[str, Any] = {"datasets": self._names("datasets", grid["datasets"])}
        if "models" in grid:
            used["models"] = self._names("models", grid["models"])
            used["continuous"] = self._continuous(grid["models"])
            used["runs"] = runs(self._config, grid)
        if name in FOOTPRINTS:
            used["quantized"] = self._quantized(grid["models"])
        if name in BESIDE_PUBLISHED:
            used["published"] = self._published(grid["datasets"])
        if name in HIERARCHICAL:
            used["places"] = self._places(grid["models"])
        if name in (*HIERARCHICAL, "table4"):
            used["in_paper"] = list(filter(self._in_paper, grid["datasets"]))
        return to_text(**used)

    def summary(self) -> str:
        """Return the names in the summary, and which data sets are generated."""
        shown = json.loads(self.explore())
        entries = self._config["datasets"]
        made = [id for id, _ in shown["datasets"] if entries[id].get("generator")]
        used = {key: shown[key] for key in ("datasets", "models", "continuous")}
        return to_text(**used, generated=made)

    def pages(self, planned: Config, titles: Mapping[str, str]) -> str:
        """Return what pages say beside results: names, titles, settings, data, what is missing.

        ``variants`` are the models of the table of that name, the first of which they vary, and
        ``quantized`` those that compress vectors of another model and are not in the table of all
        methods.

        Args:
            planned: The config with the grids of the whole experiment.
            titles: The titles of figures and tables.
        """
        used = json.loads(self.summary())
        entries, shown = self._config["models"], dict(used["models"])
        ids = [id for id, _ in used["datasets"]]
        usual = planned["grids"].get("methods", {}).get("models", [])
        return to_text(
            **used,
            titles=list(titles.items()),
            proposed=[id for id in shown if entries[id].get("place") == "1"],
            variants=self._config["grids"].get("variants", {}).get("models", []),
            quantized=[id for id in shown if "pretrained" in entries[id] and id not in usual],
            planned=list(planned["grids"]),
            not_run=list(self._not_run(planned, titles)),
            runs={
                name: [[run.dataset, f"{run.model}/bits{run.bits}/seed{run.seed}"] for run in found]
                for name, grid in self._config["grids"].items()
                if "bits" in grid and (found := runs(self._config, grid))
            },
            set=[
                [model, data, key, json.dumps(value).strip('"')]
                for model in shown
                for data, block in [("", entries[model].get("parameters", {}))]
                + [(id, entries[model].get("per_dataset", {}).get(id, {})) for id in ids]
                for key, value in _leaves(block)
            ],
            files=[
                [id, file, entry["address"], entry.get("checksum", "")]
                for id in ids
                for file, entry in self._config["datasets"][id].get("files", {}).items()
            ],
        )

    def _not_run(self, planned: Config, titles: Mapping[str, str]) -> Iterator[list[str]]:
        """Yield title and what is missing of each figure and table; "" if all is."""
        for name, grid in planned["grids"].items():
            made = self._config["grids"].get(name)
            if made is None:
                yield [titles.get(name, name), ""]
                continue
            kinds = {"datasets": "data sets", "models": "methods", "sweeps": "sweeps"}
            wanted, shown = ({**one, "bits": code_lengths(one)} for one in (grid, made))
            lacking = [
                f"{title} {'; '.join(self._printed(kind, one) for one in missing)}"
                for kind, title in (kinds | {"bits": "bits", "seeds": "seeds"}).items()
                if (missing := [one for one in wanted.get(kind, []) if one not in shown[kind]])
            ]
            if lacking:
                yield [titles.get(name, name), f"without {'; '.join(lacking)}"]

    def _printed(self, kind: str, id: Any) -> str:
        return _printed_name(self._config[kind][id]) if kind in self._config else str(id)

    def explore(self, template: Path | None = None) -> str:
        """Return the names and looks on the page of all results, and its template's checksum."""
        compared = compared_runs(self._config)
        datasets, models = {run.dataset for run in compared}, {run.model for run in compared}
        shown = [model for model in self._config["models"] if model in models]
        return to_text(
            datasets=self._names(
                "datasets", filter(datasets.__contains__, self._config["datasets"])
            ),
            models=self._names("models", shown),
            continuous=self._continuous(self._config["models"]),
            looks=self._looks(shown),
            **({"template": str(file_checksum(template, "sha256"))} if template else {}),
        )

    def tuning(self) -> str:
        """Return the studies, the limits of each, and names."""
        tuning = self._config["tuning"]
        names = self._names("datasets", tuning["datasets"]) + self._names(
            "models", tuning["spaces"]
        )
        return to_text(
            studies=studies(self._config),
            trials=tuning["trials"],
            seconds=tuning["seconds"],
            names=dict(names),
        )

    def study(self, wildcards: Wildcards) -> str:
        """Return the names and the look that the plot of a study shows."""
        dataset, model = wildcards["dataset"], wildcards["model"]
        entries = self._config["datasets"][dataset], self._config["models"][model]
        return to_text(
            names=[_printed_name(entry) for entry in entries], looks=self._looks([model])
        )

    def claims(self) -> str:
        """Return the places of models in the paper, and names and roles of data sets."""
        models, grids = self._config["models"], self._config["grids"].values()
        of_models = [grid for grid in grids if grid.keys() & {"models", "sweeps"}]
        shown = {dataset for grid in of_models for dataset in grid["datasets"]}
        datasets = {id: e for id, e in self._config["datasets"].items() if id in shown}
        return to_text(
            places=self._places(m for m in models if base_model(m) == m),
            datasets=dict(self._names("datasets", datasets)),
            roles={d: e["stands_in_for"] for d, e in datasets.items() if e.get("stands_in_for")},
        )

    def checks(self) -> str:
        """Return which failed checks stop the workflow."""
        entries = self._config["models"]
        floors = [model for model, entry in entries.items() if entry.get("baseline")]
        return to_text(baselines=self._config["checks"]["baselines"], floors=floors)

    def provenance(self, planned: Mapping[str, str]) -> str:
        """Return the digests of the ``planned`` jobs, and whether others stop the workflow."""
        return to_text(planned=planned, stale=self._config["checks"]["stale"])

    def _in_paper(self, dataset: str) -> bool:
        """Return whether the paper has results on a data set itself, not on what it replaces."""
        entry = self._config["datasets"][dataset]
        return bool(entry.get("in_paper")) and not entry.get("stands_in_for")

    def _names(self, kind: str, ids: Iterable[str]) -> list[list[str]]:
        """Return pairs of id and printed name, in the order of ``ids``."""
        return [[id, _printed_name(self._config[kind][id])] for id in ids]

    def _continuous(self, models: Iterable[str]) -> list[str]:
        """Return the models that have no codes of their own."""
        return [model for model in models if self._config["models"][model]["continuous"]]

    def _quantized(self, models: Iterable[str]) -> dict[str, list[Any]]:
        """Return the models that are made of other models' vectors: which, and parameters."""
        entries = self._config["models"]
        return {
            model: [entries[model]["pretrained"], entries[model].get("parameters", {})]
            for model in models
            if entries[model].get("pretrained")
        }

    def _published(self, datasets: Iterable[str]) -> dict[str, list[Any]]:
        """Return what others report on each data set."""
        return {id: self._config["datasets"][id].get("published", []) for id in datasets}

    def _looks(self, models: Iterable[str]) -> dict[str, list[str]]:
        """Return colour and marker by model."""
        entries = self._config["models"]
        return {model: [entries[model]["color"], entries[model]["marker"]] for model in models}

    def _places(self, models: Iterable[str]) -> dict[str, str]:
        """Return the place in the paper of each model that has one."""
        entries = self._config["models"]
        return {model: entries[model]["place"] for model in models if entries[model].get("place")}

    def _sweep(self, sweep: str, grid: Grid) -> dict[str, Any]:
        """Return the names and points of a sweep on the data sets of ``grid``."""
        entry = self._config["sweeps"][sweep]
        found = [
            (point.at, dataset, point.model, point.bits)
            for dataset in grid["datasets"]
            for bits in grid["bits"]
            for point in points(self._config, sweep, dataset, bits)
        ]
        return {
            "id": sweep,
            "name": entry["name"],
            "model": entry["model"],
            "model_name": self._config["models"][entry["model"]]["name"],
            "points": sorted(set(found), key=found.index),
        }


def feature_tables(config: Config, dataset: str) -> dict[str, Any]:
    """Return the entries of the tables of features of a data set by kind, user and item."""
    found = config["datasets"][dataset].get("features") or {}
    return {kind: found[kind] for kind in ("user", "item") if found.get(kind)}


def _leaves(block: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of nested mappings by dotted keys."""
    for key, value in block.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _training(wildcards: Wildcards) -> dict[str, Any]:
    """Return the labels of the results of a training."""
    return {
        "dataset": wildcards["dataset"],
        "model": wildcards["model"],
        "bits": int(wildcards["bits"]),
        "seed": int(wildcards["seed"]),
    }


def _printed_name(entry: Mapping[str, Any]) -> str:
    """Return the name of an entry; a data set that stands in for another says so."""
    name: str = entry["name"]
    replaced = entry.get("stands_in_for")
    if not replaced:
        return name
    remark = f"stand-in for {replaced})"
    return f"{name[:-1]}, {remark}" if name.endswith(")") else f"{name} ({remark}"
