"""A changed detector makes its results stale, and only those are made again; labelled sessions are asked first."""

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

import squashlib
from flows import canary, keys, process, rerun
from flows.accept import declare_equivalent
from flows.chunks import analyses
from flows.stale import Stale, counts, estimate_s, stale_sessions
from squashlib.detectors.rallies import RallyDetector
from squashlib.errors import NotFoundError, SquashError
from squashlib.labels import from_truth
from store import Settings, Store
from store.changes import as_text, changes
from store.labels import save
from store.made_by import EXPLAIN
from store.tables import AnalysisRow, Equivalence, Report, SessionRow, User, now

# jupyter_client leaves the sockets of a killed kernel to the garbage collector
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:Could not destroy"
)
MATCH = squashlib.simulate(4, rate_hz=10)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store.open(Settings(home=tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="module")
def ids(store: Store) -> list[str]:
    """Three sessions of one player, the oldest labelled; all up to date, pages too."""
    path = store.settings.home / "m.fit"
    squashlib.write_fit(MATCH.session, path)
    found = [str(uuid.uuid4()) for _ in range(3)]
    with store.catalog.begin() as tx:
        tx.add(User(user_id="u", email="a@example.org"))
        tx.flush()
        for i, session_id in enumerate(found):
            tx.add(SessionRow(session_id=session_id, user_id="u", start_time=now() - timedelta(days=i)))
            tx.flush()
            store.uploads.receive(tx, session_id, "u", "file", path.read_bytes())
    save(store.catalog, found[2], from_truth(MATCH.truth, found[2]))
    for session_id in found:
        process.process_session(store, session_id)
    return found


def pretend(store: Store, session_id: str, name: str, fingerprint: str) -> None:
    """As if the stored result, and its page, had been made by other code."""
    key, other = store.sessions.row(session_id).analysis_key, uuid.uuid4().hex
    with store.catalog.begin() as tx:
        held = tx.get_one(AnalysisRow, (session_id, key))
        held.fingerprints = held.fingerprints | {name: fingerprint}
        held.analysis_key = tx.get_one(SessionRow, session_id).analysis_key = other
        page = tx.get_one(Report, (session_id, keys.report_key(str(key), process.NOTEBOOK)))
        page.report_key, page.analysis_key = keys.report_key(other, process.NOTEBOOK), other


def files(store: Store, prefix: str) -> dict[str, bytes]:
    return {name: store.blobs.get(name) for name in store.blobs.list(prefix)}


def finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rally detector that lost most rallies: what a bad change does."""
    inner = RallyDetector.detect

    def detect(self: RallyDetector, context: Any) -> Any:
        found = inner(self, context)
        groups = {**found.groups, "rallies": found.groups["rallies"].isel(rally=slice(0, 3))}
        return replace(found, groups=groups)

    monkeypatch.setattr(RallyDetector, "detect", detect)
    monkeypatch.setattr(RallyDetector, "version", "worse")


def test_what_is_up_to_date_is_not_stale(store: Store, ids: list[str]) -> None:
    assert stale_sessions(store) == []
    assert estimate_s([]) is None
    with pytest.raises(SquashError, match="no stored result"):
        declare_equivalent(store, "unknown")
    with pytest.raises(NotFoundError, match="analysed once"):
        changes(store, ids[0])


def test_the_plan_names_reasons_counts_and_an_estimate_and_asks_labelled_sessions_first(
    store: Store, ids: list[str]
) -> None:
    for session_id in ids:
        pretend(store, session_id, "heart", "older")
    pretend(store, ids[0], "explain", "old words")
    stale = stale_sessions(store)
    assert [item.session_id for item in stale] == [ids[2], ids[0], ids[1]]
    assert [item.labelled for item in stale] == [True, False, False]
    assert {item.detectors for item in stale} == {("heart",)}
    assert counts(stale) == [("detector 'heart' changed", 3), ("the code of insights or documents changed", 1)]
    with store.catalog.look() as tx:
        rows = [row.fingerprints["seconds"] for row in tx.scalars(select(AnalysisRow))]
    assert rows[0].keys() == {"decode", "swings", "rallies", "strokes", "match", "heart", "rest", "page"}
    expected = sum(one["heart"] + one["rest"] + one["page"] for one in rows)
    assert estimate_s(stale) == pytest.approx(expected)


def test_only_what_depends_is_made_again_and_all_else_keeps_its_bytes(store: Store, ids: list[str]) -> None:
    before = {session_id: store.sessions.analysis(session_id) for session_id in ids}
    kept = files(store, "sessions") | files(store, "uploads") | files(store, f"analyses/{ids[1]}")
    chosen = [item for item in stale_sessions(store) if item.session_id != ids[1]]
    assert {error for _, error in rerun.recompute(store, chosen, workers=1)} == {None}
    assert [item.session_id for item in stale_sessions(store)] == [ids[1]]
    after = store.sessions.analysis(ids[0])
    assert after.revision == before[ids[0]].revision
    assert after.document == before[ids[0]].document, "the code is the same in truth"
    everything = files(store, "sessions") | files(store, "uploads") | files(store, f"analyses/{ids[1]}")
    assert everything == kept
    assert store.sessions.document(before[ids[0]].path), "the old analysis stays"


def test_a_refactor_is_accepted_after_comparing_outputs(store: Store, ids: list[str]) -> None:
    assert declare_equivalent(store, "older") == 3
    assert stale_sessions(store) == []
    with store.catalog.begin() as tx:
        tx.delete(tx.get_one(Equivalence, ("heart", keys.detector_prints()["heart"])))
    (item,) = stale_sessions(store)
    list(rerun.recompute(store, [item], workers=1))
    pretend(store, ids[1], EXPLAIN, "older words")
    assert declare_equivalent(store, "older words") == 1
    assert stale_sessions(store) == []


def test_a_changed_notebook_makes_pages_and_nothing_else(
    store: Store, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.catalog.begin() as tx:
        for page in tx.scalars(select(Report)):
            tx.delete(page)
    stale = stale_sessions(store)
    assert all(item.page_only and not item.detectors for item in stale)

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("squashlib.analysis.analyse", forbidden)
    assert {error for _, error in rerun.recompute(store, stale, workers=1)} == {None}
    assert stale_sessions(store) == []


def test_a_detector_that_does_worse_on_labelled_sessions_stops_the_rerun(
    store: Store, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        finds_nothing(patch)
        stale = stale_sessions(store)
        assert len(stale) == 3
        before = files(store, "")
        with pytest.raises(
            canary.WorseError, match=r"on 1 labelled sessions .* rallies at IoU 0.5 [01]\.\d+ → 0\."
        ) as told:
            canary.check(store, stale)
        assert "nothing was recomputed" in str(told.value)
        assert files(store, "") == before
        assert canary.check(store, stale, margin=1.0).sessions == 1
    assert stale_sessions(store) == []


def test_the_player_can_be_told_what_changed_and_why(
    store: Store, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    finds_nothing(monkeypatch)
    assert analyses(store.settings.model_dump_json(), [ids[0]]) == [(ids[0], None)]
    found = changes(store, ids[0])
    assert any(why.startswith("detector 'rallies' ") and "version 1 → worse" in why for why in found["why"])
    assert found["figures"]["number_of_rallies"]["after"] == 3
    assert found["figures"]["number_of_rallies"]["before"] > 3
    assert "number_of_rallies: " in as_text(found)


def test_sessions_of_a_killed_worker_are_done_in_another_round(
    store: Store, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[list[str]] = []

    def spread(kind: str, settings: Settings, session_ids: list[str], workers: int) -> Any:
        turns.append(list(session_ids))
        yield from ((one, None) for one in (session_ids[:1] if len(turns) == 1 else session_ids))

    monkeypatch.setattr(rerun, "spread", spread)
    done = list(rerun._rounds(store, "analyses", ids, 2))
    assert done == [(one, None) for one in ids]
    assert turns == [ids, ids[1:]]


def test_a_plan_for_sessions_never_measured_says_so() -> None:
    assert "never measured" in list(rerun.plan_lines([Stale("s", "r", ("why",))]))[-1]
