"""Label sets in the catalog: every version is kept, none is changed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from squashlib.errors import NotFoundError
from squashlib.label_truth import truth_of
from squashlib.labels import LabelSet as Labels
from store.catalog import Catalog
from store.tables import LabelSet, SessionRow

KIND = "labels"
TRIES = 5


def save(catalog: Catalog, session_id: str, labels: Labels) -> Labels:
    """Keep a set as its author's next version of the session, and return it with that version.

    The same labels as the author's newest version are not kept twice.

    Raises
    ------
    NotFoundError
        If there is no such session.
    """
    for _ in range(TRIES):
        try:
            return _save(catalog, session_id, labels)
        except IntegrityError:  # another writer took this version
            continue
    raise RuntimeError(f"labels of session '{session_id}' could not be saved in {TRIES} tries; save again")


def _save(catalog: Catalog, session_id: str, labels: Labels) -> Labels:
    with catalog.begin() as tx:
        session = tx.get(SessionRow, session_id)
        if session is None or session.deleted_at is not None:
            raise NotFoundError(f"session '{session_id}' is not in the store; labels need one")
        mine = (LabelSet.session_id == session_id, LabelSet.author == labels.author, LabelSet.kind == KIND)
        newest = tx.scalar(select(func.max(LabelSet.version)).where(*mine)) or 0
        held = tx.scalar(select(LabelSet).where(*mine, LabelSet.version == newest))
        before = None if held is None else _read(held)
        if before is not None and before.labels == labels.labels:
            return replace(labels, version=newest, kind=KIND, created=before.created, base=before.base)
        kept = replace(labels, version=newest + 1, kind=KIND)
        key = uuid5(NAMESPACE_URL, f"squash-labels:{session_id}:{labels.author}:{kept.version}")
        row = LabelSet(label_set_id=str(key), session_id=session_id, user_id=session.user_id, kind=KIND)
        row.author, row.version, row.labels = kept.author, kept.version, _content(kept)
        tx.add(row)
    return kept


def _content(labels: Labels) -> dict[str, Any]:
    """What a row holds: the truth that evaluation reads, and beside it the set as its author made it."""
    whole = labels.to_dict()
    return truth_of(labels) | {
        "label_set": {name: whole[name] for name in ("schema", "start", "created", "base", "labels")}
    }


def of_session(catalog: Catalog, session_id: str, author: str | None = None) -> list[Labels]:
    """Every version of a session's label sets, by author and version."""
    query = select(LabelSet).where(LabelSet.session_id == session_id, LabelSet.kind == KIND)
    query = query.where(LabelSet.author == author) if author is not None else query
    with catalog.look() as tx:
        rows = list(tx.scalars(query.order_by(LabelSet.author, LabelSet.version)))
    return [_read(row) for row in rows if "label_set" in row.labels]


def newest(catalog: Catalog, session_id: str) -> list[Labels]:
    """Each author's newest version."""
    return list({labels.author: labels for labels in of_session(catalog, session_id)}.values())


def _read(row: LabelSet) -> Labels:
    content: Mapping[str, Any] = row.labels["label_set"]
    head = {"session_id": row.session_id, "author": row.author, "version": row.version, "kind": row.kind}
    return Labels.from_dict({**content, **head})
