def parameters(dataset, model):
    """Hyper-parameters of a run: shared, then the method's, then its own for this data set."""
    entry = config["models"][model]
    return {
        **config["training"],
        **entry.get("parameters", {}),
        **entry.get("per_dataset", {}).get(dataset, {}),
    }


def negatives(model):
    return config["models"][model].get("negatives", config["triplets"]["per_interaction"])


def train_settings(wildcards):
    return settings(
        module=config["models"][wildcards.model]["module"],
        bits=int(wildcards.bits),
        seed=int(wildcards.seed),
        parameters=parameters(wildcards.dataset, wildcards.model),
    )


def train_code(wildcards):
    module = config["models"][wildcards.model]["module"]
    encoder = parameters(wildcards.dataset, wildcards.model)["encoder"]
    return code("hashgnn.training.train", module, encoder)


rule train:
    input:
        split="results/{dataset}/split.npz",
        triplets=lambda wildcards: (
            f"results/{wildcards.dataset}/triplets{negatives(wildcards.model)}"
            f"/seed{wildcards.seed}.npy"
        ),
    output:
        codes=[f"{RUN}/user_codes.npy", f"{RUN}/item_codes.npy"],
        vectors=[f"{RUN}/user_vectors.npy", f"{RUN}/item_vectors.npy"],
        history=f"{RUN}/history.csv",
        provenance=f"{RUN}/train.provenance.json",
    log:
        f"{RUN}/train.log",
    params:
        settings=train_settings,
        code=train_code,
        folder=RUN,
    conda:
        "../../environment.yml"
    shell:
        "python -m hashgnn.training.train --split {input.split} --triplets {input.triplets} "
        "--settings {params.settings:q} --device {config[device]} --output {params.folder} "
        "--provenance {output.provenance} > {log} 2>&1"
