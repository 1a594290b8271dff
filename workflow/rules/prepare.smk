rule prepare:
    input:
        raw_files,
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
        **cost("prepare"),
    params:
        settings=prepare_settings,
        code=prepare_code,
    shell:
        "python -m hashgnn.data.prepare --inputs {input:q} --needs-mb {resources.needed_mb} "
        "--code {params.code:q} "
        "--settings {params.settings:q} "
        "--output {output.interactions} --users {output.user_ids} --items {output.item_ids} "
        "--provenance {output.provenance} > {log} 2>&1"
