"""What a rerun changed for a player, and why: the session's analysis beside the one that was there before."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from flows.keys import EXPLAIN, INPUTS, SECONDS
from squashlib.errors import NotFoundError
from store import Store
from store.tables import AnalysisRow

NO_DETECTOR = (INPUTS, EXPLAIN, SECONDS)


def changes(store: Store, session_id: str) -> dict[str, Any]:
    """The newest analysis of a session against the one before it.

    Returns
    -------
    dict
        `session_id`, `from` and `to` (key and algorithm version), `why` (reasons in words), and `figures`: by name
        `{"before", "after"}` of those that differ.

    Raises
    ------
    NotFoundError
        If the session is not there, or was analysed only once.
    """
    now = store.sessions.row(session_id).analysis_key
    with store.catalog.look() as tx:
        query = select(AnalysisRow).where(AnalysisRow.session_id == session_id)
        rows = list(tx.scalars(query.order_by(AnalysisRow.created_at.desc())))
    new = next((row for row in rows if row.analysis_key == now), None)
    old = next((row for row in rows if row.analysis_key != now), None)
    if new is None or old is None:
        raise NotFoundError(f"session '{session_id}' was analysed once, so there is nothing to compare it with")
    before, after = (_figures(store.sessions.document(row.path)) for row in (old, new))
    differ = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    return {
        "session_id": session_id,
        "from": {"analysis_key": old.analysis_key, "algorithm_version": old.algorithm_version},
        "to": {"analysis_key": new.analysis_key, "algorithm_version": new.algorithm_version},
        "why": _why(old.fingerprints, new.fingerprints),
        "figures": {name: {"before": before.get(name), "after": after.get(name)} for name in sorted(differ)},
    }


def as_text(found: Mapping[str, Any]) -> str:
    """The same for people."""
    head = f"session {found['session_id']}: {found['from']['algorithm_version']} → {found['to']['algorithm_version']}"
    why = [f"  because {reason}" for reason in found["why"]]
    figures = [f"  {name}: {one['before']} → {one['after']}" for name, one in found["figures"].items()]
    return "\n".join([head, *why, *(figures or ["  no figure changed"])])


def _figures(document: Mapping[str, Any]) -> dict[str, Any]:
    winners = [rally["winner"] for rally in document["rallies"]]
    scores = [
        f"{game['score']['me']}–{game['score']['opponent']}" if game["score"] else "?" for game in document["games"]
    ]
    return {
        **{name: metric["value"] for name, metric in document["metrics"].items()},
        "points_won": winners.count("me"),
        "points_lost": winners.count("opponent"),
        "scores": " ".join(scores),
        "sentences": [item["text"] for item in document["insights"]["recommendations"]],
    }


def _why(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    why = []
    if old.get(INPUTS) != new.get(INPUTS):
        why.append("the recording, the points or the athlete's settings changed")
    detectors = sorted((old.keys() | new.keys()).difference(NO_DETECTOR))
    why += [f"detector '{name}' changed" for name in detectors if old.get(name) != new.get(name)]
    if old.get(EXPLAIN) != new.get(EXPLAIN):
        why.append("the code of insights or documents changed")
    return why
