rule table:
    input:
        table_inputs,
    output:
        csv=report(
            "results/{table}.csv",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        md="results/{table}.md",
        tex="results/{table}.tex",
        provenance="results/{table}.provenance.json",
    log:
        "results/logs/{table}.log",
    wildcard_constraints:
        table=any_of(TABLE_INPUTS),
    conda:
        ENVIRONMENT
    resources:
        **cost("table"),
    params:
        settings=table_settings,
        code=lambda wildcards: code(TABLES[wildcards.table].split(":")[0]),
    shell:
        "python -m hashgnn.reporting.entries {wildcards.table} {input} --settings {params.settings:q} "
        "--code {params.code:q} "
        "--csv {output.csv} --md {output.md} --tex {output.tex} "
        "--provenance {output.provenance} 2>&1 | tee {log}"
