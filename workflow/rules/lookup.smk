"""What the jobs take from the config: their settings, the code they run, their inputs."""


def settings(**used):
    """The part of the config that a job uses, as one text that compares reliably."""
    return json.dumps(used, sort_keys=True)


KEPT = [
    *(
        f"{side}_{kind}.npy"
        for side in ("user", "item")
        for kind in ("codes", "vectors")
    ),
    "metrics.csv",
]


def grid_runs(grid, file):
    """``file`` of every training in the grid of a figure or table."""
    return [f"{RUN}/{file}".format(**run._asdict()) for run in runs(config, grid)]


def trainings():
    """What the trainings of all grids left: a lost file is noticed, though nothing waits for it."""
    grids = [g for g in config["grids"].values() if "models" in g or "sweeps" in g]
    files = [file for grid in grids for kind in KEPT for file in grid_runs(grid, kind)]
    return sorted(set(files))


def display_names(kind, ids):
    """Pairs of id and name in print, in the order of the grid; a stand-in is called one."""
    return [[id, name_in_print(config[kind][id])] for id in ids]


def name_in_print(entry):
    name, replaced = entry["name"], entry.get("stands_in_for")
    if not replaced:
        return name
    remark = f"stand-in for {replaced})"
    return f"{name[:-1]}, {remark}" if name.endswith(")") else f"{name} ({remark}"


def looks(ids):
    """Color and marker of each method that is drawn."""
    return {
        id: [config["models"][id]["color"], config["models"][id]["marker"]]
        for id in ids
    }


def places():
    """The methods that the paper has, and their places in its tables 2 and 3."""
    models = config["models"]
    return {id: models[id]["place"] for id in models if "place" in models[id]}


def raw_files(wildcards):
    """The files of a data set, fetched."""
    files = config["datasets"][wildcards.dataset].get("files", {})
    return [f"results/{wildcards.dataset}/download/{file}" for file in files]


def download_params(wildcards):
    return settings(
        **download_settings(config, wildcards.dataset, wildcards.file, Path(BASE))
    )


def prepare_settings(wildcards):
    entry = config["datasets"][wildcards.dataset]
    used = ("reader", "format", "columns", "filter", "generator")
    return settings(
        dataset=wildcards.dataset, **{key: entry[key] for key in used if key in entry}
    )


def prepare_code(wildcards):
    reader = READERS[config["datasets"][wildcards.dataset]["reader"]]
    return code("hashgnn.data.prepare", reader.partition(":")[0])


def split_settings(wildcards):
    """Keys of null are not set: they unset what a config file below has."""
    split = config["datasets"][wildcards.dataset]["split"]
    entry = {key: value for key, value in split.items() if value is not None}
    share = {"test": 0.3} if entry["by"] == "random" else {}
    return settings(**{**share, **entry})


def triplets_settings(wildcards):
    return settings(
        per_interaction=int(wildcards.negatives),
        rounds=config["triplets"]["rounds"],
        seed=int(wildcards.seed),
    )


def triplets_of(wildcards):
    """The negatives that a training uses, if any, drawn from its own seed."""
    if not takes_training(config, wildcards.model):
        return []
    number = negatives(config, wildcards.model)
    return f"results/{wildcards.dataset}/triplets{number}/seed{wildcards.seed}.npy"


def pretrained_of(wildcards):
    """The vectors that a method hashes instead of training its own."""
    model = config["models"][wildcards.model].get("pretrained")
    files = [f"{RUN}/user_vectors.npy", f"{RUN}/item_vectors.npy"] if model else []
    return expand(files, **{**wildcards, "model": model})


def train_settings(wildcards):
    """What HashGNN.load trains alike by, too."""
    shared = takes_training(config, wildcards.model)
    validation = config["datasets"][wildcards.dataset]["split"]["validation"]
    return settings(
        model=wildcards.model,
        method=config["models"][wildcards.model]["module"],
        bits=int(wildcards.bits),
        seed=int(wildcards.seed),
        **({} if isinstance(validation, (str, list, tuple)) else {"validation": validation}),
        negatives=negatives(config, wildcards.model) if shared else None,
        parameters=parameters(config, wildcards.dataset, wildcards.model),
    )


def train_code(wildcards):
    method = config["models"][wildcards.model]["module"]
    used = parameters(config, wildcards.dataset, wildcards.model)
    encoder = [used["encoder"]] if "encoder" in used else []
    return code("hashgnn.training.train", method, *encoder)


def evaluate_settings(wildcards):
    return settings(
        dataset=wildcards.dataset,
        model=wildcards.model,
        bits=int(wildcards.bits),
        seed=int(wildcards.seed),
        evaluation=config["evaluation"],
    )


def timing_settings(wildcards):
    return settings(
        dataset=wildcards.dataset,
        model=wildcards.model,
        bits=int(wildcards.bits),
        seed=int(wildcards.seed),
        timing={
            **config["timing"],
            "candidates": config["evaluation"]["candidates"],
        },
    )


def figures():
    """All figures that the config has a grid for."""
    names = [name for name in config["grids"] if name.startswith("fig")]
    return expand("figures/{figure}.{format}", figure=names, format=["pdf", "svg"])


def demand_cutoffs(name):
    """Of a figure or table that is about to be made; others may lack theirs."""
    try:
        check_cutoffs(config, name)
    except InputError as error:
        raise WorkflowError(str(error))


# Figures of the course of training read its history, all others what was evaluated.
COURSES = ("fig4", "fig6")


def figure_inputs(wildcards):
    demand_cutoffs(wildcards.figure)
    file = "history.csv" if wildcards.figure in COURSES else "metrics.csv"
    return grid_runs(config["grids"][wildcards.figure], file)


def figure_settings(wildcards):
    grid = config["grids"][wildcards.figure]
    used = {
        "datasets": display_names("datasets", grid["datasets"]),
        "models": display_names("models", grid.get("models", [])),
        "continuous": continuous_models(grid),
        "sweeps": [sweep_settings(sweep, grid) for sweep in grid.get("sweeps", [])],
    }
    swept = [config["sweeps"][sweep]["model"] for sweep in grid.get("sweeps", [])]
    used["looks"] = looks([*grid.get("models", []), *swept])
    if wildcards.figure in COURSES:
        used["runs"] = runs(config, grid)
    return settings(**used)


def sweep_settings(sweep, grid):
    """The points of a sweep on the data sets of a grid, and how it is called."""
    entry = config["sweeps"][sweep]
    found = [
        (point.at, dataset, point.model, point.bits)
        for dataset in grid["datasets"]
        for bits in grid["bits"]
        for point in points(config, sweep, dataset, bits)
    ]
    name = config["models"][entry["model"]]["name"]
    return dict(
        id=sweep,
        name=entry["name"],
        model=entry["model"],
        model_name=name,
        points=sorted(set(found), key=found.index),
    )


def continuous_models(grid):
    """Methods of a grid that have no codes of their own."""
    return [
        model
        for model in grid.get("models", [])
        if config["models"][model]["continuous"]
    ]


# What a table is made of: a file of each data set, or of each training in its grid.
TABLE_INPUTS = {
    "table1": lambda grid: expand(
        "results/{dataset}/interactions.npz", dataset=grid["datasets"]
    ),
    "table2": lambda grid: evaluations(grid),
    "table3": lambda grid: evaluations(grid),
    "table4": lambda grid: grid_runs(grid, "timing.csv"),
    "methods": lambda grid: grid_runs(grid, "metrics.csv"),
    "encoders": lambda grid: grid_runs(grid, "metrics.csv"),
    "published": lambda grid: grid_runs(grid, "metrics.csv"),
}


def table_inputs(wildcards):
    demand_cutoffs(wildcards.table)
    return TABLE_INPUTS[wildcards.table](config["grids"][wildcards.table])


def evaluations(grid):
    """Means of all trainings in a grid, then the values of every user, in the same order."""
    return grid_runs(grid, "metrics.csv") + grid_runs(grid, "per_user.npz")


def tables():
    """All tables that the config has a grid for."""
    names = [name for name in config["grids"] if name in TABLE_INPUTS]
    return expand("results/{table}.{format}", table=names, format=["csv", "md", "tex"])


def table_settings(wildcards):
    grid = config["grids"][wildcards.table]
    names = {"datasets": display_names("datasets", grid["datasets"])}
    if "models" in grid:
        names["models"] = display_names("models", grid["models"])
        names["continuous"] = continuous_models(grid)
        names["runs"] = runs(config, grid)
    if wildcards.table == "published":
        names["published"] = {
            id: config["datasets"][id]["published"] for id in grid["datasets"]
        }
    if wildcards.table in ("table2", "table3"):
        shown = grid["models"]
        names["places"] = {id: place for id, place in places().items() if id in shown}
        names["in_paper"] = [
            id for id in grid["datasets"] if config["datasets"][id]["in_paper"]
        ]
    return settings(**names)


EXPLORE_TEMPLATE = ROOT / "hashgnn/reporting/explore.html"


def explore_template(wildcards):
    """Relative, so that a project may be moved with its results.

    No input: Snakemake would take braces in the path for wildcards. An edit is noticed by the
    checksum in the settings.
    """
    return os.path.relpath(EXPLORE_TEMPLATE)


def explored():
    """The trainings of the methods that figures and tables compare; points of sweeps are not."""
    grids = [grid for grid in config["grids"].values() if "models" in grid]
    found = dict.fromkeys(run for grid in grids for run in runs(config, grid))
    compared = {model for grid in grids for model in grid["models"]}
    return [run for run in found if run.model in compared]


def explored_runs():
    return [f"{RUN}/metrics.csv".format(**run._asdict()) for run in explored()]


def explore_settings():
    def used(kind, ids):
        return display_names(kind, [id for id in config[kind] if id in ids])

    return settings(
        datasets=used("datasets", {run.dataset for run in explored()}),
        models=used("models", {run.model for run in explored()}),
        continuous=continuous_models({"models": list(config["models"])}),
        looks=looks(
            id for id in config["models"] if id in {r.model for r in explored()}
        ),
        template=str(file_checksum(EXPLORE_TEMPLATE, "sha256")),
    )


def pages():
    """The page of all results, where anything was compared."""
    return ["results/explore.html"] * bool(explored())


def claims_inputs():
    """Of the results that claims are tested on, those that the config has a grid for."""
    return [f"results/{name}.csv" for name in CLAIMED if name in config["grids"]]


def evaluated_runs(wildcards):
    """Metrics of every training that figures and tables show; of one data set, if one is asked."""
    found = dict.fromkeys(
        run for grid in config["grids"].values() for run in runs(config, grid)
    )
    chosen = wildcards.get("dataset")
    return [
        f"{RUN}/metrics.csv".format(**run._asdict())
        for run in found
        if chosen in (None, run.dataset)
    ]


def evaluated_datasets():
    return sorted(
        {run.dataset for grid in config["grids"].values() for run in runs(config, grid)}
    )


def compared_tables():
    """The tables that hold every method against the first."""
    return [
        f"results/{name}.csv"
        for name in ("table2", "table3")
        if name in config["grids"]
    ]


def check_settings(wildcards):
    return settings(
        candidates=config["evaluation"]["candidates"],
        continuous=sorted(
            m for m in config["models"] if config["models"][m]["continuous"]
        ),
    )


def judgements():
    """Claims, where anything tests one, and checks, where anything was evaluated."""
    names = ["claims"] * bool(claims_inputs()) + ["checks"] * bool(evaluated_datasets())
    return expand("results/{name}.{format}", name=names, format=["csv", "md"])


def validate_settings(wildcards):
    """As for the test part; the masked items are those of training alone."""
    used = json.loads(evaluate_settings(wildcards))
    return settings(**used, part="validation")


def validations(wildcards):
    """What every trial of tuning did on the validation part."""
    demand_cutoffs("tuning")
    tuning = config["tuning"]
    found = (
        dict(
            dataset=trial.dataset,
            model=trial.model,
            bits=tuning["bits"],
            seed=tuning["seed"],
        )
        for trial in trials(config)
    )
    return [f"{RUN}/validation.csv".format(**run) for run in found]


def tuning_settings(wildcards):
    tuning = config["tuning"]
    names = display_names("datasets", tuning["datasets"]) + display_names(
        "models", tuning["spaces"]
    )
    return settings(
        trials=[trial._asdict() for trial in trials(config)],
        continuous=[m for m in tuning["spaces"] if config["models"][m]["continuous"]],
        names=dict(names),
    )
