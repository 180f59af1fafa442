"""A constant changed in a copy of the code: what depends on it is stale, the plan says why, just that is made again."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

import squashlib

ROOT = Path(squashlib.__file__).parent.parent
MINUTES = 12

FILL = """
import uuid
from flows.process import make_analysis, make_revision
from store import Store
from store.tables import SessionRow, User, now

store, name = Store.open(), str(uuid.uuid4())
with store.catalog.begin() as tx:
    tx.add(User(user_id="u", email="u@example.org"))
    tx.flush()
    tx.add(SessionRow(session_id=name, user_id="u", start_time=now()))
    tx.flush()
    store.uploads.receive(tx, name, "u", "file", open("m.fit", "rb").read())
make_analysis(store, name, make_revision(store, name))
"""
RERUN = """
from flows.chunks import analyses
from flows.rerun import plan_lines
from flows.stale import stale_sessions
from store import Store

store = Store.open()
stale = stale_sessions(store)
print(*plan_lines(stale), [item.detectors for item in stale], sep="\\n")
assert [error for _, error in analyses(store.settings.model_dump_json(), [item.session_id for item in stale])] == [None]
"""
ROWS = """
import json
from sqlalchemy import select
from store import Store
from store.tables import AnalysisRow

with Store.open().catalog.look() as tx:
    rows = tx.scalars(select(AnalysisRow).order_by(AnalysisRow.created_at))
    print(json.dumps([[row.path, row.fingerprints] for row in rows]))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the code beside a recording of some minutes."""
    for room in ("squashlib", "store", "flows", "notebooks"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "data"))
    session = squashlib.simulate(6, sensors=("heart_rate",)).session
    short = session.isel(hr_time=session["hr_time"].values < 60 * MINUTES).drop_dims("point", errors="ignore")
    squashlib.write_fit(short.assign_attrs(duration_s=60.0 * MINUTES), tmp_path / "m.fit")
    return tmp_path


def ran(copy: Path, code: str) -> str:
    """What the copy's own code prints; kernels run as plain Python, which needs no compiling."""
    env = {**os.environ, "PYTHONPATH": str(copy), "SQUASH_HOME": str(copy / "home"), "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=copy, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def files(copy: Path) -> dict[str, bytes]:
    """All that is stored beside the catalog."""
    store = copy / "home" / "store"
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}


def test_a_changed_constant_in_a_kernel_makes_again_what_depends_on_it_and_nothing_else(copy: Path) -> None:
    ran(copy, FILL)
    before = files(copy)
    kernel = copy / "squashlib/kernels/semi_markov.py"
    text = kernel.read_text()
    kernel.write_text(text.replace("-32.0", "-31.0"))
    assert kernel.read_text() != text
    reasons, whole, detectors = ran(copy, RERUN).splitlines()
    assert reasons.split(maxsplit=2) == ["1", "sessions:", "detector 'rallies' changed"]
    assert whole.startswith("1 sessions are stale, about ")
    assert detectors == "[('rallies', 'strokes', 'heart', 'match')]", "swings are read, not made again"
    after = files(copy)
    assert {name: after.get(name) for name in before} == before, "the same bytes"
    (old, then), (new, now) = rows(copy)
    assert {name.rsplit("/", 1)[0] for name in after.keys() - before.keys()} == {new}
    assert {name for name in then if then[name] != now[name]} == {"rallies", "seconds"}
    assert then["seconds"]["swings"] == now["seconds"]["swings"]
    assert swings(after[f"{new}/events.zarr.zip"]) == swings(after[f"{old}/events.zarr.zip"])
    assert ran(copy, RERUN.replace("assert", "#")).splitlines()[-1] == "[()]", "nothing but the page, never made"


def swings(events: bytes) -> dict[str, bytes]:
    """The files of the swing detector's group."""
    with zipfile.ZipFile(io.BytesIO(events)) as held:
        found = {name: held.read(name) for name in held.namelist() if name.startswith("swings/")}
    assert found
    return found


def rows(copy: Path) -> list[Any]:
    """Path and fingerprints of each analysis, the oldest first."""
    return list(json.loads(ran(copy, ROWS)))
