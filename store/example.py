"""Simulated players who agree to research, so that an empty store has something to look at."""

import uuid
from typing import TYPE_CHECKING

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
    """Upload a match as a watch would, have it processed, and label it with what really happened."""
    from importlib.metadata import entry_points

    from squashlib.labels import from_truth
    from squashlib.session import start_of
    from squashlib.simulate import simulate

    match = simulate(500 + number, level=LEVELS[number % len(LEVELS)], rate_hz=rate_hz)  # type: ignore[arg-type]
    session_id, user_id = (str(uuid.uuid5(uuid.NAMESPACE_URL, f"{DOMAIN}/{kind}/{number}")) for kind in ("s", "u"))
    with store.catalog.begin() as tx:
        tx.add(User(user_id=user_id, email=f"player{number + 1}@{DOMAIN}", research_consent=True))
        tx.flush()
        tx.add(SessionRow(session_id=session_id, user_id=user_id, start_time=start_of(match.session)))
        tx.flush()
        tx.get_one(SessionRow, session_id).details = {SIMULATED: True}
        store.uploads.receive(tx, session_id, user_id, "file", _fit(match))
        for point in match.points:
            point_id = str(point.get("point_id") or uuid.uuid4())
            tx.add(PointEvent(session_id=session_id, user_id=user_id, point_id=point_id, op="add", body=dict(point)))
    (process,) = entry_points(group="squash.commands", name="process")
    process.load()(store, session_id)
    start = str(store.sessions.open(session_id).attrs["start_time"])
    labels.save(store.catalog, session_id, from_truth(match.truth, session_id, start=start))


def _fit(match: "Match") -> bytes:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from squashlib.simulate.fit_writer import write_fit

    with TemporaryDirectory(prefix="squash-example-") as folder:
        path = Path(folder) / "match.fit"
        write_fit(match.session, path)
        return path.read_bytes()
