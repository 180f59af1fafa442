"""Working off jobs: one holder for each session, however many hands there are."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import GenericError
from sqlalchemy.exc import OperationalError

from flows.apart import run
from flows.process import Insights, Tell, make_insights, process_session
from squashlib.errors import SquashError
from store import Settings, Store, jobs

log = logging.getLogger("flows.work")
BEAT_S = 10.0
#: What the surroundings fail with (disk, network, database): no fault of the job, so no attempt is counted.
SURROUNDINGS = (OSError, OperationalError, GenericError)


def work_off(store: Store, job_id: str, *, apart: bool = False) -> str:
    """Do a job, unless it is done or its session is being worked on; return the job's state in a word.

    `apart` has recordings read and analysed in a process forked for it, which costs this one no memory and, if a
    recording kills it, not its life.
    """
    session_id = jobs.session_of(store.catalog, job_id)
    if session_id is None:
        return "nothing to do"
    who, name = jobs.holder(), f"session:{session_id}"
    if not jobs.lock(store.catalog, name, who):
        return "waits"
    with beating(store, name, who):
        if jobs.start(store.catalog, job_id) is None:
            return "nothing to do"
        try:
            process_session(store, session_id, _telling(store, job_id), _elsewhere(job_id) if apart else None)
        except SquashError as error:
            jobs.fail(store.catalog, job_id, str(error))
            return "failed"
        except Exception as error:
            ours = not isinstance(error, SURROUNDINGS)
            jobs.postpone(store.catalog, job_id, f"{type(error).__name__}: {error}", counts=ours)
            raise
        jobs.finish(store.catalog, job_id)
        return "completed"


def _telling(store: Store, job_id: str) -> Tell:
    return lambda stage, done: jobs.progress(store.catalog, job_id, stage, done)


def _elsewhere(job_id: str) -> Insights:
    def insights(store: Store, session_id: str, _: Tell) -> str:
        return str(run("flows.work:insights", store.settings.model_dump_json(), session_id, job_id))

    return insights


def insights(settings: str, session_id: str, job_id: str) -> str:
    """What `work_off` has done apart: revision and analysis."""
    store = Store.open(Settings.model_validate_json(settings))
    return make_insights(store, session_id, _telling(store, job_id))


@contextmanager
def beating(store: Store, name: str, who: str) -> Iterator[None]:
    """Keep a lock alive while work goes on, and give it back whatever happens."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(BEAT_S):
            jobs.beat(store.catalog, name, who)

    thread = threading.Thread(target=beat, name="lock beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        jobs.unlock(store.catalog, name, who)


def run_waiting(store: Store, older_s: float, *, apart: bool = False) -> int:
    """Work off every job that has not moved for `older_s`; one that fails does not stop the others."""
    done = 0
    for job in jobs.waiting(store.catalog, older_s):
        try:
            done += work_off(store, job.job_id, apart=apart) in ("completed", "failed")
        except Exception:
            log.exception("job %s was not done; it will be tried again", job.job_id)
    return done
