rule check_runs:
    input:
        split="results/{dataset}/split.npz",
        metrics=evaluated_runs,
    output:
        checks="results/{dataset}/checks.csv",
        provenance="results/{dataset}/checks.provenance.json",
    log:
        "results/{dataset}/logs/checks.log",
    conda:
        ENVIRONMENT
    resources:
        **cost("check_runs"),
    params:
        settings=check_settings,
        code=code("hashgnn.reporting.check_runs"),
    shell:
        "python -m hashgnn.reporting.check_runs --split {input.split} --metrics {input.metrics} "
        "--code {params.code:q} "
        "--settings {params.settings:q} --output {output.checks} "
        "--provenance {output.provenance} > {log} 2>&1"


rule checks:
    input:
        checks=expand("results/{dataset}/checks.csv", dataset=evaluated_datasets()),
        metrics=evaluated_runs,
        tables=compared_tables(),
    output:
        csv=report(
            "results/checks.csv",
            caption="../report/checks.rst",
            category="Checks",
            labels={"table": "checks"},
        ),
        md="results/checks.md",
        provenance="results/checks.provenance.json",
    log:
        "results/logs/checks.log",
    conda:
        ENVIRONMENT
    resources:
        **cost("checks"),
    params:
        settings=settings(**config["checks"]),
        code=code("hashgnn.reporting.checks"),
    shell:
        "python -m hashgnn.reporting.checks --checks {input.checks} --metrics {input.metrics} "
        "--code {params.code:q} "
        "--tables {input.tables} "
        "--settings {params.settings:q} --csv {output.csv} --md {output.md} "
        "--provenance {output.provenance} 2>&1 | tee {log}"
