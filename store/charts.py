"""What charts show: series thinned so that they look the same in at most 2,000 points."""

from datetime import timedelta
from typing import Any

from squashlib.errors import NotFoundError
from store import Store, StoredAnalysis

MAX_POINTS = 2000
KINDS = ("warmup", "game_break", "cooldown", "rally")


def hr_chart(store: Store, stored: StoredAnalysis) -> dict[str, Any]:
    """Times, heart rates, zones and annotations; gaps are null."""
    import numpy as np
    from tsdownsample import MinMaxLTTBDownsampler

    from squashlib.session import iso, start_of

    session = store.sessions.revision(stored.session_id, stored.revision)
    empty: dict[str, Any] = {"timestamps": [], "heart_rates": [], "zones": []}
    if "heart_rate" in session:
        times, bpm = session["hr_time"].values, session["heart_rate"].values
        seen = ~np.isnan(bpm)
        times, bpm = times[seen], np.ascontiguousarray(bpm[seen])
        if len(times) > MAX_POINTS:
            keep = MinMaxLTTBDownsampler().downsample(times, bpm, n_out=MAX_POINTS)
            times, bpm = times[keep], bpm[keep]
        start = start_of(session)
        top = stored.document["metrics"]["time_in_zone_1"]["metadata"].get("hr_max_bpm")
        zones = np.searchsorted(np.array([0.5, 0.6, 0.7, 0.8, 0.9]) * top, bpm, side="right").tolist() if top else []
        empty = {
            "timestamps": [iso(start + timedelta(seconds=float(time))) for time in times],
            "heart_rates": np.round(bpm, 1).astype(float).tolist(),
            "zones": zones,
        }
    return empty | {"annotations": _annotations(store, stored)}


def _annotations(store: Store, stored: StoredAnalysis) -> list[dict[str, Any]]:
    from squashlib.moments import iso, parse_iso

    segments = store.sessions.group(stored, "segments")
    start = parse_iso(stored.document["session"]["start"])
    names = str(segments["segment_kind"].attrs["flag_meanings"]).split()
    columns = (segments[name].values for name in ("segment_start", "segment_stop", "segment_kind"))
    return [
        {
            "type": names[int(kind)],
            "start": iso(start + timedelta(seconds=float(a))),
            "end": iso(start + timedelta(seconds=float(b))),
        }
        for a, b, kind in zip(*columns, strict=True)
        if names[int(kind)] in KINDS
    ]


def points_chart(stored: StoredAnalysis) -> list[dict[str, Any]]:
    """Rallies whose winner is known."""
    from squashlib.moments import parse_iso

    rallies = [rally for rally in stored.document["rallies"] if rally["winner"] is not None]
    return [
        {
            "point_number": i,
            "winner": rally["winner"],
            "avg_hr": rally["hr_mean"],
            "rally_duration": round((parse_iso(rally["end"]) - parse_iso(rally["start"])).total_seconds(), 2),
        }
        for i, rally in enumerate(rallies, 1)
    ]


def stamp(store: Store, stored: StoredAnalysis) -> bytes:
    """The session's small picture (SVG), made when it is first looked at and kept beside its analysis."""
    name = f"{stored.path}/stamp.svg"
    try:
        return store.blobs.get(name)
    except NotFoundError:
        store.blobs.put(name, made := _stamp(store, stored).encode())
        return made


def _stamp(store: Store, stored: StoredAnalysis) -> str:
    import numpy as np

    from squashlib.sparkline import sparkline

    session = store.sessions.revision(stored.session_id, stored.revision, motion=False)
    rallies = store.sessions.group(stored, "rallies")
    times, bpm = np.empty(0), np.empty(0)
    if "heart_rate" in session:
        times, bpm = session["hr_time"].values, session["heart_rate"].values.astype(float)
    spans = zip(rallies["rally_start"].values.tolist(), rallies["rally_stop"].values.tolist(), strict=True)
    return sparkline(times, bpm, spans, float(session.attrs["duration_s"]))
