"""A route for what is asked every second: one pydantic model reads all of a request, where FastAPI asks each parameter.

FastAPI finds out anew for every request how each parameter is to be read, which took more time than all that a press
does; a route of this kind finds it out once. Its OpenAPI and its answers, errors too, are those of any other route.
"""

import email.message
import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError, create_model
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import request_response

from api.access import knock

Reader = Callable[[Request], Awaitable[dict[str, Any]]]


class QuickRoute(APIRoute):
    """A route that, where its endpoint makes its own `Response` of plain parameters, reads them in one go."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if inspect.signature(endpoint).return_annotation is Response and self._is_plain():
            self.app = request_response(self._quick())

    def _is_plain(self) -> bool:
        """Whether its parameters are of the path, the query, one JSON body, who asks, and the request itself."""
        found = self.dependant
        others = found.header_params, found.cookie_params, found.response_param_name, found.background_tasks_param_name
        asks = all(dependency.call is knock for dependency in found.dependencies)
        many = any(getattr(param.field_info.annotation, "__origin__", None) is list for param in found.query_params)
        return asks and not many and not any(others) and len(found.body_params) <= 1

    def _quick(self) -> Callable[[Request], Awaitable[Response]]:
        read, endpoint = self._reader(), self.endpoint
        askers = [dependency.name for dependency in self.dependant.dependencies if dependency.name]
        itself = self.dependant.request_param_name

        async def handle(request: Request) -> Response:
            given = await read(request)
            for name in askers:
                given[name] = await knock(request)
            if itself:
                given[itself] = request
            answer: Response = await endpoint(**given)
            return answer

        return handle

    def _reader(self) -> Reader:
        """What makes the endpoint's arguments of a request; raises `RequestValidationError`."""
        found, body = self.dependant, next(iter(self.dependant.body_params), None)
        parts = {"path": _model(found.path_params), "query": _model(found.query_params)}
        whole: Any = {name: (model, ...) for name, model in parts.items()}
        if body is not None:
            whole["body"] = (body.field_info.annotation, body.field_info)
        asked = create_model("Asked", **whole)

        async def read(request: Request) -> dict[str, Any]:
            sent: dict[str, Any] = {"path": request.path_params, "query": dict(request.query_params)}
            if body is not None and (content := await request.body()):
                sent["body"] = _json(request, content)
            try:
                taken: Any = asked.model_validate(sent, from_attributes=True)
            except ValidationError as error:
                raise RequestValidationError(error.errors(include_url=False)) from error
            given = {**vars(taken.path), **vars(taken.query)}
            return given if body is None else given | {body.name: taken.body}

        return read


def _model(params: Sequence[Any]) -> type[BaseModel]:
    fields: Any = {param.name: (param.field_info.annotation, param.field_info) for param in params}
    return create_model("Part", **fields)


def _json(request: Request, content: bytes) -> Any:
    """The body as its media type says; what is not declared as JSON stays bytes, which no model takes."""
    declared = email.message.Message()
    declared["content-type"] = request.headers.get("content-type", "none")
    kind = declared.get_content_subtype()
    if declared.get_content_maintype() != "application" or not (kind == "json" or kind.endswith("+json")):
        return content
    try:
        return from_json(content)
    except ValueError as error:
        wrong = {"type": "json_invalid", "loc": ("body", 0), "msg": f"JSON decode error: {error}", "input": {}}
        raise RequestValidationError([wrong]) from error
