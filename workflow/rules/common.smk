"""What the rules share: the checked config, paths, and what makes a job stale."""

import copy
import functools
import importlib.util
import json
import os
import re
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.current_basedir).parents[1]


def load_package():
    """Import the package from this project, and no other file that lies beside it.

    Snakemake puts the Snakefile's folder first on the path: a user's own random.py there would
    be taken for Python's.
    """
    sys.path[:] = [path for path in sys.path if Path(path) != ROOT]
    if "hashgnn" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "hashgnn", ROOT / "hashgnn/__init__.py"
        )
        sys.modules["hashgnn"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["hashgnn"])


load_package()

from hashgnn.checksums import file_checksum
from hashgnn.config.grids import check_cutoffs
from hashgnn.config.loading import refuse_repeated_keys, with_types
from hashgnn.config.methods import (
    named_modules,
    negatives,
    parameters,
    takes_training,
)
from hashgnn.config.model import base_folder, resolve
from hashgnn.data.prepare import READERS
from hashgnn.errors import InputError
from hashgnn.experiment.check_once import CHECK, check_once
from hashgnn.experiment.downloads import check_places, download_settings
from hashgnn.experiment.package_link import package_folder
from hashgnn.experiment.runs import derived_models, points, runs
from hashgnn.experiment.tuning import trials, tried_models
from hashgnn.reporting.entries import CLAIMED, FIGURES, TABLES
from hashgnn.stage.code_digest import CodeDigest, PlannedCode
from hashgnn.stage.followed import check_followed

digest = CodeDigest(ROOT)
code = PlannedCode(digest, workflow.is_main_process)

# The folder of one training: a data set, a method, a length of code, a seed.
RUN = "results/{dataset}/{model}/bits{bits}/seed{seed}"

def without_wildcards(text):
    """For what Snakemake formats: braces, as paths may have them, doubled."""
    return text.replace("{", "{{").replace("}", "}}")


ENVIRONMENT = without_wildcards(str(ROOT / "environment.yml"))

# Filled in and added to below, which is nothing to a workflow that takes this one in as a module.
config = copy.deepcopy(config)

try:
    if workflow.is_main_process:
        refuse_repeated_keys(workflow.configfiles)
    config = with_types(config, workflow.config_settings.config_args or [])
    config = resolve(config)
    declared = {**config, "models": dict(config["models"])}
    config["models"] |= {**derived_models(config), **tried_models(config)}
    check_places(config)
    check_followed(digest, *named_modules(config))
except InputError as error:
    raise WorkflowError(f"the configuration cannot be used:\n{error}")


# Where relative paths of the config begin.
BASE = base_folder(workflow.workdir_init, workflow.is_main_process)


if config["workdir"]:

    workdir: str(Path(BASE, config["workdir"]))


# Where conda brings the jobs' packages, Snakemake's own environment may lack the methods'.
if workflow.is_main_process and not workflow.deployment_settings.deployment_method:
    try:
        check_once(
            declared,
            digest(CHECK, *named_modules(declared)),
            Path(".snakemake/checked"),
        )
    except InputError as error:
        raise WorkflowError(f"the configuration cannot be used:\n{error}")


def shell_prefix():
    """What each job's shell begins with; it makes nothing stale.

    The package that runs is the one that the digests were taken from, and no module of the working
    directory, under the interpreter that runs Snakemake unless conda brings another. torch and the
    searches obey OMP_NUM_THREADS, which Snakemake sets to the rule's threads. Relative paths of
    the config begin where Snakemake was started.
    """
    variables = {
        "PYTHONPATH": package_folder(ROOT, Path(".snakemake")),
        "PYTHONSAFEPATH": 1,
        "HASHGNN_DEVICE": config["device"],
        "HASHGNN_MIRROR": config["mirror"] or "",
        "HASHGNN_MIRROR_CHECKSUMS": config["mirror_checksums"],
        "HASHGNN_TENSORBOARD": int(config["tensorboard"]),
        "HASHGNN_BASE": BASE,
    }
    exports = [f"{name}={shlex.quote(str(value))}" for name, value in variables.items()]
    if not workflow.deployment_settings.deployment_method:
        exports.append(f"PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
    return f"set -euo pipefail; export {' '.join(exports)}; "


shell.prefix(without_wildcards(shell_prefix()))


def any_of(names):
    """A wildcard constraint that takes these names and no other."""
    return "|".join(map(re.escape, sorted(map(str, names)))) or "(?!)"


wildcard_constraints:
    dataset=any_of(config["datasets"]),
    model=any_of(config["models"]),
    bits=r"[1-9]\d*",
    negatives=r"[1-9]\d*",
    seed=r"\d+",
