rule validate:
    input:
        split="results/{dataset}/split.npz",
        user_codes=f"{RUN}/user_codes.npy",
        item_codes=f"{RUN}/item_codes.npy",
        user_vectors=f"{RUN}/user_vectors.npy",
        item_vectors=f"{RUN}/item_vectors.npy",
    output:
        metrics=f"{RUN}/validation.csv",
        per_user=f"{RUN}/validation.npz",
        provenance=f"{RUN}/validate.provenance.json",
    log:
        f"{RUN}/validate.log",
    conda:
        ENVIRONMENT
    resources:
        **cost("validate"),
    params:
        settings=validate_settings,
        code=code("hashgnn.evaluation.evaluate"),
    shell:
        "python -m hashgnn.evaluation.evaluate --split {input.split} "
        "--code {params.code:q} "
        "--user-codes {input.user_codes} --item-codes {input.item_codes} "
        "--user-vectors {input.user_vectors} --item-vectors {input.item_vectors} "
        "--needs-mb {resources.needed_mb} "
        "--settings {params.settings:q} --metrics {output.metrics} "
        "--per-user {output.per_user} --provenance {output.provenance} > {log} 2>&1"


rule tuning:
    input:
        validations,
    output:
        csv=report(
            "results/tuning.csv",
            caption="../report/tuning.rst",
            category="Tuning",
            labels={"table": "tuning"},
        ),
        md="results/tuning.md",
        provenance="results/tuning.provenance.json",
    log:
        "results/logs/tuning.log",
    conda:
        ENVIRONMENT
    resources:
        **cost("tuning"),
    params:
        settings=tuning_settings,
        code=code("hashgnn.reporting.tables.tuning"),
    shell:
        "python -m hashgnn.reporting.tables.tuning {input} --settings {params.settings:q} "
        "--code {params.code:q} "
        "--csv {output.csv} --md {output.md} --provenance {output.provenance} 2>&1 | tee {log}"
