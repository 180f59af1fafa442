"""From uploads to report: four steps, each keyed by the hash of its inputs, skipped when its result is there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import select, update

from flows.keys import (
    analysis_key,
    declared,
    decoder_hash,
    detector_prints,
    explain_hash,
    report_key,
    revision_key,
)  # fmt: skip
from squashlib.errors import DecodeError, SquashError
from squashlib.fingerprint import content_hash
from store import Store, corrections
from store.made_by import DECLARED, EXPLAIN, INPUTS, SECONDS, SEEN
from store.reduction import has_originals
from store.tables import AnalysisRow, SessionRow, Upload

if TYPE_CHECKING:
    import xarray as xr

    from squashlib.analysis import Analysis
    from squashlib.athlete import Athlete
    from squashlib.detectors.framework import Detector, Findings

Tell = Callable[[str, int], None]
Insights = Callable[[Store, str, Tell], str]
NOTEBOOK = "session_report"


def process_session(
    store: Store, session_id: str, tell: Tell = lambda stage, percent: None, insights: Insights | None = None
) -> None:
    """Bring a session's revision, analysis and report up to date; safe to kill and to repeat at any instant.

    `insights` makes revision and analysis in another place than here.

    Raises
    ------
    SquashError
        If nothing that was uploaded can be read.
    """
    key = (insights or make_insights)(store, session_id, tell)
    tell("report", 75)
    make_report(store, session_id, key)


def make_insights(store: Store, session_id: str, tell: Tell = lambda stage, percent: None) -> str:
    """Bring a session's revision and analysis up to date; the analysis' key."""
    tell("decoding", 10)
    before, began = store.sessions.row(session_id).revision, perf_counter()
    revision = make_revision(store, session_id)
    took = {} if revision == before else {"decode": perf_counter() - began}
    tell("detecting", 35)
    key = make_analysis(store, session_id, revision, took)
    tell("insights", 70)
    return key


def make_revision(store: Store, session_id: str) -> str:
    """The revision of what is uploaded now; its key hashes the uploads and the decoder.

    One that retention has thinned is made in full again, until the next night, unless what it was made of is gone.
    """
    row = store.sessions.row(session_id)
    with store.catalog.look() as tx:
        uploads = store.uploads.of_session(tx, session_id)
    reduced = row.revision is not None and store.sessions.resolution(session_id, row.revision) != "full"
    if reduced and not has_originals(store, session_id):
        return str(row.revision)
    revision = revision_key([(upload.kind, upload.sha256) for upload in uploads], row.end_time)
    if row.revision == revision and not reduced:
        return revision
    if not reduced and store.sessions.has_revision(session_id, revision):
        store.sessions.point_at_revision(session_id, revision)
        return revision
    whole = _merged(store, row, uploads)
    _begin_with(store, row, whole)
    store.sessions.write_revision(session_id, revision, whole)
    return revision


def _begin_with(store: Store, row: SessionRow, whole: "xr.Dataset") -> None:
    """A session cannot begin after its recording has ended: what was uploaded on a later day began when it was played.

    Who drops a file tells no start, so that the session's is the upload's; lists, months and bests go by the match's.
    """
    from squashlib.session import start_of

    began = start_of(whole)
    ended = began + timedelta(seconds=float(whole.attrs["duration_s"]))
    if row.start_time > ended and (row.end_time is None or row.end_time > ended):
        with store.catalog.begin() as tx:
            chosen = update(SessionRow).where(SessionRow.session_id == row.session_id)
            tx.execute(chosen.values(start_time=began))


def _merged(store: Store, row: SessionRow, uploads: list[Upload]) -> "xr.Dataset":
    from squashlib.decode.merge import merge

    parts, problems = [], list[str]()
    for upload in uploads:
        try:
            parts.append(_decode(store, row, upload))
        except DecodeError as error:
            problems.append(f"{upload.name or upload.kind}: {error}")
            with store.catalog.begin() as tx:
                tx.execute(update(Upload).where(Upload.upload_id == upload.upload_id).values(error=str(error)))
    if problems and not parts:
        raise SquashError("; ".join(problems))
    whole = merge(parts, session_id=row.session_id) if parts else _empty(store, row)
    position = row.details.get("watch_position") if isinstance(row.details, dict) else None
    sport = row.sport if whole.attrs["sport"] == "unknown" else whole.attrs["sport"]
    known = {"watch_position": position} if position else {}
    return whole.assign_attrs(sport=sport, warnings=[*whole.attrs["warnings"], *problems], **known)


def _decode(store: Store, row: SessionRow, upload: Upload) -> "xr.Dataset":
    from squashlib.decode import decode
    from squashlib.decode.batches import decode_batch

    content = store.uploads.read(upload.sha256)
    if upload.kind == "file":
        return decode(content)
    return decode_batch(upload.kind, content, upload.content_type, row.start_time)


def _empty(store: Store, row: SessionRow) -> "xr.Dataset":
    """A session of points alone: as long as its points, or as it says itself."""
    from squashlib.moments import parse_iso
    from squashlib.session import build

    moments = [parse_iso(str(point["timestamp"])) for point in store.sessions.points(row.session_id)]
    end = max([*moments, row.end_time or row.start_time, row.start_time + timedelta(seconds=1)])
    duration_s = (end - row.start_time).total_seconds()
    return build({}, start_time=row.start_time, duration_s=duration_s, sport=row.sport, session_id=row.session_id)


class Inputs(NamedTuple):
    """What an analysis looks at, beside code (the athlete as on the day), and the hash of it."""

    session_id: str
    revision: str
    points: list[dict[str, Any]]
    athlete: "Athlete"
    corrections: list[dict[str, Any]]
    hash: str


def make_analysis(store: Store, session_id: str, revision: str, took: Mapping[str, float] | None = None) -> str:
    """The analysis of a revision with today's points, athlete and code; unchanged detectors are read, not run.

    `took` are seconds of earlier steps, kept beside this one's for the estimate of a rerun.
    """
    row = store.sessions.row(session_id)
    prints, seen = detector_prints(), inputs_of(store, row, revision)
    key = analysis_key(seen.hash, prints)
    if row.analysis_key == key:
        return key
    if store.sessions.has_analysis(session_id, key):
        store.sessions.point_at_analysis(session_id, key)
        return key
    began = perf_counter()
    analysis = analysis_of(store, seen, reusable(store, session_id, seen.hash, prints))
    ran = {name: found.seconds for name, found in analysis.findings.items() if found.seconds is not None}
    rest = perf_counter() - began - sum(ran.values())
    seconds = _measured(store, row) | dict(took or {}) | ran | {"rest": round(rest, 4)}
    made = {**prints, INPUTS: seen.hash, EXPLAIN: explain_hash(), SECONDS: seconds, **_told(seen)}
    store.sessions.write_analysis(session_id, key, revision, analysis, made)
    return key


def _told(seen: Inputs) -> dict[str, Any]:
    """What went in, kept so that a player can be told what of it changed."""
    went_in = {
        "revision": seen.revision,
        "decoder": decoder_hash(),
        "points": content_hash(seen.points),
        "point_count": len(seen.points),
        "corrections": content_hash(seen.corrections),
        "athlete": asdict(seen.athlete),
    }
    return {SEEN: went_in, DECLARED: declared()}


def _measured(store: Store, row: SessionRow) -> dict[str, float]:
    """Seconds that steps took when they were last done for this session."""
    with store.catalog.look() as tx:
        held = tx.get(AnalysisRow, (row.session_id, row.analysis_key or ""))
    return dict(held.fingerprints.get(SECONDS) or {}) if held else {}


def inputs_of(store: Store, row: SessionRow, revision: str) -> Inputs:
    """What there is to look at now."""
    points = store.sessions.points(row.session_id)
    athlete = store.sessions.athlete(row.user_id, row.start_time)
    said = corrections.of_session(store.catalog, row.session_id)
    hashed = content_hash(revision, points, athlete, *([said] if said else []))
    return Inputs(row.session_id, revision, points, athlete, said, hashed)


def analysis_of(store: Store, seen: Inputs, known: Mapping[str, "Findings"]) -> "Analysis":
    """Analyse inputs, nothing written anywhere; findings that are known are not made again."""
    from squashlib.analysis import analyse

    session = store.sessions.revision(seen.session_id, seen.revision)
    return analyse(session, seen.points or None, seen.athlete, known, corrections=seen.corrections)


def reusable(store: Store, session_id: str, inputs: str, prints: Mapping[str, str]) -> dict[str, "Findings"]:
    """Findings of an earlier analysis of the same inputs by detectors that have not changed, nor any before them."""
    from squashlib.analysis import default_framework

    with store.catalog.look() as tx:
        query = select(AnalysisRow.path, AnalysisRow.fingerprints).where(AnalysisRow.session_id == session_id)
        earlier = list(tx.execute(query.order_by(AnalysisRow.created_at.desc())))
    for path, then in earlier:
        if then.get(INPUTS) != inputs:
            continue
        names = unchanged(default_framework().ordered(), prints, then)
        if names:
            return store.sessions.findings(path, names)
    return {}


def unchanged(ordered: Sequence["Detector"], now: Mapping[str, str], then: Mapping[str, Any]) -> list[str]:
    """Names of detectors whose fingerprint and whose required groups' detectors' are the same, in order."""
    kept: list[str] = []
    made_by = {group: detector.name for detector in ordered for group in detector.provides}
    for detector in ordered:
        same = now[detector.name] == then.get(detector.name)
        if same and all(made_by[group] in kept for group in detector.requires):
            kept.append(detector.name)
    return kept


def make_report(store: Store, session_id: str, analysis: str) -> str:
    """The page of an analysis.

    Raises
    ------
    SquashError
        If a cell fails: its error, and where the notebook with the marked cell is kept.
    """
    from flows.render import NotebookFailedError, render
    from store.views import write_report

    key = report_key(analysis, NOTEBOOK)
    if store.reports.has(session_id, key):
        return key
    began, stored = perf_counter(), store.sessions.analysis(session_id)
    try:
        data = partial(write_report, store, stored)
        html = render(NOTEBOOK, {"analysis_path": "data"}, assets="/static", data=data)
    except NotebookFailedError as error:
        kept = f"reports/{session_id}/failed-{key[:16]}.ipynb"
        store.blobs.put(kept, error.notebook)
        raise SquashError(f"{error}; the notebook is kept as {kept}") from error
    row = store.sessions.row(session_id)
    store.reports.put(session_id, row.user_id, key, stored.key, NOTEBOOK, html)
    with store.catalog.begin() as tx:
        if (held := tx.get(AnalysisRow, (session_id, stored.key))) is not None:
            seconds = {**(held.fingerprints.get(SECONDS) or {}), "page": round(perf_counter() - began, 4)}
            held.fingerprints = {**held.fingerprints, SECONDS: seconds}
    return key
