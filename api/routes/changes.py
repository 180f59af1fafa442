"""What a new analysis of a session changed for its player, as data and as a page; nobody else's business."""

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import HTMLResponse

from api.access import Asker, Caller, SessionId
from api.answers import AnalysisNamed, ChangesShown
from api.problems import ANSWERS
from api.routes.insights import REPORT_POLICY
from api.subject import Subject
from store.changes import all_of, changes, changes_html

router = Subject("changes", "/api", ANSWERS)
Than = Annotated[str | None, Query(max_length=64, description="key of the older analysis; the one before if not said")]


def _own(caller: Caller, session_id: Any) -> str:
    with caller.look() as tx:
        return caller.own_session(tx, session_id).session_id


@router.get("/sessions/{session_id}/analyses", response_model=list[AnalysisNamed])
def analyses(session_id: SessionId, caller: Asker) -> list[dict[str, str]]:
    """Every analysis that was made of a session, the one that holds first: old ones stay."""
    return all_of(caller.store, _own(caller, session_id))


@router.get("/sessions/{session_id}/changes", response_model=ChangesShown)
def shown(session_id: SessionId, caller: Asker, than: Than = None) -> dict[str, Any]:
    """The newest analysis against an older one, and why they differ; 404 while there is only one."""
    return changes(caller.store, _own(caller, session_id), than)


@router.get("/sessions/{session_id}/changes.html", response_class=HTMLResponse)
def page(session_id: SessionId, caller: Asker, than: Than = None) -> HTMLResponse:
    """The same for people."""
    html = changes_html(caller.store, _own(caller, session_id), "/static", than)
    return HTMLResponse(html, headers={"Content-Security-Policy": REPORT_POLICY, "Cache-Control": "private, no-store"})
