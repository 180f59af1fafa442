"""What is logged: one JSON object a line, never a body, a query, a token or what a library says of them."""

import logging
import sys

from pythonjsonlogger.orjson import OrjsonFormatter

#: They tell of headers, rows or whole messages when a host turns everything up.
TALKATIVE = ("sqlalchemy", "httpx", "httpcore", "websockets", "sse_starlette", "python_multipart", "urllib3")
#: Says whole paths: a query may hold a token, a shared link is one. `api.access` says the same without them.
PATHS = "uvicorn.access"


def set_up() -> None:
    """Log to stderr, unless the host of this process has set up its own; and keep others from telling too much."""
    logging.getLogger(PATHS).disabled = True
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    log = logging.getLogger("api")
    if not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(OrjsonFormatter("%(levelname)s %(name)s %(message)s", timestamp="time"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
