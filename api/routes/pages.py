"""The player's pages and what reports share."""

from functools import cache
from pathlib import Path

from fastapi import APIRouter, Response

from api.problems import Problem

router = APIRouter(include_in_schema=False)

PAGES = Path(__file__).parent.parent / "pages"
POLICY = "default-src 'self'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'"
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


@router.get("/")
def home() -> Response:
    """The player's page."""
    html = (PAGES / "index.html").read_bytes()
    return Response(html, media_type="text/html", headers={"Content-Security-Policy": POLICY})


@router.get("/static/{name}")
def static(name: str) -> Response:
    """Scripts and styles; only names that are known."""
    try:
        content = _asset(name)
    except FileNotFoundError as error:
        raise Problem(404, f"There is no file {name!r}.") from error
    kept = {"Cache-Control": "public, max-age=3600"}
    return Response(content, media_type=TYPES[Path(name).suffix], headers=kept)


@cache
def _asset(name: str) -> bytes:
    if name in ("player.js", "player.css"):
        return (PAGES / name).read_bytes()
    from store.assets import report_asset

    return report_asset(name)
