rule tune:
    input:
        split="results/{dataset}/split.npz",
        triplets=plan.study_triplets,
        pretrained=plan.study_pretrained,
        features=plan.features,
    output:
        trials=f"{STUDY}/trials.csv",
        tuned=f"{STUDY}/tuned.yaml",
        provenance=f"{STUDY}/tune.provenance.json",
    log:
        f"{STUDY}/tune.log",
    wildcard_constraints:
        dataset=any_of(dataset for dataset, _ in studies(config)),
        model=any_of(model for _, model in studies(config)),
    conda:
        ENVIRONMENT
    resources:
        **resources_of("tune"),
    params:
        settings=plan.settings.tune,
        code=code_of(plan.study_code),
        folder=STUDY,
    shell:
        "python -m hashgnn.experiment.study --split {input.split} --triplets {input.triplets} "
        "--code {params.code:q} "
        "--pretrained {input.pretrained} --features {input.features} "
        "--needs-mb {resources.needed_mb} "
        "--settings {params.settings:q} --folder {params.folder} --trials {output.trials} "
        "--tuned {output.tuned} --provenance {output.provenance} > {log} 2>&1"


rule train:
    input:
        split="results/{dataset}/split.npz",
        triplets=plan.triplets,
        pretrained=plan.pretrained,
        features=plan.features,
        tuned=plan.tuned,
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
        "--pretrained {input.pretrained} --features {input.features} --tuned {input.tuned} "
        "--needs-mb {resources.needed_mb} "
        "--settings {params.settings:q} --output {params.folder} "
        "--provenance {output.provenance} > {log} 2>&1"
