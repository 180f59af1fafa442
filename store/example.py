"""Simulated players who agree to research, so that an empty store has something to look at."""

import uuid
from typing import TYPE_CHECKING, Any

from squashlib.errors import SquashError
from store import Store, labels
from store.research import SIMULATED
from store.tables import PointEvent, SessionRow, User

if TYPE_CHECKING:
    from squashlib.simulate.match import Match

DOMAIN = "simulated.invalid"  # RFC 2606: nobody's address
LEVELS = ("club", "recreational", "elite")


def fill(store: Store, matches: int, rate_hz: float = 10.0) -> int:
    """Put simulated matches with their true labels into a store that has no consented session yet; how many.

    Raises
    ------
    SquashError
        If the store is a PostgreSQL or S3 one: simulated players have no place among real ones.
    """
    if matches < 1 or store.sessions.find(consented=True, limit=1):
        return 0
    if store.settings.database_url or store.settings.store_url:
        raise SquashError("the store is not a local folder; simulated players must not go there, set SQUASH_HOME")
    for number in range(matches):
        _put(store, number, rate_hz)
    return matches


def _put(store: Store, number: int, rate_hz: float) -> None:
    from squashlib.labels import from_truth
    from squashlib.session import start_of
    from squashlib.simulate import simulate

    match = simulate(500 + number, level=LEVELS[number % len(LEVELS)], rate_hz=rate_hz)  # type: ignore[arg-type]
    session_id, user_id = (str(uuid.uuid5(uuid.NAMESPACE_URL, f"{DOMAIN}/{kind}/{number}")) for kind in ("s", "u"))
    session = match.session.assign_attrs(session_id=session_id)
    with store.catalog.begin() as tx:
        tx.add(User(user_id=user_id, email=f"player{number + 1}@{DOMAIN}", research_consent=True))
        tx.flush()
        row = SessionRow(session_id=session_id, user_id=user_id, start_time=start_of(session))
        row.details = {SIMULATED: True}
        tx.add(row)
        tx.flush()
        for point in match.points:
            point_id = str(point.get("point_id") or uuid.uuid4())
            tx.add(PointEvent(session_id=session_id, user_id=user_id, point_id=point_id, op="add", body=dict(point)))
    revision = uuid.uuid5(uuid.NAMESPACE_URL, f"{DOMAIN}/r/{number}").hex * 2
    store.sessions.write_revision(session_id, revision, session)
    _analyse(store, session_id, revision, session, match)
    labels.save(store.catalog, session_id, from_truth(match.truth, session_id))


def _analyse(store: Store, session_id: str, revision: str, session: Any, match: "Match") -> None:
    from squashlib.analysis import analyse, default_framework
    from squashlib.fingerprint import content_hash, detector_fingerprint

    prints = {detector.name: detector_fingerprint(detector) for detector in default_framework().ordered()}
    key = content_hash("analysis", revision, prints)
    store.sessions.write_analysis(session_id, key, revision, analyse(session, match.points), prints)
