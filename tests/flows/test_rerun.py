"""A changed detector makes its results stale, and only those are made again."""

import uuid
from pathlib import Path

import pytest

import squashlib
from flows import rerun
from squashlib.errors import SquashError
from store import Settings, Store
from store.tables import AnalysisRow, SessionRow, User, now

# jupyter_client leaves the sockets of a killed kernel to the garbage collector
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:Could not destroy"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store.open(Settings(home=tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def session_id(store: Store) -> str:
    from flows.process import make_analysis, make_revision

    user_id, session_id = str(uuid.uuid4()), str(uuid.uuid4())
    path = store.settings.home / "m.fit"
    squashlib.write_fit(squashlib.simulate(4, rate_hz=10).session, path)
    with store.catalog.begin() as tx:
        tx.add(User(user_id=user_id, email="a@example.org"))
        tx.flush()
        tx.add(SessionRow(session_id=session_id, user_id=user_id, start_time=now()))
        tx.flush()
        store.uploads.receive(tx, session_id, user_id, "file", path.read_bytes())
    make_analysis(store, session_id, make_revision(store, session_id))
    return session_id


def pretend(store: Store, session_id: str, detector: str, fingerprint: str) -> None:
    """As if the stored result had been made by other code."""
    key = store.sessions.row(session_id).analysis_key
    with store.catalog.begin() as tx:
        row = tx.get_one(AnalysisRow, (session_id, key))
        row.fingerprints = row.fingerprints | {detector: fingerprint}


def test_plan_accept_and_run(store: Store, session_id: str, tmp_path: Path) -> None:
    assert rerun.stale_sessions(store) == []
    with pytest.raises(SquashError, match="no stored result"):
        rerun.declare_equivalent(store, "unknown")

    pretend(store, session_id, "rallies", "older")
    (item,) = rerun.stale_sessions(store)
    assert item.reasons == ("detector 'rallies' changed",)
    assert rerun.declare_equivalent(store, "older") == 1
    assert rerun.stale_sessions(store) == []

    pretend(store, session_id, "heart", "oldest")
    before = store.sessions.analysis(session_id)
    assert [error for _, error in rerun.recompute(store, rerun.stale_sessions(store))] == [None]
    after = store.sessions.analysis(session_id)
    assert after.revision == before.revision
    assert after.document == before.document
    assert store.reports.get(session_id)
