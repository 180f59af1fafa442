"""Every notebook of the lab runs top to bottom on simulated data, no cell longer than three minutes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
LAB = ("welcome", "label_rallies", "rally_lab", "leaderboard", "to_production")
LONGEST_S = 180


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with simulated matches, and compiled kernels, so that a notebook's time is its own."""
    from store import Settings, Store, example

    folder = tmp_path_factory.mktemp("home")
    assert example.fill(Store.open(Settings(home=folder)), 2) == 2
    return folder


@pytest.mark.slow
def test_run_top_to_bottom(home: Path, tmp_path: Path) -> None:
    for name in LAB:
        (tmp_path / f"{name}.ipynb").write_text((NOTEBOOKS / f"{name}.ipynb").read_text())
    env = {**os.environ, "SQUASH_HOME": str(home), "PYTHONWARNINGS": "default"}
    env.pop("PREFECT_API_URL", None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--nbmake"]
    command += [f"--nbmake-timeout={LONGEST_S}", "--overwrite", *(f"{name}.ipynb" for name in LAB)]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    assert f"{len(LAB)} passed" in done.stdout
