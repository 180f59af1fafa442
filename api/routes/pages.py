"""The player's pages and what reports and dashboards share."""

import gzip
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from api.problems import Problem

router = APIRouter(include_in_schema=False)

PAGES = Path(__file__).parent.parent / "pages"
POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'; form-action 'self'"
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
#: Smaller files are not worth packing.
PACK_BYTES = 4096


@router.get("/")
def home() -> Response:
    """The player's page."""
    html = (PAGES / "index.html").read_bytes()
    return Response(html, media_type="text/html", headers={"Content-Security-Policy": POLICY})


@router.get("/static/{name}")
def static(name: str, request: Request) -> Response:
    """Scripts and styles; only names that are known."""
    packed = "gzip" in request.headers.get("accept-encoding", "")
    try:
        content, is_packed = _asset(name, packed)
    except FileNotFoundError as error:
        raise Problem(404, f"There is no file {name!r}.") from error
    kept = {"Cache-Control": "public, max-age=3600", "Vary": "Accept-Encoding"}
    headers = kept | ({"Content-Encoding": "gzip"} if is_packed else {})
    return Response(content, media_type=TYPES[Path(name).suffix], headers=headers)


@cache
def _asset(name: str, packed: bool) -> tuple[bytes, bool]:
    """A file, packed once for all who take it packed."""
    content = _read(name)
    if packed and len(content) > PACK_BYTES:
        return gzip.compress(content, 6), True
    return content, False


def _read(name: str) -> bytes:
    own = {path.name: path for path in PAGES.iterdir() if path.suffix in (".js", ".css")}
    if name in own:
        return own[name].read_bytes()
    from store.assets import report_asset

    return report_asset(name)
