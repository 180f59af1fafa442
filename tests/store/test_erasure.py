"""Who goes is gone: no row of any table names them, no byte of theirs is left, and others keep all they have."""

import uuid

from sqlalchemy import select

from store import Store, partial
from store.erasure import erase_session, erase_user
from store.tables import Base, SessionRow, Upload
from store.uploads import places
from tests import rows

#: What belongs to nobody; and who looked at another's session, which is that other's to know.
NOBODYS = {"locks", "equivalences"}
FOLDERS = ("sessions", "analyses", "reports")


def everything_of(store: Store) -> dict[str, str]:
    """A row in every table, and what lies in the store and beside it."""
    with store.catalog.begin() as tx:
        ids = rows.fill(tx.connection())
        (sha256,) = tx.scalars(select(Upload.sha256).where(Upload.user_id == ids["user_id"]))
    for name in (*places(sha256), *(f"{folder}/{ids['session_id']}/made" for folder in FOLDERS)):
        store.blobs.put(name, b"theirs")
    about = {"user_id": ids["user_id"], "session_id": ids["session_id"], "length": 9, "name": "a.fit"}
    partial.begin(store.settings.home, about)
    return ids


def left_of(store: Store, ids: dict[str, str]) -> set[str]:
    """Where their id, their session's or the mark in all of their texts is still found."""
    with store.catalog.begin() as tx:
        held = rows.everything(tx.connection())
    marks = {ids["user_id"], ids["session_id"], ids[""]}
    tables = {name for name, found in held.items() for row in found if marks & set(_words(row))}
    files = [*store.blobs.list(""), *(path.read_text() for path in partial.folder(store.settings.home).glob("*.json"))]
    return (tables - NOBODYS) | {file for file in files if any(mark in file for mark in marks)}


def _words(row: dict[str, str]) -> list[str]:
    return [word for value in row.values() for word in (value, value.partition(".")[0], value.partition("@")[0])]


def test_nothing_is_left_of_a_person(store: Store) -> None:
    alice, bob = everything_of(store), everything_of(store)
    before = left_of(store, bob)
    assert before >= set(Base.metadata.tables) - NOBODYS
    erase_user(store, alice["user_id"])
    assert left_of(store, alice) == set()
    assert left_of(store, bob) == before


def test_nothing_is_left_of_a_session(store: Store) -> None:
    alice = everything_of(store)
    with store.catalog.begin() as tx:
        other = SessionRow(session_id=str(uuid.uuid4()), user_id=alice["user_id"], start_time=rows.MOMENT)
        other.linked_to = alice["session_id"]
        tx.add(other)
    erase_session(store, alice["session_id"])
    assert not list(store.blobs.list("sessions"))
    assert not list(partial.folder(store.settings.home).iterdir())
    with store.catalog.look() as tx:
        row = tx.get_one(SessionRow, other.session_id)
        assert row.linked_to is None, "the recording that was joined to it counts for itself again"
