"""Dashboards: Voilà's pages behind the login of the API; a kernel for each page, for its player alone."""

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request, WebSocket
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.access import ACCESS_COOKIE, Asker, Caller, SessionId, State, identify
from api.dashboard_proxy import Door, bridge, forward, keep_seat
from api.navigation import PAGES
from api.problems import Problem
from api.subject import Subject

router = Subject("dashboards", "/dashboards", in_schema=False)

#: Scripts are our own files alone. Plotly styles elements as it draws, which is the one exception.
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PAGE = {"Content-Security-Policy": POLICY, "Cache-Control": "private, no-store"}


def _visitor(request: Request, state: State) -> Caller | None:
    token = request.cookies.get(ACCESS_COOKIE)
    return identify(state, token) if token else None


Visitor = Annotated[Caller | None, Depends(_visitor)]


@router.get("/session/{session_id}")
async def session(session_id: SessionId, request: Request, visitor: Visitor) -> Response:
    """One session to look at, rally by rally."""

    def write(caller: Caller, folder: Path) -> None:
        from store.views import write_session

        with caller.look() as tx:
            caller.seen_session(tx, session_id, "dashboard")
        write_session(caller.state.store, str(session_id), folder)

    return await _page(request, visitor, "session_dashboard", write)


@router.get("/trends")
async def trends(request: Request, visitor: Visitor) -> Response:
    """The player's months."""

    def write(caller: Caller, folder: Path) -> None:
        from store.views import write_trends

        write_trends(caller.state.store, caller.user_id, folder)

    return await _page(request, visitor, "trends_dashboard", write)


@router.get("/coach")
async def coach(request: Request, visitor: Visitor) -> Response:
    """The players who let this coach look, side by side."""

    def write(caller: Caller, folder: Path) -> None:
        from store.views import write_coach

        if caller.role != "coach":
            raise Problem(403, "This page is for coaches; players let a coach look under 'Coaches' on their page.")
        write_coach(caller.state.store, caller.user_id, folder)

    return await _page(request, visitor, "coach_dashboard", write)


async def _page(
    request: Request, visitor: Caller | None, notebook: str, write: Callable[[Caller, Path], None]
) -> Response:
    """Seat, data, page: in this order, so that nothing is written for who must wait."""
    if visitor is None:
        return RedirectResponse(f"/?next={quote(request.url.path)}", 303)
    door = Door.of(visitor.state.settings.home)
    if before := await keep_seat(request.app, door, visitor.user_id):
        return _line(before)
    view = door.new_view()
    try:
        await run_in_threadpool(write, visitor, view)
        path = f"/dashboards/voila/render/{notebook}.ipynb"
        return await forward(request, door, path, visitor.user_id, view=view.name, extra=PAGE)
    except BaseException:
        shutil.rmtree(view, ignore_errors=True)
        raise


def _line(before: int) -> HTMLResponse:
    """The page for who must wait; it asks again by itself."""
    who = "You are next." if before == 1 else f"{before - 1} before you."
    html = (PAGES / "line.html").read_text().replace("{{who}}", who)
    return HTMLResponse(html, 503, {**PAGE, "Retry-After": "3"})


@router.get("/api/kernels/{kernel_id}")
async def kernel(kernel_id: uuid.UUID, request: Request, caller: Asker) -> Response:
    """Whether a page's kernel lives."""
    door = Door.of(caller.state.settings.home)
    return await forward(request, door, f"/dashboards/api/kernels/{kernel_id}", caller.user_id)


@router.delete("/api/kernels/{kernel_id}")
async def end_kernel(kernel_id: uuid.UUID, request: Request, caller: Asker) -> Response:
    """End a page's kernel."""
    return await kernel(kernel_id, request, caller)


@router.post("/voila/api/shutdown/{kernel_id}")
async def leave(kernel_id: uuid.UUID, request: Request, visitor: Visitor) -> Response:
    """A page says goodbye; a beacon carries no header of ours, so its origin must be this site."""
    if visitor is None or not _same_origin(request):
        raise Problem(403, "A page may end its own kernel only.")
    door = Door.of(visitor.state.settings.home)
    return await forward(request, door, f"/dashboards/voila/api/shutdown/{kernel_id}", visitor.user_id)


@router.websocket("/api/kernels/{kernel_id}/channels")
async def channels(socket: WebSocket, kernel_id: uuid.UUID, session_id: str = "") -> None:
    """A page's line to its kernel. `session_id` is Jupyter's own word for a connection, not a match."""
    state = socket.app.state.squash
    token = socket.cookies.get(ACCESS_COOKIE)
    caller = await run_in_threadpool(identify, state, token) if token and _same_origin(socket) else None
    if caller is None:
        await socket.close(4403)
        return
    seen = caller

    async def still_in() -> bool:
        return await run_in_threadpool(seen.is_still_in)

    path = f"/dashboards/api/kernels/{kernel_id}/channels?session_id={quote(session_id, safe='')}"
    await bridge(socket, Door.of(state.settings.home), path, caller.user_id, still_in)


def _same_origin(request: Request | WebSocket) -> bool:
    """Whether a page of this very site asks; browsers always tell the origin of WebSockets and posts."""
    return request.headers.get("origin", "").partition("//")[2] == request.headers.get("host")
