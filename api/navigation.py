"""Errors for people: who follows a link in a browser gets a page, or the door; programs get `problem+json`."""

import re
from html import escape
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

PAGES = Path(__file__).parent / "pages"
SAID = {403: "Not for you", 404: "There is nothing here", 429: "Too many at once", 503: "One moment"}
#: What a message tells programs to do is nothing that a person could.
FOR_PROGRAMS = re.compile("; (?:(?:GET|POST|PUT|DELETE) |look at )[^.]*")
#: Nor is a session's number anything that they know it by.
NUMBERED = re.compile("session '[0-9a-f-]{36}'")
AGAIN = '<meta http-equiv="refresh" content="{}">'
POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)


def is_navigation(request: Request) -> bool:
    """Whether a person follows a link: browsers then ask for HTML by name, which our clients never do."""
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")


def page(request: Request, status: int, detail: str, headers: dict[str, str]) -> Response:
    """The page of an error; who is not signed in goes to the door, and from there to where they wanted to."""
    if status == HTTPStatus.UNAUTHORIZED:
        return RedirectResponse(f"/?next={quote(request.url.path)}", 303)
    said = {
        "title": SAID.get(status, HTTPStatus(status).phrase),
        "detail": escape(NUMBERED.sub("This session", FOR_PROGRAMS.sub("", detail))),
        "again": f'<meta http-equiv="refresh" content="{int(headers["Retry-After"])}">'
        if "Retry-After" in headers
        else "",
    }
    shown = (PAGES / "problem.html").read_text()
    for name, text in said.items():
        shown = shown.replace(f"{{{{{name}}}}}", text)
    kept = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(shown, status, {**headers, **kept})
