"""Sessions as data: Zarr revisions and analyses, written whole and then pointed at."""

import io
import json
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from squashlib.errors import NotFoundError
from store.blobs import Blobs
from store.catalog import Catalog
from store.points import counted, events_of
from store.tables import AnalysisRow, AthleteSettings, Revision, SessionEvent, SessionRow, User
from store.visible import may_see

if TYPE_CHECKING:
    import xarray as xr

    from squashlib.analysis import Analysis
    from squashlib.athlete import Athlete
    from squashlib.detectors.framework import Findings

#: Metrics among the figures that lists, statistics and trends read, and the other figures.
METRICS = (
    "total_playing_time", "number_of_rallies", "number_of_games", "shots_detected", "avg_playing_heart_rate",
    "training_load", "hr_recovery_60s", "longest_rally_length", "total_session_duration",
    *(f"time_in_zone_{zone}" for zone in range(1, 6)),
)  # fmt: skip
FIGURES = (
    "start", *METRICS, "points_won", "points_lost", "hr_difference", "win_rate_by_rally_length", "optimal_hr_zone",
    "performance_by_zone",
)  # fmt: skip
EVENTS = "events.zarr.zip"  # one object for all groups: an object store charges for each


@dataclass(frozen=True)
class StoredAnalysis:
    """An analysis as it was written: its document, key, and where its groups lie."""

    session_id: str
    key: str
    revision: str
    document: dict[str, Any]
    path: str


class Sessions:
    """Revisions and analyses of sessions."""

    def __init__(self, catalog: Catalog, blobs: Blobs) -> None:
        self._catalog, self._blobs = catalog, blobs

    def row(self, session_id: str, user_id: str | None = None) -> SessionRow:
        """The catalog's row; raises `NotFoundError` for one that is not there, deleted, or another user's."""
        with self._catalog.look() as tx:
            row = tx.get(SessionRow, session_id)
            theirs = row is not None and user_id in (None, row.user_id)
            if row is None or not theirs or row.deleted_at or not may_see(tx, self._catalog.claims, row.user_id):
                raise NotFoundError(f"session '{session_id}' is not in the store; find ids with store.sessions.find()")
            return row

    def open(self, session_id: str, user_id: str | None = None) -> "xr.Dataset":
        """The newest revision of a session."""
        row = self.row(session_id, user_id)
        if row.revision is None:
            raise NotFoundError(f"session '{session_id}' holds no recording yet; upload one")
        return self.revision(session_id, row.revision)

    def revision(self, session_id: str, revision: str, *, motion: bool = True) -> "xr.Dataset":
        """One revision of a session, without its raw motion if `motion` is False."""
        from squashlib import session as sessions

        with self._catalog.look() as tx:
            held = tx.get(Revision, (session_id, revision))
            seen = held is not None and may_see(tx, self._catalog.claims, held.user_id)
        if held is None or not seen:
            raise NotFoundError(f"revision '{revision}' of session '{session_id}' is not in the store")
        if held.resolution == "summary":
            raise NotFoundError(
                f"session '{session_id}' is older than two years; its figures are kept, its samples not"
            )
        return sessions.read(self._blobs.zarr(held.path), motion=motion)

    def resolution(self, session_id: str, revision: str) -> str:
        """What retention has left of a revision: `full`, `reduced` or `summary`."""
        with self._catalog.look() as tx:
            held = tx.get(Revision, (session_id, revision))
        return "full" if held is None else held.resolution

    def has_revision(self, session_id: str, revision: str) -> bool:
        """Whether a revision is written whole."""
        with self._catalog.look() as tx:
            return tx.get(Revision, (session_id, revision)) is not None

    def write_revision(self, session_id: str, revision: str, dataset: "xr.Dataset") -> None:
        """Write a revision under a fresh name, then make it the session's: a killed writer leaves nothing in sight."""
        from squashlib import session as sessions

        path = f"sessions/{session_id}/{revision[:16]}-{uuid.uuid4().hex[:8]}.zarr"
        row = self.row(session_id)
        sessions.write(dataset, self._blobs.zarr(path))
        self._blobs.settle(path)
        with self._catalog.begin() as tx:
            held = tx.get(Revision, (session_id, revision))
            if held is None:
                tx.add(Revision(session_id=session_id, revision=revision, user_id=row.user_id, path=path))
            elif held.resolution != "full":  # it was thinned, and is whole again
                held.path, held.resolution = path, "full"
            tx.execute(update(SessionRow).where(SessionRow.session_id == session_id).values(revision=revision))

    def point_at_revision(self, session_id: str, revision: str) -> None:
        """Make a revision that is there the session's."""
        with self._catalog.begin() as tx:
            tx.execute(update(SessionRow).where(SessionRow.session_id == session_id).values(revision=revision))

    def points(self, session_id: str) -> list[dict[str, Any]]:
        """The points that count now, one for each rally, in wire form."""
        with self._catalog.look() as tx:
            system = tx.scalar(select(SessionRow.scoring_system).where(SessionRow.session_id == session_id))
            return counted(events_of(tx, session_id), system)

    def athlete(self, user_id: str, day: datetime) -> "Athlete":
        """The athlete's settings as they were on a day: the newest not after it, else the oldest."""
        from squashlib.athlete import Athlete

        with self._catalog.look() as tx:
            query = select(AthleteSettings).where(AthleteSettings.user_id == user_id)
            rows = list(tx.scalars(query.order_by(AthleteSettings.valid_from)))
        held = [row for row in rows if row.valid_from <= day]
        row = held[-1] if held else rows[0] if rows else None
        if row is None:
            return Athlete()
        return Athlete(row.hr_max_bpm, row.hr_rest_bpm, row.birth_year, row.sex, row.hand)  # type: ignore[arg-type]

    def has_analysis(self, session_id: str, key: str) -> bool:
        """Whether an analysis is written whole."""
        with self._catalog.look() as tx:
            return tx.get(AnalysisRow, (session_id, key)) is not None

    def write_analysis(
        self, session_id: str, key: str, revision: str, analysis: "Analysis", fingerprints: Mapping[str, Any]
    ) -> None:
        """Write an analysis whole, then make it the session's; findings lie apart by detector."""
        from squashlib.zarr_files import to_files, zipped

        row = self.row(session_id)
        path = f"analyses/{session_id}/{key[:16]}-{uuid.uuid4().hex[:8]}"
        kept: dict[str, Any] = {}
        files: list[tuple[str, bytes]] = []
        for name, found in analysis.findings.items():
            for group, dataset in found.groups.items():
                files += [(f"{group}/{name}", content) for name, content in to_files(dataset)]
            metrics = {metric: asdict(result) for metric, result in found.metrics.items()}
            kept[name] = {"groups": sorted(found.groups), "metrics": metrics}
        document = analysis.to_dict()
        self._blobs.put(f"{path}/{EVENTS}", zipped(files))
        self._blobs.put(f"{path}/findings.json", json.dumps(kept, allow_nan=False).encode())
        self._blobs.put(f"{path}/analysis.json", json.dumps(document, allow_nan=False).encode())
        with self._catalog.begin() as tx:
            if tx.get(AnalysisRow, (session_id, key)) is None:
                tx.add(
                    AnalysisRow(
                        session_id=session_id,
                        analysis_key=key,
                        user_id=row.user_id,
                        revision=revision,
                        algorithm_version=analysis.algorithm_version,
                        fingerprints=dict(fingerprints),
                        path=path,
                        summary=summary_of(document),
                    )
                )
            _point_at(tx, row, key)

    def point_at_analysis(self, session_id: str, key: str) -> None:
        """Make an analysis that is there the session's, and say so on its stream of events."""
        row = self.row(session_id)
        with self._catalog.begin() as tx:
            _point_at(tx, row, key)

    def analysis(self, session_id: str, user_id: str | None = None) -> StoredAnalysis:
        """The session's analysis; raises `NotFoundError` while there is none."""
        row = self.row(session_id, user_id)
        if row.analysis_key is None:
            raise NotFoundError(f"session '{session_id}' is not analysed yet; look at its upload/status")
        with self._catalog.look() as tx:
            held = tx.get(AnalysisRow, (session_id, row.analysis_key))
        assert held is not None, "the pointer moves in the transaction that makes the row"
        return StoredAnalysis(session_id, held.analysis_key, held.revision, self.document(held.path), held.path)

    def document(self, path: str) -> dict[str, Any]:
        """The document of an analysis, an old one too, that lies at `path`."""
        return dict(json.loads(self._blobs.get(f"{path}/analysis.json")))

    def group(self, stored: StoredAnalysis, name: str) -> "xr.Dataset":
        """A group of events of an analysis."""
        from squashlib.zarr_files import group_of

        return group_of(self._blobs.get(f"{stored.path}/{EVENTS}"), name)

    def copy_events(self, stored: StoredAnalysis, target: Path) -> None:
        """Lay all groups of an analysis into a Zarr folder, beside what is there."""
        with zipfile.ZipFile(io.BytesIO(self._blobs.get(f"{stored.path}/{EVENTS}"))) as held:
            held.extractall(target, [name for name in held.namelist() if "/" in name])

    def findings(self, path: str, detectors: list[str]) -> dict[str, "Findings"]:
        """What detectors found in an analysis that lies at `path`, to be read instead of computed."""
        from squashlib.detectors.framework import Findings, MetricResult
        from squashlib.zarr_files import group_of

        kept = json.loads(self._blobs.get(f"{path}/findings.json"))
        events, found = self._blobs.get(f"{path}/{EVENTS}"), {}
        for name in set(detectors) & kept.keys():
            groups = {group: group_of(events, group) for group in kept[name]["groups"]}
            metrics = {metric: MetricResult(**result) for metric, result in kept[name]["metrics"].items()}
            found[name] = Findings(groups, metrics)
        return found

    def find(
        self,
        *,
        sport: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        user_id: str | None = None,
        consented: bool = False,
        limit: int = 1000,
    ) -> list[SessionRow]:
        """Sessions, newest first; `consented` keeps those whose players agreed to research."""
        query = select(SessionRow).where(SessionRow.deleted_at.is_(None)).order_by(SessionRow.start_time.desc())
        for column, value in ((SessionRow.sport, sport), (SessionRow.user_id, user_id)):
            query = query.where(column == value) if value is not None else query
        query = query.where(SessionRow.start_time >= since) if since else query
        query = query.where(SessionRow.start_time < until) if until else query
        if consented:
            query = query.join(User, User.user_id == SessionRow.user_id).where(User.research_consent)
        with self._catalog.look() as tx:
            return list(tx.scalars(query.limit(limit)))


def _point_at(tx: Session, row: SessionRow, key: str) -> None:
    """In one transaction, so that who is killed leaves no analysis of which nobody was told."""
    tx.execute(update(SessionRow).where(SessionRow.session_id == row.session_id).values(analysis_key=key))
    told = {"session_id": row.session_id, "user_id": row.user_id, "data": {"analysis_key": key}}
    tx.add(SessionEvent(event="insights", **told))


def paths_of(catalog: Catalog, session_id: str) -> list[str]:
    """Where the revisions and analyses of a session lie that rows name."""
    with catalog.look() as tx:
        revisions = tx.scalars(select(Revision.path).where(Revision.session_id == session_id))
        analyses = tx.scalars(select(AnalysisRow.path).where(AnalysisRow.session_id == session_id))
        return [path for path in (*revisions, *analyses) if path]


def summary_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that lists, statistics and trends read."""
    insights = document["insights"]["metrics"]
    winners = [rally["winner"] for rally in document["rallies"] if rally["winner"] is not None]
    return {
        "start": document["session"]["start"],
        **{name: document["metrics"][name]["value"] for name in METRICS},
        "points_won": winners.count("me") if winners else None,
        "points_lost": winners.count("opponent") if winners else None,
        "hr_difference": insights["hr_difference"],
        "win_rate_by_rally_length": insights["win_rate_by_rally_length"],
        "optimal_hr_zone": insights["optimal_hr_zone"],
        "performance_by_zone": insights.get("performance_by_zone"),
    }
