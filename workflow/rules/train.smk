rule train:
    input:
        split="results/{dataset}/split.npz",
        triplets=plan.triplets,
        pretrained=plan.pretrained,
    output:
        codes=[f"{RUN}/user_codes.npy", f"{RUN}/item_codes.npy"],
        vectors=[f"{RUN}/user_vectors.npy", f"{RUN}/item_vectors.npy"],
        history=f"{RUN}/history.csv",
        provenance=f"{RUN}/train.provenance.json",
    log:
        f"{RUN}/train.log",
    conda:
        ENVIRONMENT
    resources:
        **resources_of("train"),
    params:
        settings=plan.settings.train,
        code=code_of(plan.train_code),
        folder=RUN,
    shell:
        "python -m hashgnn.training.train --split {input.split} --triplets {input.triplets} "
        "--code {params.code:q} "
        "--pretrained {input.pretrained} --needs-mb {resources.needed_mb} "
        "--settings {params.settings:q} --output {params.folder} "
        "--provenance {output.provenance} > {log} 2>&1"
