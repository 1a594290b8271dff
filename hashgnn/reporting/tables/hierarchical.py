"""Tables 2 and 3: HR and NDCG of hierarchical search, and differences between methods."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from hashgnn.evaluation.results import over_seeds, read_metrics, values_of_seeds
from hashgnn.evaluation.statistics import difference, holm
from hashgnn.reporting.tables.formats import CUTOFFS, METRICS, marked, place, select

KEYS = ["dataset", "model", "bits", "search", "metric", "n"]
FOUND = ["reference", "difference", "difference_low", "difference_high", "p"]


def runs_of(
    runs: Sequence[Sequence[object]], per_user: Sequence[Path], continuous: Sequence[str]
) -> pd.DataFrame:
    """A row a training: dataset, model, bits, seed, its ``path`` and the ``search`` it is for."""
    frame = pd.DataFrame(list(runs), columns=["dataset", "model", "bits", "seed"])
    own = {True: "continuous", False: "hierarchical"}
    return frame.assign(
        path=pd.Series(per_user, dtype=object), search=frame.model.isin(continuous).map(own)
    )


def compare(trained: pd.DataFrame, reference: str, metric: str, n: int) -> pd.DataFrame:
    """Mean difference of each method to ``reference``, its 95 % interval and p.

    See ``hashgnn.evaluation.statistics.difference``; p is corrected by Holm's method for all
    comparisons of the table. ``trained``: what ``runs_of`` gives.
    """
    rows = list(_comparisons(trained, reference, metric, n))
    found = pd.DataFrame(rows, columns=[*KEYS, *FOUND])
    found["p"] = holm(found["p"].to_list())
    return found


def _comparisons(
    trained: pd.DataFrame, reference: str, metric: str, n: int
) -> Iterator[tuple[object, ...]]:
    for (dataset, bits), group in trained.groupby(["dataset", "bits"], sort=False):
        values = {
            (model, search): values_of_seeds(own["path"].to_list(), str(search), metric, n)
            for (model, search), own in group.groupby(["model", "search"], sort=False)
        }
        base = next((value for (model, _), value in values.items() if model == reference), None)
        if base is None:
            continue
        for (model, search), value in values.items():
            if model != reference:
                found = difference(value, base)
                yield (dataset, model, bits, search, metric, n, reference, *found)


TESTED = ("hr", 50)  # what places and differences go by
PLACED = ["dataset", "bits", "metric", "n"]  # methods have their places among equals in these

# Tan et al. (2020), section 5, on tables 2 and 3: HashGNN "consistently outperforms all other
# baselines", then GraphSage, then HashGNN_nr. The order of the others is not told in words.
PAPER_PLACES = {
    "hashgnn": "1",
    "graphsage": "2",
    "hashgnn_nr": "3",
    **dict.fromkeys(("hashgnn_sp", "hash_ste", "hash_gumb", "hashnet"), "4 to 11"),
    **dict.fromkeys(("lsh", "mf", "pte", "bine"), "4 to 11"),
}
# Its data sets, and those that stand in for Alibaba's.
PAPER_DATASETS = ("movielens", "gowalla", "pinterest", "alibaba_like", "taobao")


def make(args: argparse.Namespace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Numbers and printed form.

    ``inputs``: ``metrics.csv`` of every training of the setting ``runs``, then their
    ``per_user.npz``, in the same order. The first model is compared with each other one.
    """
    half = len(args.inputs) // 2
    models, continuous = dict(args.settings["models"]), args.settings["continuous"]
    numbers = over_seeds(select(read_metrics(args.inputs[:half]), continuous))
    numbers["place"] = place(numbers, PLACED)
    trained = runs_of(args.settings["runs"], args.inputs[half:], continuous)
    numbers = numbers.merge(compare(trained, next(iter(models)), *TESTED), on=KEYS, how="left")
    return numbers, printed(numbers, dict(args.settings["datasets"]), models)


def printed(
    numbers: pd.DataFrame, datasets: Mapping[str, str], models: Mapping[str, str]
) -> pd.DataFrame:
    """A row a data set, method and length of code; the best bold, the second underlined."""
    blocks = []
    for dataset, name in datasets.items():
        places = PAPER_PLACES if dataset in PAPER_DATASETS else {}
        blocks.append(_block(numbers[numbers.dataset == dataset], name, models, places))
    return pd.concat(blocks, ignore_index=True)


def _block(
    rows: pd.DataFrame, dataset: str, models: Mapping[str, str], places: Mapping[str, str]
) -> pd.DataFrame:
    block = pd.DataFrame(
        {
            f"{title}@{n}": marked(rows[(rows.metric == metric) & (rows.n == n)])
            for metric, title in METRICS.items()
            for n in CUTOFFS
        }
    )
    tested = rows[(rows.metric == TESTED[0]) & (rows.n == TESTED[1])].set_index(["model", "bits"])
    title = f"{METRICS[TESTED[0]]}@{TESTED[1]}"
    block[f"{title} to {next(iter(models.values()))} (p)"] = _differences(tested)
    block["Place"] = tested["place"].map("{:.0f}".format)
    block["In the paper"] = [places.get(model, "-") for model, _ in block.index]
    block.insert(0, "Seeds", tested["seeds"].astype(str))
    block.insert(0, "Bits", [str(bits) for _, bits in block.index])
    block.insert(0, "Method", [models[model] for model, _ in block.index])
    block.insert(0, "Dataset", dataset)
    return block


def _differences(tested: pd.DataFrame) -> list[str]:
    pairs = zip(tested["difference"], tested["p"], strict=True)
    return [
        "-" if pd.isna(difference) else f"{difference:+.4f} ({_p(p)})" for difference, p in pairs
    ]


def _p(p: float) -> str:
    """``no p`` where there is one seed, or the values of users are not there."""
    if pd.isna(p):
        return "no p"
    return "<0.001" if p < 0.001 else f"{p:.3f}"
