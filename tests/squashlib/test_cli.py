"""`squash` from the outside: documents on stdout, one line on stderr for what is wrong, the promised statuses."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from squashlib.report import asset

REAL = Path(__file__).parents[3] / "shared/data/fit/squash_pixel_watch_3.fit"
SQUASH = Path(sys.executable).with_name("squash")


def squash(*args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SQUASH, *map(str, args)], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def match(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("match")
    paths = {"fit": folder / "m.fit", "points": folder / "p.json", "truth": folder / "t.json"}
    made = squash(
        "simulate", paths["fit"], "--points", paths["points"], "--truth", paths["truth"], "--seed", 3, "--rate", 25
    )
    assert made.returncode == 0, made.stderr
    return paths


def test_help_is_quick_because_it_imports_nothing() -> None:
    code = "import sys; from squashlib import cli; print([m for m in ('numpy', 'scipy', 'xarray') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert "analyse" in squash("--help").stdout


def test_a_match_is_analysed_and_scored(match: dict[str, Path], tmp_path: Path) -> None:
    report, zarr = tmp_path / "r.html", tmp_path / "a.zarr"
    args = (
        "analyse",
        match["fit"],
        "--points",
        match["points"],
        "--format",
        "json",
        "--report",
        report,
        "--zarr",
        zarr,
    )
    done = squash(*args)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "squash-analysis/1"
    truth = json.loads(match["truth"].read_text())
    assert abs(document["rally_count"]["estimate"] - len(truth["rallies"])) <= 0.1 * len(truth["rallies"])
    page = report.read_text()
    assert "<html" in page[:2000].lower()
    bare = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert "://" not in bare.replace('xmlns="http://www.w3.org/2000/svg"', ""), "needs nothing from elsewhere"
    assert len(page.encode()) - len(asset("plotly.min.js")) < 1 << 20
    assert "WARNING" not in done.stderr
    assert zarr.is_dir()
    (tmp_path / "a.json").write_text(done.stdout)
    scored = squash("evaluate", match["truth"], tmp_path / "a.json")
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)


@pytest.mark.skipif(not REAL.exists(), reason="the shared real recordings are not here")
def test_a_bad_file_does_not_cost_the_good_one(tmp_path: Path) -> None:
    bad = tmp_path / "bad.fit"
    bad.write_bytes(b"not a recording at all")
    done = squash("analyse", bad, REAL, tmp_path / "none.fit", "--format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["session"]["duration_s"] == pytest.approx(81 * 60, abs=60)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 2
    assert "bad.fit" in lines[0]
    assert "none.fit" in lines[1]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("rerun",), "--plan"),
        (("analyse", "x.fit", "--points", "missing.json"), "missing.json"),
        (("analyse", "x.fit", "y.fit", "--report", "r.html"), "one recording"),
        (("simulate", "nowhere/x.fit"), "no folder nowhere"),
        (("simulate", "/"), "is a folder"),
    ],
)
def test_usage_errors_are_status_two(args: tuple[str, ...], says: str) -> None:
    done = squash(*args)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.skipif(not REAL.exists(), reason="the shared real recordings are not here")
def test_decode_says_what_is_in_it(tmp_path: Path) -> None:
    done = squash("decode", REAL, "--zarr", tmp_path / "s.zarr", "--format", "json")
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert content["streams"]["heart_rate"]["samples"] > 2500
    assert "heart_rate" in squash("decode", REAL).stdout
