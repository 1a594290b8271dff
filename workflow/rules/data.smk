rule download:
    output:
        file="results/{dataset}/download/{file}",
        provenance="results/{dataset}/download/{file}.provenance.json",
    log:
        "results/{dataset}/logs/download.{file}.log",
    wildcard_constraints:
        file=any_of(plan.raw_names()),
    conda:
        ENVIRONMENT
    resources:
        **resources_of("download"),
    params:
        settings=plan.settings.download,
        code=code("hashgnn.data.download"),
    shell:
        "python -m hashgnn.data.download --settings {params.settings:q} "
        "--code {params.code:q} "
        "--output {output.file:q} --provenance {output.provenance:q} 2>&1 | tee {log:q}"


rule prepare:
    input:
        plan.raw_files,
    output:
        interactions="results/{dataset}/interactions.npz",
        user_ids="results/{dataset}/users.csv",
        item_ids="results/{dataset}/items.csv",
        provenance="results/{dataset}/prepare.provenance.json",
    log:
        "results/{dataset}/logs/prepare.log",
    conda:
        ENVIRONMENT
    resources:
        **resources_of("prepare"),
    params:
        settings=plan.settings.prepare,
        code=code_of(plan.prepare_code),
    shell:
        "python -m hashgnn.data.prepare --inputs {input:q} --needs-mb {resources.needed_mb} "
        "--code {params.code:q} "
        "--settings {params.settings:q} "
        "--output {output.interactions} --users {output.user_ids} --items {output.item_ids} "
        "--provenance {output.provenance} > {log} 2>&1"


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
        **resources_of("split"),
    params:
        settings=plan.settings.split,
        code=code("hashgnn.data.split"),
    shell:
        "python -m hashgnn.data.split --interactions {input} --settings {params.settings:q} "
        "--code {params.code:q} "
        "--output {output.split} --provenance {output.provenance} > {log} 2>&1"


rule features:
    input:
        user_ids="results/{dataset}/users.csv",
        item_ids="results/{dataset}/items.csv",
        tables=plan.feature_files,
    output:
        features="results/{dataset}/features.npz",
        provenance="results/{dataset}/features.provenance.json",
    log:
        "results/{dataset}/logs/features.log",
    conda:
        ENVIRONMENT
    resources:
        **resources_of("features"),
    params:
        settings=plan.settings.features,
        code=code("hashgnn.data.features"),
    shell:
        "python -m hashgnn.data.features --users {input.user_ids} --items {input.item_ids} "
        "--code {params.code:q} "
        "--tables {input.tables:q} --settings {params.settings:q} "
        "--output {output.features} --provenance {output.provenance} > {log} 2>&1"


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
        **resources_of("triplets"),
    params:
        settings=plan.settings.triplets,
        code=code("hashgnn.data.negatives"),
    shell:
        "python -m hashgnn.data.negatives --split {input} --settings {params.settings:q} "
        "--code {params.code:q} "
        "--output {output.triplets} --provenance {output.provenance} > {log} 2>&1"
