"""Errors on the wire: `application/problem+json` (RFC 9457) whose `detail` is always a text to show."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api import navigation
from squashlib.errors import DecodeError, NotFoundError, SchemaError

log = logging.getLogger("api")

MEDIA_TYPE = "application/problem+json"


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    pointer: str = Field(examples=["#/start_time"])
    detail: str = Field(examples=["Input should be a valid datetime"])


class ProblemBody(BaseModel):
    """An error as every endpoint answers it."""

    type: str = "about:blank"
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no session 7e0c…; list yours with GET /api/sessions."])
    errors: list[FieldError] | None = None


class Problem(Exception):  # noqa: N818 - named after what RFC 9457 calls it
    """Raise anywhere below a route to answer with `status` and `detail`."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.extra = status, detail, headers or {}, extra


def phrase(status: int) -> str:
    """What a status is called; 460 is tus's own."""
    return "Checksum Mismatch" if status == 460 else HTTPStatus(status).phrase


def answer(status: int, detail: str, headers: dict[str, str] | None = None, **extra: Any) -> JSONResponse:
    """The response of a problem."""
    body = {"type": "about:blank", "title": phrase(status), "status": status, "detail": detail, **extra}
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def _described(statuses: tuple[int, ...]) -> dict[int | str, dict[str, Any]]:
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


#: For `responses=` of routers: what any endpoint behind a login may answer, and what an open one may.
ANSWERS = _described((400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503))
OPEN_ANSWERS = _described((400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429, 503))


def known(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """For POSTs that may find what they would make."""
    return {200: {"model": model, "description": "It was here already: the same as the first answer"}}


def install(app: FastAPI) -> None:
    """Answer every error of `app` as a problem."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(NotFoundError, _on_not_found)
    app.add_exception_handler(DecodeError, _on_bad_data)
    app.add_exception_handler(SchemaError, _on_bad_data)
    app.add_exception_handler(Exception, _on_crash)


def _told(request: Request, status: int, detail: str, headers: dict[str, str], **extra: Any) -> Response:
    if navigation.is_navigation(request):
        return navigation.page(request, status, detail, headers)
    return answer(status, detail, headers, **extra)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return _told(request, error.status, error.detail, error.headers, **error.extra)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _told(request, error.status_code, str(error.detail), dict(error.headers or {}))


async def _on_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fields = [_field(item) for item in error.errors()[:50]]
    named = "; ".join(f"{field['pointer'].removeprefix('#/')}: {field['detail']}" for field in fields[:3])
    return answer(422, named or "The request is not valid.", errors=fields)


def _field(item: Any) -> dict[str, str]:
    """Where and why, without echoing the input (it may be a password)."""
    places = [str(place) for place in item["loc"] if place != "body"]
    return {"pointer": "#/" + "/".join(places), "detail": item["msg"].removeprefix("Value error, ")}


async def _on_not_found(request: Request, error: Exception) -> Response:
    return _told(request, 404, str(error), {})


async def _on_bad_data(request: Request, error: Exception) -> JSONResponse:
    return answer(422, str(error))


async def _on_crash(request: Request, error: Exception) -> Response:
    log.error("unhandled %s", type(error).__name__, exc_info=error)
    told = "Something went wrong on the server; nothing of what was accepted before is lost. Try again."
    return _told(request, 500, told, {})
