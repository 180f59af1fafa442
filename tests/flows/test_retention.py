"""Old sessions keep less: no raw motion after three months, no samples after two years, originals as chosen."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

import squashlib
from flows import process
from flows.retention import clear, retain
from flows.stale import stale_sessions
from squashlib.errors import NotFoundError
from store import Settings, Store, jobs
from store.charts import hr_chart
from store.reduction import has_originals, thinned
from store.tables import SessionRow, User, now

MATCH = squashlib.simulate(8, rate_hz=10)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two players' sessions, analysed: `keeps` keeps originals, `not` does not."""
    squashlib.write_fit(MATCH.session, tmp_path / "m.fit")
    store = Store.open(Settings(home=tmp_path / "home"))
    for name in ("keeps", "not"):
        with store.catalog.begin() as tx:
            tx.add(User(user_id=name, email=f"{name}@example.org", keep_originals=name == "keeps"))
            tx.flush()
            tx.add(SessionRow(session_id=name, user_id=name, start_time=now()))
            tx.flush()
            store.uploads.receive(tx, name, name, "file", (tmp_path / "m.fit").read_bytes() + name.encode())
            jobs.enqueue(tx, "process", name, name)
        process.make_analysis(store, name, process.make_revision(store, name))
    return store


def test_three_months_full_then_heart_rate_alone_then_a_summary(store: Store) -> None:
    whole = store.sessions.open("keeps")
    found = {name: store.sessions.analysis(name).document for name in ("keeps", "not")}
    assert retain(store, now() + timedelta(days=80)) == {"summarised": 0, "thinned": 0, "originals_removed": 0}
    assert "accel_time" in store.sessions.open("keeps").sizes

    later = now() + timedelta(days=100)
    assert retain(store, later) == {"summarised": 0, "thinned": 2, "originals_removed": 1}
    left = store.sessions.open("keeps")
    assert {str(name) for name in left.sizes} <= {"hr_time", "point"}
    assert not [name for name in store.blobs.list("sessions") if "accel" in name or "gyro" in name]
    steps = np.diff(left["hr_time"].values)
    assert left.sizes["hr_time"] <= left.attrs["duration_s"] / 5 + 1
    assert np.median(steps) == pytest.approx(5.0, abs=0.1)
    assert float(left["heart_rate"].mean()) == pytest.approx(float(whole["heart_rate"].mean()), abs=1)
    assert left.attrs["duration_s"] == whole.attrs["duration_s"]
    assert store.sessions.analysis("keeps").document == found["keeps"], "what was found stays"
    assert hr_chart(store, store.sessions.analysis("keeps"))["heart_rates"]
    assert (has_originals(store, "keeps"), has_originals(store, "not")) == (True, False)
    assert stale_sessions(store) == [], "nothing is recomputed from less"
    assert set(retain(store, later).values()) == {0}

    assert process.make_revision(store, "not") == store.sessions.row("not").revision
    assert store.sessions.resolution("not", str(store.sessions.row("not").revision)) == "reduced"
    process.make_revision(store, "keeps")
    assert "accel_time" in store.sessions.open("keeps").sizes, "what devices sent is the truth"

    assert retain(store, now() + timedelta(days=800))["summarised"] == 2
    with pytest.raises(NotFoundError, match="older than two years"):
        store.sessions.open("not")
    assert store.sessions.analysis("not").document == found["not"]
    assert len(list(store.blobs.list("sessions"))) == 0
    assert [name.rsplit("/", 1)[1] for name in store.blobs.list("analyses")] == ["analysis.json"] * 2


def test_a_session_being_worked_on_waits_for_another_night(store: Store) -> None:
    who = jobs.holder()
    assert jobs.lock(store.catalog, "session:keeps", who)
    assert retain(store, now() + timedelta(days=100))["thinned"] == 1
    jobs.unlock(store.catalog, "session:keeps", who)


def test_what_a_killed_worker_left_goes_and_what_is_named_stays(store: Store) -> None:
    kept = {name: store.blobs.get(name) for name in store.blobs.list("")}
    store.blobs.put("sessions/keeps/half-1.zarr/zarr.json", b"{}")
    store.blobs.put("analyses/keeps/half-1/findings.json", b"{}")
    assert clear(store) == {"sessions": 2}
    assert {name: store.blobs.get(name) for name in store.blobs.list("")} == kept


def test_a_gap_stays_a_gap() -> None:
    session = MATCH.session
    bpm = session["heart_rate"].values.copy()
    bpm[100:400] = np.nan
    with_gap = session.assign(heart_rate=("hr_time", bpm, session["heart_rate"].attrs))
    assert np.diff(thinned(with_gap)["hr_time"].values).max() >= 295
    bare = thinned(session.drop_dims("hr_time"))
    assert "heart_rate" not in bare
    assert "accel_time" not in bare.sizes


def test_deleted_players_are_no_matter(store: Store) -> None:
    with store.catalog.begin() as tx:
        tx.execute(update(SessionRow).values(revision=None))
    assert retain(store, now() + timedelta(days=800))["summarised"] == 0
