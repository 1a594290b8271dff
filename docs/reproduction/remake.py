"""Make the tables and figures anew from the committed values of each seed.

    python docs/reproduction/remake.py [FOLDER]

The functions of the workflow's own stages make them, so that a new interval, mark or format shows
here too. ``seeds.csv`` holds the values behind tables 2 and 3 and the table of all methods; those
behind a figure are its CSV. The values of single users are not kept: differences are those of the
means, without interval and p.
"""

import sys
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from hashgnn.config.model import resolve
from hashgnn.evaluation.evaluate import Check
from hashgnn.evaluation.statistics import COLUMNS, over_seeds, read_metrics
from hashgnn.reporting.checks import check_table, summarize
from hashgnn.reporting.figures import curves, sweeps
from hashgnn.reporting.figures.style import save_figure, use_style
from hashgnn.reporting.tables import Printed, paper, to_latex, to_markdown
from hashgnn.reporting.tables.comparison import make_methods, place, select
from hashgnn.reporting.tables.paper import FOUND

HERE = Path(__file__).parent
CONFIG = resolve(
    yaml.safe_load((HERE.parents[1] / "config/config.yaml").read_text(encoding="utf-8"))
)
DATASETS = {
    "movielens": "MovieLens-1M",
    "gowalla": "Gowalla",
    "pinterest": "Pinterest (37.5k users)",
    "alibaba_like": "Alibaba-like, generated (stand-in for Alibaba)",
}
PLACES = {id: entry["place"] for id, entry in CONFIG["models"].items() if "place" in entry}
IN_PAPER = ["movielens", "gowalla", "pinterest"]
LOOKS = {id: [entry["color"], entry["marker"]] for id, entry in CONFIG["models"].items()}
MODELS = {id: entry["name"] for id, entry in CONFIG["models"].items()}
CONTINUOUS = [id for id, entry in CONFIG["models"].items() if entry.get("continuous")]
ALL = [
    *("hashgnn_plus", "hashgnn", "hashgnn_nr", "hashgnn_sp", "hash_ste", "hash_gumb", "hashnet"),
    *("lsh", "graphsage", "mf", "als", "pte", "bine", "puresvd", "popularity"),
]
PUBLIC = IN_PAPER


def main(folder: Path) -> None:
    """Write everything into ``folder``."""
    seeds = read_metrics([HERE / "seeds.csv"])
    write(folder, "methods", *make_methods(of_methods(seeds)))
    for name, datasets in (("table2", PUBLIC), ("table3", ["alibaba_like"])):
        write(folder, name, *compared(seeds, datasets, CONFIG["grids"][name]["models"]))
    write_printed(folder, "table1", paper.print_sizes(pd.read_csv(HERE / "table1.csv")))
    times = pd.read_csv(HERE / "table4.csv")
    write_printed(folder, "table4", paper.print_times(times, DATASETS, MODELS))
    write_checks(folder)
    write_figures(folder)


def of_methods(seeds: pd.DataFrame) -> Namespace:
    """Return the arguments of the table of all methods."""
    path = Path(tempfile.mkdtemp(), "metrics.csv")
    in_order(seeds, PUBLIC, ALL).to_csv(path, index=False)
    return Namespace(inputs=[path], settings=settings(PUBLIC, ALL))


def compared(
    seeds: pd.DataFrame, datasets: list[str], models: list[str]
) -> tuple[pd.DataFrame, Printed]:
    """Return numbers and printed form of a table of hierarchical search."""
    numbers = over_seeds(select(in_order(seeds, datasets, models), CONTINUOUS))
    numbers["place"] = place(numbers, ["dataset", "metric", "n"])
    numbers[FOUND] = float("nan")
    means = numbers.set_index(["dataset", "model", "metric", "n"])["mean"]
    metric, n = paper.TESTED
    for row in numbers.index[(numbers.metric == metric) & (numbers.n == n)]:
        dataset, model = numbers.loc[row, "dataset"], numbers.loc[row, "model"]
        if model != models[0]:
            apart = means[dataset, model, metric, n] - means[dataset, models[0], metric, n]
            numbers["reference"] = numbers["reference"].astype(object)
            numbers.loc[row, ["reference", "difference"]] = models[0], apart
    return numbers, paper.print_table(numbers, settings(datasets, models))


def in_order(seeds: pd.DataFrame, datasets: list[str], models: list[str]) -> pd.DataFrame:
    """Return the rows of data sets and models, in their order."""
    runs = [(dataset, model) for dataset in datasets for model in models]
    return pd.concat([seeds[(seeds.dataset == d) & (seeds.model == m)] for d, m in runs])


def settings(datasets: list[str], models: list[str]) -> dict[str, Any]:
    """Return the settings of the stages: names, looks and places in the paper."""
    return {
        "datasets": [[id, DATASETS[id]] for id in datasets],
        "models": [[id, MODELS[id]] for id in models],
        "continuous": CONTINUOUS,
        "looks": LOOKS,
        "places": PLACES,
        "in_paper": [id for id in datasets if id in IN_PAPER],
    }


def write(folder: Path, name: str, numbers: pd.DataFrame, printed: Printed) -> None:
    """Write a table in three formats."""
    numbers.to_csv(folder / f"{name}.csv", index=False)
    write_printed(folder, name, printed)


def write_printed(folder: Path, name: str, printed: Printed) -> None:
    """Write what is read of a table."""
    (folder / f"{name}.md").write_text(to_markdown(printed), encoding="utf-8")
    (folder / f"{name}.tex").write_text(to_latex(printed, name), encoding="utf-8")


def write_checks(folder: Path) -> None:
    """Write the checks: those of the trainings as committed, those of the tables anew."""
    checks = pd.read_csv(HERE / "checks.csv", keep_default_na=False)
    of_runs = checks[~checks.subject.str.match(r"table\d ")]
    own = [
        c for n in (2, 3) for c in check_table(f"table{n}", pd.read_csv(folder / f"table{n}.csv"))
    ]
    joined = pd.concat([of_runs, pd.DataFrame(own, columns=Check._fields)])
    joined.to_csv(folder / "checks.csv", index=False)
    (folder / "checks.md").write_text(to_markdown(summarize(joined)), encoding="utf-8")


def write_figures(folder: Path) -> None:
    """Draw all figures from their CSV."""
    use_style()
    makes = {
        "fig1": curves.make_fig1,
        "fig3": curves.make_fig3,
        "fig4": curves.make_fig4,
        "fig5": sweeps.make_fig5,
        "fig6": curves.make_fig6,
        "fig7": sweeps.make_fig7,
    }
    for name, make in makes.items():
        grid, path = CONFIG["grids"][name], HERE / f"{name}.csv"
        shown = set(pd.read_csv(path).dataset)
        given = settings([id for id in DATASETS if id in shown], grid.get("models", []))
        inputs = [path]
        if name in ("fig4", "fig6"):
            inputs, given["runs"] = histories(path)
        if "sweeps" in grid:
            inputs, given["sweeps"] = swept(path)
        figure, _ = make(Namespace(inputs=inputs, settings=given))
        save_figure(figure, folder / f"{name}.pdf", folder / f"{name}.svg")


def swept(numbers: Path) -> tuple[list[Path], list[dict[str, Any]]]:
    """Return the metrics that the numbers of figure 5 or 7 came from, and its sweeps."""
    frame = pd.read_csv(numbers)
    metrics = Path(tempfile.mkdtemp(), "metrics.csv")
    frame[COLUMNS].drop_duplicates().to_csv(metrics, index=False)
    found = []
    for sweep, rows in frame[frame["at"] != sweeps.DYNAMIC].groupby("sweep", sort=False):
        entry, points = CONFIG["sweeps"][sweep], rows[["at", "dataset", "model", "bits"]]
        points = points.assign(at=pd.to_numeric(points["at"])).drop_duplicates()
        own = {"id": sweep, "name": entry["name"], "model": entry["model"]}
        own |= {"model_name": MODELS[entry["model"]], "points": points.to_numpy().tolist()}
        found.append(own)
    return [metrics], found


def histories(numbers: Path) -> tuple[list[Path], list[list[object]]]:
    """Return the histories that the numbers of figure 4 or 6 came from, and their trainings."""
    run, folder = ["dataset", "model", "bits", "seed"], Path(tempfile.mkdtemp())
    paths, runs = [], []
    for key, rows in pd.read_csv(numbers).groupby(run, sort=False):
        table = rows.pivot(index=["iteration", "p"], columns="quantity", values="value")
        paths.append(folder / f"{len(paths)}.csv")
        table.reset_index().to_csv(paths[-1], index=False)
        runs.append(list(key))
    return paths, runs


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
