"""Fingerprints follow what is computed, and nothing else."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

import pytest

import squashlib
from squashlib import fingerprint
from squashlib.detectors.framework import Context, Findings
from squashlib.fingerprint import detector_fingerprint, reached, source_hash


@dataclass(frozen=True)
class Threshold:
    """A detector with a parameter."""

    level: float = 1.5
    name: ClassVar[str] = "threshold"
    version: ClassVar[str] = "1"
    requires: ClassVar[tuple[str, ...]] = ()
    provides: ClassVar[tuple[str, ...]] = ()

    def detect(self, context: Context) -> Findings:
        """Find nothing."""
        return Findings()


ROOT = Path(squashlib.__file__).parent.parent


def test_layout_comments_and_docstrings_do_not_count() -> None:
    plain = "def f(x):\n    return x + 1\n"
    dressed = '"""Module."""\n\n# why\ndef f( x ):\n    """Say."""\n    return (x\n        + 1)\n'
    assert source_hash(plain) == source_hash(dressed)
    assert source_hash(plain) != source_hash(plain.replace("1", "2"))
    assert source_hash("def f():\n    '''Say.'''\n") == source_hash("def f():\n    pass\n")


def test_parameters_declared_version_and_library_versions_count(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = detector_fingerprint(Threshold())
    assert detector_fingerprint(Threshold(1.5)) == plain
    assert detector_fingerprint(Threshold(2.0)) != plain
    for library in ("numpy", "scipy", "numba"):
        with monkeypatch.context() as patch:
            patch.setattr(fingerprint, "installed", lambda name, other=library: "0" if name == other else version(name))
            assert detector_fingerprint(Threshold()) != plain
    monkeypatch.setattr(Threshold, "version", "2")
    assert detector_fingerprint(Threshold()) != plain


def test_a_name_in_a_docstring_makes_nothing_stale_and_one_in_code_does() -> None:
    plain = 'def f(x):\n    """Double x."""\n    return 2 * x\n'
    assert source_hash(plain) == source_hash(plain.replace("Double x", "Double y"))
    assert source_hash(plain) != source_hash(plain.replace("2 * x", "2 * y"))


def test_reach_is_closed_over_imports() -> None:
    modules = reached("squashlib.detectors.rallies")
    assert {"squashlib.kernels.semi_markov", "squashlib.detectors.model"} <= modules
    assert "squashlib.insights" not in modules
    assert "squashlib.kernels.semi_markov" not in reached("squashlib.detectors.swings")


def prints(root: Path) -> dict[str, str]:
    code = (
        "from squashlib.analysis import default_framework; from squashlib.fingerprint import detector_fingerprint; "
        "print({d.name: detector_fingerprint(d) for d in default_framework().ordered()})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    found: dict[str, str] = eval(done.stdout)
    return found


def test_a_constant_two_imports_away_makes_exactly_its_dependents_stale(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "squashlib", tmp_path / "squashlib", ignore=shutil.ignore_patterns("__pycache__"))
    before = prints(tmp_path)
    kernel = tmp_path / "squashlib/kernels/semi_markov.py"
    text = kernel.read_text()
    kernel.write_text(text.replace("-32.0", "-31.0"))
    after = prints(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {"rallies"}
    kernel.write_text(text.replace("best path, posterior", "best path and posterior"))
    assert prints(tmp_path) == before
