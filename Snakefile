"""HashGNN, end to end: data, training, evaluation, every figure and table of the paper."""

from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/lookup.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/download.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/triplets.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/timing.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/pages.smk"
include: "workflow/rules/tuning.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/checks.smk"
include: "workflow/rules/start.smk"


onstart:
    refuse_too_large(FREE)
    keep_plan()
    bring_to_now()


localrules:
    all,
    download,  # nodes of a cluster seldom reach the internet


rule all:
    default_target: True
    input:
        figures(),
        tables(),
        trainings(),
        pages(),
        judgements(),
