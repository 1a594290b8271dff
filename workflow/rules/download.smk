def raw_file(dataset, file):
    """Where a file of a data set lies: fetched, or where the user keeps it."""
    address = config["datasets"][dataset]["files"][file].get("address")
    if address is None or "://" in address:
        return f"results/{dataset}/download/{file}"
    return str(Path(workflow.workdir_init, address))


def download_settings(wildcards):
    entry = config["datasets"][wildcards.dataset]
    return settings(dataset=wildcards.dataset, file=wildcards.file, **entry["files"][wildcards.file])


def mirror():
    """The mirror as an option of the command; a folder is relative to where Snakemake began."""
    place = config["mirror"]
    if not place:
        return ""
    return f"--mirror {place if '://' in place else Path(workflow.workdir_init, place)}"


rule download:
    output:
        file="results/{dataset}/download/{file}",
        provenance="results/{dataset}/download/{file}.provenance.json",
    log:
        "results/{dataset}/logs/download.{file}.log",
    params:
        settings=download_settings,
        code=code("hashgnn.data.download"),
    wildcard_constraints:
        file=any_of(f for entry in config["datasets"].values() for f in entry.get("files", {})),
    retries: 2
    conda:
        "../../environment.yml"
    shell:
        f"python -m hashgnn.data.download --settings {{params.settings:q}} {mirror()} "
        "--output {output.file:q} --provenance {output.provenance:q} 2>&1 | tee {log:q}"
