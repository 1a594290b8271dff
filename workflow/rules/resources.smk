"""Memory and time of the jobs, from what was measured: hashgnn/experiment/resources.py."""

from hashgnn.experiment import resources as jobs, memory, runtime
from hashgnn.stage import record as machine

# Snakemake's own processes go with a job that is submitted to a cluster.
SUBMITTED = 0 if workflow.resource_settings.nodes is None else memory.SUBMITTED


def cost(stage):
    """The resources of a rule: memory (MB), run time (minutes), more at a second attempt.

    ``needed_mb`` is the memory as it is: of ``mem_mb`` Snakemake makes as much as there is. Large
    stages are told, and refuse if the machine that they run on, wherever it is, has less.
    """

    def of_job(wildcards, input):
        return jobs.cost(stage, config, wildcards, [str(file) for file in input])

    return dict(
        mem_mb=lambda wildcards, input, attempt: attempt
        * round(of_job(wildcards, input).megabytes + SUBMITTED),
        needed_mb=lambda wildcards, input: round(of_job(wildcards, input).megabytes),
        runtime=lambda wildcards, input, attempt: attempt
        * runtime.minutes(of_job(wildcards, input).seconds),
    )


# What is free now, if the jobs run on this machine and nothing was said of its memory.
FREE = (
    machine.available_mb()
    if workflow.is_main_process
    and workflow.resource_settings.nodes is None
    and "mem_mb" not in workflow.resource_settings.resources
    else None
)

if FREE:
    workflow.register_resource("mem_mb", FREE)


def refuse_too_large(available):
    """Before the first job: of those whose data are there, none needs more memory than there is.

    ``available``: MB; None if the jobs run elsewhere, or the user has said what there is.
    """
    needs = {
        job: job.resources.get("needed_mb", 0) for job in workflow.dag.needrun_jobs()
    }
    found = [
        f"{job.name} {' '.join(job.wildcards_dict.values())}: about {need:,} MB"
        for job, need in needs.items()
        if available and isinstance(need, int) and need > available
    ]
    if found:
        raise WorkflowError(
            f"{len(found)} jobs need more memory than is free here, {available:,} MB "
            f"of {machine.memory_mb():,}:",
            *sorted(found)[:10],
            "Use a machine with more, free some, or take smaller settings (batch_size, "
            "embedding_width, a data set's filter). To try all the same: --resources mem_mb=N.",
        )
