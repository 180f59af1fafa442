"""What the application holds for its whole life."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from api.issuers import Issuer
from api.ratelimit import Limiter
from flows.submit import submit
from store import Store
from store.settings import Settings

log = logging.getLogger("api")


@dataclass(frozen=True)
class ApiState:
    """The store, the keys, and the threads that hand work over without making anybody wait."""

    store: Store
    settings: Settings
    secret_key: str
    limiter: Limiter
    issuer: Issuer | None
    hands: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "hand-over"))

    def hand_over(self, job_id: str | None) -> None:
        """Tell the workers of a committed job; if they are away, the row in the catalog is promise enough."""
        if job_id is not None:
            self.hands.submit(submit, job_id)


def opened(settings: Settings | None = None) -> ApiState:
    """Open the store and read the settings once."""
    settings = settings or Settings()
    return ApiState(
        store=Store.open(settings),
        settings=settings,
        secret_key=settings.secret_key(),
        limiter=Limiter(getattr(settings, "redis_url", None)),
        issuer=Issuer.of(settings),
    )
