"""Executed notebooks as pages: once for each analysis and notebook."""

from sqlalchemy import select

from squashlib.errors import NotFoundError
from store.blobs import Blobs
from store.catalog import Catalog
from store.tables import Report
from store.visible import may_see


class Reports:
    """Pages by session, analysis and notebook."""

    def __init__(self, catalog: Catalog, blobs: Blobs) -> None:
        self._catalog, self._blobs = catalog, blobs

    def has(self, session_id: str, report_key: str) -> bool:
        """Whether the page of this key is there."""
        with self._catalog.look() as tx:
            return tx.get(Report, (session_id, report_key)) is not None

    def put(self, session_id: str, user_id: str, report_key: str, analysis_key: str, notebook: str, html: str) -> None:
        """Keep a page."""
        path = f"reports/{session_id}/{report_key}.html"
        self._blobs.put(path, html.encode())
        with self._catalog.begin() as tx:
            if tx.get(Report, (session_id, report_key)) is None:
                tx.add(
                    Report(
                        session_id=session_id,
                        report_key=report_key,
                        user_id=user_id,
                        analysis_key=analysis_key,
                        notebook=notebook,
                        path=path,
                    )
                )

    def get(self, session_id: str, notebook: str = "session_report") -> str:
        """The newest page of a session; raises `NotFoundError` while there is none."""
        query = select(Report).where(Report.session_id == session_id, Report.notebook == notebook)
        with self._catalog.look() as tx:
            held = tx.scalar(query.order_by(Report.created_at.desc()).limit(1))
            seen = held is not None and may_see(tx, self._catalog.claims, held.user_id)
        if held is None or not seen:
            raise NotFoundError(f"session '{session_id}' has no report yet; look at its upload/status")
        return self._blobs.get(held.path).decode()
