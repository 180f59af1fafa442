"""What is done to a chunk of sessions, wherever: each under its lock, one failure stops no other."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from flows.process import make_analysis, make_report, make_revision
from flows.work import beating
from squashlib.errors import SquashError
from store import Settings, Store, jobs

Outcome = tuple[str, str | None]
BUSY = "is being worked on"


def analyses(settings: str, session_ids: Sequence[str]) -> list[Outcome]:
    """Bring revisions and analyses up to date; what did not change is read."""
    return _each(settings, session_ids, lambda store, one: make_analysis(store, one, make_revision(store, one)))


def pages(settings: str, session_ids: Sequence[str]) -> list[Outcome]:
    """Make the pages that are not there; nothing is recomputed."""
    return _each(settings, session_ids, lambda store, one: make_report(store, one, store.sessions.analysis(one).key))


WORK: Mapping[str, Callable[[str, Sequence[str]], list[Outcome]]] = {"analyses": analyses, "pages": pages}


def _each(settings: str, session_ids: Sequence[str], work: Callable[[Store, str], object]) -> list[Outcome]:
    store = _store(settings)
    return [(session_id, _one(store, session_id, work)) for session_id in session_ids]


@lru_cache(1)
def _store(settings: str) -> Store:
    """A worker opens its store once, not for each chunk."""
    return Store.open(Settings.model_validate_json(settings))


def _one(store: Store, session_id: str, work: Callable[[Store, str], object]) -> str | None:
    who, name = jobs.holder(), jobs.of(session_id)
    if not jobs.lock(store.catalog, name, who):
        return BUSY
    with beating(store, name, who):
        try:
            work(store, session_id)
        except SquashError as error:
            return str(error)
    return None
