"""Features from tables: by hand, and what cannot be used."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hashgnn.data.features import (
    Table,
    encode,
    learn,
    load_features,
    main,
    make_table,
    placed,
    read_file,
)
from hashgnn.data.interactions import id_keys, save_ids
from hashgnn.errors import InputError


def table(**columns: Any) -> Table:
    return make_table("item", "movies", {n: pa.array(v) for n, v in columns.items()}, "item")


def hashes(*features: str) -> list[int]:
    texts = [f"item\x1f{feature.replace('=', chr(31))}" for feature in features]
    return sorted(id_keys(pa.array(texts, pa.string())).tolist())


def rows(made: Table) -> list[list[int]]:
    found = encode(made, learn(made))
    return [part.tolist() for part in np.split(found.indices, found.indptr[1:-1])]


def test_categories_numbers_and_several_values() -> None:
    made = table(
        item=["a", "b", "c"],
        genres=["Action|Comedy", " Comedy ", ""],
        tags=[["new"], [], ["new", "old", "new"]],
        year=[1999, None, 2000.0],
        sale=[True, False, None],
    )
    assert rows(made) == [
        hashes("genres=Action", "genres=Comedy", "tags=new", "year=1999.0", "sale=true"),
        hashes("genres=Comedy", "sale=false"),
        hashes("tags=new", "tags=old", "year=2000.0"),
    ]


@pytest.mark.parametrize("odd", ["N/A", "inf", "1,5"])
def test_a_few_other_cells_among_numbers_are_an_error(odd: str) -> None:
    prices = [str(n) for n in range(159)] + [odd]
    made = table(item=[f"i{n}" for n in range(160)], price=prices)

    with pytest.raises(
        InputError, match=r"movies: column 'price' holds .* among numbers, for item"
    ):
        learn(made)


def test_many_numbers_are_divided_at_quantiles() -> None:
    prices = [float(n) for n in range(160)]
    made = table(item=[f"i{n}" for n in range(160)], price=prices)
    learned = learn(made)

    bounds = learned["price"]
    assert bounds is not None
    assert len(bounds) == 15
    found = encode(made, learned)
    assert len(np.unique(found.indices)) == 16
    assert (np.unique(found.indices, return_counts=True)[1] == 10).all()
    # Later tables are divided at the same numbers, as text too.
    later = table(item=["x", "y"], price=["-5", "1e6"])
    ends = encode(later, learned).indices.tolist()
    assert ends == [found.indices[0], found.indices[-1]]


def test_numbers_in_text_are_numbers_in_any_notation() -> None:
    assert rows(table(item=["a"], age=["25"])) == rows(table(item=["a"], age=[25.0]))


@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x.csv.gz", "x.parquet"])
def test_files(tmp_path: Path, name: str) -> None:
    path, made = tmp_path / name, {"item": ["1", "2"], "genre": ["a|b", ""], "year": ["1999", "7"]}
    if name == "x.parquet":
        pq.write_table(pa.table(made), path)
    else:
        text = "item,genre,year\n1,a|b,1999\n2,,7\n".replace(",", "\t" if ".tsv" in name else ",")
        stream = pa.CompressedOutputStream(path, "gzip") if ".gz" in name else path.open("wb")
        with stream:
            stream.write(text.encode())
    read = read_file(path, "item", "item")

    assert read.ids.to_pylist() == ["1", "2"]
    assert rows(read) == rows(table(**made))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,g\n1,a\n", "x.csv: no column 'item' of item ids; there are: id, g"),
        ("item,g\n1,a\n1,b\n", "x.csv, line 3: item '1' has a row already; give each item one"),
        ("item,g\n,a\n", "x.csv, line 2: the item is missing"),
        ("item\n1\n", "x.csv: no column besides 'item'; the others are features"),
        ("item,g\n1,a,b\n", "x.csv: cannot be read as a table"),
        ("item,g,g\n1,a,b\n", "x.csv: columns of the same name"),
        ("", "x.csv: cannot be read as a table"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_file(path, "item", "item")
    assert str(caught.value).startswith(str(tmp_path / message))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"genre": ["a"]}, "movies: no column 'year', which the model was trained with"),
        ({"year": [1], "genres": ["a"]}, "movies: no column 'genre'"),
        ({"year": [1], "genre": ["a"], "x": [1]}, "movies: unknown column 'x'; the model was"),
        ({"year": ["old"], "genre": ["a"]}, "movies: column 'year': expected numbers, as the"),
    ],
)
def test_columns_that_a_model_does_not_know(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        encode(table(item=["1"], **columns), {"year": [1990.0, 2000.0], "genre": None})
    assert str(caught.value).startswith(message)


def test_rows_are_placed_by_number() -> None:
    made = encode(table(item=["a", "b"], g=["x|y", "z"]), {"g": None})
    found = placed(made, np.array([1, -1, 0]))
    assert found.indptr.tolist() == [0, 1, 1, 3]
    assert found.indices.tolist() == [*hashes("g=z"), *hashes("g=x", "g=y")]


def test_the_stage_describes_the_users_and_items_of_a_data_set(tmp_path: Path) -> None:
    save_ids(tmp_path / "users.csv", pa.array(["u1", "u2"]))
    save_ids(tmp_path / "items.csv", pa.array(["a", "b"]))
    (tmp_path / "movies.csv").write_text("movie,genre\nb,x|y\nnew,z\na,\n")
    arguments = ["--settings", '{"item": {"id": "movie"}}', "--tables", tmp_path / "movies.csv"]
    for kind in ("users", "items"):
        arguments += [f"--{kind}", tmp_path / f"{kind}.csv"]
    arguments += ["--output", tmp_path / "features.npz"]

    assert main(list(map(str, arguments))) == 0
    found = load_features(tmp_path / "features.npz")
    assert found.user.indptr.tolist() == [0, 0, 0]
    assert found.item.indptr.tolist() == [0, 0, 2]
    assert found.of_nodes().indptr.tolist() == [0, 0, 0, 0, 2]
    assert found.item.indices.tolist() == hashes("genre=x", "genre=y")
    assert found.columns == {"item": {"genre": None}}


def test_the_stage_wants_a_row_for_each_item(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_ids(tmp_path / "ids.csv", pa.array(["a", "b"]))
    (tmp_path / "movies.csv").write_text("movie,genre\nb,x|y\n")
    arguments = ["--settings", '{"item": {"id": "movie"}}', "--tables", tmp_path / "movies.csv"]
    arguments += ["--users", tmp_path / "ids.csv", "--items", tmp_path / "ids.csv"]
    assert main(list(map(str, [*arguments, "--output", tmp_path / "features.npz"]))) == 2
    assert "movies.csv: no row for item 'a'; give each a row" in capsys.readouterr().err
