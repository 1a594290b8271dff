rule figure:
    input:
        figure_inputs,
    output:
        pdf="figures/{figure}.pdf",
        svg=report(
            "figures/{figure}.svg",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
        csv="results/{figure}.csv",
        provenance="results/{figure}.provenance.json",
    log:
        "results/logs/{figure}.log",
    wildcard_constraints:
        figure=any_of(name for name in config["grids"] if name.startswith("fig")),
    conda:
        ENVIRONMENT
    resources:
        **cost("figure"),
    params:
        settings=figure_settings,
        code=lambda wildcards: code(FIGURES[wildcards.figure].split(":")[0]),
    shell:
        "python -m hashgnn.reporting.entries {wildcards.figure} {input} "
        "--code {params.code:q} "
        "--settings {params.settings:q} --pdf {output.pdf} --svg {output.svg} --csv {output.csv} "
        "--provenance {output.provenance} > {log} 2>&1"
