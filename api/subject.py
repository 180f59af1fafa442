"""Routes of one subject, each run in one go on a thread of its own: who asks is looked up there too."""

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import Any, TypeVar

from fastapi import APIRouter
from fastapi.routing import APIRoute

from api.access import Knock
from api.quick import QuickRoute
from store.engines import THREADS

T = TypeVar("T")
Answers = dict[int | str, dict[str, Any]]

#: More would only wait for each other, for the interpreter and for connections to the database.
_HANDS = ThreadPoolExecutor(THREADS, "request")


class Subject(APIRouter):
    """A router of `subject`'s operations under `prefix`, each of which may answer `answers` as well.

    A generated client calls them by the subject and the verb.
    """

    def __init__(
        self, subject: str, prefix: str = "", answers: Answers | None = None, *, in_schema: bool = True
    ) -> None:
        super().__init__(
            prefix=prefix,
            tags=[subject],
            responses=answers,
            route_class=QuickRoute,
            include_in_schema=in_schema,
            generate_unique_id_function=_named,
        )

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Take a route whose `caller` is let in before it runs."""
        super().add_api_route(path, _guarded(endpoint), **options)


async def in_thread(work: Callable[[], T]) -> T:
    """Do what waits for a database or for much arithmetic where it keeps nobody else waiting."""
    return await asyncio.get_running_loop().run_in_executor(_HANDS, work)


def _named(route: APIRoute) -> str:
    return f"{route.tags[0]}_{route.name}"


def _guarded(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Let in who knocks, then run the endpoint: with it on one thread, since each change of thread costs."""
    waits = inspect.iscoroutinefunction(endpoint)

    @wraps(endpoint)
    async def guarded(**given: Any) -> Any:
        if not waits:
            return await in_thread(lambda: endpoint(**_let_in(given)))
        if any(isinstance(value, Knock) for value in given.values()):
            given = await in_thread(lambda: _let_in(given))
        return await endpoint(**given)

    return guarded


def _let_in(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value.let_in() if isinstance(value, Knock) else value for name, value in given.items()}
