import html
import re
import shutil
import subprocess
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
from hashgnn.reporting.tables import Cell, Printed, comparison, to_html, to_latex, to_markdown
from hashgnn.reporting.tables.comparison import place, select
from hashgnn.reporting.tables.paper import (
    PLACED,
    compare,
    list_runs,
    make_table,
    print_table,
)


def best(text: str, spread: str = "", sign: str = "") -> Cell:
    return Cell(text, "bold", spread, sign)


def second(text: str) -> Cell:
    return Cell(text, "underlined")


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
        "in_paper": [],
    }


def test_best_is_bold_and_second_underlined() -> None:
    values = {"a": 0.25, "b": 0.125, "c": 0.5}
    rows = [(model, "hierarchical", n, 0, v) for model, v in values.items() for n in (50, 100)]
    made = numbers(rows)
    made.loc[made.model == "b", TESTED] = [-0.125, 0.0004]
    made.loc[made.model == "c", TESTED] = [0.25, 0.0625]

    printed = print_table(made, settings({"d": "Data"}, {model: model.upper() for model in values}))

    table = printed.rows
    assert table["Data set"].tolist() == ["Data, 32 bits"] * 3
    assert table["Method"].tolist() == ["A", "B", "C"]
    # p is 0.0004 for B, 0.0625 for C; the sign is at the metric that was tested.
    assert table["HR@50"].tolist() == [second("0.2500"), Cell("0.1250", sign="†"), best("0.5000")]
    assert table["HR@100"].tolist() == [second("0.2500"), Cell("0.1250"), best("0.5000")]
    assert table["Place"].tolist() == ["2", "3", "1"]
    assert "Hierarchical search on Data:" in printed.caption
    assert "one seed" in printed.caption
    (legend,) = printed.legend
    assert legend.startswith("† HR@50 differs from that of A (p < 0.05;")


def test_several_seeds_show_their_interval() -> None:
    seeds = enumerate((1, 2, 6))
    rows = [("graphsage", "hierarchical", n, seed, v) for seed, v in seeds for n in (50, 100)]

    printed = print_table(numbers(rows), settings({"d": "D"}, {"graphsage": "G"}))

    assert printed.rows["NDCG@100"].tolist() == [best("3.0000", "±6.5724")]
    assert "± is half the 95 % t interval of the mean of 3 seeds" in printed.caption
    assert "In the paper" not in printed.rows  # nor are these data


def test_the_papers_places_stand_beside_its_own_data_sets() -> None:
    rows = [("graphsage", "hierarchical", n, 0, 0.5) for n in (50, 100)]
    made = numbers(rows).replace({"dataset": {"d": "movielens"}})

    own = settings({"movielens": "MovieLens-1M"}, {"graphsage": "G"})
    table = print_table(made, {**own, "in_paper": ["movielens"]}).rows

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
    table = comparison.print_methods(made, {"d": "Data"}, {"a": "A", "g": "G"})
    assert table.heading == "Data set"
    table = table.rows.set_index("Method")

    assert table["Data set"].tolist() == ["Data, 32 bits"] * 2
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


def test_differences_without_p_are_said_to_be_untested() -> None:
    rows = [(m, "hierarchical", n, 0, 0.25) for m in ("a", "b") for n in (50, 100)]
    made = numbers(rows)
    made.loc[made.model == "b", TESTED] = [0.125, np.nan]

    printed = print_table(made, settings({"d": "D"}, {"a": "A", "b": "B"}))

    assert [cell.sign for cell in printed.rows["HR@50"]] == ["", ""]
    (legend,) = printed.legend
    assert legend.startswith("No significance tests against A")


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


HEADED = Printed(
    pd.DataFrame(
        {
            "Data set": ["One", "One", "Two_2"],
            "Method": ["a", "b", "a"],
            "HR": [best("0.5", "±0.1", "†"), Cell("0.25"), Cell("-")],
        }
    ),
    caption="What & where.",
    heading="Data set",
    legend=["† differs."],
)


def test_markdown_is_aligned() -> None:
    assert to_markdown(TABLE) == (
        "| Name_1          |     % |\n| :-------------- | ----: |\n| **best**        | 1 ± 2 |\n"
        "| <ins>next</ins> |    10 |\n"
    )


def test_markdown_has_rows_of_headings_a_caption_and_a_legend() -> None:
    assert to_markdown(HEADED).splitlines() == [
        "What & where.",
        "",
        "| Method    |                       HR |",
        "| :-------- | -----------------------: |",
        "| **One**   |                          |",
        "| a         | **0.5**† <sub>±0.1</sub> |",
        "| b         |                     0.25 |",
        "| **Two_2** |                          |",
        "| a         |                        - |",
        "",
        "† differs.",
    ]


def test_columns_of_text_are_left_aligned() -> None:
    frame = pd.DataFrame({"A": ["1", "2"], "B": ["x", "2"], "C": ["-", "+0.5"], "D": ["", "-"]})

    assert Printed(frame).are_numbers() == [False, False, True, False]


def test_latex_is_a_table_as_wide_as_the_page() -> None:
    assert to_latex(HEADED, "table2").splitlines() == [
        r"% Needs \usepackage{booktabs,xcolor}.",
        r"\providecommand{\spread}[1]{{\tiny\textcolor{gray}{#1}}}",
        r"\begin{table*}",
        r"\centering",
        r"\caption{What \& where.}\par\addvspace{3pt}",
        r"\label{tab:table2}",
        r"\small\setlength{\tabcolsep}{3pt}%",
        r"\begin{tabular*}{\textwidth}{@{\extracolsep{\fill}}lr@{}}",
        r"\toprule",
        r"Method & HR \\",
        r"\midrule",
        r"\multicolumn{2}{@{}l}{\textit{One}} \\",
        r"\addlinespace[2pt]",
        r"a & \textbf{0.5}$^\dagger$\,\spread{$\pm$0.1} \\",
        r"b & 0.25\phantom{$^\dagger$} \\",
        r"\midrule",
        r"\multicolumn{2}{@{}l}{\textit{Two\_2}} \\",
        r"\addlinespace[2pt]",
        r"a & - \\",
        r"\bottomrule",
        r"\end{tabular*}",
        r"\par\smallskip\raggedright\footnotesize $^\dagger$ differs.",
        r"\end{table*}",
    ]


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs pdflatex with booktabs, xcolor")
def test_latex_fits_into_a_paper_of_two_columns(tmp_path: Path) -> None:
    names = "".join(SHOWN_AS) + " ± † λ"
    frame = pd.DataFrame(
        {"Name": [names], **{f"HR@{n}, codes": [best("0.5", "±0.01")] for n in range(8)}}
    )
    (tmp_path / "table.tex").write_text(to_latex(Printed(frame, names, None, [names]), "t"))
    (tmp_path / "paper.tex").write_text(
        r"\documentclass[twocolumn]{article}\usepackage{booktabs,xcolor}"
        r"\begin{document}\input{table}See Table~\ref{tab:t}.\end{document}"
    )

    made = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert made.returncode == 0, made.stdout
    assert "Missing character" not in made.stdout


def test_html_has_rows_of_headings_and_escapes() -> None:
    page = to_html(HEADED, "table2")

    assert "<title>table2</title>" in page
    assert "<caption>What &amp; where.</caption>" in page
    assert '<thead><tr><th>Method</th><th class="number">HR</th></tr></thead>' in page
    assert '<tr><th colspan="2">Two_2</th></tr>' in page
    assert '<tr><td>a</td><td class="number"><b>0.5</b>† <small>±0.1</small></td></tr>' in page
    assert '<tr><td>b</td><td class="number">0.25<i>†</i></td></tr>' in page  # not seen
    assert "<p>† differs.</p>" in page


# As the user wrote it, in Markdown, in LaTeX.
NAMES = [
    ("a|b", r"a\|b", "a$|$b"),
    ("_x_", r"\_x\_", r"\_x\_"),
    ("**x**", r"\*\*x\*\*", "**x**"),
    ("x_1", "x_1", r"x\_1"),
    ("$5 & $6", r"\$5 & \$6", r"\$5 \& \$6"),
    (r"a\b", r"a\\b", r"a\textbackslash{}b"),
    ("{x} 50 %", "{x} 50 %", r"\{x\} 50 \%"),
    ("x^2 ~ y #1", r"x^2 \~ y #1", r"x\textasciicircum{}2 \textasciitilde{} y \#1"),
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
    lines = to_latex(Printed(table.set_axis(["Name", "HR"], axis=1))).splitlines()
    assert rf"{latex} & \textbf{{{latex}}} \\" in lines
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
        ("d", "<ins>2</ins>"),
    ]


# LaTeX's special characters, each by the command that shows it.
SHOWN_AS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
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
    lines = to_latex(pd.DataFrame({f"a{character}b": [f"c{character}d"]})).splitlines()

    assert rf"a{shown}b \\" in lines
    assert rf"c{shown}d \\" in lines


def rendered(text: str) -> str:
    """HTML of Markdown by a library, without what aligns the cells."""
    made = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)
    return re.sub(r' style="[^"]*"', "", made)
