"""Bring stored results up to date with the code: say what is stale and why, recompute just that."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from flows import canary
from flows.accept import declare_equivalent
from flows.chunks import BUSY
from flows.fleet import Outcome, spread
from flows.stale import Stale, counts, estimate_s, stale_sessions
from store import Store
from store.changes import as_text, changes

WORKERS = 2
#: The waits between rounds together outlast the lock of a worker that died on another machine.
ROUNDS, WAIT_S = 7, 20.0


def recompute(store: Store, stale: Sequence[Stale], workers: int = WORKERS) -> Iterator[Outcome]:
    """Recompute what is stale: first all analyses, then the pages of all; yields session id and error (None if done).

    Analyses come in the order of `stale`: labelled sessions first, then the newest.
    """
    failed = dict[str, str]()
    todo = [item.session_id for item in stale if not item.page_only]
    for session_id, error in _rounds(store, "analyses", todo, workers):
        if error is not None:
            failed[session_id] = error
    pages = [item.session_id for item in stale if item.session_id not in failed]
    yield from failed.items()
    yield from _rounds(store, "pages", pages, workers)


def _rounds(store: Store, kind: str, session_ids: Sequence[str], workers: int) -> Iterator[Outcome]:
    """Each session's outcome; those whose worker was killed, or that another worker held, are done in another round."""
    left = list(session_ids)
    for turn in range(ROUNDS):
        if not left:
            return
        if turn:
            time.sleep(min(WAIT_S, 0.5 * 4**turn))
        seen = set[str]()
        for session_id, error in spread(kind, store.settings, left, workers):
            if error != BUSY:
                seen.add(session_id)
                yield session_id, error
        left = [session_id for session_id in left if session_id not in seen]
    yield from (
        (session_id, f"was not done in {ROUNDS} rounds: its workers died, or it is held") for session_id in left
    )


def command(
    *, plan: bool, run: bool, accept: str | None, compare: str | None = None, margin: float | None = None
) -> int:
    """`squash rerun`; returns the exit status."""
    store = Store.open()
    if accept is not None:
        compared = declare_equivalent(store, accept)
        print(f"the same on {compared} sessions; results with {accept} are not stale any more")
        return 0
    if compare is not None:
        print(as_text(changes(store, compare)))
        return 0
    stale = stale_sessions(store)
    for line in plan_lines(stale):
        print(line)
    if not run or not stale:
        return 0
    verdict = canary.check(store, stale, canary.MARGIN if margin is None else margin)
    for name, (old, new) in verdict.figures.items():
        print(f"{verdict.sessions} labelled sessions: {name} {old:.3f} → {new:.3f}")
    return _told(lambda: recompute(store, stale), len(stale))


def plan_lines(stale: Sequence[Stale]) -> Iterable[str]:
    """The plan in words: reasons with counts, and how long it will take."""
    yield from (f"{count:6d} sessions: {reason}" for reason, count in counts(stale))
    whole = estimate_s(stale)
    if not stale:
        yield "0 sessions are stale"
    elif whole is None:
        yield f"{len(stale)} sessions are stale; how long they take was never measured"
    else:
        yield f"{len(stale)} sessions are stale, about {max(1, round(whole / WORKERS))} s on {WORKERS} cores"


def _told(work: Callable[[], Iterator[Outcome]], total: int) -> int:
    failed = 0
    for i, (session_id, error) in enumerate(work(), 1):
        failed += error is not None
        if error is not None:
            print(json.dumps({"session_id": session_id, "error": error}), file=sys.stderr)
        if sys.stderr.isatty():
            print(f"\r{i}/{total}", end="", file=sys.stderr)
    print(f"{total - failed} sessions are up to date" + (f", {failed} are not" if failed else ""))
    return 1 if failed else 0
