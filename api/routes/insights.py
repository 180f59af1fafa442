"""What a session means: insights, report, charts; and the jobs behind them."""

from typing import Any, Literal

from fastapi import Path, Response
from fastapi.responses import HTMLResponse

from api.access import Asker, Caller, SessionId
from api.answers import HeartRateChart, JobShown, PointOfChart, Promised, ZoneChart
from api.answers_analysis import AnalysisShown, InsightsShown
from api.problems import ANSWERS, Problem
from api.subject import Subject
from api.wire import iso
from store import StoredAnalysis, jobs
from store.tables import AnalysisRow, Job

router = Subject("insights", "/api", ANSWERS)

#: The report draws figures by scripts of our own; nothing may come from elsewhere.
REPORT_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)

SVG = "image/svg+xml"
BINARY = {"schema": {"type": "string", "format": "binary"}}
KINDS = {"pdf": "application/pdf", "png": "image/png"}
PAPER: dict[int | str, dict[str, Any]] = {
    200: {"description": "The report", "content": dict.fromkeys(KINDS.values(), BINARY)}
}
STAMP: dict[int | str, dict[str, Any]] = {200: {"description": "A picture", "content": {SVG: {}}}}


def _analysis(caller: Caller, session_id: Any, what: str) -> StoredAnalysis:
    with caller.look() as tx:
        caller.seen_session(tx, session_id, what)
    return caller.store.sessions.analysis(str(session_id))


@router.get("/sessions/{session_id}/insights", response_model=InsightsShown)
def insights(session_id: SessionId, caller: Asker) -> dict[str, Any]:
    """Insights of the newest analysis; 404 until there is one (see upload/status)."""
    stored = _analysis(caller, session_id, "insights")
    with caller.look() as tx:
        row = tx.get(AnalysisRow, (str(session_id), stored.key))
        assert row is not None
        ids = {"insight_id": stored.key, "session_id": str(session_id), "user_id": row.user_id}
        return {**ids, "generated_at": iso(row.created_at), **stored.document["insights"]}


@router.post("/sessions/{session_id}/insights/regenerate", status_code=202, response_model=Promised)
def regenerate(session_id: SessionId, caller: Asker) -> dict[str, Any]:
    """Bring insights up to date with the newest algorithms."""
    with caller.begin() as tx:
        row = caller.own_session(tx, session_id)
        job = jobs.enqueue(tx, "process", row.session_id, caller.user_id)
    caller.state.hand_over(job.job_id)
    return {"status": "processing", "job_id": job.job_id}


@router.get("/sessions/{session_id}/analysis", response_model=AnalysisShown)
def analysis(session_id: SessionId, caller: Asker) -> dict[str, Any]:
    """The whole analysis (`squash-analysis/1`)."""
    return _analysis(caller, session_id, "analysis").document


@router.get("/sessions/{session_id}/report", response_class=HTMLResponse)
def report(session_id: SessionId, caller: Asker) -> HTMLResponse:
    """The executed notebook as a page."""
    with caller.look() as tx:
        caller.seen_session(tx, session_id, "report")
    html = caller.store.reports.get(str(session_id))
    return HTMLResponse(html, headers={"Content-Security-Policy": REPORT_POLICY, "Cache-Control": "private, no-store"})


@router.get("/sessions/{session_id}/report.{kind}", responses=PAPER, response_class=Response)
def paper(session_id: SessionId, kind: Literal["pdf", "png"], caller: Asker) -> Response:
    """The report to print or to send; 503 on a server without a browser."""
    from api.paper import draw
    from store.assets import standalone

    with caller.look() as tx:
        caller.seen_session(tx, session_id, kind)
    content = draw(standalone(caller.state.store.reports.get(str(session_id))), kind)
    headers = {"Content-Disposition": f'attachment; filename="squash-{session_id}.{kind}"'}
    return Response(content, media_type=KINDS[kind], headers=headers)


@router.get("/sessions/{session_id}/stamp.svg", responses=STAMP, response_class=Response)
def stamp(session_id: SessionId, caller: Asker) -> Response:
    """The session's small picture: heart rate over its rallies."""
    from store.charts import stamp

    stored = _analysis(caller, session_id, "stamp")
    kept = {"Cache-Control": "private, max-age=600", "ETag": f'"{stored.key[:16]}"'}
    return Response(stamp(caller.state.store, stored), media_type=SVG, headers=kept)


@router.get("/sessions/{session_id}/charts/hr-over-time", response_model=HeartRateChart)
def hr_over_time(session_id: SessionId, caller: Asker) -> dict[str, Any]:
    """Heart rate in at most 2,000 points, with zones and what happened meanwhile."""
    from store.charts import hr_chart

    return hr_chart(caller.store, _analysis(caller, session_id, "chart"))


@router.get("/sessions/{session_id}/charts/zone-distribution", response_model=ZoneChart)
def zone_distribution(session_id: SessionId, caller: Asker) -> dict[str, Any]:
    """Seconds in each heart-rate zone."""
    metrics = _analysis(caller, session_id, "chart").document["metrics"]
    return {f"zone_{zone}": metrics[f"time_in_zone_{zone}"]["value"] for zone in range(1, 6)}


@router.get("/sessions/{session_id}/charts/point-by-point", response_model=list[PointOfChart])
def point_by_point(session_id: SessionId, caller: Asker) -> list[dict[str, Any]]:
    """Every rally with a known winner: heart rate and length."""
    from store.charts import points_chart

    return points_chart(_analysis(caller, session_id, "chart"))


@router.get("/jobs/{job_id}", response_model=JobShown)
def job(job_id: str = Path(max_length=36), *, caller: Asker) -> dict[str, Any]:
    """How far a job is."""
    with caller.look() as tx:
        row = tx.get(Job, job_id)
        if row is None or row.user_id != caller.user_id:
            raise Problem(404, f"There is no job {job_id} of yours.")
        fields = {"job_id": row.job_id, "kind": row.kind, "session_id": row.session_id, "status": row.status}
        return {
            **fields,
            "stage": row.stage,
            "progress": row.progress,
            "error": row.error,
            "created_at": iso(row.created_at),
        }
