"""What tests of all rooms share: real servers, and a catalog on each database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from store import Settings, Store
from tests import services

# The same examples in each run and on each machine, however slow: what a run finds, the next one finds too.
hypothesis_settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)
hypothesis_settings.load_profile("same")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL server."""
    with services.postgres() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A real Redis."""
    with services.redis() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'catalog.sqlite'}"
        return
    with services.database(request.getfixturevalue("postgres")) as url:
        yield url


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a store on each database."""
    if database_url.startswith("sqlite"):
        return Settings(home=tmp_path, database_url=database_url)
    return Settings(home=tmp_path, database_url=services.login_of(database_url), database_owner_url=database_url)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """A store on each database."""
    store = Store.open(settings)
    yield store
    store.catalog.close()
