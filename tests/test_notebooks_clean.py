"""Notebooks are thin: a parameters cell, calls and figures; no outputs, no logic."""

import ast
import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def code_cells(path: Path) -> list[dict]:
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_no_outputs_are_committed(path: Path) -> None:
    for cell in code_cells(path):
        assert not cell["outputs"], f"{path.name} carries outputs; clear them"
        assert cell["execution_count"] is None, f"{path.name} carries execution counts; clear them"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_no_logic_lives_in_cells(path: Path) -> None:
    for cell in code_cells(path):
        tree = ast.parse("".join(cell["source"]))
        logic = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.While, ast.Try)
        found = [type(node).__name__ for node in ast.walk(tree) if isinstance(node, logic)]
        assert not found, f"{path.name} holds {found[0]}; move it into squashlib"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_parameters_stand_in_one_tagged_cell(path: Path) -> None:
    tagged = [cell for cell in code_cells(path) if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1, f"{path.name} has {len(tagged)} cells tagged 'parameters', must have one"
