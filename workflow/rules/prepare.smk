def raw_files(wildcards):
    return [raw_file(wildcards.dataset, f) for f in config["datasets"][wildcards.dataset].get("files", {})]


def prepare_settings(wildcards):
    entry = config["datasets"][wildcards.dataset]
    used = ("reader", "format", "columns", "rating_at_least", "behaviors", "filter", "generate")
    return settings(
        dataset=wildcards.dataset, **{key: entry[key] for key in used if key in entry}
    )


def reader_module(wildcards):
    return f"hashgnn.data.readers.{config['datasets'][wildcards.dataset]['reader']}"


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
    params:
        settings=prepare_settings,
        code=lambda wildcards: code("hashgnn.data.prepare", reader_module(wildcards)),
    conda:
        "../../environment.yml"
    shell:
        "python -m hashgnn.data.prepare --files {input:q} --settings {params.settings:q} "
        "--interactions {output.interactions} --users {output.user_ids} --items {output.item_ids} "
        "--provenance {output.provenance} > {log} 2>&1"
