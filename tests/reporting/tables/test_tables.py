import html
import re
from argparse import Namespace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from hashgnn.evaluation.statistics import COLUMNS, over_seeds
from hashgnn.reporting.checks import check_table
from hashgnn.reporting.tables import Marked, comparison, to_latex, to_markdown
from hashgnn.reporting.tables.comparison import place, select
from hashgnn.reporting.tables.hierarchical import (
    PLACED,
    compare,
    list_runs,
    make_table,
    print_table,
)


def best(text: str) -> Marked:
    return Marked(text, "bold")


def second(text: str) -> Marked:
    return Marked(text, "underlined")


def metrics(rows: list[tuple[str, str, int, int, float]]) -> pd.DataFrame:
    """Model, search, n, seed and value; the rest is the same throughout."""
    return pd.DataFrame(
        [
            ("d", model, 32, search, metric, n, seed, value)
            for model, search, n, seed, value in rows
            for metric in ("hr", "ndcg")
        ],
        columns=COLUMNS,
    )


def test_each_method_is_ranked_by_its_own_search() -> None:
    frame = metrics(
        [
            (model, search, n, 0, 0.5)
            for model in ("a", "b")
            for search in ("hamming", "hierarchical", "continuous")
            for n in (20, 50, 100)
        ]
    )

    chosen = select(frame, continuous=["b"])

    assert set(zip(chosen.model, chosen.search, strict=True)) == {
        ("a", "hierarchical"),
        ("b", "continuous"),
    }
    assert set(chosen.n) == {50, 100}


TESTED = ["difference", "p"]


def numbers(rows: list[tuple[str, str, int, int, float]]) -> pd.DataFrame:
    made = over_seeds(metrics(rows))
    made["place"] = made.groupby(["metric", "n"])["mean"].rank(ascending=False)
    made[TESTED] = float("nan")
    return made


def settings(datasets: dict[str, str], models: dict[str, str]) -> dict[str, Any]:
    return {
        "datasets": list(datasets.items()),
        "models": list(models.items()),
        "places": {"graphsage": "2"},
        "in_paper": ["movielens"],
    }


def test_best_is_bold_and_second_underlined() -> None:
    values = {"a": 0.25, "b": 0.125, "c": 0.5}
    rows = [(model, "hierarchical", n, 0, v) for model, v in values.items() for n in (50, 100)]
    made = numbers(rows)
    made.loc[made.model == "b", TESTED] = [-0.125, 0.0004]
    made.loc[made.model == "c", TESTED] = [0.25, 0.0625]

    table = print_table(made, settings({"d": "Data"}, {model: model.upper() for model in values}))

    assert table["Method"].tolist() == ["A", "B", "C"]
    assert table["HR@50"].tolist() == [second("0.2500"), "0.1250", best("0.5000")]
    assert table["HR@50 to A (p)"].tolist() == ["-", "-0.1250 (<0.001)", "+0.2500 (0.062)"]
    assert table["Place"].tolist() == ["2", "3", "1"]
    assert table["Seeds"].tolist() == ["1", "1", "1"]


def test_several_seeds_show_their_interval() -> None:
    seeds = enumerate((1, 2, 6))
    rows = [("graphsage", "hierarchical", n, seed, v) for seed, v in seeds for n in (50, 100)]

    table = print_table(numbers(rows), settings({"d": "D"}, {"graphsage": "G"}))

    assert table["NDCG@100"].tolist() == [best("3.0000 [-3.5724, 9.5724]")]
    assert table["In the paper"].tolist() == ["-"]  # nor are these data


def test_the_papers_places_stand_beside_its_own_data_sets() -> None:
    rows = [("graphsage", "hierarchical", n, 0, 0.5) for n in (50, 100)]
    made = numbers(rows).replace({"dataset": {"d": "movielens"}})

    table = print_table(made, settings({"movielens": "MovieLens-1M"}, {"graphsage": "G"}))

    assert table["In the paper"].tolist() == ["2"]


def test_all_methods_are_ranked_by_codes_and_by_vectors_apart() -> None:
    values = {"hamming": {"a": 0.5, "g": 0.25}, "hierarchical": {"a": 0.5, "g": 0.125}}
    values["continuous"] = {"a": 0.75, "g": 1.0}
    rows = [
        (model, search, n, 0, value)
        for search, found in values.items()
        for model, value in found.items()
        for n in (50, 100)
    ]

    made = over_seeds(comparison.both_sides(metrics(rows), continuous=["g"]))
    made["place"] = place(made, ["dataset", "bits", "side", "metric", "n"])
    table = comparison.print_methods(made, {"d": "Data"}, {"a": "A", "g": "G"}).set_index("Method")

    assert table["Dataset"].tolist() == ["Data, 32 bits"] * 2
    assert table["HR@50, Hamming"].to_dict() == {"A": best("0.5000"), "G": second("0.2500")}
    places = {"A": second("0.5000"), "G": best("1.0000")}
    assert table["HR@50, vectors"].to_dict() == places
    assert table["NDCG@100, vectors"].to_dict() == places


def per_user(path: Path, values: list[float]) -> Path:
    np.savez(
        path,
        values=np.array(values, np.float32).reshape(1, 1, 1, -1),
        searches=np.array(["hierarchical"]),
        metrics=np.array(["hr"]),
        cutoffs=np.array([50]),
    )
    return path


def compared(folder: Path, values: dict[str, list[np.ndarray]]) -> pd.DataFrame:
    """Methods, each with the values of users of several seeds, against the first of them."""
    runs = [["d", model, 8, seed] for model, own in values.items() for seed in range(len(own))]
    found = [array for own in values.values() for array in own]
    paths = [per_user(folder / f"{i}.npz", list(v)) for i, v in enumerate(found)]
    table = compare(list_runs(runs, paths, continuous=["lacks"]), next(iter(values)), "hr", 50)
    return table.set_index("model")


def test_methods_are_compared_over_users_and_seeds(tmp_path: Path) -> None:
    users = np.arange(30) / 32
    noise = np.where(np.arange(30) % 2, 0.25, -0.25)
    steady, near = [users + noise, users - noise], [users - 0.25, users + 0.25]
    far, once = [users - 0.5, users - 0.5], [users - 0.5]

    found = compared(
        tmp_path, {"a": steady, "far": far, "near": near, "once": once, "lacks": steady}
    )

    expected = {"far": -0.5, "near": 0.0, "once": -0.5, "lacks": np.nan}
    assert found["difference"].to_dict() == pytest.approx(expected, nan_ok=True)
    assert found["reference"].unique().tolist() == ["a"]
    assert found.loc["far", "p"] == 0.0
    assert found.loc["near", "p"] == pytest.approx(1.0)
    assert found.loc[["once", "lacks"], ["p", "difference_low"]].isna().all(axis=None)
    assert found.loc["near", "difference_low"] < -1  # of two seeds half apart


def test_a_difference_without_p_says_so_in_its_cell() -> None:
    rows = [(m, "hierarchical", n, 0, 0.25) for m in ("a", "b", "c") for n in (50, 100)]
    made = numbers(rows)
    made.loc[made.model == "b", TESTED] = [0.125, np.nan]

    table = print_table(made, settings({"d": "D"}, {"a": "A", "b": "B", "c": "C"}))

    assert table["HR@50 to A (p)"].tolist() == ["-", "+0.1250 (no p)", "-"]


def test_all_columns_of_the_table_are_of_the_same_runs(tmp_path: Path) -> None:
    """From the files of three seeds to the CSV: differences are those of the means."""
    rng = np.random.default_rng(0)
    runs = [["d", model, 8, seed] for model in ("a", "b") for seed in (0, 1, 2)]
    files: list[list[Path]] = [[], []]
    for number, (_, model, bits, seed) in enumerate(runs):
        users = rng.random(40).astype(np.float32)
        files[1].append(per_user(tmp_path / f"{number}.npz", list(users)))
        rows = [
            ("d", model, bits, "hierarchical", metric, n, seed, users.mean(dtype=float))
            for metric in ("hr", "ndcg")
            for n in (50, 100)
        ]
        files[0].append(tmp_path / f"{number}.csv")
        pd.DataFrame(rows, columns=COLUMNS).to_csv(files[0][-1], index=False)
    own = {**settings({"d": "D"}, {"a": "A", "b": "B"}), "continuous": [], "runs": runs}

    made, _ = make_table(Namespace(inputs=[*files[0], *files[1]], settings=own))

    checks = list(check_table("table2", made))
    assert {check.rule for check in checks} == {
        "differences are those of the means",
        "intervals hold their value",
    }
    assert all(check.kept for check in checks)
    made.loc[made["difference"].notna(), "difference"] += 1e-5  # of other runs
    broken = [check for check in check_table("table2", made) if not check.kept]
    assert [check.rule for check in broken] == ["differences are those of the means"]
    assert broken[0].subject == "table2 d/b/bits8 hr@50"


def test_places_are_given_for_each_length_of_code_apart() -> None:
    frame = pd.concat(
        [numbers([("a", "hierarchical", n, 0, value) for n in (50, 100)]) for value in (0.25, 0.5)]
    )
    frame["bits"] = [16] * 4 + [32] * 4
    frame["place"] = place(frame, PLACED)

    assert frame["place"].tolist() == [1.0] * 8


TABLE = pd.DataFrame({"Name_1": [best("best"), second("next")], "%": ["1 ± 2", "10"]})


def test_markdown_is_aligned() -> None:
    assert to_markdown(TABLE) == (
        "| Name_1   |     % |\n| :------- | ----: |\n| **best** | 1 ± 2 |\n| _next_   |    10 |\n"
    )


def test_latex_escapes_and_marks() -> None:
    assert to_latex(TABLE).splitlines() == [
        r"\begin{tabular}{lr}",
        r"\toprule",
        r"Name\_1 & \% \\",
        r"\midrule",
        r"\textbf{best} & 1 $\pm$ 2 \\",
        r"\underline{next} & 10 \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


# As the user wrote it, in Markdown, in LaTeX.
NAMES = [
    ("a|b", r"a\|b", "a$|$b"),
    ("_x_", r"\_x\_", r"\_x\_"),
    ("**x**", r"\*\*x\*\*", "**x**"),
    ("x_1", "x_1", r"x\_1"),
    ("$5 & $6", r"\$5 & \$6", r"\$5 \& \$6"),
    (r"a\b", r"a\\b", r"a\textbackslash b"),
    ("{x} 50 %", "{x} 50 %", r"\{x\} 50 \%"),
    ("x^2 ~ y #1", r"x^2 \~ y #1", r"x\textasciicircum 2 \textasciitilde \space y \#1"),
    ("<b>x</b> &lt;", r"\<b>x\</b> \&lt;", r"$<$b$>$x$<$/b$>$ \&lt;"),
    ("[x](y) `z`", r"[x\](y) \`z\`", r"[x](y) \textasciigrave{}z\textasciigrave{}"),
]


@pytest.mark.parametrize(("name", "markdown", "latex"), NAMES)
def test_names_are_shown_as_they_are(name: str, markdown: str, latex: str) -> None:
    table = pd.DataFrame({name: [name], "HR": [best(name)]})

    lines = to_markdown(table).splitlines()
    assert [cell.strip() for cell in re.split(r"(?<!\\)\|", lines[2])[1:-1]] == [
        markdown,
        f"**{markdown}**",
    ]
    assert lines[0].startswith(f"| {markdown} ")
    assert to_latex(table).splitlines()[2:5] == [
        rf"{latex} & HR \\",
        r"\midrule",
        rf"{latex} & \textbf{{{latex}}} \\",
    ]
    shown = re.findall(r"<td>(.*?)</td>", rendered(to_markdown(table)))
    assert html.unescape(shown[0]) == name


# All that is markup to Markdown, and what stands beside it.
MARKUP = st.text(r"\{}^~|_*<>&#%$`[]()!-+=:;./ab1 é", min_size=1).filter(str.strip)


@given(name=MARKUP)
def test_every_text_comes_back_from_markdown(name: str) -> None:
    table = pd.DataFrame({name: [name, "x"], "HR": [best("1"), second("2")]})

    shown = re.findall(r"<t([hd])>(.*?)</t[hd]>", rendered(to_markdown(table)))

    assert [(kind, html.unescape(cell)) for kind, cell in shown] == [
        ("h", name.strip()),
        ("h", "HR"),
        ("d", name.strip()),
        ("d", "<strong>1</strong>"),
        ("d", "x"),
        ("d", "<em>2</em>"),
    ]


# LaTeX's special characters, each by the command that shows it.
SHOWN_AS = {
    "\\": "\\textbackslash",
    "{": r"\{",
    "}": r"\}",
    "^": r"\textasciicircum",
    "~": r"\textasciitilde",
    "|": "$|$",
    "_": r"\_",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "<": "$<$",
    ">": "$>$",
    "`": r"\textasciigrave{}",
}


@pytest.mark.parametrize(("character", "shown"), SHOWN_AS.items())
def test_special_characters_of_latex(character: str, shown: str) -> None:
    table = pd.DataFrame({f"a{character}b": [f"c{character}d"]})

    lines = to_latex(table).splitlines()

    assert [line.replace("\\space ", "").replace(" \\\\", "") for line in lines[2:5:2]] == [
        f"a{_before_letter(shown)}b",
        f"c{_before_letter(shown)}d",
    ]


def _before_letter(command: str) -> str:
    """A command that ends with a letter is ended by a space."""
    return f"{command} " if command[-1].isalpha() else command


def rendered(text: str) -> str:
    """HTML of Markdown by a library, without what aligns the cells."""
    made = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    return re.sub(r' style="[^"]*"', "", made)
