"""Health tells the truth: of a database, a store and a Prefect that are really away."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import services
from tests.api.conftest import Server, serving


@pytest.fixture
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server of its own, on a store that a test may break."""
    blobs = tmp_path_factory.mktemp("blobs") / "store"
    for server in serving({"SQUASH_STORE_URL": blobs.as_uri()}, tmp_path_factory):
        yield server, blobs


def asked(server: Server) -> tuple[int, dict[str, str]]:
    answer = httpx.get(f"{server.url}/health", timeout=services.PATIENCE_S)
    return answer.status_code, answer.json()


def test_a_store_that_is_away(broken: tuple[Server, Path]) -> None:
    server, blobs = broken
    assert asked(server) == (200, {"status": "degraded", "database": "ok", "store": "ok", "prefect": "away"})
    aside = blobs.rename(blobs.with_name("aside"))
    blobs.write_text("a file where the folder was")
    status, told = asked(server)
    assert (status, told["status"], told["database"]) == (503, "down", "ok")
    assert told["store"].startswith("away (")
    blobs.unlink()
    aside.rename(blobs)
    assert asked(server)[0] == 200


def test_a_database_that_is_away(tmp_path_factory: pytest.TempPathFactory) -> None:
    with services.postgres() as url, services.database(url) as owner:
        urls = {"SQUASH_DATABASE_URL": services.login_of(owner), "SQUASH_DATABASE_OWNER_URL": owner}
        serves = serving(urls, tmp_path_factory)
        server = next(serves)
        assert asked(server)[1]["database"] == "ok"
    status, told = asked(server)
    assert (status, told["status"], told["store"]) == (503, "down", "ok")
    assert told["database"].startswith("away (")
    refused = httpx.get(f"{server.url}/api/sessions", headers={"Authorization": "Bearer x"}, timeout=60)
    assert refused.status_code == 401, "a token that is none needs no database"
    serves.close()
    assert urls["SQUASH_DATABASE_URL"].partition("@")[2] not in str(told), "where it lies is nobody's business"


@pytest.mark.parametrize("answers", [True, False])
def test_a_prefect_that_answers_or_is_away(
    broken: tuple[Server, Path], answers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = broken
    url = f"{server.url}/docs?" if answers else "http://127.0.0.1:9"
    monkeypatch.setenv("PREFECT_API_URL", url)
    status, told = asked(server)
    assert (status, told["prefect"] == "ok", told["status"]) == (200, answers, "ok" if answers else "degraded")
