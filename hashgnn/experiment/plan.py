"""The plan of an experiment: its results, and the inputs and code of each.

The rules of the workflow call the methods of ``Plan``; this module does not import Snakemake.
"""

import json
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from hashgnn.config.evaluation import check_cutoffs
from hashgnn.config.methods import Config, negatives, parameters, refits, takes_training
from hashgnn.data.prepare import READERS
from hashgnn.errors import InputError
from hashgnn.experiment.job_settings import (
    JobSettings,
    Wildcards,
    feature_tables,
)
from hashgnn.experiment.local_files import raw_sources
from hashgnn.experiment.runs import (
    HIERARCHICAL,
    RUN,
    Run,
    base_model,
    compared_runs,
    evaluated_runs,
    files_of,
    is_tuned,
    runs,
    studies,
)
from hashgnn.stage.record import SUFFIX, job_digest
from hashgnn.training import training_code

# Prefix of file names in the folder of a run: the part of the data that is evaluated.
TEST = ""

# The folder of a study.
STUDY = "results/{dataset}/{model}/study"

# What records have in common with trainings that were made once more.
AGAIN = "results/again.csv"

# Results with the settings that the paper prints, of config/paper.yaml in a folder of its own.
PRINTED = "paper/results/methods.csv"

# What runs the functions of figures and tables.
_REPORTING = "hashgnn.reporting.entries"

_VECTORS = ("user_vectors.npy", "item_vectors.npy")
_CODES = ("user_codes.npy", "item_codes.npy")


class Plan:
    """Answers the rules of the workflow: targets, inputs and code of jobs.

    Attributes:
        settings: The settings of each job.
    """

    def __init__(
        self,
        config: Config,
        base: Path,
        figures: Mapping[str, str],
        tables: Mapping[str, str],
        claimed: Collection[str],
    ) -> None:
        """Plan the experiment of ``config``.

        Args:
            config: The resolved config, with the models of sweeps.
            base: The folder where its relative paths begin.
            figures: The function of each figure, as ``module:function``.
            tables: The same of each table.
            claimed: Figures and tables that the paper's claims are tested on.
        """
        self._config = config
        self._figures = figures
        self._tables = tables
        self._claimed = claimed
        self.settings = JobSettings(config, base)

    # Targets.

    def targets(self) -> list[str]:
        """Return all results of the experiment: figures, tables, trainings, pages, verdicts."""
        return [
            *_named("figures/{}.{}", self.figures, ("pdf", "svg")),
            *_named("results/{}.{}", self.tables, ("csv", "md", "tex")),
            *self.trainings(),
            *self.pages(),
            *self.verdicts(),
        ]

    @cached_property
    def figures(self) -> list[str]:
        """Figures that the config has a grid for."""
        return [name for name in self._config["grids"] if name in self._figures]

    @cached_property
    def tables(self) -> list[str]:
        """Tables that the config has a grid for."""
        return [name for name in self._config["grids"] if name in self._tables]

    def trainings(self) -> list[str]:
        """Return the files of trainings, including those that no job reads."""
        grids = [g for g in self._config["grids"].values() if "models" in g or "sweeps" in g]
        found = {run for grid in grids for run in runs(self._config, grid)}
        return sorted(_files(found, *_CODES, *_VECTORS, "metrics.csv"))

    def pages(self) -> list[str]:
        """Return the page of all results and the summary, if models are compared."""
        pages = ["results/explore.html", "results/summary.rst"]
        return pages * bool(compared_runs(self._config))

    def verdicts(self) -> list[str]:
        """Return the claims, if one can be tested, and checks and provenance of evaluations."""
        names = ["claims"] * bool(self.claims_inputs())
        names += ["checks"] * bool(self.evaluated())
        names += [f"{dataset}/provenance" for dataset in self.evaluated_datasets()]
        return _named("results/{}.{}", names, ("csv", "md"))

    # Inputs.

    def raw_files(self, wildcards: Wildcards) -> list[str]:
        """Return the downloaded files of a data set."""
        dataset = wildcards["dataset"]
        files = self._config["datasets"][dataset].get("files", {})
        return [f"results/{dataset}/download/{file}" for file in files]

    def raw_names(self) -> set[str]:
        """Return the names of the raw files of all data sets."""
        entries = self._config["datasets"].values()
        return {file for entry in entries for file in raw_sources(entry)}

    def feature_files(self, wildcards: Wildcards) -> list[str]:
        """Return the downloaded tables of features of a data set, users' first."""
        dataset = wildcards["dataset"]
        tables = feature_tables(self._config, dataset).values()
        return [f"results/{dataset}/download/{table['file']}" for table in tables]

    def features(self, wildcards: Wildcards) -> list[str]:
        """Return the features that a training reads, if any."""
        dataset = wildcards["dataset"]
        takes = takes_training(self._config, wildcards["model"])
        described = bool(feature_tables(self._config, dataset))
        return [f"results/{dataset}/features.npz"] * (takes and described)

    def triplets(self, wildcards: Wildcards) -> list[str]:
        """Return the negatives that a training reads, if any; they have its seed."""
        if not takes_training(self._config, wildcards["model"]):
            return []
        number = negatives(self._config, wildcards["model"])
        return [f"results/{wildcards['dataset']}/triplets{number}/seed{wildcards['seed']}.npy"]

    def pretrained(self, wildcards: Wildcards) -> list[str]:
        """Return the vectors that a method hashes in place of training its own, if any."""
        model = self._config["models"][wildcards["model"]].get("pretrained")
        if not model:
            return []
        run = Run(wildcards["dataset"], model, int(wildcards["bits"]), int(wildcards["seed"]))
        return _files([run], *_VECTORS)

    def figure_inputs(self, wildcards: Wildcards) -> list[str]:
        """Return the inputs of a figure: one kind of file for all runs, then the next kind.

        Raises ``InputError`` if a cutoff that it shows is not evaluated.
        """
        return self._inputs(wildcards["figure"])

    def table_inputs(self, wildcards: Wildcards) -> list[str]:
        """Return the inputs of a table: one kind of file for all runs, then the next kind.

        Raises ``InputError`` if a cutoff that it shows is not evaluated.
        """
        name = wildcards["table"]
        grid = self._config["grids"][name]
        if "models" not in grid:
            return _named("results/{}/prepare.provenance.json", grid["datasets"])
        if name == "quantization_verdict" and refits(self._config):
            raise InputError(
                "training.refit: true: quantization_verdict chooses methods on the validation "
                "part, which refits train on; set it to false"
            )
        return self._inputs(name)

    def explored(self) -> list[str]:
        """Return the inputs of the page of all results."""
        return _files(compared_runs(self._config), "metrics.csv")

    def timed(self) -> list[str]:
        """Return the times of searches that table 4 shows, if it has a grid."""
        grids = [g for name, g in self._config["grids"].items() if name == "table4"]
        return [file for grid in grids for file in _files(runs(self._config, grid), "timing.csv")]

    def claims_inputs(self) -> list[str]:
        """Return the results that claims are tested on, if they have a grid."""
        return _named("results/{}.csv", self._having_grids(self._claimed))

    def evaluated(self) -> list[str]:
        """Return the metrics of all trainings."""
        return _files(evaluated_runs(self._config), "metrics.csv")

    def evaluated_datasets(self) -> list[str]:
        """Return the data sets that trainings are evaluated on."""
        return sorted({run.dataset for run in evaluated_runs(self._config)})

    def checked(self) -> list[str]:
        """Return the checks of all trainings."""
        return _files(evaluated_runs(self._config), "checks.csv")

    def compared_tables(self) -> list[str]:
        """Return the tables that compare every model with the first one."""
        return _named("results/{}.csv", self._having_grids(HIERARCHICAL))

    def shown_on_pages(self) -> list[str]:
        """Return what the pages of the reproduction show: figures, tables, verdicts, provenance."""
        verdicts = [file for file in self.verdicts() if not file.endswith(".html")]
        return [
            *_named("figures/{}.svg", self.figures),
            *_named("results/{}.csv", self.figures),
            *_named("results/{}.{}", self.tables, ("csv", "md", "tex")),
            *verdicts,
            *filter(os.path.exists, [AGAIN, PRINTED]),
        ]

    def tuned(self, wildcards: Wildcards) -> list[str]:
        """Return the settings that a study chose for a training, if it takes them from one."""
        dataset, model = wildcards["dataset"], wildcards["model"]
        if not is_tuned(self._config, dataset, model):
            return []
        return [f"{STUDY.format(dataset=dataset, model=base_model(model))}/tuned.yaml"]

    def studies(self) -> list[str]:
        """Return the records of all studies."""
        found = studies(self._config)
        return [f"{STUDY.format(dataset=d, model=m)}/trials.csv" for d, m in found]

    def study_plots(self) -> list[str]:
        """Return the plots of all studies."""
        return [f"figures/studies/{d}.{m}.svg" for d, m in studies(self._config)]

    def of_study(self, wildcards: Wildcards) -> dict[str, Any]:
        """Return the wildcards of the trainings of a study."""
        tuning = self._config["tuning"]
        return {**wildcards, "bits": str(tuning["bits"]), "seed": str(tuning["seed"])}

    def study_triplets(self, wildcards: Wildcards) -> list[str]:
        """Return the negatives that a study reads, if any."""
        return self.triplets(self.of_study(wildcards))

    def study_pretrained(self, wildcards: Wildcards) -> list[str]:
        """Return the vectors that the method of a study hashes, if any."""
        return self.pretrained(self.of_study(wildcards))

    # Code: the entries of the code digest of each job.

    def prepare_code(self, wildcards: Wildcards) -> list[str]:
        """Return the entries of a data set's preparation: the stage and its reader."""
        reader = self._config["datasets"][wildcards["dataset"]]["reader"]
        return ["hashgnn.data.prepare", READERS[reader]]

    def train_code(self, wildcards: Wildcards) -> list[str]:
        """Return the entries of a training: the stage, its loop, the method and its encoder."""
        method = self._config["models"][wildcards["model"]]["module"]
        used = parameters(self._config, wildcards["dataset"], wildcards["model"])
        shared = takes_training(self._config, wildcards["model"])
        return training_code(method, used.get("encoder"), shared)

    def study_code(self, wildcards: Wildcards) -> list[str]:
        """Return the entries of a study: the stage, and what its trainings reach."""
        return ["hashgnn.experiment.study", *self.train_code(wildcards)]

    def figure_code(self, wildcards: Wildcards) -> list[str]:
        """Return the entries of a figure: what runs it, and its own function."""
        return [f"{_REPORTING}:main", self._figures[wildcards["figure"]]]

    def table_code(self, wildcards: Wildcards) -> list[str]:
        """Return the entries of a table: what runs it, and its own function."""
        return [f"{_REPORTING}:main", self._tables[wildcards["table"]]]

    # Provenance.

    def records(self, wildcards: Wildcards) -> list[str]:
        """Return the provenance of a data set and of all its trainings and evaluations."""
        return list(self._made(wildcards["dataset"]))

    def planned(self, wildcards: Wildcards, code: Callable[..., str]) -> dict[str, str]:
        """Return the ``job_digest`` of each of ``records``.

        Args:
            wildcards: Name the data set.
            code: Returns the digest of the code with the given entries, as ``PlannedCode``.
        """
        return {
            path: job_digest(code(*entries), json.loads(settings))
            for path, (entries, settings) in self._made(wildcards["dataset"]).items()
        }

    def _made(self, dataset: str) -> dict[str, tuple[Sequence[str], str]]:
        """Return the entries of the code and the settings that make each recorded result."""
        found: dict[str, tuple[Sequence[str], str]] = {}
        settings = self.settings
        timed = runs(self._config, self._config["grids"].get("table4") or {"datasets": []})
        for run in (run for run in evaluated_runs(self._config) if run.dataset == dataset):
            job = {key: str(value) for key, value in run._asdict().items()} | {"part": TEST}
            data, folder = f"results/{dataset}", RUN.format(**job)
            found[f"{data}/prepare{SUFFIX}"] = self.prepare_code(job), settings.prepare(job)
            found[f"{data}/split{SUFFIX}"] = ["hashgnn.data.split"], settings.split(job)
            for features in self.features(job):
                made_by = ["hashgnn.data.features"], settings.features(job)
                found[features.replace(".npz", SUFFIX)] = made_by
            for drawn in self.triplets(job):
                number = negatives(self._config, run.model)
                chosen = settings.triplets({**job, "negatives": str(number)})
                found[drawn.replace(".npy", SUFFIX)] = ["hashgnn.data.negatives"], chosen
            found[f"{folder}/train{SUFFIX}"] = self.train_code(job), settings.train(job)
            evaluation = ["hashgnn.evaluation.evaluate"], settings.evaluate(job)
            found[f"{folder}/evaluate{SUFFIX}"] = evaluation
            if run in timed:
                timing = ["hashgnn.evaluation.time_searches"], settings.timing(job)
                found[f"{folder}/timing{SUFFIX}"] = timing
        return found

    def _inputs(self, name: str) -> list[str]:
        check_cutoffs(self._config, name)
        found = runs(self._config, self._config["grids"][name])
        return _files(found, *files_of(name))

    def _having_grids(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self._config["grids"]]


def _files(found: Iterable[Run], *names: str) -> list[str]:
    """Return the first of ``names`` of each run, then the second one of each, and so on."""
    folders = [RUN.format(**run._asdict()) for run in found]
    return [f"{folder}/{name}" for name, folder in product(names, folders)]


def _named(pattern: str, *choices: Iterable[Any]) -> list[str]:
    """Format ``pattern`` with each combination of ``choices``."""
    return [pattern.format(*chosen) for chosen in product(*choices)]
