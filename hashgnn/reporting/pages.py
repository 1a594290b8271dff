"""Write the pages of a reproduction: what was run, figures, tables, verdicts, data, provenance.

All text and numbers come from results, their provenance and the config. A folder of pages holds
the CSV files behind its numbers, so that none of them has to be believed.
"""

import argparse
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hashgnn.evaluation.statistics import over_seeds, read_metrics
from hashgnn.files import atomic_write
from hashgnn.reporting.entries import PAGES
from hashgnn.reporting.records import by_stage
from hashgnn.reporting.summary import VERDICTS, describe, kept
from hashgnn.reporting.summary import verdicts as count_verdicts
from hashgnn.reporting.tables import Cell, Printed, named, to_markdown, write_text
from hashgnn.reporting.tables.comparison import SIDES, both_sides, bytes_per_item
from hashgnn.stage.command import Facts, run_stage, stage_parser

CUTOFF = 50
FIRST = ("fig3", "fig8")  # figures of the first page
NOT_RUN = "not run"
WIDTH = 100  # characters of a line of text
# Methods of the table on the first page of the project, besides the paper's own.
HASHING, CONTINUOUS = 2, 3
SEARCHES = {
    **{"hamming": "Hamming", "asymmetric": "asymmetric"},
    **{"hierarchical": "hierarchical", "continuous": "continuous"},
}
_COMPARED = re.compile(r"(-?[\d.]+) to (-?[\d.]+)")

Settings = Mapping[str, Any]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stage; see ``--help``."""
    parser = stage_parser(__doc__)
    parser.add_argument("files", type=Path, nargs="+", help="figures, tables, verdicts, provenance")
    parser.add_argument("--metrics", type=Path, nargs="+", required=True, help="of all trainings")
    parser.add_argument("--output", type=Path, required=True, help="folder of the pages")
    return run_stage(parser, _run, argv)


def _run(args: argparse.Namespace) -> Facts:
    results = Results(args.files, read_metrics(args.metrics), args.settings)
    for path in args.files:
        if path.suffix in (".csv", ".svg", ".tex"):
            with atomic_write(args.output / _published(path)) as temporary:
                shutil.copyfile(path, temporary)
    tables = {"best": results.best, "headline": results.headline}
    tables |= {"hours": hours(results.provenance()), "waits": results.waits}
    tables |= {"settings": tuned(args.settings), "data": raw_files(args.settings)}
    if len(printed := results.read("paper.csv")):
        tables["printed"] = beside_printed(results, printed)
    for name, table in tables.items():
        write_text(args.output / f"{name}.csv", table.to_csv(index=False))
    for name, parts in render(results).items():
        text = "\n\n".join(wrapped(part.strip()) for part in parts if part)
        write_text(args.output / f"{name}.md", text + "\n")
    return {"trainings": len(results.runs)}


def wrapped(paragraph: str) -> str:
    """Break the lines of a paragraph or list; those of tables, links and headings stay whole."""
    if paragraph.startswith(("|", "!", "#")) or "\n|" in paragraph:
        return paragraph
    lines = [
        textwrap.fill(
            line,
            WIDTH,
            subsequent_indent="  " * line.startswith("- "),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in paragraph.splitlines()
    ]
    return "\n".join(lines)


def _published(path: Path) -> str:
    """Return the name of a file in the folder of pages; that of a data set names it."""
    if path.parts[0] == "paper":  # the paper's settings, results of another folder
        return "paper.csv"
    data = path.parent.name
    return path.name if data in ("results", "figures") else f"{path.stem}-{data}{path.suffix}"


class Results:
    """The results that the pages show.

    Attributes:
        metrics: Rows of the metrics of all trainings.
        titles: Titles of figures and tables.
        runs: Data set, model, bits and seed of each training.
        rates: HR@50 of each training's own searches, mean over seeds.
        leading: The methods and searches of the first page's table; no variants of a method, and no
            quantized vectors.
        headline: Their HR@50, mean over seeds.
        best: The best of these methods for each data set and search, at the usual code length.
        waits: Processor hours of the trainings of each figure and table.
    """

    def __init__(self, files: Sequence[Path], metrics: pd.DataFrame, settings: Settings) -> None:
        self.files = {_published(path): path for path in files}
        self.metrics, self.settings = metrics, settings
        self.titles = dict(settings["titles"])
        self.runs = metrics[["dataset", "model", "bits", "seed"]].drop_duplicates()
        rates = over_seeds(metrics[(metrics.metric == "hr") & (metrics.n == CUTOFF)])
        own = ~rates.model.isin(settings["continuous"])
        self.rates = rates[own | (rates.search == "continuous")]
        derived = [*settings["variants"][1:], *settings["quantized"]]
        rates = self.rates[~self.rates.model.isin(derived)]
        rates = rates[rates.bits == _usual(rates.bits)]
        self.best = rates.loc[rates.groupby(["dataset", "search"], sort=False)["mean"].idxmax()]
        self.leading = leading(rates, settings)
        keys = pd.MultiIndex.from_tuples(self.leading, names=["model", "search"])
        chosen = pd.MultiIndex.from_frame(rates[["model", "search"]]).isin(keys)
        self.headline = rates[chosen]
        self.waits = waits(self.provenance(), settings["runs"])

    def wait(self, name: str) -> str:
        """Return the processor hours of a figure or table, in words."""
        rows = self.waits[self.waits.name == name].to_dict("records")
        return "".join(f", {row['processor_hours']:.2f} processor hours" for row in rows)

    def read(self, name: str) -> pd.DataFrame:
        """Return a CSV file, without rows if it was not made."""
        path = self.files.get(name)
        return pd.read_csv(path) if path else pd.DataFrame()

    def text(self, name: str) -> str:
        """Return a printed table, or that it was not made."""
        path = self.files.get(name)
        return path.read_text(encoding="utf-8") if path else f"{NOT_RUN.capitalize()}."

    def provenance(self) -> pd.DataFrame:
        """Return the provenance of all results."""
        names = [name for name in self.files if re.fullmatch(r"provenance-.*\.csv", name)]
        return pd.concat(map(self.read, names), ignore_index=True)

    def with_names(self, text: str) -> str:
        """Return ``text`` with the names of data sets and models in place of their ids."""
        names = dict(self.settings["datasets"]) | dict(self.settings["models"])
        return re.sub(r"\w+", lambda found: names.get(found[0], found[0]), text)

    def name(self, kind: str, id: str) -> str:
        """Return the printed name of a data set or model."""
        return str(dict(self.settings[kind]).get(id, id))


def leading(rates: pd.DataFrame, settings: Settings) -> list[tuple[str, str]]:
    """Return the methods and searches of the first page's table, best first.

    These are the paper's own method and the best others, by mean HR@50 over the data sets: with
    codes by Hamming distance, and without by their vectors.
    """
    means = rates.groupby(["search", "model"])["mean"].mean().sort_values(ascending=False)
    coded = [model for search, model in means.index if search == "hamming"]
    best = [model for model in coded if model not in settings["proposed"]][:HASHING]
    hashing = [model for model in coded if model in (*best, *settings["proposed"])]
    vectors = [model for search, model in means.index if search == "continuous"]
    others = [model for model in vectors if model in settings["continuous"]][:CONTINUOUS]
    searches = [search for search in SEARCHES if search != "continuous"]
    return [
        *((model, search) for model in hashing for search in searches),
        *((model, "continuous") for model in others),
    ]


def hours(provenance: pd.DataFrame) -> pd.DataFrame:
    """Return what each stage took on each data set, and all of them together."""
    total = {
        "Results": len(provenance),
        "Processor hours": f"{provenance['cpu_seconds'].sum() / 3600:.2f}",
        "Hours": f"{provenance['seconds'].sum() / 3600:.2f}",
        "Peak memory (MB)": provenance["peak_memory_mb"].max(),
        "Commits": provenance["git_commit"].nunique(),
    }
    everything = pd.DataFrame([{"Data set": "all", "Stage": "all"} | total])
    return pd.concat([by_stage(provenance), everything], ignore_index=True)


def waits(provenance: pd.DataFrame, runs: Mapping[str, Sequence[Sequence[str]]]) -> pd.DataFrame:
    """Return how many trainings each figure and table shows, and their processor hours."""
    seconds = provenance.fillna({"result": ""}).groupby(["dataset", "result"])["cpu_seconds"].sum()
    rows = [
        (name, len(found), sum(seconds.get(tuple(run), 0.0) for run in found) / 3600)
        for name, found in runs.items()
    ]
    return pd.DataFrame(rows, columns=["name", "trainings", "processor_hours"])


def _usual(bits: pd.Series) -> int:
    """Return the most frequent code length, the shorter of two."""
    return int(bits.mode().min())


def render(results: Results) -> dict[str, list[str]]:
    """Return the paragraphs of each page by its name."""
    return {
        "README": list(_first_page(results)),
        "headline": list(headline(results)),
        "tables": list(_tables(results)),
        "figures": list(_figures(results)),
        "tuning": ["# Settings", _SETTINGS, to_markdown(_printed_settings(results))],
        "data": list(_data(results)),
        "provenance": list(_provenance(results)),
    }


def _first_page(results: Results) -> Iterator[str]:
    yield "# Reproduction"
    yield from _what_was_run(results)
    yield "Pages: " + ", ".join(f"[{title}]({name}.md)" for name, title in PAGES.items()) + "."
    for name in FIRST:
        yield f"## {results.titles[name]}"
        yield _image(results, name)
    yield "## The paper's claims"
    yield to_markdown(verdicts(results.read("claims.csv"), results.with_names))
    yield "All comparisons of each claim: [claims.csv](claims.csv)."
    if len(printed := results.read("paper.csv")):
        yield from ("## The paper's printed settings", _with_printed_settings(results, printed))
    if variants := _variants(results):
        yield from ("## Variants that were tried", variants)
    yield f"## The best method of each data set, by HR@{CUTOFF}"
    yield to_markdown(_printed_best(results))
    if missing := results.settings["not_run"]:
        yield "## Not run"
        yield _list(f"{title}: {without or NOT_RUN}." for title, without in missing)
    yield "## Limits"
    yield _list(_limits(results))


def _what_was_run(results: Results) -> Iterator[str]:
    made = results.provenance()
    yield describe(results.metrics, results.settings).replace("\\", "")
    processors = named(sorted(made["processor"].unique()))
    commits = made["git_commit"].nunique()
    yield (
        f"With sweeps, {(made['stage'] == 'train').sum()} trainings were made. This took "
        f"{made['cpu_seconds'].sum() / 3600:.2f} processor hours on {processors}, at "
        f"{commits} commit{'s' * (commits > 1)} of the code, from {made['finished'].min()[:10]} to "
        f"{made['finished'].max()[:10]}. `make pages` writes these pages from the records of the "
        "trainings, without training; `make reproduction` makes the records."
    )


def _image(results: Results, name: str) -> str:
    title = results.titles[name]
    found = f"{name}.svg" in results.files
    return f"![{title}]({name}.svg)" if found else f"{NOT_RUN.capitalize()}."


def verdicts(claims: pd.DataFrame, with_names: Callable[[str], str] = str) -> Printed:
    """Return the table of claims: what decides each of them, and its two numbers.

    ``with_names`` replaces ids in what decides a claim.
    """
    if claims.empty:
        return Printed(pd.DataFrame({"Claim": ["-"], "Verdict": [NOT_RUN]}))
    rows = [
        {
            "Claim": row["text"],
            "Data": row["data"],
            "Verdict": row["verdict"],
            "Cases": f"{row['held']} of {row['comparisons']}" if row["comparisons"] else "-",
            "Decided by": with_names(deciding(row["numbers"], row["verdict"] == "holds")),
        }
        for verdict in VERDICTS
        for row in claims[claims.verdict == verdict].fillna("").to_dict("records")
    ]
    caption = (
        f"{count_verdicts(claims)} A claim is decided by its closest case where it holds, and by "
        "the case that is most against it where it does not."
    )
    return Printed(pd.DataFrame(rows), caption)


def deciding(numbers: str, holds: bool) -> str:
    """Return the comparison that decides a claim, of all that ``numbers`` lists.

    Where the claim holds, it is the one with the least difference of its two numbers, else the one
    against the claim with the largest.
    """
    compared = [part for part in numbers.split("; ") if _COMPARED.search(part)]
    against = [part for part in compared if part.endswith("(against)")]
    if not compared:
        return numbers.partition(";")[0] or "-"
    return min(compared, key=_apart) if holds or not against else max(against, key=_apart)


def _apart(comparison: str) -> float:
    found = _COMPARED.search(comparison)
    assert found is not None
    return abs(float(found[1]) - float(found[2].rstrip(".")))


def beside_printed(results: Results, printed: pd.DataFrame) -> pd.DataFrame:
    """Return HR@50 with the settings that the paper prints (``printed``) and with the shipped ones.

    Columns: dataset, model, side (codes or vectors), printed, shipped; the shipped settings with
    the same code length, mean over all seeds.
    """
    keys = ["dataset", "model", "bits", "side"]
    own = over_seeds(both_sides(results.metrics, results.settings["continuous"]))
    found = [
        rows[(rows.metric == "hr") & (rows.n == CUTOFF)].set_index(keys)["mean"]
        for rows in (printed, own)
    ]
    joined = pd.concat(found, axis=1, keys=["printed", "shipped"], join="inner")
    return joined.reset_index().drop(columns="bits")


def _with_printed_settings(results: Results, printed: pd.DataFrame) -> str:
    rates = beside_printed(results, printed).set_index(["dataset", "model", "side"])
    rows = []
    for dataset, model in dict.fromkeys(key[:2] for key in rates.index):
        row = {"Data set": results.name("datasets", dataset)}
        row["Method"] = results.name("models", model)
        for side, search in SIDES.items():
            for settings in ("printed", "shipped"):
                rate = rates[settings].get((dataset, model, side))
                row[f"{search}, {settings}"] = "-" if rate is None else f"{rate:.4f}"
        rows.append(row)
    caption = (
        f"HR@{CUTOFF} with the settings that the paper prints (`config/paper.yaml`: batches of "
        "256, a rate of 0.001, no factor of the inner product, p falls to 0) and with those that "
        "this project ships; by Hamming search and by vectors. [CSV](printed.csv)"
    )
    return to_markdown(Printed(pd.DataFrame(rows), caption, "Data set"))


def _variants(results: Results) -> str:
    """Return how far the variants of a method go, and whether they reach the other methods."""
    varied, *others = results.settings["variants"] or [""]
    rates = results.rates[results.rates.bits == _usual(results.rates.bits)]
    on = rates[rates.model.isin(others)].dataset.unique()
    return " ".join(
        _of_variants(results, rates[rates.dataset == dataset], varied, others) for dataset in on
    )


def _of_variants(results: Results, rates: pd.DataFrame, varied: str, others: list[str]) -> str:
    name, tried = results.name("models", varied), rates[rates.model.isin(others)]
    found = []
    for search in ("hamming", "hierarchical"):
        own = rates[(rates.model == varied) & (rates.search == search)]["mean"].max()
        best = _highest(tried[tried.search == search])
        title = results.name("models", best["model"])
        found.append(
            f"{own:.4f} by {SEARCHES[search]} search, at most {best['mean']:.4f} ({title})"
        )
    rival = _highest(rates[rates.model.isin(results.settings["continuous"])])
    reach = tried[(tried.search == "hierarchical") & (tried["mean"] >= rival["mean"])]
    ended = f"{reach.model.nunique() or 'None'} of the variants reach{'es' * (len(reach) < 2)}"
    return (
        f"{tried.model.nunique()} variants of {name} were trained on "
        f"{results.name('datasets', rates.dataset.iloc[0])}. HR@{CUTOFF} of {name} and of its best "
        f"variant: {'; '.join(found)}. {ended} the vectors of "
        f"{results.name('models', rival['model'])} ({rival['mean']:.4f}) by hierarchical search "
        "([table](tables.md#variants-of-hashgnn))."
    )


def _highest(rates: pd.DataFrame) -> Mapping[Any, Any]:
    return rates.nlargest(1, "mean").to_dict("records")[0]


def _printed_best(results: Results) -> Printed:
    cells = {
        (row["dataset"], row["search"]): f"{results.name('models', row['model'])} {row['mean']:.3f}"
        for row in results.best.to_dict("records")
    }
    searches = [search for search in SEARCHES if search in set(results.best.search)]
    rows = [
        {"Data set": name}
        | {f"{SEARCHES[search]} search": cells.get((id, search), "-") for search in searches}
        for id, name in results.settings["datasets"]
    ]
    return Printed(pd.DataFrame(rows))


def headline(results: Results) -> Iterator[str]:
    """Yield the picture, the table and its caption for the first page of the project."""
    first = next((name for name in ("fig8", "fig3") if f"{name}.svg" in results.files), None)
    if first:
        yield _image(results, first)
    rates = results.headline
    shown = [(id, name) for id, name in results.settings["datasets"] if id in set(rates.dataset)]
    best = rates.groupby("dataset")["mean"].max()
    rows = []
    for model, search in results.leading:
        own = rates[(rates.model == model) & (rates.search == search)].set_index("dataset")["mean"]
        if own.empty:
            continue
        row: dict[str, Any] = {
            "method, search": f"{results.name('models', model)}, {SEARCHES[search]}",
            "bytes per item": bytes_per_item(search, _usual(rates.bits)),
        }
        for id, name in shown:
            is_best = id in own and own[id] == best[id]
            rate = f"{own[id]:.3f}" if id in own else NOT_RUN
            row[name] = Cell(rate, "bold" if is_best else None)
        rows.append(row)
    yield to_markdown(Printed(pd.DataFrame(rows)))
    least, most = rates.seeds.min(), rates.seeds.max()
    number = str(most) if least == most else f"{least} to {most}"
    seeds = "one seed" if most == 1 else f"mean of {number} seeds"
    yield (
        f"HR@{CUTOFF} (recall: the share of a user's held-out items among the first {CUTOFF} "
        f"recommended) with codes of {_usual(rates.bits)} bits, {seeds}."
    )


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _limits(results: Results) -> Iterator[str]:
    settings = results.settings
    made = [name for id, name in settings["datasets"] if id in settings["generated"]]
    if made:
        yield f"Generated data, which say nothing about real users: {named(made)}."
    seeds = results.runs.groupby(["dataset", "model", "bits"]).size()
    if single := int((seeds == 1).sum()):
        yield f"One seed only: {single} of {len(seeds)} methods, data sets and code lengths."
    stale = results.provenance()
    stale = stale[~stale["current"].astype(bool)]
    if len(stale):
        yield f"Made by other code or settings than the present ones: {len(stale)} results."
    checks = results.read("checks.csv")
    if len(checks):
        yield kept(checks)


_COMMAND = (
    "`snakemake -j8 --configfile config/reproduction.yaml config/quantization.yaml -- TARGET` "
    "makes what this page shows, by the target that stands below each."
)


def _tables(results: Results) -> Iterator[str]:
    yield "# Tables"
    yield _COMMAND
    for name, title in results.titles.items():
        if not name.startswith("fig") and name in results.settings["planned"]:
            made = f"{name}.csv" in results.files
            files = f"[CSV]({name}.csv), [LaTeX]({name}.tex), `results/{name}.csv`"
            files += results.wait(name)
            yield from (f"## {title}", results.text(f"{name}.md"), files if made else "")


def _figures(results: Results) -> Iterator[str]:
    yield "# Figures"
    yield _COMMAND
    for name, title in results.titles.items():
        if name.startswith("fig") and name in results.settings["planned"]:
            made = f"{name}.svg" in results.files
            files = f"[CSV]({name}.csv), `figures/{name}.pdf`{results.wait(name)}"
            yield from (f"## {title}", _image(results, name), files if made else "")


_SETTINGS = (
    "Hyper-parameters of each method, chosen on the validation part ([how](../tuning.md)); those "
    "that are not named are the defaults of `config/config.yaml`. [settings.csv](settings.csv) has "
    "a row for each."
)


def tuned(settings: Settings) -> pd.DataFrame:
    """Return the hyper-parameters that the config sets of each model, in general and by data."""
    columns = ["model", "dataset", "key", "value"]
    return pd.DataFrame(
        [dict(zip(columns, row, strict=True)) for row in settings["set"]], None, columns
    )


def _printed_settings(results: Results) -> Printed:
    rows = []
    by_data = tuned(results.settings).groupby(["model", "dataset"], sort=False)
    for (model, dataset), own in ((map(str, key), own) for key, own in by_data):
        values = ", ".join(f"{key} {value}" for key, value in zip(own.key, own.value, strict=True))
        data = results.name("datasets", dataset) if dataset else "all data"
        rows.append({"Method": results.name("models", model), "Data": data, "Set": values})
    return Printed(pd.DataFrame(rows, columns=["Method", "Data", "Set"]))


def raw_files(settings: Settings) -> pd.DataFrame:
    """Return address and checksum of each raw file."""
    return pd.DataFrame(settings["files"], columns=["dataset", "file", "address", "checksum"])


def _data(results: Results) -> Iterator[str]:
    yield "# Data"
    yield results.text("table1.md")
    files = raw_files(results.settings)
    if len(files):
        files["dataset"] = [results.name("datasets", id) for id in files["dataset"]]
        yield to_markdown(files.rename(columns=str.capitalize))


def _provenance(results: Results) -> Iterator[str]:
    yield "# Provenance"
    yield (
        "Each row of the CSV files is a result, with its commit, processor, date and time; "
        "[hours.csv](hours.csv) has what each stage took, [waits.csv](waits.csv) what the "
        "trainings of each figure and table took together; on two cores it takes half as long."
    )
    for id, name in results.settings["datasets"]:
        file = f"provenance-{id}.csv"
        if file in results.files:
            yield from (f"## {name}", results.text(f"provenance-{id}.md"), f"[{file}]({file})")
    if len(again := results.read("again.csv")):
        yield from ("## The same again", same_again(again))
    yield from ("## Checks of the results", results.text("checks.md"))


def same_again(again: pd.DataFrame) -> str:
    """Return what trainings that were made twice have in common."""
    processors = named(sorted({*again["processor"], *again["again_processor"]}))
    return (
        f"{len(again)} trainings were made a second time, in another folder (on {processors}; "
        f"second time: {again['again_finished'].min()[:10]} to "
        f"{again['again_finished'].max()[:10]}). {again['same_codes'].sum()} have the same codes, "
        f"byte for byte; the largest difference of a metric is "
        f"{again['largest_difference'].max():.2g}. Each of them: [again.csv](again.csv)."
    )


if __name__ == "__main__":
    sys.exit(main())
