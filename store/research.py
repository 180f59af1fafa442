"""Sessions of players who agreed to research: under pseudonyms, without names, places, devices or the day."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from squashlib.errors import NotFoundError
from squashlib.labels import LabelSet
from squashlib.moments import iso, parse_iso
from store import Store, labels
from store.pseudonym import pseudonym
from store.tables import AccessLog, SessionRow

if TYPE_CHECKING:
    import xarray as xr

    from squashlib.analysis import Analysis
    from squashlib.athlete import Athlete
    from squashlib.lab import Case
    from squashlib.scoring import Point

#: Attributes of a session that lead back to nobody.
KEPT_ATTRS = ("schema", "duration_s", "sport", "watch_position")
#: Variables that tell where or who.
DROPPED = ("latitude", "longitude", "altitude", "gps_accuracy")
MOST = 10_000
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
SIMULATED = "simulated"  # in a session's metadata: nobody played it


@dataclass(frozen=True)
class Opened:
    """A session as a researcher sees it; times count from the session's start, which is moved to its month's first."""

    session_id: str
    session: "xr.Dataset"
    points: "tuple[Point, ...]"
    athlete: "Athlete"


def find(store: Store, *, sport: str | None = None, labelled: bool = False) -> list[dict[str, Any]]:
    """Consented sessions that hold a recording, newest month first.

    Returns
    -------
    list of dict
        `session_id` and `player_id` (pseudonyms), `session_type`, `sport`, `month`, `minutes`, `rallies`,
        `simulated`, `labels` (who labelled it); `labelled` keeps those that anybody did.
    """
    rows = [row for row in store.sessions.find(consented=True, sport=sport, limit=MOST) if row.revision]
    shown = [_shown(store, row) for row in rows]
    return [row for row in shown if row["labels"] or not labelled]


def _shown(store: Store, row: SessionRow) -> dict[str, Any]:
    key = store.settings.secret_key()
    document = store.sessions.analysis(row.session_id).document if row.analysis_key else None
    return {
        "session_id": pseudonym(key, row.session_id),
        "player_id": pseudonym(key, row.user_id),
        "session_type": row.session_type,
        "sport": row.sport,
        "month": row.start_time.strftime("%Y-%m"),
        "minutes": round(document["session"]["duration_s"] / 60, 1) if document else None,
        "rallies": len(document["rallies"]) if document else None,
        "simulated": bool(row.details.get(SIMULATED)),
        "labels": ", ".join(f"{held.author} v{held.version}" for held in labels.newest(store.catalog, row.session_id)),
    }


def row_of(store: Store, session_id: str) -> SessionRow:
    """The consented session behind a pseudonym; raises `NotFoundError`, also when consent was taken back."""
    key = store.settings.secret_key()
    for row in store.sessions.find(consented=True, limit=MOST):
        if pseudonym(key, row.session_id) == session_id:
            return row
    raise NotFoundError(f"there is no consented session '{session_id}'; find ids with store.research.find(store)")


def open_session(store: Store, session_id: str, reader: str = "lab") -> Opened:
    """A consented session without what names its player; who opened it is written down."""
    from squashlib.athlete import Athlete
    from squashlib.scoring import parse_points
    from squashlib.session import start_of

    row = row_of(store, session_id)
    with store.catalog.begin() as tx:
        tx.add(AccessLog(actor_id=reader, user_id=row.user_id, session_id=row.session_id, what="research"))
    whole = store.sessions.open(row.session_id)
    points = parse_points(store.sessions.points(row.session_id), start_of(whole))
    known = store.sessions.athlete(row.user_id, row.start_time)
    athlete = Athlete(hr_max_bpm=known.hr_max_bpm, hr_rest_bpm=known.hr_rest_bpm, hand=known.hand)
    return Opened(session_id, nameless(whole, session_id), tuple(points), athlete)


def nameless(session: "xr.Dataset", session_id: str) -> "xr.Dataset":
    """A session without device, places, sources and day; its start is moved to the first of its month."""
    from squashlib.schema import STREAM_TIMES, time_attrs, validate

    month = month_start(str(session.attrs["start_time"]))
    kept = {name: session.attrs[name] for name in KEPT_ATTRS if name in session.attrs}
    bare = session.drop_vars([name for name in DROPPED if name in session.variables])
    bare = bare.drop_dims([dim for dim in ("gps_time",) if dim in bare.dims]).copy()
    bare.attrs = {**kept, "session_id": session_id, "start_time": month, "device": {}, "sources": [], "warnings": []}
    for name in (*STREAM_TIMES, "point_time"):
        if name in bare.variables:
            bare[name].attrs = time_attrs(month, str(bare[name].attrs.get("long_name", "")))
    return validate(bare)


def undated(document: dict[str, Any]) -> dict[str, Any]:
    """An analysis' document without device, warnings (they quote files) and day: times as `nameless` has them."""
    start = str(document["session"]["start"])
    bare: dict[str, Any] = _moved(document, parse_iso(start) - parse_iso(month_start(start)))
    bare["session"].pop("device", None)
    bare["quality"]["warnings"] = []
    return bare


def _moved(part: Any, back: timedelta) -> Any:
    if isinstance(part, dict):
        return {name: _moved(value, back) for name, value in part.items()}
    if isinstance(part, list):
        return [_moved(value, back) for value in part]
    return iso(parse_iso(part) - back) if isinstance(part, str) and MOMENT.fullmatch(part) else part


def month_start(moment: str) -> str:
    """The first of a moment's month."""
    return f"{moment[:7]}-01T00:00:00.000Z"


def save_labels(store: Store, made: LabelSet) -> LabelSet:
    """Keep a researcher's labels of a pseudonymous session as the author's next version."""
    row = row_of(store, made.session_id)
    kept = labels.save(store.catalog, row.session_id, made)
    return replace(kept, session_id=made.session_id)


def label_sets(store: Store, session_id: str, *, every: bool = False) -> list[LabelSet]:
    """Each annotator's newest label set of a pseudonymous session; `every` gives all versions."""
    row = row_of(store, session_id)
    held = (labels.of_session if every else labels.newest)(store.catalog, row.session_id)
    return [replace(each, session_id=session_id, start=month_start(each.start)) for each in held]


def to_label(store: Store, session_id: str, author: str, analysis: "Analysis") -> LabelSet:
    """What an annotator begins with: their own newest labels of a session, else what the detector found."""
    from squashlib.labels import detected

    mine = [held for held in label_sets(store, session_id) if held.author == author]
    return mine[0] if mine else detected(analysis)


def cases(store: Store, session_ids: Iterable[str] | None = None, author: str | None = None) -> "tuple[Case, ...]":
    """Labelled sessions to try detectors on: of each, the newest labels (by `author`, else of whoever came last).

    `session_ids` None takes all that are labelled.
    """
    from squashlib.lab import Case
    from squashlib.label_truth import truth_of

    wanted = [row["session_id"] for row in find(store, labelled=True)] if session_ids is None else list(session_ids)
    found = []
    for session_id in wanted:
        sets = [each for each in label_sets(store, session_id) if author in (None, each.author)]
        if not sets:
            continue
        chosen = max(sets, key=lambda each: each.created)
        held = open_session(store, session_id)
        by = f"{chosen.author} v{chosen.version}"
        found.append(Case(session_id[:8], held.session, truth_of(chosen), held.points, held.athlete, by))
    return tuple(found)
