"""Which stretches of a session no sample covers, by stream: what a watch may still have to send."""

from typing import Any

from store import Store

#: As in `squashlib.session`: a sample covers the time to the next one, up to five usual steps or five seconds.
STEPS, LEAST_S = 5, 5.0


def gaps(store: Store, session_id: str) -> dict[str, list[dict[str, Any]]]:
    """Gaps of each stream of the newest revision, as times; raises `NotFoundError` before there is one."""
    import numpy as np

    from squashlib.session import STREAM_OF, at

    session = store.sessions.open(session_id)
    found: dict[str, list[dict[str, Any]]] = {}
    for name, clock in STREAM_OF.items():
        if name not in session:
            continue
        values = session[name].values
        times = session[clock].values[~np.isnan(values.reshape(len(values), -1)).any(axis=1)]
        edges = np.concatenate(([0.0], times, [session.attrs["duration_s"]]))
        steps = np.diff(edges)
        usual_s = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
        late = np.flatnonzero(steps > max(LEAST_S, STEPS * usual_s))
        found[name] = [
            {"start": at(session, edges[i]), "end": at(session, edges[i + 1]), "seconds": round(float(steps[i]), 3)}
            for i in late
        ]
    return found
