# What a table is made of: a file of each data set, or of each training in its grid.
TABLE_INPUTS = {
    "table1": lambda grid: expand(
        "results/{dataset}/interactions.npz", dataset=grid["datasets"]
    ),
    "table2": lambda grid: grid_runs(grid, "metrics.csv"),
}


def tables():
    """All tables that the config has a grid for."""
    names = [name for name in config["grids"] if name.startswith("table")]
    return expand("results/{table}.{format}", table=names, format=["csv", "md", "tex"])


def table_settings(wildcards):
    grid = config["grids"][wildcards.table]
    names = {"datasets": display_names("datasets", grid["datasets"])}
    if "models" in grid:
        names["models"] = display_names("models", grid["models"])
        names["continuous"] = [m for m in grid["models"] if config["models"][m]["continuous"]]
    return settings(**names)


rule table:
    input:
        lambda wildcards: TABLE_INPUTS[wildcards.table](config["grids"][wildcards.table]),
    output:
        csv=report(
            "results/{table}.csv",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        md="results/{table}.md",
        tex="results/{table}.tex",
        provenance="results/{table}.provenance.json",
    log:
        "results/logs/{table}.log",
    params:
        settings=table_settings,
        code=lambda wildcards: code(f"hashgnn.tables.{wildcards.table}"),
    wildcard_constraints:
        table=any_of(TABLE_INPUTS),
    conda:
        "../../environment.yml"
    shell:
        "python -m hashgnn.tables.{wildcards.table} {input} --settings {params.settings:q} "
        "--csv {output.csv} --md {output.md} --tex {output.tex} "
        "--provenance {output.provenance} 2>&1 | tee {log}"
