"""Who may look at what is whose: the application's own filter, the same on every database."""

from sqlalchemy.orm import Session

from store.catalog import Claims
from store.tables import Grant


def may_see(tx: Session, claims: Claims | None, owner_id: str) -> bool:
    """Whether rows of `owner_id` are to be shown: to themselves, an admin, a coach they let, the platform itself."""
    if claims is None or claims.user_id == owner_id or claims.role == "admin":
        return True
    return coaches(tx, claims, owner_id)


def coaches(tx: Session, claims: Claims, player_id: str) -> bool:
    """Whether the one who asks is a coach whom this player lets look."""
    return claims.role == "coach" and tx.get(Grant, (player_id, claims.user_id)) is not None
