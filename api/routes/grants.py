"""A player lets a coach look at their sessions, and takes it back."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import Field
from sqlalchemy import delete, select

from api.access import Asker
from api.answers import GrantShown
from api.problems import ANSWERS, Problem
from api.subject import Subject
from api.wire import Wire, iso
from store.tables import Grant, User

router = Subject("coaches", "/api/grants", ANSWERS)


class NewGrant(Wire):
    """The coach, by e-mail."""

    coach_email: str = Field(max_length=320, examples=["coach@example.org"])


@router.post("", status_code=201, response_model=GrantShown)
def give(new: NewGrant, caller: Asker) -> dict[str, Any]:
    """Let a coach see all my sessions until I withdraw it."""
    with caller.state.store.catalog.begin() as tx:
        coach = tx.scalar(select(User).where(User.email == new.coach_email.strip().lower(), User.role == "coach"))
        if coach is None or coach.user_id == caller.user_id:
            raise Problem(404, "There is no coach with this e-mail.")
        grant = tx.get(Grant, (caller.user_id, coach.user_id))
        if grant is None:
            grant = Grant(player_id=caller.user_id, coach_id=coach.user_id)
            tx.add(grant)
            tx.flush()
        return _shown(grant, coach)


@router.get("", response_model=list[GrantShown])
def list_grants(caller: Asker) -> list[dict[str, Any]]:
    """Who may see my sessions, and whose I may see."""
    with caller.look() as tx:
        mine = tx.execute(
            select(Grant, User).join(User, User.user_id == Grant.coach_id).where(Grant.player_id == caller.user_id)
        )
        given = [_shown(grant, coach) for grant, coach in mine]
        theirs = tx.execute(
            select(Grant, User).join(User, User.user_id == Grant.player_id).where(Grant.coach_id == caller.user_id)
        )
        return given + [_shown(grant, player) for grant, player in theirs]


def _shown(grant: Grant, other: User) -> dict[str, Any]:
    ids = {"player_id": grant.player_id, "coach_id": grant.coach_id}
    return {**ids, "full_name": other.full_name, "created_at": iso(grant.created_at)}


@router.delete("/{coach_id}", status_code=204)
def withdraw(coach_id: Annotated[str, Path(max_length=36)], caller: Asker) -> None:
    """Withdraw it: from now on the coach sees nothing."""
    mine = delete(Grant).where(Grant.player_id == caller.user_id, Grant.coach_id == coach_id)
    with caller.begin() as tx:
        if not tx.execute(mine.returning(Grant.coach_id)).first():
            raise Problem(404, "This coach has no grant of yours; GET /api/grants lists them.")
