"""What devices sent, as it came: bytes first, then a row in the caller's transaction; the same again is told apart."""

import hashlib
import tempfile
import uuid
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from squashlib.errors import DecodeError, NotFoundError
from store.blobs import Blobs
from store.catalog import Catalog
from store.tables import SessionRow, Upload

PIECE = 1 << 20
ASIDE = "aside/"  # where the nightly sweep puts bytes that no row names, and finds them when one does


def blob_name(sha256: str) -> str:
    """Where the bytes of a hash lie."""
    return f"uploads/{sha256[:2]}/{sha256}"


def packed_name(sha256: str) -> str:
    """Where batches lie: their texts shrink to a tenth; the hash is of what was sent."""
    return f"{blob_name(sha256)}.z"


def places(sha256: str) -> tuple[str, ...]:
    """Every name under which the bytes of a hash may lie: as sent, packed, and both set aside."""
    names = blob_name(sha256), packed_name(sha256)
    return *names, *(ASIDE + name for name in names)


def hold_bytes(tx: Session, hashes: Iterable[str]) -> None:
    """Be the only one to journal or erase bytes of these hashes until `tx` ends (on SQLite every writer is)."""
    if tx.get_bind().dialect.name == "postgresql":
        for sha256 in sorted(hashes):
            tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(sha256, 0))))


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
    ) -> tuple[Upload, bool]:
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
        tx: Session,
        session_id: str,
        user_id: str,
        kind: str,
        sha256: str,
        size: int,
        name: str | None,
        content_type: str | None,
    ) -> tuple[Upload, bool]:
        """Journal bytes that are kept already; the flag says that the session holds the same already.

        Raises
        ------
        NotFoundError
            If another session that shared the bytes was erased since they were kept, and they with it.
        """
        self.hold(tx, session_id, [sha256])
        same = select(Upload).where(Upload.session_id == session_id, Upload.kind == kind, Upload.sha256 == sha256)
        if (held := tx.scalar(same)) is not None:
            return held, True
        if not any(map(self._blobs.exists, places(sha256))):
            raise NotFoundError(f"the bytes {sha256} were erased while they came in; send them again")
        upload = Upload(
            upload_id=str(uuid.uuid4()),
            session_id=session_id,
            user_id=user_id,
            kind=kind,
            sha256=sha256,
            bytes=size,
            name=name,
            content_type=content_type,
        )
        tx.add(upload)
        tx.flush()
        return upload, False

    def hold(self, tx: Session, session_id: str, hashes: Iterable[str]) -> None:
        """Until `tx` ends nobody erases the session or these bytes, nor journals the same; raises `NotFoundError`.

        Everybody takes the session first and then the hashes in order, so that nobody waits in a ring.
        """
        session = select(SessionRow.session_id).where(SessionRow.session_id == session_id)
        if tx.scalar(session.with_for_update(read=True, key_share=True)) is None:
            raise NotFoundError(f"session '{session_id}' was erased meanwhile")
        hold_bytes(tx, hashes)

    def keep(self, content: bytes | IO[bytes], max_bytes: int = 256 << 20) -> tuple[str, int]:
        """Store bytes under their hash; return it and their number. A stream is never whole in memory."""
        if isinstance(content, bytes):
            sha256 = hashlib.sha256(content).hexdigest()
            if not self._blobs.exists(packed_name(sha256)):
                self._blobs.put(packed_name(sha256), zlib.compress(content, 5))
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
            if not self._blobs.exists(blob_name(sha256)):
                self._blobs.put(blob_name(sha256), Path(draft.name))
        return sha256, size

    def read(self, sha256: str) -> bytes:
        """The bytes of a hash; raises `NotFoundError`."""
        if self._blobs.exists(packed_name(sha256)):
            return zlib.decompress(self._blobs.get(packed_name(sha256)))
        return self._blobs.get(blob_name(sha256))

    def of_session(self, tx: Session, session_id: str) -> list[Upload]:
        """All uploads of a session in the order of their arrival."""
        return list(tx.scalars(select(Upload).where(Upload.session_id == session_id).order_by(Upload.received_at)))
