"""Compare generated with real data: ``make generator-fit``.

Statistics of the data, HR@50 of all methods by vectors and by codes, and Kendall's tau between the
methods' order on generated data and their mean order on the real sets. HR@50 is read from the
workflow's results, and for real sets that these lack from the committed table of all methods.
Writes generated_data.csv and puts its tables into docs/data.md.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import yaml
from scipy.stats import kendalltau

from benchmarks.data_statistics import statistics
from benchmarks.pages import fill
from hashgnn.data.interactions import load_interactions
from hashgnn.files import atomic_write
from hashgnn.reporting.tables import to_markdown

ROOT = Path(__file__).parents[1]
REAL = {
    "movielens": "MovieLens-1M",
    "gowalla": "Gowalla",
    "pinterest": "Pinterest",
    "taobao_subset": "Taobao subset",
}
GENERATED = {"demo": "generated, demo's size", "synthetic": "generated, 1 million"}
_MEDIAN, _RANK = "median of the real", "mean rank on the real"
_BY = {"vectors": "by vectors", "codes": "by codes"}
_BEGIN, _END = "<!-- tables: make generator-fit -->\n", "<!-- end of tables -->"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=Path("results"), metavar="FOLDER")
    parser.add_argument("--demo", type=Path, default=Path("demo/results"), metavar="FOLDER")
    parser.add_argument(
        "--reference", type=Path, default=ROOT / "docs/reproduction/methods.csv", metavar="CSV"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/generated_data.csv")
    parser.add_argument("--into", type=Path, default=ROOT / "docs/data.md", metavar="PAGE")
    args = parser.parse_args(argv)
    folders = {**{name: args.results / name for name in REAL}, "demo": args.demo / "synthetic"}
    folders["synthetic"] = args.results / "synthetic"
    table = pd.concat([data_table(folders), orders(recalls(folders, args.reference))])
    with atomic_write(args.output) as temporary:
        table.to_csv(temporary, index=False, float_format="%.8g", lineterminator="\n")
    fill(args.into, _BEGIN, shown(args.output), _END)


def data_table(folders: Mapping[str, Path]) -> pd.DataFrame:
    """Return the statistics of all data sets: columns table, row, column, value."""
    loaded = {name: load_interactions(at / "interactions.npz") for name, at in folders.items()}
    found = pd.DataFrame({name: statistics(data) for name, data in loaded.items()})
    found.insert(len(REAL), _MEDIAN, found[list(REAL)].median(axis=1))
    return _long("statistics", found)


def recalls(folders: Mapping[str, Path], reference: Path) -> dict[str, pd.DataFrame]:
    """Return HR@50 by vectors and by codes: a row per method, a column per data set.

    Vectors are re-ranked candidates of Hamming search where a method has codes of its own. Only
    methods that all data sets have are kept, and only real sets that have any.
    """
    models = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))["models"]
    continuous = [name for name, entry in models.items() if entry.get("continuous")]
    own = pd.concat(
        _metrics(path, name)
        for name, folder in folders.items()
        for path in sorted(folder.glob("*/bits32/seed*/metrics.csv"))
    )
    committed = pd.read_csv(reference)
    trained = [frame.set_index(["dataset", "model"]).index for frame in (own, committed)]
    made = pd.concat([own, committed[~trained[1].isin(trained[0])]])
    made = made[(made.bits == 32) & (made.metric == "hr") & (made.n == 50)]
    made = made[made.model.isin(models)]
    by_vectors = made.model.isin(continuous).map({True: "continuous", False: "hierarchical"})
    columns = [name for name in folders if (made.dataset == name).any()]
    chosen = {"vectors": made.search == by_vectors, "codes": made.search == "hamming"}
    return {
        by: made[rows]
        .pivot_table(index="model", columns="dataset", values="mean")[columns]
        .dropna()
        .rename(index={name: entry["name"] for name, entry in models.items()})
        for by, rows in chosen.items()
    }


def _metrics(path: Path, dataset: str) -> pd.DataFrame:
    return pd.read_csv(path).rename(columns={"value": "mean"}).assign(dataset=dataset)


def orders(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return HR@50 in the mean order on real sets, and how near each data set is to that order."""
    tables = []
    for by, table in found.items():
        real = [name for name in REAL if name in table]
        rank = table[real].rank(ascending=False).mean(axis=1)
        table = table.assign(**{_RANK: rank}).sort_values(_RANK)
        made = [name for name in GENERATED if name in table]
        table = table[[*real, _RANK, *made]]
        near = {name: kendalltau(-table[_RANK], table[name]).statistic for name in real + made}
        table.loc["Kendall's tau with the mean order"] = pd.Series(near)
        if by == "vectors":
            ratio = table.loc["MF (ALS)"] / table.loc["HashGNN+"]
            table.loc["MF (ALS) / HashGNN+"] = ratio.drop(_RANK)
        tables.append(_long(by, table))
    return pd.concat(tables)


def _long(name: str, table: pd.DataFrame) -> pd.DataFrame:
    long = table.rename_axis("row").reset_index().melt("row", var_name="column").dropna()
    return long.assign(table=name)[["table", "row", "column", "value"]]


def shown(path: Path) -> str:
    """Return the tables of the CSV at ``path``, in Markdown."""
    long = pd.read_csv(path)
    names = {**REAL, **GENERATED}
    text = ""
    for name in long.table.unique():
        rows = long[long.table == name]
        table = rows.pivot(index="row", columns="column", values="value")
        table = table.reindex(index=rows.row.unique(), columns=rows.column.unique())
        printed = table.map(_number if name == "statistics" else _recall).rename(columns=names)
        title = f"HR@50 {_BY[name]}" if name in _BY else ""
        text += to_markdown(printed.rename_axis(title).reset_index()) + "\n"
    return text


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _recall(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3f}"


if __name__ == "__main__":
    main()
