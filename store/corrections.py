"""What players say was otherwise: label sets of the kind `corrections`, a new version for each change."""

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.catalog import Catalog
from store.tables import LabelSet, SessionRow

KIND = "corrections"


def newest(tx: Session, session_id: str) -> LabelSet | None:
    """The version that holds."""
    query = select(LabelSet).where(LabelSet.session_id == session_id, LabelSet.kind == KIND)
    return tx.scalar(query.order_by(LabelSet.version.desc()).limit(1))


def of_session(catalog: Catalog, session_id: str) -> list[dict[str, Any]]:
    """Corrections that hold now, in wire form, in order of time."""
    with catalog.look() as tx:
        held = newest(tx, session_id)
        return list(held.labels["corrections"]) if held else []


def replace(tx: Session, row: SessionRow, author: str, corrections: list[dict[str, Any]]) -> LabelSet:
    """Let these hold from now on; earlier versions stay for researchers to learn from."""
    held = newest(tx, row.session_id)
    made = LabelSet(
        label_set_id=str(uuid.uuid4()),
        session_id=row.session_id,
        user_id=row.user_id,
        author=author,
        version=(held.version if held else 0) + 1,
        kind=KIND,
        labels={"corrections": sorted(corrections, key=lambda one: str(one["start"]))},
    )
    tx.add(made)
    return made
