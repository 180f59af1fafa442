"""What every body on the wire shares: times in UTC with milliseconds, and texts that any database can keep."""

import math
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Response
from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, model_validator
from pydantic_core import to_json

MAX_DEPTH = 32


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _aware(moment: datetime) -> datetime:
    """A time without a zone is UTC; years that no watch shows are refused."""
    if not 1990 <= moment.year <= 2200:
        raise ValueError(f"time is in the year {moment.year}, must be between 1990 and 2200")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _of_our_time(moment: datetime) -> datetime:
    _aware(moment)
    return moment


def in_zone(moment: datetime, zone: str) -> datetime:
    """A time; one that names no zone, such as a day, is the player's own."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(zone or "UTC"))


#: A day or time in a query, to be read with `in_zone`.
Day = Annotated[datetime, AfterValidator(_of_our_time)]
Moment = Annotated[datetime, AfterValidator(_aware), PlainSerializer(iso, return_type=str, when_used="json")]


def rendered(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer as it is, for what is asked every second: its model stands in OpenAPI and is checked by tests."""
    body = to_json(content, inf_nan_mode="null")
    return Response(body, status, headers, media_type="application/json")


def storable(value: Any, depth: int = 0) -> Any:
    """Refuse what a database or the next reader cannot keep: NUL, lone surrogates, NaN, very deep nesting."""
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        _storable_text(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("number is not finite; send null for what is missing")
    elif isinstance(value, int) and abs(value) > 1 << 63:
        raise ValueError("number is beyond 64 bits")
    elif isinstance(value, dict):
        for key, item in value.items():
            storable(key, depth + 1)
            storable(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            storable(item, depth + 1)
    return value


def _storable_text(text: str) -> None:
    if "\0" in text:
        raise ValueError("text holds a NUL character")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("text holds half a surrogate pair; send valid Unicode")


class Wire(BaseModel):
    """A request body: unknown fields are ignored, since deployed clients send some."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, value: Any) -> Any:
        return storable(value)
