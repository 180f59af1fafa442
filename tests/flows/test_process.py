"""Every step is made once, again when its inputs change, and never half."""

import json
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

import squashlib
from flows import nightly, process
from flows.work import run_waiting, work_off
from squashlib.fingerprint import detector_fingerprint
from squashlib.moments import iso
from store import Settings, Store, jobs
from store.tables import AnalysisRow, Job, PointEvent, SessionRow, User, now

# jupyter_client leaves the sockets of a killed kernel to the garbage collector
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:Could not destroy"
)


@pytest.fixture(scope="module")
def match(tmp_path_factory: pytest.TempPathFactory) -> tuple[squashlib.simulate.Match, bytes]:
    made = squashlib.simulate(2, rate_hz=10)
    path = tmp_path_factory.mktemp("match") / "m.fit"
    squashlib.write_fit(made.session, path)
    return made, path.read_bytes()


def promised(store: Store, *contents: bytes) -> tuple[str, str]:
    user_id, session_id = str(uuid.uuid4()), str(uuid.uuid4())
    with store.catalog.begin() as tx:
        tx.add(User(user_id=user_id, email=f"{user_id}@example.org"))
        tx.flush()
        tx.add(SessionRow(session_id=session_id, user_id=user_id, start_time=now()))
        tx.flush()
        for content in contents:
            store.uploads.receive(tx, session_id, user_id, "file", content)
        return session_id, jobs.enqueue(tx, "process", session_id, user_id).job_id


def test_upload_to_report_and_nothing_twice(match: tuple, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, fit = match
    store = Store.open(Settings(home=tmp_path))
    session_id, job_id = promised(store, fit)
    assert work_off(store, job_id) == "completed"
    assert work_off(store, job_id) == "nothing to do"
    first = store.sessions.analysis(session_id)
    assert first.document["rallies"]
    lacking = update(AnalysisRow).values(summary={"start": "2026-01-08"})
    with store.catalog.begin() as tx:
        full = tx.get_one(AnalysisRow, (session_id, first.key)).summary
        tx.execute(lacking)
    assert nightly.statistics(store, now()) == {"sessions": 1, "players": 1}
    assert nightly.statistics(store, now()) == {"sessions": 0, "players": 0}
    with store.catalog.look() as tx:
        assert tx.get_one(AnalysisRow, (session_id, first.key)).summary == full
    page = store.reports.get(session_id)
    assert "application/json" in page
    assert len(page) < 1 << 20
    assert "http" not in page.split("</head>")[0].replace("http-equiv", "")

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("computed again")

    with monkeypatch.context() as patch:
        patch.setattr("squashlib.analysis.analyse", forbidden)
        patch.setattr("flows.render.render", forbidden)
        process.process_session(store, session_id)
    assert store.sessions.analysis(session_id).key == first.key

    point = {**made.points[0], "timestamp": made.points[0]["timestamp"]}
    with store.catalog.begin() as tx:
        row = tx.get_one(SessionRow, session_id)
        tx.add(PointEvent(session_id=session_id, user_id=row.user_id, point_id="p", op="add", body=point))
    process.process_session(store, session_id)
    second = store.sessions.analysis(session_id)
    assert second.key != first.key
    assert second.revision == first.revision, "a point makes no new revision"


def test_a_match_dropped_on_a_later_day_began_when_it_was_played(match: tuple, tmp_path: Path) -> None:
    made, fit = match
    store = Store.open(Settings(home=tmp_path))
    session_id, _ = promised(store, fit)
    process.make_revision(store, session_id)
    began = store.sessions.row(session_id).start_time
    assert iso(began) == made.session.attrs["start_time"]
    watch = began - timedelta(seconds=20)  # whose watch told a start keeps it
    with store.catalog.begin() as tx:
        tx.execute(update(SessionRow).values(start_time=watch, revision=None))
    process.make_revision(store, session_id)
    assert store.sessions.row(session_id).start_time == watch


def test_an_unchanged_detector_is_read_not_run(match: tuple, tmp_path: Path) -> None:
    store = Store.open(Settings(home=tmp_path))
    session_id, _ = promised(store, match[1])
    revision = process.make_revision(store, session_id)
    process.make_analysis(store, session_id, revision)
    with store.catalog.begin() as tx:
        held = tx.get_one(AnalysisRow, (session_id, store.sessions.row(session_id).analysis_key))
        inputs = held.fingerprints["inputs"]
    ordered = squashlib.analysis.default_framework().ordered()
    prints = {detector.name: detector_fingerprint(detector) for detector in ordered}
    assert process.reusable(store, session_id, inputs, prints).keys() == prints.keys()
    changed = prints | {"rallies": "another"}
    assert process.reusable(store, session_id, inputs, changed).keys() == {"swings"}
    assert process.reusable(store, session_id, "other inputs", prints) == {}


def test_a_bad_upload_costs_no_good_one(match: tuple, tmp_path: Path) -> None:
    store = Store.open(Settings(home=tmp_path))
    session_id, job_id = promised(store, match[1], b"this is no recording")
    assert work_off(store, job_id) == "completed"
    assert any("must be a FIT" in w for w in store.sessions.analysis(session_id).document["quality"]["warnings"])
    _, lost = promised(store, b"neither is this")
    assert work_off(store, lost) == "failed"
    with store.catalog.begin() as tx:
        assert "must be a FIT" in str(tx.get_one(Job, lost).error)


def test_batches_in_any_order_make_the_same_session(tmp_path: Path) -> None:
    store = Store.open(Settings(home=tmp_path))
    samples = [
        {"timestamp": f"2026-01-01T10:{i // 60:02d}:{i % 60:02d}Z", "heart_rate": 100 + i % 60} for i in range(600)
    ]
    bodies = [json.dumps({"data": samples[i : i + 90]}).encode() for i in range(0, 600, 60)]
    revisions = []
    for order in (bodies, bodies[::-1]):
        session_id, _ = promised(store)
        with store.catalog.begin() as tx:
            user_id = tx.get_one(SessionRow, session_id).user_id
            for body in order:
                store.uploads.receive(tx, session_id, user_id, "hr", body, content_type="application/json")
        process.make_revision(store, session_id)
        revisions.append(store.sessions.open(session_id)["heart_rate"])
    assert revisions[0].sizes["hr_time"] == 600
    assert revisions[0].values.tolist() == revisions[1].values.tolist()


def test_late_jobs_are_found(match: tuple, tmp_path: Path) -> None:
    store = Store.open(Settings(home=tmp_path))
    _, job_id = promised(store, match[1])
    assert run_waiting(store, older_s=3600) == 0
    assert run_waiting(store, older_s=-1) == 1
    with store.catalog.begin() as tx:
        assert tx.get_one(Job, job_id).status == "completed"
