"""Machine code of yesterday's sources is never served, wherever numba's cache lies."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numba
import pytest

import squashlib
from squashlib.kernels.jit import source_key, used

USES = """from pkg.helper import threshold
from pkg.jit import kernel


@kernel
def above(x):
    return x > threshold()
"""
HELPER = "from pkg.jit import kernel\n\n\n@kernel\ndef threshold():\n    return {}\n"


def answer(root: Path) -> str:
    """What a new process computes; numba's cache lies outside, where its own key would not see the helper."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(root / "cache"), "PYTHONPATH": str(root)}
    code = "from pkg.uses import above; print(above(5.0), sum(above.stats.cache_hits.values()))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_helper_changed_in_another_file_is_seen(tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").touch()
    shutil.copy(Path(squashlib.__file__).parent / "kernels/jit.py", package)
    (package / "uses.py").write_text(USES)
    (package / "helper.py").write_text(HELPER.format(1.0))
    assert answer(tmp_path) == "True 0"
    assert answer(tmp_path) == "True 1", "the second process loads what the first compiled"
    (package / "helper.py").write_text(HELPER.format(9.0))
    assert answer(tmp_path) == "False 0"
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_folders_that_nobody_used_for_a_month_are_removed(tmp_path: Path) -> None:
    days = {"numba-" + 16 * digit: age for digit, age in (("a", 2), ("b", 29), ("c", 31), ("d", 400))}
    for name, age in (days | {"numba-mine": 400, "other": 400}).items():
        (tmp_path / name / "deeper").mkdir(parents=True)
        os.utime(tmp_path / name, (time.time() - age * 86400,) * 2)
    mine = tmp_path / ("numba-" + 16 * "a")
    used(mine)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"numba-" + 16 * "a", "numba-" + 16 * "b", "numba-mine", "other"}
    assert time.time() - mine.stat().st_mtime < 3600, "marked"
    used(tmp_path / "none yet")


def test_the_key_knows_every_source_and_the_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text("x = 1")
    (tmp_path / "b.py").write_text("y = 1")
    before = source_key(tmp_path)
    (tmp_path / "b.py").write_text("y = 2")
    assert (changed := source_key(tmp_path)) != before
    monkeypatch.setattr(numba, "__version__", "0.0")
    assert source_key(tmp_path) != changed


def test_other_users_of_numba_keep_their_cache() -> None:
    code = (
        "import numba; numba.config.CACHE_DIR = 'mine'; import squashlib.kernels.peaks; print(numba.config.CACHE_DIR)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "mine"
