"""What the rules share: the checked config, paths, and what makes a job stale."""

import json
import re
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

ROOT = Path(workflow.current_basedir).parents[1]

sys.path.insert(0, str(ROOT))

from hashgnn.configuration import check_config
from hashgnn.errors import InputError
from hashgnn.provenance.code_digest import CodeDigest

code = CodeDigest(ROOT)

# The folder of one training: a data set, a method, a length of code, a seed.
RUN = "results/{dataset}/{model}/bits{bits}/seed{seed}"

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"

try:
    check_config(config, SCHEMA)
    for model in config["models"].values():
        code.closure(model["module"])
except InputError as error:
    raise WorkflowError(f"the configuration cannot be used:\n{error}")
validate(config, str(SCHEMA))  # fills in the defaults


if config["workdir"]:

    workdir: config["workdir"]


# The package that the digests were taken from is the one that runs; torch obeys
# OMP_NUM_THREADS, which Snakemake sets to the rule's threads, and numba is told the same.
shell.prefix(
    f"export PYTHONPATH={shlex.quote(str(ROOT))} "
    "NUMBA_NUM_THREADS=${{OMP_NUM_THREADS:-1}}; "
)


def settings(**used):
    """The part of the config that a job uses, as one text that compares reliably."""
    return json.dumps(used, sort_keys=True)


def any_of(names):
    """A wildcard constraint that takes these names and no other."""
    return "|".join(map(re.escape, sorted(map(str, names)))) or "(?!)"


wildcard_constraints:
    dataset=any_of(config["datasets"]),
    model=any_of(config["models"]),
    bits=r"[1-9]\d*",
    negatives=r"[1-9]\d*",
    seed=r"\d+",


def grid_runs(grid, file):
    """``file`` of every training in the grid of a figure or table."""
    return expand(
        f"{RUN}/{file}",
        dataset=grid["datasets"],
        model=grid["models"],
        bits=grid["bits"],
        seed=grid["seeds"],
    )


def display_names(kind, ids):
    """How data sets or models are called in print, in the order of the grid."""
    return {id: config[kind][id]["name"] for id in ids}
