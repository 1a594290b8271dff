rule evaluate:
    input:
        split="results/{dataset}/split.npz",
        user_codes=f"{RUN}/user_codes.npy",
        item_codes=f"{RUN}/item_codes.npy",
        user_vectors=f"{RUN}/user_vectors.npy",
        item_vectors=f"{RUN}/item_vectors.npy",
    output:
        metrics=f"{RUN}/{{part}}metrics.csv",
        per_user=f"{RUN}/{{part}}per_user.npz",
        checks=f"{RUN}/{{part}}checks.csv",
        provenance=f"{RUN}/{{part}}evaluate.provenance.json",
    log:
        f"{RUN}/{{part}}evaluate.log",
    # Results of the test part have no prefix.
    wildcard_constraints:
        part=f"({VALIDATION})?",
    conda:
        ENVIRONMENT
    resources:
        **resources_of("evaluate"),
    params:
        settings=plan.settings.evaluate,
        code=code("hashgnn.evaluation.evaluate"),
    shell:
        "python -m hashgnn.evaluation.evaluate --split {input.split} "
        "--code {params.code:q} "
        "--user-codes {input.user_codes} --item-codes {input.item_codes} "
        "--user-vectors {input.user_vectors} --item-vectors {input.item_vectors} "
        "--needs-mb {resources.needed_mb} "
        "--settings {params.settings:q} --metrics {output.metrics} "
        "--per-user {output.per_user} --checks {output.checks} "
        "--provenance {output.provenance} > {log} 2>&1"


rule timing:
    input:
        user_codes=f"{RUN}/user_codes.npy",
        item_codes=f"{RUN}/item_codes.npy",
        user_vectors=f"{RUN}/user_vectors.npy",
        item_vectors=f"{RUN}/item_vectors.npy",
    output:
        times=f"{RUN}/timing.csv",
        provenance=f"{RUN}/timing.provenance.json",
    log:
        f"{RUN}/timing.log",
    conda:
        ENVIRONMENT
    # All cores, so that no other job runs at the same time. Searches use timing.threads of them.
    threads: 10**6
    resources:
        **resources_of("timing"),
    params:
        settings=plan.settings.timing,
        code=code("hashgnn.evaluation.time_searches"),
    shell:
        "python -m hashgnn.evaluation.time_searches "
        "--code {params.code:q} "
        "--user-codes {input.user_codes} --item-codes {input.item_codes} "
        "--user-vectors {input.user_vectors} --item-vectors {input.item_vectors} "
        "--settings {params.settings:q} --output {output.times} "
        "--provenance {output.provenance} > {log} 2>&1"


rule query_times:
    input:
        user_codes=f"{RUN}/user_codes.npy",
        item_codes=f"{RUN}/item_codes.npy",
        user_vectors=f"{RUN}/user_vectors.npy",
        item_vectors=f"{RUN}/item_vectors.npy",
    output:
        times=f"{RUN}/query_times.csv",
        provenance=f"{RUN}/query_times.provenance.json",
    log:
        f"{RUN}/query_times.log",
    conda:
        ENVIRONMENT
    # All cores, as for timing.
    threads: 10**6
    resources:
        **resources_of("query_times"),
    params:
        settings=plan.settings.query_times,
        code=code("hashgnn.evaluation.time_queries"),
    shell:
        "python -m hashgnn.evaluation.time_queries "
        "--code {params.code:q} "
        "--user-codes {input.user_codes} --item-codes {input.item_codes} "
        "--user-vectors {input.user_vectors} --item-vectors {input.item_vectors} "
        "--settings {params.settings:q} --output {output.times} "
        "--provenance {output.provenance} > {log} 2>&1"
