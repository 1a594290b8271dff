"""A method is one module, one entry of the configuration, one test and one page."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hashgnn.models.method import GraphMethod, HashMethod
from hashgnn.training.fit import load_method

ROOT = Path(__file__).parents[2]
QUANTIZED = yaml.safe_load((ROOT / "config/quantization.yaml").read_text())["models"]
ENTRIES = yaml.safe_load((ROOT / "config/config.yaml").read_text())["models"] | QUANTIZED
MODULES = sorted({entry["module"] for entry in ENTRIES.values()})

# Where code may name methods: the methods themselves, and claims about the paper's.
OF_METHODS = {ROOT / f"{module.replace('.', '/')}.py" for module in MODULES}
CLAIMS = ROOT / "hashgnn/reporting/claims"

# Files that name methods; they work as well without these.
EXCEPTIONS = {
    "hashgnn/recommender/model_comparison.py",  # puts popularity and ALS beside every method
    "hashgnn/reporting/tables/quantization.py",  # how many bytes a quantizer keeps of an item
    "hashgnn/reporting/quantizers.py",  # compares quantizers of any vectors
    "hashgnn/recommender/updating.py",  # goes on with ALS; its trainings need no such thing
}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_declares_its_method_and_its_hyper_parameters(module: str) -> None:
    method = load_method(module)

    assert method.parameters.__module__ == module
    assert method.parameters.__name__ == "Parameters"
    for name, field in method.parameters.model_fields.items():
        assert field.description, f"{name} has no docstring"
        assert not field.is_required(), f"{name} has no default"
    assert set(method.fixed) <= set(method.parameters.model_fields)


@pytest.mark.parametrize("model", ENTRIES)
def test_an_entry_fits_its_declaration(model: str) -> None:
    entry = ENTRIES[model]
    method = load_method(entry["module"])

    assert entry.get("shared_training", True) == isinstance(method, GraphMethod)
    assert ("pretrained" in entry) == method.hashes_pretrained
    assert method.hashes_pretrained or not isinstance(method, HashMethod)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_a_test(module: str) -> None:
    assert (ROOT / f"tests/models/test_{module.rpartition('.')[2]}.py").exists()


@pytest.mark.parametrize("model", ENTRIES)
def test_an_entry_has_a_page(model: str) -> None:
    page = ENTRIES[model]["module"].rpartition(".")[2] if model in QUANTIZED else model
    assert (ROOT / f"docs/methods/{page}.md").exists()


def test_every_module_of_a_method_has_an_entry() -> None:
    named = {
        f"hashgnn.models.{path.stem}"
        for path in (ROOT / "hashgnn/models").glob("*.py")
        if "\nMETHOD = " in path.read_text()
    }

    assert named == set(MODULES)


def names_in(path: Path) -> Iterator[str]:
    """Methods that a file imports or has in a text of its own."""
    ids = {*ENTRIES, *(module.rpartition(".")[2] for module in MODULES)} - {"hashgnn"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and node.value in ids | set(MODULES):
            yield f"{path.relative_to(ROOT)}, line {node.lineno}: {node.value}"
        elif isinstance(node, ast.ImportFrom):
            imported = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            yield from (
                f"{path.relative_to(ROOT)}, line {node.lineno}: imports {name}"
                for name in sorted(imported & set(MODULES))
            )


def test_no_other_code_names_a_method() -> None:
    others = [
        path
        for path in (ROOT / "hashgnn").rglob("*.py")
        if path not in OF_METHODS
        and CLAIMS not in path.parents
        and str(path.relative_to(ROOT)) not in EXCEPTIONS
    ]

    assert [found for path in others for found in names_in(path)] == []
    assert any(names_in(ROOT / "hashgnn/models/mf.py"))  # which is made of another method
