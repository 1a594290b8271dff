rule download:
    output:
        file="results/{dataset}/download/{file}",
        provenance="results/{dataset}/download/{file}.provenance.json",
    log:
        "results/{dataset}/logs/download.{file}.log",
    wildcard_constraints:
        file=any_of(
            f for entry in config["datasets"].values() for f in entry.get("files", {})
        ),
    conda:
        ENVIRONMENT
    resources:
        **cost("download"),
    params:
        settings=download_params,
        code=code("hashgnn.data.download"),
    shell:
        "python -m hashgnn.data.download --settings {params.settings:q} "
        "--code {params.code:q} "
        "--output {output.file:q} --provenance {output.provenance:q} 2>&1 | tee {log:q}"
