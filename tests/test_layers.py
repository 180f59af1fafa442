"""Who may import whom: the rooms of the house keep their doors."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("squashlib", "store", "flows", "api")
#: Modules of this project that each room may import (by prefix).
DOORS = {
    "squashlib.kernels": ("squashlib.kernels",),
    "squashlib": ("squashlib",),
    "store": ("squashlib", "store"),
    "flows": ("squashlib", "store", "flows", "api.app"),
    "api": (
        "squashlib.schema",
        "squashlib.scoring",
        "squashlib.dual_scoring",
        "squashlib.statistics",
        "squashlib.session",
        "squashlib.moments",
        "squashlib.errors",
        "squashlib.athlete",
        "store",
        "flows.submit",
        "api",
    ),
    "notebooks": ("squashlib", "store"),
}
KERNELS_MAY = ("numpy", "numba")


def imported(source: str, package: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*up, base]) if base else ".".join(up)
            names |= {f"{base}.{alias.name}" for alias in node.names}
    return names


def room_of(module: str) -> str:
    return next(room for room in DOORS if module == room or module.startswith(room + "."))


def python_files() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def may(module: str, doors: tuple[str, ...]) -> bool:
    return any(module == door or module.startswith(door + ".") for door in doors)


@pytest.mark.parametrize("path", python_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_keep_to_the_doors(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    room = room_of(module)
    for name in imported(path.read_text(), module.rpartition(".")[0]):
        if name.split(".")[0] in (*ROOMS, "tests", "notebooks", "benchmarks"):
            assert may(name, DOORS[room]), f"{module} imports {name}; {room} may import {', '.join(DOORS[room])}"
        elif room == "squashlib.kernels":
            top = name.split(".")[0]
            allowed = top in KERNELS_MAY or top in sys.stdlib_module_names
            assert allowed, f"{module} imports {name}; kernels may import {', '.join(KERNELS_MAY)} alone"


def test_the_walk_sees_a_breach() -> None:
    assert imported("from squashlib.decode import fit", "api") == {"squashlib.decode.fit"}
    assert not may("squashlib.decode.fit", DOORS["api"])
    assert imported("from . import x", "api.routes") == {"api.routes.x"}


def test_top_level_is_the_users_card() -> None:
    allowed = {"notebooks", "squashlib", "api", "flows", "store", "tests", "environment.yml", "pyproject.toml"}
    allowed |= {"README.md", "Makefile", "requirements.lock", "LICENSE", "benchmarks"}
    allowed |= {"data", "build"}  # git ignores them
    found = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert {name for name in found - allowed if not name.endswith(".egg-info")} == set()


def test_the_api_starts_without_the_science() -> None:
    """What analyses a match is loaded where it runs: a server that was killed must be back at once."""
    heavy = "xarray", "zarr", "pandas", "numpy", "scipy", "numba", "prefect", "plotly"
    code = f"import sys, api.app; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
