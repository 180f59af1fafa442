"""Which code and parameters made a result.

A detector's fingerprint hashes the syntax trees, without comments and docstrings, of its module and of every squashlib
module that it reaches by import, its parameters, its declared version, and the versions of numpy, scipy
and numba.
"""

import ast
import json
from dataclasses import asdict, is_dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from squashlib.detectors.framework import Detector, MetricsFramework

#: Libraries whose arithmetic is part of a result.
LIBRARIES = ("numpy", "scipy", "numba")
#: The doors of the package: reaching them says nothing about what is computed.
NOT_ALGORITHM = ("squashlib", "squashlib.errors", "squashlib.fingerprint")


def detector_fingerprint(detector: "Detector") -> str:
    """Hash of all that makes `detector`'s results what they are (64 hex digits)."""
    parameters: dict[str, Any] = asdict(cast("Any", detector)) if is_dataclass(detector) else {}
    parts = {
        "class": f"{type(detector).__module__}.{type(detector).__qualname__}",
        "version": detector.version,
        "parameters": parameters,
        "code": {name: module_hash(name) for name in sorted(reached(type(detector).__module__))},
        "libraries": {name: installed(name) for name in LIBRARIES},
    }
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


@cache
def installed(library: str) -> str:
    """The version of a library that is installed."""
    return version(library)


def algorithm_fingerprint(framework: "MetricsFramework") -> str:
    """Hash over all detectors of a framework and the code that explains their findings."""
    parts = {detector.name: detector_fingerprint(detector) for detector in framework.ordered()}
    explain = {name: module_hash(name) for name in sorted(reached("squashlib.insights"))}
    return sha256(json.dumps([parts, explain], sort_keys=True).encode()).hexdigest()


@cache
def reached(module: str) -> frozenset[str]:
    """`module` and every squashlib module that it imports, directly or not."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen or name in NOT_ALGORITHM:
            continue
        seen.add(name)
        waiting += _imports(name)
    return frozenset(seen)


@cache
def module_hash(name: str) -> str:
    """Hash of a module's normalised syntax tree."""
    return source_hash(_source(name))


def source_hash(source: str) -> str:
    """Hash of Python source that comments, docstrings and layout do not change."""
    return sha256(ast.dump(_bare(ast.parse(source))).encode()).hexdigest()


def _bare(tree: ast.Module) -> ast.Module:
    """The tree without docstrings and annotations' positions."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:] or [ast.Pass()]
    return tree


@cache
def _source(name: str) -> str:
    file = _file(name)
    if file is None:
        raise ValueError(f"module {name!r} has no source, must be a Python file; fingerprints need it")
    return file.read_text()


def _file(name: str) -> Path | None:
    """Where a module lies; one of ours is not looked for by import, which would import the packages around it."""
    if name.startswith("squashlib."):
        found = Path(__file__).parent.joinpath(*name.split(".")[1:])
        return next((path for path in (found.with_suffix(".py"), found / "__init__.py") if path.is_file()), None)
    spec = find_spec(name)
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


@cache
def _imports(name: str) -> tuple[str, ...]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(_source(name))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        found |= {n for n in names if n.startswith("squashlib") and _file(n) is not None}
    return tuple(sorted(found))


def content_hash(*parts: Any) -> str:
    """Hash of JSON-able parts, in order (64 hex digits): the key of a step is that of its inputs."""
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
