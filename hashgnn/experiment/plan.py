"""The plan of an experiment: its results, and the inputs and code of each.

The rules of the workflow call the methods of ``Plan``; this module does not import Snakemake.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from hashgnn.config.grids import check_cutoffs
from hashgnn.config.methods import Config, negatives, parameters, refits, takes_training
from hashgnn.data.prepare import READERS
from hashgnn.errors import InputError
from hashgnn.experiment.job_settings import COURSES, HIERARCHICAL, JobSettings, Wildcards
from hashgnn.experiment.runs import Run, compared_runs, evaluated_runs, runs, trials
from hashgnn.training import training_code

# The folder of one training: a data set, a model, a code length, a seed.
RUN = "results/{dataset}/{model}/bits{bits}/seed{seed}"

# Prefixes of file names in the folder of a run: the part of the data that is evaluated.
TEST, VALIDATION = "", "validation/"

# What runs the functions of figures and tables.
_REPORTING = "hashgnn.reporting.entries"

_VECTORS = ("user_vectors.npy", "item_vectors.npy")
_CODES = ("user_codes.npy", "item_codes.npy")

# Files of each training that a table reads, if these are not only its metrics.
_TABLE_FILES = {
    **dict.fromkeys(HIERARCHICAL, ("metrics.csv", "per_user.npz")),
    "table4": ("timing.csv",),
    "quantization": ("metrics.csv", "item_vectors.npy"),
}


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
            config: The resolved config, with the models of sweeps and tuning.
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
        """Return the claims, if one can be tested, and the checks, if anything is evaluated."""
        names = ["claims"] * bool(self.claims_inputs())
        names += ["checks"] * bool(self.evaluated_datasets())
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
        return {file for entry in entries for file in entry.get("files", {})}

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
        """Return the inputs of a figure.

        Raises ``InputError`` if a cutoff that it shows is not evaluated.
        """
        name = wildcards["figure"]
        check_cutoffs(self._config, name)
        file = "history.csv" if name in COURSES else "metrics.csv"
        return _files(runs(self._config, self._config["grids"][name]), file)

    def table_inputs(self, wildcards: Wildcards) -> list[str]:
        """Return the inputs of a table: one kind of file for all runs, then the next kind.

        Raises ``InputError`` if a cutoff that it shows is not evaluated.
        """
        name = wildcards["table"]
        check_cutoffs(self._config, name)
        grid = self._config["grids"][name]
        if "models" not in grid:
            return [f"results/{dataset}/interactions.npz" for dataset in grid["datasets"]]
        return _files(runs(self._config, grid), *_TABLE_FILES.get(name, ("metrics.csv",)))

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

    def evaluated(self, wildcards: Wildcards) -> list[str]:
        """Return the metrics of all trainings; of one data set, if ``wildcards`` names one."""
        chosen = wildcards.get("dataset")
        found = evaluated_runs(self._config)
        return _files((run for run in found if chosen in (None, run.dataset)), "metrics.csv")

    def evaluated_datasets(self) -> list[str]:
        """Return the data sets that trainings are evaluated on."""
        return sorted({run.dataset for run in evaluated_runs(self._config)})

    def checked(self) -> list[str]:
        """Return the checks of the runs on each data set."""
        return _named("results/{}/checks.csv", self.evaluated_datasets())

    def compared_tables(self) -> list[str]:
        """Return the tables that compare every model with the first one."""
        return _named("results/{}.csv", self._having_grids(HIERARCHICAL))

    def validations(self, wildcards: Wildcards) -> list[str]:
        """Return the metrics of every trial of tuning on the validation part.

        Raises ``InputError`` if the evaluation lacks the cutoff that tuning compares by, or if
        trainings are refitted on the validation part.
        """
        if refits(self._config):
            raise InputError(
                "training.refit: true: tuning compares trials on the validation part, which refits "
                "train on; set it to false until the settings are chosen"
            )
        check_cutoffs(self._config, "tuning")
        tuning = self._config["tuning"]
        bits, seed = tuning["bits"], tuning["seed"]
        found = (Run(trial.dataset, trial.model, bits, seed) for trial in trials(self._config))
        return _files(found, f"{VALIDATION}metrics.csv")

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

    def figure_code(self, wildcards: Wildcards) -> list[str]:
        """Return the entries of a figure: what runs it, and its own function."""
        return [f"{_REPORTING}:main", self._figures[wildcards["figure"]]]

    def table_code(self, wildcards: Wildcards) -> list[str]:
        """Return the entries of a table: what runs it, and its own function."""
        return [f"{_REPORTING}:main", self._tables[wildcards["table"]]]

    def _having_grids(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self._config["grids"]]


def _files(found: Iterable[Run], *names: str) -> list[str]:
    """Return the first of ``names`` of each run, then the second one of each, and so on."""
    folders = [RUN.format(**run._asdict()) for run in found]
    return [f"{folder}/{name}" for name, folder in product(names, folders)]


def _named(pattern: str, *choices: Iterable[Any]) -> list[str]:
    """Format ``pattern`` with each combination of ``choices``."""
    return [pattern.format(*chosen) for chosen in product(*choices)]
