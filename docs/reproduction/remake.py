"""Make the tables, and the figures of several seeds, anew from the values of each seed.

    python docs/reproduction/remake.py [FOLDER]

By the functions of the workflow's own stages, so that what is shown here is what they make, for a
new interval, mark or format too. ``seeds.csv`` holds the values behind tables 2 and 3 and the table
of all methods; those behind a figure are its CSV. The values of single users are not kept:
differences are those of the means, without interval and p.
"""

import sys
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from hashgnn.config.model import resolve
from hashgnn.evaluation.results import over_seeds, read_metrics
from hashgnn.reporting.checks.check import Check
from hashgnn.reporting.checks.judge import summarize
from hashgnn.reporting.checks.tables import check_table
from hashgnn.reporting.figures import fig1, fig3, fig4, fig6
from hashgnn.reporting.figures.style import save_figure, use_style
from hashgnn.reporting.tables import hierarchical, methods
from hashgnn.reporting.tables.formats import place, select, to_latex, to_markdown
from hashgnn.reporting.tables.hierarchical import FOUND

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
MODELS = {id: entry["name"] for id, entry in CONFIG["models"].items()}
CONTINUOUS = [id for id, entry in CONFIG["models"].items() if entry.get("continuous")]
ALL = [
    *("hashgnn_plus", "hashgnn", "hashgnn_nr", "hashgnn_sp", "hash_ste", "hash_gumb", "hashnet"),
    *("lsh", "graphsage", "mf", "als", "pte", "bine", "puresvd", "popularity"),
]
PUBLIC = ["movielens", "gowalla", "pinterest"]


def main(folder: Path) -> None:
    """Write all into ``folder``."""
    seeds = read_metrics([HERE / "seeds.csv"])
    write(folder, "methods", *methods.make(of_methods(seeds)))
    for name, datasets in (("table2", PUBLIC), ("table3", ["alibaba_like"])):
        write(folder, name, *compared(seeds, datasets, CONFIG["grids"][name]["models"]))
    write_checks(folder)
    write_figures(folder)


def of_methods(seeds: pd.DataFrame) -> Namespace:
    """The arguments that the stage of all methods would get."""
    path = Path(tempfile.mkdtemp(), "metrics.csv")
    in_order(seeds, PUBLIC, ALL).to_csv(path, index=False)
    return Namespace(inputs=[path], settings=settings(PUBLIC, ALL))


def compared(
    seeds: pd.DataFrame, datasets: list[str], models: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers and printed form of a table of hierarchical search."""
    numbers = over_seeds(select(in_order(seeds, datasets, models), CONTINUOUS))
    numbers["place"] = place(numbers, ["dataset", "metric", "n"])
    numbers[FOUND] = float("nan")
    means = numbers.set_index(["dataset", "model", "metric", "n"])["mean"]
    metric, n = hierarchical.TESTED
    for row in numbers.index[(numbers.metric == metric) & (numbers.n == n)]:
        dataset, model = numbers.loc[row, "dataset"], numbers.loc[row, "model"]
        if model != models[0]:
            apart = means[dataset, model, metric, n] - means[dataset, models[0], metric, n]
            numbers["reference"] = numbers["reference"].astype(object)
            numbers.loc[row, ["reference", "difference"]] = models[0], apart
    names = settings(datasets, models)
    return numbers, hierarchical.printed(numbers, dict(names["datasets"]), dict(names["models"]))


def in_order(seeds: pd.DataFrame, datasets: list[str], models: list[str]) -> pd.DataFrame:
    """The rows of data sets and models, in their order."""
    runs = [(dataset, model) for dataset in datasets for model in models]
    return pd.concat([seeds[(seeds.dataset == d) & (seeds.model == m)] for d, m in runs])


def settings(datasets: list[str], models: list[str]) -> dict[str, Any]:
    """Names in print, as the stages get them."""
    return {
        "datasets": [[id, DATASETS[id]] for id in datasets],
        "models": [[id, MODELS[id]] for id in models],
        "continuous": CONTINUOUS,
    }


def write(folder: Path, name: str, numbers: pd.DataFrame, printed: pd.DataFrame) -> None:
    """The three formats of a table."""
    numbers.to_csv(folder / f"{name}.csv", index=False)
    (folder / f"{name}.md").write_text(to_markdown(printed), encoding="utf-8")
    (folder / f"{name}.tex").write_text(to_latex(printed), encoding="utf-8")


def write_checks(folder: Path) -> None:
    """The checks of the runs as they were, and those of the tables anew."""
    checks = pd.read_csv(HERE / "checks.csv", keep_default_na=False)
    of_runs = checks[~checks.subject.str.match(r"table\d ")]
    own = [
        c for n in (2, 3) for c in check_table(f"table{n}", pd.read_csv(folder / f"table{n}.csv"))
    ]
    joined = pd.concat([of_runs, pd.DataFrame(own, columns=Check._fields)])
    joined.to_csv(folder / "checks.csv", index=False)
    (folder / "checks.md").write_text(to_markdown(summarize(joined)), encoding="utf-8")


def write_figures(folder: Path) -> None:
    """Figures 1, 3, 4 and 6; 5 and 7 are of one seed."""
    use_style()
    for name, module in (("fig1", fig1), ("fig3", fig3), ("fig4", fig4), ("fig6", fig6)):
        grid = CONFIG["grids"][name]
        given = settings(grid["datasets"], grid["models"])
        inputs = [HERE / f"{name}.csv"]
        if name in ("fig4", "fig6"):
            inputs, given["runs"] = histories(inputs[0])
        figure, _ = module.make(Namespace(inputs=inputs, settings=given))
        save_figure(figure, folder / f"{name}.pdf", folder / f"{name}.svg")


def histories(numbers: Path) -> tuple[list[Path], list[list[object]]]:
    """A figure's numbers as the histories of the trainings that they came from, and these."""
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
