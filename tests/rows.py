"""A row in every table of a database as it is, whatever its revision: made from what the database says of itself."""

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Connection, DateTime, Float, Integer, MetaData, Table, insert, select

MOMENT = datetime(2026, 1, 15, 10, tzinfo=UTC)
SKIPPED = "alembic_version"


def tables(connection: Connection) -> list[Table]:
    """The catalog's tables, parents first."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != SKIPPED]


def fill(connection: Connection) -> dict[str, str]:
    """Put one row into each table, all of one new user; return the ids that were made, by column."""
    ids = {"": uuid.uuid4().hex}
    for table in tables(connection):
        row = {column.name: _value(table, column, ids) for column in table.columns if not _counts(column)}
        if table.name == "users":
            row["email"] = f"{row['user_id']}@example.org"
        connection.execute(insert(table).values(row))
    return ids


def _counts(column: Column[Any]) -> bool:
    """Whether the database numbers it."""
    return column.primary_key and isinstance(column.type, Integer)


def _value(table: Table, column: Column[Any], ids: dict[str, str]) -> Any:
    kind, name = column.type, column.name
    if name in ("player_id", "coach_id", "actor_id"):
        return ids["user_id"]
    if name.endswith("_id") and not isinstance(kind, Integer):
        return ids.setdefault(name, str(uuid.uuid4()))
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, DateTime):
        return MOMENT
    if isinstance(kind, (Integer, Float)):
        return 7
    if isinstance(kind, JSON):
        return {"kept": name}
    return "queued" if name == "status" else f"{ids['']}.{table.name}.{name}"[: kind.length or 80]


def everything(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """All rows by table; times as texts without their zone, which SQLite does not keep."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table in tables(connection):
        rows = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
        found[table.name] = [{name: _plain(value) for name, value in row.items()} for row in rows]
    return found


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) and value.tzinfo else str(value)
