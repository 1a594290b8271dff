rule triplets:
    input:
        "results/{dataset}/split.npz",
    output:
        triplets="results/{dataset}/triplets{negatives}/seed{seed}.npy",
        provenance="results/{dataset}/triplets{negatives}/seed{seed}.provenance.json",
    log:
        "results/{dataset}/logs/triplets{negatives}.seed{seed}.log",
    conda:
        ENVIRONMENT
    resources:
        **cost("triplets"),
    params:
        settings=triplets_settings,
        code=code("hashgnn.data.negatives"),
    shell:
        "python -m hashgnn.data.negatives --split {input} --settings {params.settings:q} "
        "--code {params.code:q} "
        "--output {output.triplets} --provenance {output.provenance} > {log} 2>&1"
