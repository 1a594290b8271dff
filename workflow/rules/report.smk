rule figure:
    input:
        explained(plan.figure_inputs),
    output:
        pdf="figures/{figure}.pdf",
        svg=report(
            "figures/{figure}.svg",
            caption="../report/figure.rst",
            category="Figures",
            labels=lambda wildcards: {"figure": TITLES[wildcards.figure]},
        ),
        csv="results/{figure}.csv",
        provenance="results/{figure}.provenance.json",
    log:
        "results/logs/{figure}.log",
    wildcard_constraints:
        figure=any_of(plan.figures),
    conda:
        ENVIRONMENT
    resources:
        **resources_of("figure"),
    params:
        settings=plan.settings.figure,
        function=lambda wildcards: plan.figure_code(wildcards)[-1],
        code=code_of(plan.figure_code),
    shell:
        "python -m hashgnn.reporting.entries {params.function} {input} "
        "--code {params.code:q} "
        "--settings {params.settings:q} --pdf {output.pdf} --svg {output.svg} --csv {output.csv} "
        "--provenance {output.provenance} > {log} 2>&1"


rule table:
    input:
        explained(plan.table_inputs),
    output:
        csv="results/{table}.csv",
        md="results/{table}.md",
        tex="results/{table}.tex",
        html=report(
            "results/{table}.html",
            caption="../report/table.rst",
            category="Tables",
            labels=lambda wildcards: {"table": TITLES[wildcards.table]},
        ),
        provenance="results/{table}.provenance.json",
    log:
        "results/logs/{table}.log",
    wildcard_constraints:
        table=any_of(plan.tables),
    conda:
        ENVIRONMENT
    resources:
        **resources_of("table"),
    params:
        settings=plan.settings.table,
        function=lambda wildcards: plan.table_code(wildcards)[-1],
        code=code_of(plan.table_code),
    shell:
        "python -m hashgnn.reporting.entries {params.function} {input} --settings {params.settings:q} "
        "--code {params.code:q} "
        "--csv {output.csv} --md {output.md} --tex {output.tex} --html {output.html} "
        "--provenance {output.provenance} 2>&1 | tee {log}"


rule explore:
    input:
        metrics=plan.explored(),
        times=plan.timed(),
    output:
        html=report(
            "results/explore.html",
            caption="../report/explore.rst",
            category="All results",
            labels={"page": "Every method, search, code length and list length"},
        ),
        provenance="results/explore.provenance.json",
    log:
        "results/logs/explore.log",
    conda:
        ENVIRONMENT
    resources:
        **resources_of("explore"),
    params:
        template=lambda wildcards: os.path.relpath(EXPLORE_TEMPLATE),
        settings=plan.settings.explore(EXPLORE_TEMPLATE),
        code=code("hashgnn.reporting.explore"),
    shell:
        "python -m hashgnn.reporting.explore {input.metrics} --times {input.times} --template {params.template:q} "
        "--code {params.code:q} "
        "--settings {params.settings:q} --output {output.html} "
        "--provenance {output.provenance} > {log} 2>&1"


rule study:
    input:
        f"{STUDY}/trials.csv",
    output:
        pdf="figures/studies/{dataset}.{model}.pdf",
        svg=report(
            "figures/studies/{dataset}.{model}.svg",
            caption="../report/study.rst",
            category="Tuning",
            labels={"study": "{model} on {dataset}"},
        ),
        csv=f"{STUDY}/course.csv",
        provenance=f"{STUDY}/study.provenance.json",
    log:
        f"{STUDY}/study.log",
    conda:
        ENVIRONMENT
    resources:
        **resources_of("study"),
    params:
        settings=plan.settings.study,
        code=code("hashgnn.reporting.entries:main", "hashgnn.reporting.tuning:study"),
    shell:
        "python -m hashgnn.reporting.entries hashgnn.reporting.tuning:study {input} "
        "--code {params.code:q} "
        "--settings {params.settings:q} "
        "--pdf {output.pdf} --svg {output.svg} --csv {output.csv} "
        "--provenance {output.provenance} > {log} 2>&1"


rule summary:
    input:
        metrics=plan.explored(),
        claims=[file for file in plan.verdicts() if file == "results/claims.csv"],
        checks=[file for file in plan.verdicts() if file == "results/checks.csv"],
    output:
        summary="results/summary.rst",
        provenance="results/summary.provenance.json",
    log:
        "results/logs/summary.log",
    conda:
        ENVIRONMENT
    resources:
        **resources_of("summary"),
    params:
        settings=plan.settings.summary(),
        code=code("hashgnn.reporting.summary"),
    shell:
        "python -m hashgnn.reporting.summary {input.metrics} --claims {input.claims} "
        "--code {params.code:q} "
        "--checks {input.checks} --settings {params.settings:q} "
        "--output {output.summary} --provenance {output.provenance} > {log} 2>&1"


rule tuning:
    input:
        trials=plan.studies(),
        plots=plan.study_plots(),
    output:
        csv="results/tuning.csv",
        md="results/tuning.md",
        html=report(
            "results/tuning.html",
            caption="../report/tuning.rst",
            category="Tuning",
            labels={"table": "Settings tried, by validation"},
        ),
        provenance="results/tuning.provenance.json",
    log:
        "results/logs/tuning.log",
    conda:
        ENVIRONMENT
    resources:
        **resources_of("tuning"),
    params:
        settings=lambda wildcards: plan.settings.tuning(),
        code=code("hashgnn.reporting.entries:main", "hashgnn.reporting.tuning:tuning"),
    shell:
        "python -m hashgnn.reporting.entries hashgnn.reporting.tuning:tuning {input.trials} "
        "--code {params.code:q} "
        "--settings {params.settings:q} "
        "--csv {output.csv} --md {output.md} --html {output.html} "
        "--provenance {output.provenance} 2>&1 | tee {log}"


rule claims:
    input:
        plan.claims_inputs(),
    output:
        csv="results/claims.csv",
        md="results/claims.md",
        html=report(
            "results/claims.html",
            caption="../report/claims.rst",
            category="Claims",
            labels={"table": "What the paper says, and whether it holds"},
        ),
        provenance="results/claims.provenance.json",
    log:
        "results/logs/claims.log",
    conda:
        ENVIRONMENT
    resources:
        **resources_of("claims"),
    params:
        settings=plan.settings.claims(),
        code=code("hashgnn.reporting.entries:main", "hashgnn.reporting.claims:claims"),
    shell:
        "python -m hashgnn.reporting.entries hashgnn.reporting.claims:claims {input} "
        "--code {params.code:q} "
        "--settings {params.settings:q} "
        "--csv {output.csv} --md {output.md} --html {output.html} "
        "--provenance {output.provenance} > {log} 2>&1"


rule checks:
    input:
        checks=plan.checked(),
        metrics=plan.evaluated(),
        tables=plan.compared_tables(),
    output:
        csv="results/checks.csv",
        md="results/checks.md",
        html=report(
            "results/checks.html",
            caption="../report/checks.rst",
            category="Checks",
            labels={"table": "Consistency of all results"},
        ),
        provenance="results/checks.provenance.json",
    log:
        "results/logs/checks.log",
    conda:
        ENVIRONMENT
    resources:
        **resources_of("checks"),
    params:
        settings=plan.settings.checks(),
        code=code("hashgnn.reporting.checks"),
    shell:
        "python -m hashgnn.reporting.checks --checks {input.checks} --metrics {input.metrics} "
        "--code {params.code:q} "
        "--tables {input.tables} "
        "--settings {params.settings:q} --csv {output.csv} --md {output.md} --html {output.html} "
        "--provenance {output.provenance} 2>&1 | tee {log}"


# Makes all results of a data set.
rule provenance:
    input:
        plan.records,
    output:
        csv="results/{dataset}/provenance.csv",
        md="results/{dataset}/provenance.md",
        html=report(
            "results/{dataset}/provenance.html",
            caption="../report/provenance.rst",
            category="Provenance",
            labels={"data set": "{dataset}"},
        ),
        provenance="results/{dataset}/provenance.provenance.json",
    log:
        "results/{dataset}/logs/provenance.log",
    conda:
        ENVIRONMENT
    resources:
        **resources_of("provenance"),
    params:
        settings=lambda wildcards: plan.settings.provenance(
            plan.planned(wildcards, code)
        ),
        code=code(
            "hashgnn.reporting.entries:main", "hashgnn.reporting.records:provenance"
        ),
    shell:
        "python -m hashgnn.reporting.entries hashgnn.reporting.records:provenance {input} "
        "--code {params.code:q} "
        "--settings {params.settings:q} "
        "--csv {output.csv} --md {output.md} --html {output.html} "
        "--provenance {output.provenance} > {log} 2>&1"


# The pages of the reproduction, which `make pages` publishes; the CSV files behind them, too.
rule pages:
    input:
        shown=plan.shown_on_pages(),
        metrics=plan.explored(),
    output:
        pages=[f"pages/{page}.md" for page in ("README", "headline", *PAGES)],
        provenance="pages/pages.provenance.json",
    log:
        "results/logs/pages.log",
    conda:
        ENVIRONMENT
    resources:
        **resources_of("pages"),
    params:
        settings=lambda wildcards: plan.settings.pages(planned, TITLES),
        code=code("hashgnn.reporting.pages"),
    shell:
        "python -m hashgnn.reporting.pages {input.shown} --metrics {input.metrics} --output pages "
        "--code {params.code:q} "
        "--settings {params.settings:q} --provenance {output.provenance} > {log} 2>&1"
