"""The player's pages and what reports and dashboards share."""

import gzip
import hashlib
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from api.navigation import PAGES, POLICY
from api.problems import Problem

router = APIRouter(include_in_schema=False)

TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
#: Smaller files are not worth packing.
PACK_BYTES = 4096


@router.get("/")
def home() -> Response:
    """The player's page."""
    html = (PAGES / "index.html").read_bytes()
    return Response(html, media_type="text/html", headers={"Content-Security-Policy": POLICY})


@router.get("/static/{name}")
def static(name: str, request: Request, v: str = "") -> Response:
    """Scripts and styles; only names that are known. Links with a hash of the content are asked for once."""
    try:
        content, packed, tag = _asset(name)
    except FileNotFoundError as error:
        raise Problem(404, f"There is no file {name!r}.") from error
    kept = "public, max-age=31536000, immutable" if v else "no-cache"
    headers = {"Cache-Control": kept, "Vary": "Accept-Encoding", "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if packed and "gzip" in request.headers.get("accept-encoding", ""):
        content, headers = packed, headers | {"Content-Encoding": "gzip"}
    return Response(content, media_type=TYPES[Path(name).suffix], headers=headers)


@cache
def _asset(name: str) -> tuple[bytes, bytes | None, str]:
    """A file, the same packed (once for all), and what tells it from others."""
    content = _read(name)
    packed = gzip.compress(content, 9) if len(content) > PACK_BYTES else None
    return content, packed, f'"{hashlib.sha256(content).hexdigest()[:16]}"'


def _read(name: str) -> bytes:
    own = {path.name: path for path in PAGES.iterdir() if path.suffix in (".js", ".css")}
    if name in own:
        return own[name].read_bytes()
    from store.assets import report_asset

    return report_asset(name)
