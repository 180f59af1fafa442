"""Processing for `store.example`, which may not know of flows: the same steps as an upload, without the page."""

from flows.process import make_analysis, make_revision
from store import Store


def process(store: Store, session_id: str) -> None:
    """Bring a session's revision and analysis up to date."""
    make_analysis(store, session_id, make_revision(store, session_id))
