"""The names of figures and tables lead to functions, and cost nothing to import."""

import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest

from hashgnn.reporting.entries import FIGURES, TABLES, TITLES, main


@pytest.mark.parametrize(("name", "entry"), [*FIGURES.items(), *TABLES.items()])
def test_an_entry_is_a_function_of_its_own_name(name: str, entry: str) -> None:
    module, function = entry.split(":")

    found = getattr(import_module(module), function)

    assert found.__name__ == name
    assert found.__doc__


def test_no_two_entries_are_one_function() -> None:
    entries = [*FIGURES.values(), *TABLES.values()]

    assert len(set(entries)) == len(entries)


@pytest.mark.parametrize("first", ["", "fig2", "--help", "os:abort", "hashgnn.reporting.figures"])
def test_what_is_no_function_is_refused(first: str, capsys: Any) -> None:
    assert main([first] if first else []) == 2
    assert "error: expected first a function, as" in capsys.readouterr().err


def test_the_names_are_read_without_what_they_name() -> None:
    code = "import sys, hashgnn.reporting.entries; print(*sys.modules)"

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert not {"matplotlib", "pandas", "numpy"} & set(ran.stdout.split())


def test_every_figure_and_table_has_a_title() -> None:
    assert TITLES.keys() == FIGURES.keys() | TABLES.keys()
