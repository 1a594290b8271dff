"""Run the workflow from the project's root: it is defined in workflow/Snakefile."""


include: "workflow/Snakefile"


# A file that is included does not set the default target of the one that includes it.
workflow.default_target = "all"
