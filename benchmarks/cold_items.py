"""Recommend items that nobody has yet, by their features.

A tenth of the items is drawn, and all their interactions are held out. A model with features, whose
table also has these items, is trained on the rest, and recall@50 (HR@50) of the held-out
interactions is measured: in lists of the held-out items only, and in lists of all items that a user
has not. Beside it: items in random order, as popularity ranks items that nobody has, and a profile
(the cosine of a user's and an item's features, each weighed by its inverse frequency).

    python -m benchmarks.cold_items ml-1m --method hashgnn_plus hashgnn
    python -m benchmarks.cold_items generated

``ml-1m`` is the unpacked archive of MovieLens-1M, with ``ratings.dat``, ``movies.dat`` (genres,
year) and ``users.dat`` (gender, age, occupation). Generated are 3,000 users and 2,000 items of 40
groups, of which each is a color of eight and a shape of five; a user likes two groups, and has 30
items of these and 10 others. The first feature of an item is its color, the second its shape, and
a third one is noise; users have none.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, diags

from hashgnn import HashGNN
from hashgnn.data.features import encode, learn
from hashgnn.recommender.adapter import feature_table

_N = 50


class Data(NamedTuple):
    """Interactions (columns user and item), and tables of features; those of users may be None."""

    interactions: pd.DataFrame
    items: pd.DataFrame
    users: pd.DataFrame | None


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", help="folder of MovieLens-1M, or 'generated'")
    parser.add_argument("--method", nargs="+", default=["hashgnn_plus", "hashgnn"])
    parser.add_argument("--bits", type=int, default=32)
    parser.add_argument("--share", type=float, default=0.1, help="of the items held out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", nargs="*", default=[], help="hyper-parameters, such as epochs=8")
    args = parser.parse_args(argv)
    data = _generated(args.seed) if args.data == "generated" else _movielens(Path(args.data))
    settings: dict[str, Any] = {
        key: float(value) if "." in value else int(value)
        for key, value in (pair.split("=") for pair in args.set)
    }
    every = np.unique(data.interactions.item)
    rng = np.random.default_rng(args.seed)
    cold = np.sort(rng.choice(every, round(args.share * len(every)), replace=False))
    held = data.interactions.item.isin(cold)
    train, test = data.interactions[~held], data.interactions[held]
    test = test[test.user.isin(train.user)]
    print(
        f"{len(cold)} of {len(every)} items held out, {len(test):,} interactions tested", flush=True
    )
    _report("random", "", _random(test, cold, rng), None)
    _report("profile", "", _profile(data, train, test, cold), None)
    tables: dict[str, Any] = {"item_features": data.items}
    if data.users is not None:
        tables["user_features"] = data.users
    for method in args.method:
        model = HashGNN(args.bits, method=method, seed=args.seed, **settings)
        model.fit(train, **tables)
        _measure(method, model, test, cold)


def _movielens(folder: Path) -> Data:
    def read(name: str, columns: list[str]) -> pd.DataFrame:
        path = folder / name
        return pd.read_csv(path, sep="::", engine="python", names=columns, encoding="latin-1")

    ratings = read("ratings.dat", ["user", "item", "rating", "time"])
    movies = read("movies.dat", ["item", "title", "genres"])
    movies["year"] = movies.title.str.findall(r"\((\d{4})\)$").str[0]
    users = read("users.dat", ["user", "gender", "age", "occupation", "zip"])
    rated = movies[movies.item.isin(ratings.item)]
    return Data(
        ratings[["user", "item"]],
        rated[["item", "genres", "year"]],
        users[["user", "gender", "age", "occupation"]],
    )


def _generated(seed: int) -> Data:
    rng = np.random.default_rng(seed)
    n_users, n_items, colors, shapes = 3000, 2000, 8, 5
    group = rng.integers(colors * shapes, size=n_items)
    rows = []
    for user in range(n_users):
        liked = np.flatnonzero(np.isin(group, rng.choice(colors * shapes, 2, replace=False)))
        own = rng.choice(liked, min(30, len(liked)), replace=False)
        own = np.union1d(own, rng.choice(n_items, 10, replace=False))
        rows.append(pd.DataFrame({"user": user, "item": own}))
    items = pd.DataFrame(
        {
            "item": range(n_items),
            "color": [f"color {g // shapes}" for g in group],
            "shape": [f"shape {g % shapes}" for g in group],
            "noise": rng.integers(20, size=n_items),
        }
    )
    return Data(pd.concat(rows), items, None)


def _random(test: pd.DataFrame, cold: np.ndarray, rng: np.random.Generator) -> float:
    lists = {user: rng.permutation(cold)[:_N] for user in test.user.unique()}
    return _recall(lists, test)


def _profile(data: Data, train: pd.DataFrame, test: pd.DataFrame, cold: np.ndarray) -> float:
    """Rank held-out items by the cosine of tf-idf features."""
    table = feature_table(data.items, "item", "item")
    encoded = encode(table, learn(table))
    _, number = np.unique(encoded.indices, return_inverse=True)
    owners = np.repeat(np.arange(len(data.items)), np.diff(encoded.indptr))
    matrix = csr_matrix((np.ones(len(number)), (owners, number)))
    rarity = np.log(len(data.items) / np.asarray(matrix.sum(axis=0)).ravel())
    matrix = matrix @ diags(rarity)
    place = pd.Index(data.items.item)
    users = pd.Index(test.user.unique())
    known = train[train.user.isin(users)]
    had = csr_matrix(
        (np.ones(len(known)), (users.get_indexer(known.user), place.get_indexer(known.item))),
        shape=(len(users), len(place)),
    )
    scores = np.asarray(((had @ matrix) @ matrix[place.get_indexer(cold)].T).todense())
    lengths = np.sqrt(matrix[place.get_indexer(cold)].power(2).sum(axis=1)).A1
    ranked = np.argsort(-scores / np.maximum(lengths, 1e-12), axis=1, kind="stable")[:, :_N]
    return _recall(dict(zip(users, cold[ranked], strict=True)), test)


def _measure(name: str, model: HashGNN, test: pd.DataFrame, cold: np.ndarray) -> None:
    users = test.user.unique()
    for search in ("hamming", "hierarchical", "continuous"):
        options: dict[str, Any] = {"n": _N, "search": search}
        among = _recall(_lists(model.recommend(users, items=cold, **options)), test)
        in_all = _recall(_lists(model.recommend(users, **options)), test)
        _report(name, search, among, in_all)


def _lists(found: pd.DataFrame) -> dict[Any, np.ndarray]:
    return {user: items.to_numpy() for user, items in found.groupby("user")["item"]}


def _recall(lists: dict[Any, np.ndarray], test: pd.DataFrame) -> float:
    """Return the mean over users of the share of their held-out interactions that is found."""
    none = np.empty(0)
    hits = [
        np.isin(own, lists.get(user, none)).mean() for user, own in test.groupby("user")["item"]
    ]
    return float(np.mean(hits))


def _report(name: str, search: str, among: float | None, in_all: float | None) -> None:
    shown = ["—" if value is None else f"{value:.4f}" for value in (among, in_all)]
    print(f"| {name} | {search} | {shown[0]} | {shown[1]} |", flush=True)


if __name__ == "__main__":
    main()
