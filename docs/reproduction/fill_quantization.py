"""Put the results of ``make quantization`` into docs/quantization.md.

    python docs/reproduction/fill_quantization.py FOLDER

``FOLDER`` is the working directory of ``make pages``, which calls this. The page gets, between its
two marks, the recall at some sizes, figures 8 and 9 and the verdict, which ``make pages`` puts into
this folder.
"""

import sys
from pathlib import Path

import pandas as pd

from hashgnn.files import atomic_write
from hashgnn.reporting.tables import to_markdown
from hashgnn.reporting.tables.quantization import CUTOFF, SEARCHES

HERE = Path(__file__).parent
PAGE = HERE.parent / "quantization.md"
BEGIN, END = "<!-- results: make quantization -->\n", "<!-- end of results -->"
SIZES = (4, 8, 32)  # bytes an item that the page shows; floats are shown at their least


def main(folder: Path, page: Path = PAGE) -> None:
    """Fill the page."""
    printed = pd.read_csv(folder / "results/quantization.csv")
    names = names_of(folder / "results/quantization.md", printed)
    verdict = folder / "results/quantization_verdict.md"
    parts = [f"HR@{CUTOFF} by bytes an item:", to_markdown(recall(printed, names))]
    parts += [
        f"![Figure {number}: {what}](reproduction/fig{number}.svg)"
        for number, what in ((8, "recall by bytes an item"), (9, "recall by time of a query"))
        if (folder / f"figures/fig{number}.svg").exists()
    ]
    if verdict.exists():
        parts += ["Verdict:", verdict.read_text(encoding="utf-8")]
    before, rest = page.read_text(encoding="utf-8").split(BEGIN)
    text = "\n\n".join(part.strip() for part in parts)
    with atomic_write(page) as temporary:
        filled = f"{before}{BEGIN}\n{text}\n\n{END}{rest.split(END)[1]}"
        temporary.write_text(filled, encoding="utf-8")


def names_of(printed: Path, numbers: pd.DataFrame) -> dict[str, str]:
    """Return the printed names by id, of data sets and models: the rows are in the same order."""
    lines = printed.read_text(encoding="utf-8").splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    pairs = zip(numbers[["dataset", "model"]].to_numpy().tolist(), cells, strict=True)
    return {
        key: name.replace("\\", "")
        for (dataset, model), row in pairs
        for key, name in ((dataset, row[0]), (model, row[2]))
    }


def recall(numbers: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Return a row for each method, search and size, a column for each data set."""
    floats = numbers.search == "continuous"
    least = numbers[floats].groupby(["dataset", "model"]).bytes.transform("min")
    shown = numbers[
        (numbers.bytes.isin(SIZES) & ~floats) | (numbers.bytes == least.reindex(numbers.index))
    ]
    shown = shown[shown.search != "asymmetric re-rank"]
    keys = ["bytes", "model", "search"]
    wide = shown.pivot_table("mean", keys, "dataset", sort=False)[list(shown.dataset.unique())]
    wide = wide.sort_index(level="bytes", sort_remaining=False, kind="stable").reset_index()
    table = pd.DataFrame({"Method": wide.model.map(names), "Search": wide.search.map(SEARCHES)})
    table.insert(2, "Bytes", wide.bytes.astype(str))
    for dataset in shown.dataset.unique():
        table[names[dataset]] = wide[dataset].map(lambda x: "" if pd.isna(x) else f"{x:.4f}")
    return table


if __name__ == "__main__":
    main(Path(sys.argv[1]))
