"""Shared by all rules: the checked config, the plan, resources, the environment of jobs."""

import copy
import importlib.util
import os
import re
import shlex
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.sourcecache import LocalGitFile, LocalSourceFile


def project_root():
    """Return the folder of this project.

    If a module statement names a git repository, as ``snakedeploy`` writes it, the project is
    cloned at the same commit below ``.snakemake``.
    """
    here = workflow.current_basedir
    if isinstance(here, LocalSourceFile):
        return Path(here).parents[1]
    from git import Repo

    local = isinstance(here, LocalGitFile)
    repository = Repo(here.repo_path) if local else here.hosted_repo.repo
    commit = repository.commit(here.ref).hexsha
    folder = Path(".snakemake/hashgnn", commit).resolve()
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            clone = Repo.clone_from(repository.git_dir, Path(temporary, "clone"))
            clone.git.checkout(commit)
            with suppress(OSError):  # another process has created the folder
                Path(temporary, "clone").rename(folder)
    return folder


ROOT = project_root()


def load_package():
    """Import the package from this project, without its folder on Python's path.

    Snakemake puts the Snakefile's folder first on the path, where a user's random.py would replace
    Python's module.
    """
    sys.path[:] = [path for path in sys.path if Path(path) != ROOT]
    if "hashgnn" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "hashgnn", ROOT / "hashgnn/__init__.py"
        )
        sys.modules["hashgnn"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["hashgnn"])


load_package()

from hashgnn.config.model import in_order, refuse_repeated_keys, with_types
from hashgnn.config.methods import check_modules, named_modules
from hashgnn.config.model import base_folder, resolve
from hashgnn.errors import InputError
from hashgnn.experiment.runs import RUN, VALIDATION, reduced_to_existing
from hashgnn.experiment.hyper_parameters import CHECK, check_once
from hashgnn.experiment.local_files import (
    check_local,
    check_places,
    end_future,
    package_folder,
)
from hashgnn.experiment.plan import STUDY, Plan
from hashgnn.experiment.resources import SUBMITTED, job_resources, too_large
from hashgnn.experiment.runs import derived_models, studies
from hashgnn.experiment.status import Job, opening_line, replaced_line, write_run
from hashgnn.reporting.entries import CLAIMED, FIGURES, PAGES, TABLES, TITLES
from hashgnn.stage.code_digest import CodeDigest, PlannedCode
from hashgnn.stage.followed import check_followed
from hashgnn.stage.record import available_mb, memory_mb

digest = CodeDigest(ROOT)
code = PlannedCode(digest, workflow.is_main_process)

EXPLORE_TEMPLATE = ROOT / "hashgnn/reporting/explore.html"


def without_wildcards(text):
    """Escape braces in text that Snakemake formats."""
    return text.replace("{", "{{").replace("}", "}}")


ENVIRONMENT = without_wildcards(str(ROOT / "environment.yml"))

# A copy, as a workflow that uses this one as a module shares its config.
config = copy.deepcopy(config)

try:
    if workflow.is_main_process:
        refuse_repeated_keys(workflow.configfiles)
    config = with_types(config, workflow.config_settings.config_args or [])
    config = resolve(in_order(config, ROOT / "config/config.yaml"))
    declared = {**config, "models": dict(config["models"])}
    config["models"] |= derived_models(config)
    check_places(config)
    check_modules(declared, digest.root)
    check_followed(digest, *named_modules(config))
except InputError as error:
    raise WorkflowError(f"invalid configuration:\n{error}")


# The folder that paths of the config are relative to.
BASE = base_folder(workflow.workdir_init, workflow.is_main_process)


if config["workdir"]:

    workdir: str(Path(BASE, config["workdir"]))


# With conda, Snakemake's own environment may lack the packages of the methods.
if workflow.is_main_process and not workflow.deployment_settings.deployment_method:
    try:
        check_once(
            declared,
            digest(CHECK, *named_modules(declared)),
            Path(".snakemake/checked"),
        )
        if not config["existing"]:
            for missing in check_local(config, Path(BASE)):
                print(f"warning: {missing}", file=sys.stderr)
    except InputError as error:
        raise WorkflowError(f"invalid configuration:\n{error}")


planned = config

if config["existing"]:
    try:
        config = reduced_to_existing(config, os.path.exists)
    except InputError as error:
        raise WorkflowError(f"invalid configuration:\n{error}")

plan = Plan(config, Path(BASE), FIGURES, TABLES, CLAIMED)


def code_of(entries):
    """Return a function of wildcards: the digest of the code that ``entries`` names for a job."""
    return lambda wildcards: code(*entries(wildcards))


def explained(inputs):
    """Return the input function ``inputs``, whose errors Snakemake reports in one message."""

    def of_job(wildcards):
        try:
            return inputs(wildcards)
        except InputError as error:
            raise WorkflowError(str(error))

    return of_job


def resources_of(stage):
    """Return the resources of a rule: memory (MB) and run time (minutes), more at each retry.

    Snakemake limits ``mem_mb`` to the available memory; ``needed_mb`` is the estimate. Large stages
    take it as an option and stop on a machine that has less memory.
    """
    # On a cluster, processes of Snakemake run beside the stage.
    more = 0 if workflow.resource_settings.nodes is None else SUBMITTED

    def of_job(wildcards, input):
        return job_resources(stage, config, wildcards, [str(file) for file in input])

    return dict(
        mem_mb=lambda wildcards, input, attempt: attempt
        * round(of_job(wildcards, input).megabytes + more),
        needed_mb=lambda wildcards, input: round(of_job(wildcards, input).megabytes),
        runtime=lambda wildcards, input, attempt: attempt
        * of_job(wildcards, input).minutes,
    )


# Available memory (MB), if jobs run on this machine and the user sets no limit.
FREE = (
    available_mb()
    if workflow.is_main_process
    and workflow.resource_settings.nodes is None
    and "mem_mb" not in workflow.resource_settings.resources
    else None
)

if FREE:
    workflow.register_resource("mem_mb", FREE)


def before_first_job():
    """Refuse jobs that need too much memory, and fix the digests of code before any job runs."""
    jobs = list(workflow.dag.needrun_jobs())
    needs = {
        " ".join([job.name, *job.wildcards_dict.values()]): job.resources.get(
            "needed_mb"
        )
        for job in jobs
    }
    try:
        if FREE:
            known = {job: need for job, need in needs.items() if isinstance(need, int)}
            too_large(known, FREE, memory_mb())
    except InputError as error:
        raise WorkflowError(str(error))
    for job in jobs:
        job.params  # computes the digest of its code
        for files in workflow.dag.dependencies[job].values():
            end_future(files)
    code.hand_on()  # to jobs on a cluster
    tell_plan(jobs)


def tell_plan(jobs):
    """Say what the run has to do, and write it for ``hashgnn status``."""
    planned = [
        Job(job.name, str(record), expected_seconds(job))
        for job in jobs
        for record in job.output
        if str(record).endswith(".provenance.json")
    ]
    if planned:
        cores = (
            workflow.resource_settings.cores or workflow.resource_settings.nodes or 1
        )
        write_run(planned, cores)
        free = shutil.disk_usage(".").free / 1e6
        print(opening_line(planned, cores, free), file=sys.stderr)
    shown = {
        str(job.output[0]): (Path(job.output.provenance), [str(f) for f in job.input])
        for job in jobs
        if job.name in ("figure", "table", "explore")
    }
    if warning := replaced_line(shown):
        print(warning, file=sys.stderr)


def expected_seconds(job):
    """Return the estimated run time of a job; None if it depends on data that are not there."""
    if job.name == "download":
        return None
    try:
        files = [str(file) for file in job.input]
        return job_resources(job.name, config, job.wildcards_dict, files).seconds
    except FileNotFoundError:
        return None


def report_text():
    """Return the text on the report's first page: the summary of the results, if it was made."""
    summary = Path("results/summary.rst").resolve()
    local = isinstance(workflow.current_basedir, LocalSourceFile)
    return str(summary) if local and summary.exists() else "report/workflow.rst"


def shell_prefix():
    """Return the beginning of the shell commands of all jobs; changes of it cause no reruns.

    Jobs run the package whose digests were computed, with the interpreter that runs Snakemake
    unless conda provides another. Modules in the working directory cannot replace others. torch and
    the searches use OMP_NUM_THREADS threads, which Snakemake sets to the threads of the rule.
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
    """Return a wildcard constraint that matches these names only."""
    return "|".join(map(re.escape, sorted(map(str, names)))) or "(?!)"


wildcard_constraints:
    dataset=any_of(config["datasets"]),
    model=any_of(config["models"]),
    bits=r"[1-9]\d*",
    negatives=r"[1-9]\d*",
    seed=r"\d+",
