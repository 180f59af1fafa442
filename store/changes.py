"""What a rerun changed for a player, and why: a session's analysis beside one that was there before."""

from collections.abc import Mapping
from html import escape
from typing import Any

from sqlalchemy import select

from squashlib.errors import NotFoundError
from store import Store
from store.made_by import why
from store.tables import AnalysisRow


def earlier(store: Store, session_id: str) -> list[AnalysisRow]:
    """Analyses of a session beside the one that holds, newest first."""
    now = store.sessions.row(session_id).analysis_key
    with store.catalog.look() as tx:
        query = select(AnalysisRow).where(AnalysisRow.session_id == session_id, AnalysisRow.analysis_key != now)
        return list(tx.scalars(query.order_by(AnalysisRow.created_at.desc())))


def all_of(store: Store, session_id: str) -> list[dict[str, str]]:
    """Key, algorithm version and moment of each analysis of a session, the one that holds first."""
    now = store.sessions.row(session_id).analysis_key
    with store.catalog.look() as tx:
        held = tx.get(AnalysisRow, (session_id, now or ""))
    return [_named(row) for row in ([held] if held else []) + earlier(store, session_id)]


def changes(store: Store, session_id: str, than: str | None = None) -> dict[str, Any]:
    """The newest analysis of a session against the one before it, or that of the key `than`.

    Returns
    -------
    dict
        `session_id`, `from` and `to` (key, algorithm version, and when it was made), `why` (reasons in words),
        `figures` (by name `{"before", "after", "unit"}` of those that differ) and `rallies` (as
        `squashlib.changes.rallies`).

    Raises
    ------
    NotFoundError
        If the session is not there, was analysed only once, or never with the key `than`.
    """
    from squashlib import changes as between

    row = store.sessions.row(session_id)
    others = [one for one in earlier(store, session_id) if than in (None, one.analysis_key)]
    with store.catalog.look() as tx:
        new = tx.get(AnalysisRow, (session_id, row.analysis_key or ""))
    if new is None or not others:
        raise NotFoundError(f"session '{session_id}' was analysed once, so there is nothing to compare it with")
    old = others[0]
    before, after = (store.sessions.document(one.path) for one in (old, new))
    return {
        "session_id": session_id,
        "from": _named(old),
        "to": _named(new),
        "why": why(old.fingerprints, new.fingerprints),
        "figures": between.figures(before, after),
        "rallies": between.rallies(before, after),
    }


def changes_html(store: Store, session_id: str, assets: str, than: str | None = None) -> str:
    """The same as a page, with links to comparisons with every other analysis."""
    from squashlib.changes_page import changes_page

    found, document = changes(store, session_id, than), store.sessions.analysis(session_id).document
    others = [
        f'<a href="?than={row.analysis_key}">{row.created_at:%d %B %Y, %H:%M} UTC, {escape(row.algorithm_version)}</a>'
        for row in earlier(store, session_id)
        if row.analysis_key != found["from"]["analysis_key"]
    ]
    return changes_page(found, document, assets, others)


def _named(row: AnalysisRow) -> dict[str, str]:
    made_at = f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}"
    return {"analysis_key": row.analysis_key, "algorithm_version": row.algorithm_version, "made_at": made_at}


def as_text(found: Mapping[str, Any]) -> str:
    """The same for people at a terminal."""
    from squashlib.changes import counts

    head = f"session {found['session_id']}: {found['from']['algorithm_version']} → {found['to']['algorithm_version']}"
    reasons = [f"  because {reason}" for reason in found["why"]]
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts(found["rallies"]).items() if count)
    figures = [f"  {name}: {one['before']} → {one['after']}" for name, one in found["figures"].items()]
    return "\n".join([head, *reasons, f"  rallies: {kinds or 'none'}", *(figures or ["  no figure changed"])])
