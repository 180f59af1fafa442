"""What devices sent, as it came: bytes first, then a row in the caller's transaction; the same again is told apart."""

import hashlib
import tempfile
import uuid
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select
from sqlalchemy.orm import Session

from squashlib.errors import DecodeError, NotFoundError
from store.blobs import Blobs
from store.catalog import Catalog
from store.tables import SessionRow, Upload, now
from store.trips import Asked, Errand

PIECE = 1 << 20
ASIDE = "aside/"  # where the nightly sweep puts bytes that no row names, and finds them when one does


def blob_name(sha256: str) -> str:
    """Where the bytes of a hash lie."""
    return f"uploads/{sha256[:2]}/{sha256}"


def packed_name(sha256: str) -> str:
    """Where batches lie: their texts shrink to a twentieth; the hash is of what was sent."""
    return f"{blob_name(sha256)}.zst"


def places(sha256: str) -> tuple[str, ...]:
    """Every name under which the bytes of a hash may lie: packed, as sent, as first packed, and each set aside."""
    names = packed_name(sha256), blob_name(sha256), f"{blob_name(sha256)}.z"
    return *names, *(ASIDE + name for name in names)


def hash_of(place: str) -> str:
    """The hash of the bytes that lie at a place, however they are packed."""
    return place.rpartition("/")[2].partition(".")[0]


_SESSIONS, _UPLOADS = SessionRow.__table__, Upload.__table__
_SESSION = select(_SESSIONS.c.user_id).where(
    _SESSIONS.c.session_id == bindparam("session_id"), _SESSIONS.c.deleted_at.is_(None)
)
_SESSION = _SESSION.with_for_update(read=True, key_share=True)
_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("sha256"), 0)))
_SAME = select(_UPLOADS.c.upload_id, _UPLOADS.c.sha256).where(
    *(_UPLOADS.c[name] == bindparam(name) for name in ("session_id", "kind", "sha256"))
)
_JOURNAL = insert(_UPLOADS)  # type: ignore[arg-type]


class LostBytesError(NotFoundError):
    """Bytes that were kept have been erased since, with another session that shared them."""


class Journaled(NamedTuple):
    """A row of the journal: the upload's id and the hash of its bytes."""

    upload_id: str
    sha256: str


def hold_bytes(tx: Session, hashes: Iterable[str]) -> None:
    """Be the only one to journal or erase bytes of these hashes until `tx` ends (on SQLite every writer is)."""
    Errand.within(tx).ask(*_locks(tx.connection(), hashes))


def _locks(connection: Connection, hashes: Iterable[str]) -> list[Asked]:
    """In order, so that nobody waits in a ring."""
    held = sorted(hashes) if connection.dialect.name == "postgresql" else []
    return [(_LOCK, {"sha256": sha256}) for sha256 in held]


class Uploads:
    """The journal of received bytes."""

    def __init__(self, catalog: Catalog, blobs: Blobs) -> None:
        self._catalog, self._blobs = catalog, blobs

    def receive(
        self,
        tx: Session,
        session_id: str,
        user_id: str,
        kind: str,
        content: bytes | IO[bytes],
        name: str | None = None,
        content_type: str | None = None,
        *,
        max_bytes: int = 256 << 20,
    ) -> tuple[Journaled, bool]:
        """Keep bytes and journal them in `tx`; the flag says that the session holds the same bytes already.

        Raises
        ------
        DecodeError
            If there is more than `max_bytes`.
        """
        sha256, size = self.keep(content, max_bytes)
        return self.journal(tx, session_id, user_id, kind, sha256, size, name, content_type)

    def journal(
        self,
        tx: Session | Errand,
        session_id: str,
        user_id: str,
        kind: str,
        sha256: str,
        size: int,
        name: str | None,
        content_type: str | None,
    ) -> tuple[Journaled, bool]:
        """Journal bytes that are kept already; the flag says that the session holds the same already.

        Until `tx` ends nobody erases the session or these bytes, nor journals the same.

        Raises
        ------
        NotFoundError
            If the session is none of this user's any more.
        LostBytesError
            If another session that shared the bytes was erased since they were kept, and they with it.
        """
        errand = tx if isinstance(tx, Errand) else Errand.within(tx)
        this = {"session_id": session_id, "kind": kind, "sha256": sha256}
        owner, *_, same = errand.ask((_SESSION, this), *_locks(errand.connection, [sha256]), (_SAME, this))
        if not owner or owner[0].user_id != user_id:
            raise NotFoundError(f"session '{session_id}' was erased meanwhile")
        if same:
            return Journaled._make(same[0]), True
        if not any(map(self._blobs.exists, places(sha256))):
            raise LostBytesError(f"the bytes {sha256} were erased while they came in; send them again")
        upload = Journaled(str(uuid.uuid4()), sha256)
        given = {"user_id": user_id, "bytes": size, "name": name, "content_type": content_type, "received_at": now()}
        errand.tell(_JOURNAL, this | given | {"upload_id": upload.upload_id})
        if errand is not tx:
            errand.ask()
        return upload, False

    def keep(self, content: bytes | IO[bytes], max_bytes: int = 256 << 20) -> tuple[str, int]:
        """Store bytes under their hash; return it and their number. A stream is never whole in memory."""
        if isinstance(content, bytes):
            sha256 = hashlib.sha256(content).hexdigest()
            self._blobs.put_once(packed_name(sha256), _packed(content))
            return sha256, len(content)
        digest, size = hashlib.sha256(), 0
        with tempfile.NamedTemporaryFile(prefix="squash-upload-") as draft:
            while piece := content.read(PIECE):
                size += len(piece)
                if size > max_bytes:
                    raise DecodeError(f"upload is larger than {max_bytes} bytes, must be at most that")
                digest.update(piece)
                draft.write(piece)
            draft.flush()
            sha256 = digest.hexdigest()
            self._blobs.put_once(blob_name(sha256), Path(draft.name))
        return sha256, size

    def read(self, sha256: str) -> bytes:
        """The bytes of a hash; raises `NotFoundError`."""
        if self._blobs.exists(packed := packed_name(sha256)):
            return _unpacked(self._blobs.get(packed))
        if self._blobs.exists(first_way := f"{blob_name(sha256)}.z"):
            return zlib.decompress(self._blobs.get(first_way))
        return self._blobs.get(blob_name(sha256))

    def of_session(self, tx: Session, session_id: str) -> list[Upload]:
        """All uploads of a session in the order of their arrival."""
        return list(tx.scalars(select(Upload).where(Upload.session_id == session_id).order_by(Upload.received_at)))


def _packed(content: bytes) -> bytes:
    """By Zstandard's fastest level: a quarter of zlib's time, and smaller, for texts that repeat themselves."""
    from numcodecs import zstd

    return bytes(zstd.compress(content, 1))


def _unpacked(content: bytes) -> bytes:
    from numcodecs import zstd

    return bytes(zstd.decompress(content))
