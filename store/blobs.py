"""Bytes by name: a local folder or any S3-compatible store, through one interface."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from squashlib.errors import NotFoundError
from store import durable

if TYPE_CHECKING:
    from zarr.abc.store import Store as ZarrStore


class Blobs:
    """An object store; names are relative paths with `/`."""

    def __init__(self, url: str) -> None:
        from obstore.store import LocalStore, from_url

        self.url = url
        self.root: Path | None = None
        if url.startswith("file://"):
            self.root = Path(unquote(urlparse(url).path))
            self.root.mkdir(parents=True, exist_ok=True)
            self._store: Any = LocalStore(str(self.root))
        else:
            self._store = from_url(url)

    def put(self, name: str, content: bytes | Path) -> None:
        """Store bytes or a file whole and for good: a reader never sees half of it, a power loss takes none of it."""
        if self.root is not None:
            durable.write(self.root / _plain(name), content)
            return
        import obstore

        obstore.put(self._store, name, content)

    def put_once(self, name: str, content: bytes | Path) -> None:
        """As `put`, unless it is there: then for good as well, whoever is just writing it."""
        if not self.exists(name):
            self.put(name, content)
        elif self.root is not None:
            durable.settle((self.root / _plain(name)).parent)

    def settle(self, prefix: str) -> None:
        """Have what was written under `prefix` by other means (Zarr) for good, before a row points at it."""
        if self.root is not None:
            durable.settle_tree(self.root / _plain(prefix))

    def get(self, name: str) -> bytes:
        """The bytes of `name`; raises `NotFoundError`."""
        import obstore

        try:
            return bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError as error:
            raise NotFoundError(f"blob '{name}' is not in the store; it was removed or never written") from error

    def exists(self, name: str) -> bool:
        """Whether `name` is there."""
        import obstore

        try:
            obstore.head(self._store, name)
        except FileNotFoundError:
            return False
        return True

    def list(self, prefix: str) -> Iterator[str]:
        """Names under `prefix`."""
        import obstore

        for batch in obstore.list(self._store, prefix):
            for item in batch:
                yield str(item["path"])

    def stamps(self, prefix: str) -> dict[str, tuple[int, datetime]]:
        """Size in bytes and time of writing of every blob under `prefix`, by name."""
        import obstore

        items = (item for batch in obstore.list(self._store, prefix) for item in batch)
        return {str(item["path"]): (int(item["size"]), item["last_modified"]) for item in items}

    def delete(self, prefix: str) -> None:
        """Remove every blob under `prefix` (a name or a folder)."""
        import obstore

        names = list(self.list(prefix)) or ([prefix] if self.exists(prefix) else [])
        if names:
            obstore.delete(self._store, names)

    def zarr(self, prefix: str) -> "ZarrStore":
        """A Zarr store rooted at `prefix`."""
        from zarr.storage import LocalStore, ObjectStore

        if self.root is not None:
            return LocalStore(self.root / prefix)
        from obstore.store import from_url

        return ObjectStore(from_url(f"{self.url.rstrip('/')}/{prefix}"))

    def healthy(self) -> bool:
        """Whether a blob can be written and read."""
        self.put("health", b"ok")
        return self.get("health") == b"ok"


def _plain(name: str) -> str:
    """A name as it is on the disk, which leads nowhere else."""
    if not re.fullmatch(r"[\w.=-]+(/[\w.=-]+)*", name, re.ASCII) or ".." in name.split("/"):
        raise ValueError(f"blob name is {name!r}, must be plain words divided by single slashes")
    return name
