"""Many at the same instant: nothing is doubled, nothing is lost, nobody waits for ever."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import func, select

from squashlib.errors import NotFoundError
from store import Store, jobs
from store.erasure import erase_session
from store.tables import Job, Upload
from tests.services import PATIENCE_S
from tests.store.test_store import player

T = TypeVar("T")
AT_ONCE, ROUNDS = 8, 5


def together(work: Callable[[int], T], n: int = AT_ONCE) -> list[T]:
    """Do something `n` times in the same instant."""
    gate = threading.Barrier(n)

    def go(i: int) -> T:
        gate.wait(PATIENCE_S)
        return work(i)

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(go, range(n)))


def test_identical_uploads_at_once_are_one(store: Store) -> None:
    user_id, session_id = player(store)
    mine = store.seen_by(user_id, "player")
    for i in range(ROUNDS):
        content = f"batch {i}".encode()

        def send(_: int, content: bytes = content) -> tuple[str, bool, str]:
            with mine.catalog.begin() as tx:
                upload, again = mine.uploads.receive(tx, session_id, user_id, "hr", content)
                return upload.upload_id, again, jobs.enqueue(tx, "process", session_id, user_id).job_id

        sent = together(send)
        assert len({upload_id for upload_id, _, _ in sent}) == 1
        assert [again for _, again, _ in sent].count(False) == 1
        assert len({job_id for _, _, job_id in sent}) == 1
    with store.catalog.look() as tx:
        assert tx.scalar(select(func.count()).select_from(Upload)) == ROUNDS
        assert tx.scalar(select(func.count()).select_from(Job)) == 1


def test_no_upload_is_left_out_by_a_worker_that_just_begins(store: Store) -> None:
    """Whatever joins a waiting job is seen by the worker that begins it."""
    user_id, session_id = player(store)
    for i in range(ROUNDS):

        def send(n: int, i: int = i) -> str:
            with store.catalog.begin() as tx:
                store.uploads.receive(tx, session_id, user_id, "hr", f"{i}.{n}".encode())
                return jobs.enqueue(tx, "process", session_id, user_id).job_id

        waiting = send(99)
        missed: list[str] = []

        def begin(n: int, waiting: str = waiting, missed: list[str] = missed) -> str:
            if n:
                return send(n)
            jobs.start(store.catalog, waiting)
            with store.catalog.look() as tx:
                missed += [upload.upload_id for upload in store.uploads.of_session(tx, session_id)]
            return ""

        joined = together(begin).count(waiting)
        assert len(missed) >= i * AT_ONCE + 1 + joined
        for job in jobs.waiting(store.catalog, -1):
            jobs.finish(store.catalog, job.job_id)


def test_bytes_are_never_acknowledged_and_erased(store: Store) -> None:
    """One erases a session while others send the same bytes to theirs: taken means kept."""
    people = [player(store) for _ in range(AT_ONCE - 1)]
    for i in range(ROUNDS):
        content = f"shared {i}".encode()
        owner_id, session_id = player(store)
        with store.catalog.begin() as tx:
            held, _ = store.uploads.receive(tx, session_id, owner_id, "hr", content)

        def act(n: int, session_id: str = session_id, content: bytes = content) -> bool:
            if n == 0:
                erase_session(store, session_id)
                return False
            user_id, other = people[n - 1]
            try:
                with store.catalog.begin() as tx:
                    store.uploads.receive(tx, other, user_id, "hr", content)
            except NotFoundError:
                return False  # told so: the client sends again
            return True

        if any(together(act)):
            assert store.uploads.read(held.sha256) == content


def test_an_upload_into_a_session_that_is_being_erased(store: Store) -> None:
    for i in range(ROUNDS):
        user_id, session_id = player(store)

        def act(n: int, i: int = i, user_id: str = user_id, session_id: str = session_id) -> None:
            if n == 0:
                erase_session(store, session_id)
                return
            try:
                with store.catalog.begin() as tx:
                    store.uploads.receive(tx, session_id, user_id, "hr", f"{i}.{n}".encode())
            except NotFoundError:
                return

        together(act)
        with store.catalog.look() as tx:
            assert store.uploads.of_session(tx, session_id) == []
