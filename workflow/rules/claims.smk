rule claims:
    input:
        claims_inputs(),
    output:
        csv=report(
            "results/claims.csv",
            caption="../report/claims.rst",
            category="Claims",
            labels={"table": "claims"},
        ),
        md="results/claims.md",
        provenance="results/claims.provenance.json",
    log:
        "results/logs/claims.log",
    conda:
        ENVIRONMENT
    resources:
        **cost("claims"),
    params:
        settings=settings(places=places()),
        code=code("hashgnn.reporting.claims.assess"),
    shell:
        "python -m hashgnn.reporting.claims.assess {input} --csv {output.csv} --md {output.md} "
        "--code {params.code:q} --settings {params.settings:q} "
        "--provenance {output.provenance} > {log} 2>&1"
