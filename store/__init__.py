"""Where things live: catalog, uploads, sessions and reports behind one door."""

from dataclasses import dataclass

from store.blobs import Blobs
from store.catalog import Catalog
from store.reports import Reports
from store.sessions import Sessions, StoredAnalysis
from store.settings import Settings, load
from store.uploads import Uploads

__all__ = ["Settings", "Store", "StoredAnalysis"]


@dataclass(frozen=True)
class Store:
    """The platform's memory."""

    settings: Settings
    catalog: Catalog
    blobs: Blobs
    uploads: Uploads
    sessions: Sessions
    reports: Reports

    @classmethod
    def open(cls, settings: Settings | None = None) -> "Store":
        """Open the store that the environment names (`SQUASH_HOME`, or URLs); tables are brought up to date."""
        settings = settings or load()
        return cls._of(
            settings, Catalog.open(settings.catalog_url, settings.catalog_owner_url), Blobs(settings.blobs_url)
        )

    @classmethod
    def _of(cls, settings: Settings, catalog: Catalog, blobs: Blobs) -> "Store":
        return cls(settings, catalog, blobs, Uploads(catalog, blobs), Sessions(catalog, blobs), Reports(catalog, blobs))

    def seen_by(self, user_id: str, role: str) -> "Store":
        """The same store, as this user may see it."""
        return self._of(self.settings, self.catalog.seen_by(user_id, role), self.blobs)
