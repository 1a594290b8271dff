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
    # As many as there are: nothing else runs meanwhile. It uses those that the config says.
    threads: 10**6
    resources:
        **cost("timing"),
    params:
        settings=timing_settings,
        code=code("hashgnn.evaluation.time_searches"),
    shell:
        "python -m hashgnn.evaluation.time_searches "
        "--code {params.code:q} "
        "--user-codes {input.user_codes} --item-codes {input.item_codes} "
        "--user-vectors {input.user_vectors} --item-vectors {input.item_vectors} "
        "--settings {params.settings:q} --output {output.times} "
        "--provenance {output.provenance} > {log} 2>&1"
