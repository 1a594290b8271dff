rule split:
    input:
        "results/{dataset}/interactions.npz",
    output:
        split="results/{dataset}/split.npz",
        provenance="results/{dataset}/split.provenance.json",
    log:
        "results/{dataset}/logs/split.log",
    conda:
        ENVIRONMENT
    resources:
        **cost("split"),
    params:
        settings=split_settings,
        code=code("hashgnn.data.split"),
    shell:
        "python -m hashgnn.data.split --interactions {input} --settings {params.settings:q} "
        "--code {params.code:q} "
        "--output {output.split} --provenance {output.provenance} > {log} 2>&1"
