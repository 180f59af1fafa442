"""A player is told what a new analysis changed and why, by data and by a page; nobody else is."""

import httpx
from conftest import Server
from sqlalchemy import select

import squashlib
from flows import process
from squashlib.changes import counts
from store.tables import AnalysisRow, SessionRow

POINT = {"winner": "me", "score_me_before": 0, "score_opponent_before": 0, "score_me_after": 1,
         "score_opponent_after": 0, "game_number": 1, "is_let": False}  # fmt: skip


def test_what_changed_and_why(pair: tuple[httpx.Client, httpx.Client], server: Server, tmp_path) -> None:
    ann, bob = pair
    store = server.app.state.squash.store
    match = squashlib.simulate(4, rate_hz=10)
    squashlib.write_fit(match.session, tmp_path / "m.fit")
    made = ann.post("/api/sessions", json={"start_time": match.session.attrs["start_time"]}).raise_for_status().json()
    session_id, url = made["session_id"], f"/api/sessions/{made['session_id']}"
    ann.post(f"{url}/upload/fit", files={"file": ("m.fit", (tmp_path / "m.fit").read_bytes())}).raise_for_status()
    process.make_insights(store, session_id)
    assert ann.get(f"{url}/changes").status_code == 404, "analysed once"
    assert len(ann.get(f"{url}/analyses").json()) == 1

    for i, rally in enumerate(store.sessions.analysis(session_id).document["rallies"][:12]):
        press = POINT | {"timestamp": rally["end"], "score_me_before": i, "score_me_after": i + 1}
        ann.post(f"{url}/points", json=press).raise_for_status()
    process.make_insights(store, session_id)
    assert len(ann.get(f"{url}/analyses").json()) == 2
    found = ann.get(f"{url}/changes").raise_for_status().json()
    assert found["why"] == ["the points changed: 0 counted before, 12 now"]
    assert found["figures"]["points_won"]["before"] == 0
    assert found["figures"]["points_won"]["after"] > 8
    told = counts(found["rallies"])
    assert told["stayed"] + told["moved"] > 10
    assert told["stayed"] + told["moved"] + told["new"] == len(ann.get(f"{url}/analysis").json()["rallies"])

    page = ann.get(f"{url}/changes.html").raise_for_status()
    assert "12 now" in page.text
    assert "points won" in page.text
    assert '<figure class="plot"' in page.text
    assert "private" in page.headers["cache-control"]
    for path in ("analyses", "changes", "changes.html"):
        assert bob.get(f"{url}/{path}").status_code == 404, path
        assert httpx.get(f"{server.url}{url}/{path}").status_code == 401, path

    ann.patch("/api/auth/me", json={"max_heart_rate": 187}).raise_for_status()
    process.make_insights(store, session_id)
    assert [one["analysis_key"] for one in ann.get(f"{url}/analyses").json()][1:]
    with store.catalog.look() as tx:
        rows = list(tx.scalars(select(AnalysisRow).where(AnalysisRow.session_id == session_id)))
        now = tx.get_one(SessionRow, session_id).analysis_key
    oldest = min(rows, key=lambda row: row.created_at)
    assert now != oldest.analysis_key
    both = ann.get(f"{url}/changes", params={"than": oldest.analysis_key}).json()
    assert "the points changed: 0 counted before, 12 now" in both["why"]
    assert ann.get(f"{url}/changes", params={"than": "another"}).status_code == 404
