"""A real server on a store of its own, and people who use it over HTTP."""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest
import uvicorn

from tests import services

PASSWORD = "correct horse battery"
Login = Callable[[], httpx.Client]


class Server:
    """The application behind a port of this machine."""

    def __init__(self) -> None:
        from api.app import create_app

        self.app = create_app()
        # The protocol is named so that asyncio sets TCP_NODELAY; without it each answer waits 40 ms.
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        config = uvicorn.Config(self.app, log_level="warning", ws="none", timeout_graceful_shutdown=1)
        self.uvicorn = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.uvicorn.run, args=([self.socket],), daemon=True)

    def start(self) -> None:
        self.thread.start()
        deadline = time.monotonic() + services.PATIENCE_S
        while not self.uvicorn.started and time.monotonic() < deadline:
            time.sleep(0.02)
        assert self.uvicorn.started

    def stop(self) -> None:
        self.uvicorn.should_exit = True
        self.thread.join(services.PATIENCE_S)
        self.socket.close()
        self.app.state.squash.store.catalog.close()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The whole API, on each database."""
    if request.param == "sqlite":
        yield from serving({}, tmp_path_factory)
    else:
        with services.database(request.getfixturevalue("postgres")) as url:
            urls = {"SQUASH_DATABASE_URL": services.login_of(url), "SQUASH_DATABASE_OWNER_URL": url}
            yield from serving(urls, tmp_path_factory)


def serving(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("SQUASH_")] + ["PREFECT_API_URL"]:
            patch.delenv(name, raising=False)
        for name, value in ({"SQUASH_HOME": str(tmp_path_factory.mktemp("api-home"))} | settings).items():
            patch.setenv(name, value)
        server = Server()
        server.start()  # reads the settings; what runs later in this process has its own
    yield server
    server.stop()


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    """Somebody who is not logged in."""
    with httpx.Client(base_url=server.url, timeout=services.PATIENCE_S) as client:
        yield client


@pytest.fixture(scope="session")
def pair(server: Server) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Two people for tests that leave them as they were; passwords are slow by design."""
    for made in _logins(server):
        yield made(), made()


@pytest.fixture
def login(server: Server) -> Iterator[Login]:
    """Makes people, each logged in, without cookies."""
    yield from _logins(server)


def _logins(server: Server) -> Iterator[Login]:
    clients: list[httpx.Client] = []

    def make() -> httpx.Client:
        client = httpx.Client(base_url=server.url, timeout=services.PATIENCE_S)
        clients.append(client)
        account = {"email": f"{uuid.uuid4().hex[:12]}@example.org", "password": PASSWORD}
        client.post("/api/auth/register", json={**account, "full_name": "Ann Test"}).raise_for_status()
        tokens = client.post("/api/auth/login", json=account).raise_for_status().json()
        client.cookies.clear()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        client.headers["X-Test-Refresh"] = tokens["refresh_token"]
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def ann(login: Login) -> httpx.Client:
    return login()
