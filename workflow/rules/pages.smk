rule explore:
    input:
        explored_runs(),
    output:
        html=report(
            "results/explore.html",
            caption="../report/explore.rst",
            category="All results",
            labels={"page": "data set, method, K and n"},
        ),
        provenance="results/explore.provenance.json",
    log:
        "results/logs/explore.log",
    conda:
        ENVIRONMENT
    resources:
        **cost("explore"),
    params:
        template=explore_template,
        settings=explore_settings(),
        code=code("hashgnn.reporting.explore"),
    shell:
        "python -m hashgnn.reporting.explore {input} --template {params.template:q} "
        "--code {params.code:q} "
        "--settings {params.settings:q} --output {output.html} "
        "--provenance {output.provenance} > {log} 2>&1"
