"""Several statements in one trip to PostgreSQL (libpq's pipeline); SQLite is no trip away and is asked one by one."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Self

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Connection, Engine, Executable, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

Asked = tuple[Executable, Mapping[str, Any]]

BEGIN: Asked = (text("BEGIN"), {})
COMMIT: Asked = (text("COMMIT"), {})
_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


def ask(connection: Connection, *asked: Asked) -> list[list[Any]]:
    """The rows of each statement, as plain as the driver gives them; defaults of columns are not filled in.

    Raises
    ------
    sqlalchemy.exc.OperationalError
        If the connection was dead: `connection_invalidated` is true, as it is of SQLAlchemy's own.
    """
    if connection.dialect.name != "postgresql":
        return [_rows(connection, *one) for one in asked]
    raw: Any = connection.connection.driver_connection
    try:
        with raw.pipeline():
            cursors = [_sent(raw, *one) for one in asked]
    except psycopg.OperationalError as error:
        if raw.closed:
            connection.invalidate(error)
            connection.engine.dispose()  # what else waits in the pool died with it
        raise OperationalError("a trip", None, error, connection_invalidated=bool(raw.closed)) from error
    return [cursor.fetchall() if cursor.description else [] for cursor in cursors]


def _rows(connection: Connection, statement: Executable, values: Mapping[str, Any]) -> list[Any]:
    found = connection.execute(statement, values)
    return list(found) if found.returns_rows else []


def _sent(raw: Any, statement: Executable, values: Mapping[str, Any]) -> Any:
    sql, processed = _compiled(statement, frozenset(values))
    given = {name: process(values[name]) if process else values[name] for name, process in processed}
    return raw.cursor(row_factory=namedtuple_row).execute(sql, given or None)


@lru_cache(256)
def _compiled(statement: Any, names: frozenset[str]) -> tuple[str, list[tuple[str, Any]]]:
    """A statement's text, and for each of its values what makes it ready for the driver."""
    made = statement.compile(dialect=_DIALECT, column_keys=sorted(names) if statement.is_dml else None)
    types = {name: bind.type.dialect_impl(_DIALECT) for name, bind in made.binds.items()}
    fixed = {name: value for name, value in made.params.items() if name not in names}
    ready = [(name, kind.bind_processor(_DIALECT)) for name, kind in types.items() if name in names]
    return _with(str(made), fixed), ready


def _with(sql: str, fixed: Mapping[str, Any]) -> str:
    """The text with the constants of the statement written into it."""
    for name, value in fixed.items():
        sql = sql.replace(f"%({name})s", psycopg.sql.Literal(value).as_string().replace("%", "%%"))
    return sql


class Errand:
    """A transaction in few trips: what is told waits for the next question, or for the commit."""

    def __init__(self, engine: Engine, opening: Sequence[Asked], connection: Connection | None = None) -> None:
        self._engine, self._opening, self._told = engine, opening, list(opening)
        self.connection = connection or engine.connect()
        self._begun = connection is not None

    @classmethod
    def within(cls, tx: Session) -> Self:
        """A part of a transaction that has begun and that its owner commits."""
        tx.flush()
        connection = tx.connection()
        return cls(connection.engine, (), connection)

    def tell(self, statement: Executable, values: Mapping[str, Any]) -> None:
        """Something to be done, before whatever is asked next and at the latest with the commit."""
        self._told.append((statement, values))

    def ask(self, *asked: Asked) -> list[list[Any]]:
        """The rows of each statement."""
        told, self._told = self._told, []
        try:
            answers = ask(self.connection, *told, *asked)
        except OperationalError as error:
            if self._begun or not error.connection_invalidated:
                raise
            self.connection.close()  # nothing was begun on it: another one does as well
            self.connection = self._engine.connect()
            answers = ask(self.connection, *told, *asked)
        self._begun = True
        return answers[len(told) :]

    def commit(self) -> None:
        """Do what is left, and keep all."""
        if self._opening:
            self.ask(COMMIT)
        else:
            self.ask()
            self.connection.commit()

    def close(self) -> None:
        """Give the connection back; what was not committed is forgotten."""
        raw = self.connection.connection.driver_connection if not self.connection.invalidated else None
        if self._opening and raw is not None and not raw.closed:
            raw.rollback()  # no trip where nothing is open
        self.connection.close()
