"""The catalog's database: SQLite in WAL mode, or PostgreSQL; transactions know whose they are."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Engine, Executable, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from store import trips
from store.engines import BEGINS, READ_ONLY, connect

#: As PostgREST does it: the role and the claims hold for one transaction, and nothing of it is left to the next.
CLAIM = text("SELECT set_config('role', :role, true) AS a, set_config('request.jwt.claims', :claims, true) AS b")


@dataclass(frozen=True)
class Claims:
    """For whom a transaction is: a user of the API."""

    user_id: str
    role: str


class Catalog:
    """Transactions on the catalog: for a user if it is bound to one, else for the platform's own work.

    On PostgreSQL a user's transactions run as `squash_app`, whose policies show what is the user's; the platform's run
    as `squash_service`. Neither owns a table.
    """

    def __init__(
        self, engine: Engine, claims: Claims | None = None, turn: AbstractContextManager[Any] | None = None
    ) -> None:
        self.engine, self.claims = engine, claims
        # SQLite has one writer; those of this process wait here in turn instead of polling the file.
        self._turn = turn or (nullcontext() if self._claims_are_told else Lock())

    @property
    def _claims_are_told(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    @classmethod
    def open(cls, url: str, owner_url: str | None = None) -> "Catalog":
        """Connect, and bring the tables up to date as their owner (who, on PostgreSQL, should be another login)."""
        from store.migrations.upgrade import upgrade

        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        upgrade(owner_url or url, login=make_url(url).username)
        return cls(connect(url))

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def seen_by(self, user_id: str, role: str) -> "Catalog":
        """The same catalog, as this user may see it."""
        return Catalog(self.engine, Claims(user_id, role), self._turn)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction, committed at the end."""
        with self._turn, self._claimed() as tx:
            yield tx
            tx.commit()

    @contextmanager
    def look(self) -> Iterator[Session]:
        """A transaction that only reads: on SQLite it waits for no writer."""
        with self._claimed({READ_ONLY: True}) as tx:
            yield tx
            tx.commit()

    def at_once(self, *asked: trips.Asked) -> list[list[Any]]:
        """Rows of statements that only read, in one transaction and, on PostgreSQL, in one trip."""
        try:
            return self._asked(asked)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return self._asked(asked)

    def _asked(self, asked: Sequence[trips.Asked]) -> list[list[Any]]:
        """Until the trip's end PostgreSQL takes all of it as one transaction, in which the claims hold."""
        opening = self._opening()
        with self.engine.connect() as connection:
            answers = trips.ask(connection.execution_options(**{READ_ONLY: True}), *opening, *asked)
        return answers[len(opening) :]

    def glance(self, query: Executable, values: Mapping[str, Any]) -> Any | None:
        """The first row that a statement finds."""
        found = self.at_once((query, values))[0]
        return found[0] if found else None

    def do(self, statement: Executable, values: Mapping[str, Any]) -> Any | None:
        """One statement that changes something and is committed; its first row, if it has any.

        Not tried again by itself: whether a connection that died had committed is not known.
        """
        opening = self._opening()
        with self._turn, self.engine.connect() as connection:
            found = trips.ask(connection, *opening, (statement, values))[-1]
            connection.commit()
            return found[0] if found else None

    @contextmanager
    def errand(self) -> Iterator[trips.Errand]:
        """One transaction of plain statements in few trips, committed at the end."""
        with self._turn:
            opening = self._opening()
            errand = trips.Errand(self.engine, [trips.BEGIN, *opening] if opening else [])
            try:
                yield errand
                errand.commit()
            finally:
                errand.close()

    def _opening(self) -> list[trips.Asked]:
        """What tells PostgreSQL's row-level security who asks."""
        if not self._claims_are_told:
            return []
        role, claims = "squash_service", {"role": "service_role"}
        if self.claims is not None:
            role, claims = "squash_app", {"sub": self.claims.user_id, "role": self.claims.role}
        return [(CLAIM, {"role": role, "claims": json.dumps(claims)})]

    def _claimed(self, options: dict[str, Any] | None = None) -> Session:
        """A transaction that has begun; where its pooled connection has died meanwhile, one on a fresh connection."""
        try:
            return self._claim(Session(self.engine, expire_on_commit=False), options)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return self._claim(Session(self.engine, expire_on_commit=False), options)

    def _claim(self, tx: Session, options: dict[str, Any] | None) -> Session:
        """Begin, and say who asks."""
        try:
            connection = tx.connection(execution_options={BEGINS: True, **(options or {})})
            if opening := self._opening():
                trips.ask(connection, trips.BEGIN, *opening)
        except BaseException:
            tx.close()
            raise
        return tx

    def healthy(self) -> bool:
        """Whether the database answers."""
        with self.look() as tx:
            return bool(tx.scalar(text("SELECT 1")) == 1)
