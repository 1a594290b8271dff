rule evaluate:
    input:
        split="results/{dataset}/split.npz",
        user_codes=f"{RUN}/user_codes.npy",
        item_codes=f"{RUN}/item_codes.npy",
        user_vectors=f"{RUN}/user_vectors.npy",
        item_vectors=f"{RUN}/item_vectors.npy",
    output:
        metrics=f"{RUN}/metrics.csv",
        per_user=f"{RUN}/per_user.npz",
        provenance=f"{RUN}/evaluate.provenance.json",
    log:
        f"{RUN}/evaluate.log",
    conda:
        ENVIRONMENT
    resources:
        **cost("evaluate"),
    params:
        settings=evaluate_settings,
        code=code("hashgnn.evaluation.evaluate"),
    shell:
        "python -m hashgnn.evaluation.evaluate --split {input.split} "
        "--code {params.code:q} "
        "--user-codes {input.user_codes} --item-codes {input.item_codes} "
        "--user-vectors {input.user_vectors} --item-vectors {input.item_vectors} "
        "--needs-mb {resources.needed_mb} "
        "--settings {params.settings:q} --metrics {output.metrics} "
        "--per-user {output.per_user} --provenance {output.provenance} > {log} 2>&1"
