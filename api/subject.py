"""Routes of one subject, whose operations a generated client calls by the subject and the verb."""

from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute

Answers = dict[int | str, dict[str, Any]]


class Subject(APIRouter):
    """A router of `subject`'s operations under `prefix`, each of which may answer `answers` as well."""

    def __init__(self, subject: str, prefix: str = "", answers: Answers | None = None) -> None:
        super().__init__(prefix=prefix, tags=[subject], responses=answers, generate_unique_id_function=_named)


def _named(route: APIRoute) -> str:
    return f"{route.tags[0]}_{route.name}"
