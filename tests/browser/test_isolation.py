"""Two players at once, each trying the other's page, kernel and WebSocket; and what a kernel can see."""

import json
import re
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.browser.conftest import PASSWORD, Watched
from tests.services import PATIENCE_S

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair(urls: dict[str, str], recording: Path) -> Iterator[tuple[httpx.Client, httpx.Client, str]]:
    """Ann, who has a session, and Bob."""
    people = []
    for name in ("ann", "bob"):
        client = httpx.Client(base_url=urls["api"], timeout=PATIENCE_S, headers={"X-Requested-With": "squash"})
        account = {"email": f"{name}@two.example.org", "password": PASSWORD}
        client.post("/api/auth/register", json=account).raise_for_status()
        client.post("/api/auth/login", json=account).raise_for_status()
        people.append(client)
    ann, bob = people
    session_id = ann.post("/api/sessions", json={}).raise_for_status().json()["session_id"]
    with recording.open("rb") as file:
        ann.post(f"/api/sessions/{session_id}/upload/fit", files={"file": file}).raise_for_status()
    deadline = time.monotonic() + PATIENCE_S
    while ann.get(f"/api/sessions/{session_id}/upload/status").json()["status"] != "completed":
        assert time.monotonic() < deadline
        time.sleep(0.3)
    yield ann, bob, session_id
    for client in people:
        client.close()


def opened(client: httpx.Client, path: str) -> str:
    """Open a page as its player does, waiting in line if need be; its kernel's id."""
    for _ in range(PATIENCE_S):
        answer = client.get(path)
        if answer.status_code != 503:
            break
        time.sleep(1)
    assert answer.status_code == 200, answer.text[:300]
    found = re.search(r'data-kernel="([0-9a-f-]{36})"', answer.text)
    assert found, answer.text[:500]
    return found.group(1)


def channels(client: httpx.Client, kernel: str, origin: str | None = None) -> str:
    """Try to join a kernel; `open` or the status of the refusal."""
    base = str(client.base_url).rstrip("/")
    url = base.replace("http", "ws") + f"/dashboards/api/kernels/{kernel}/channels?session_id=x"
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    try:
        given = {"additional_headers": {"Cookie": cookies}, "proxy": None, "open_timeout": PATIENCE_S}
        with connect(url, origin=origin or base, **given) as socket:  # type: ignore[arg-type]
            header = {
                "msg_id": "1",
                "msg_type": "kernel_info_request",
                "username": "",
                "session": "x",
                "version": "5.3",
            }
            socket.send(
                json.dumps({"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": {}})
            )
            socket.recv(timeout=PATIENCE_S)
            return "open"
    except InvalidStatus as error:
        return str(error.response.status_code)


def test_each_players_page_and_kernel_is_their_own(
    pair: tuple[httpx.Client, httpx.Client, str], urls: dict[str, str]
) -> None:
    ann, bob, session_id = pair
    page = f"/dashboards/session/{session_id}"
    assert bob.get(page).status_code == 404
    forged = {"X-Squash-User": ann.get("/api/auth/me").json()["user_id"], "X-Squash-View": "x", "X-Squash-Secret": "y"}
    assert bob.get(page, headers=forged).status_code == 404
    hers, his = opened(ann, page), opened(bob, "/dashboards/trends")
    assert channels(ann, hers) == "open"
    assert channels(bob, his) == "open"
    for client, kernel in ((bob, hers), (ann, his)):
        for method in ("GET", "DELETE"):
            assert client.request(method, f"/dashboards/api/kernels/{kernel}", headers=forged).status_code == 404
        origin = {"Origin": urls["api"]}
        assert client.post(f"/dashboards/voila/api/shutdown/{kernel}", headers=origin).status_code == 404
        assert channels(client, kernel) == "403"
    assert channels(ann, hers, origin="https://evil.example") == "403"
    with httpx.Client(base_url=urls["api"], timeout=PATIENCE_S) as nobody:
        assert nobody.get(page).status_code == 303
        assert nobody.get(f"/dashboards/api/kernels/{hers}").status_code == 401
        assert channels(nobody, hers) == "403"
    for path in (
        "voila/render/session_dashboard.ipynb",
        "voila/files/session_report.ipynb",
        "voila/tree",
        "api/contents",
    ):
        assert ann.get(f"/dashboards/{path}").status_code == 404, path
    assert ann.get(f"/dashboards/api/kernels/{hers}").status_code == 200


def test_the_back_room_opens_to_the_api_alone(
    pair: tuple[httpx.Client, httpx.Client, str], urls: dict[str, str]
) -> None:
    ann, _, session_id = pair
    kernel = opened(ann, f"/dashboards/session/{session_id}")
    path = Path(urls["home"]) / "dashboards" / "door.json"
    assert path.stat().st_mode & 0o077 == 0
    door = json.loads(path.read_text())
    user = {"X-Squash-User": ann.get("/api/auth/me").json()["user_id"]}
    for headers in ({}, user, {**user, "X-Squash-Secret": "guess"}):
        for asked in (f"api/kernels/{kernel}", "voila/render/session_dashboard.ipynb", "seat"):
            answer = httpx.get(f"{door['url']}/dashboards/{asked}", headers=headers, timeout=PATIENCE_S)
            assert answer.status_code in (302, 403, 404), (asked, answer.status_code)
    seen = [" ".join(command) for command in commands().values()]
    assert any("flows.dashboards" in command for command in seen)
    assert not any(door["secret"] in command for command in seen)


def commands() -> dict[psutil.Process, list[str]]:
    """Of all that this test run started: others on this machine may run platforms too."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            found[process] = process.cmdline()
    return found


def newest_with_a_page() -> psutil.Process:
    born = {}
    for process, command in commands().items():
        with suppress(psutil.Error):  # those of earlier pages end
            folder = Path(process.cwd())
            if "flows.zygote" in command and "squash-page-" in folder.name and (folder / "data").exists():
                born[process] = process.create_time()
    return max(born, key=lambda process: born[process])


def test_a_kernel_sees_its_page_alone_and_leaves_nothing(
    pair: tuple[httpx.Client, httpx.Client, str], urls: dict[str, str]
) -> None:
    ann, _, session_id = pair
    kernel = opened(ann, f"/dashboards/session/{session_id}")
    process = newest_with_a_page()
    allowed = {"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "NUMBA_CACHE_DIR", "VIRTUAL_ENV", "MPLBACKEND"}
    allowed |= {"PLOTLY_RENDERER", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "MALLOC_ARENA_MAX"}
    seen = {name for name in process.environ() if not name.startswith(("JPY_", "PYDEVD_", "JUPYTER_"))}
    assert seen <= allowed, seen - allowed
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
    assert (int(status["CapEff"], 16), status["NoNewPrivs"], status["Seccomp"]) == (0, "1", "2"), "it has walls"
    folder = Path(process.cwd())
    assert {path.name for path in folder.iterdir()} >= {"data"}
    assert folder.stat().st_mode & 0o077 == 0
    assert list((Path(urls["home"]) / "dashboards" / "views").iterdir()) == []
    assert 2 << 30 < resource.prlimit(process.pid, resource.RLIMIT_DATA)[1] < 5 << 30
    origin = {"Origin": urls["api"]}
    assert ann.post(f"/dashboards/voila/api/shutdown/{kernel}", headers=origin).status_code == 204
    assert not folder.exists()
    assert ann.get(f"/dashboards/api/kernels/{kernel}").status_code == 404


def test_a_login_that_ends_closes_its_pages(open_browser: Callable[..., Watched], urls: dict[str, str]) -> None:
    seen = open_browser()
    from tests.browser.conftest import register

    register(seen, "leaver@example.org")
    seen.page.goto(f"{urls['api']}/dashboards/trends")
    seen.page.wait_for_selector("body[data-joined]")
    seen.context.request.post(f"{urls['api']}/api/auth/logout", headers={"X-Requested-With": "squash"})
    seen.page.wait_for_selector("#progress a")


def test_one_more_page_than_a_player_may_have_ends_their_oldest(pair: tuple[httpx.Client, httpx.Client, str]) -> None:
    _, bob, _ = pair
    kernels = [opened(bob, "/dashboards/trends") for _ in range(5)]
    states = [bob.get(f"/dashboards/api/kernels/{kernel}").status_code for kernel in kernels]
    assert states[0] == 404
    assert states[1:] == [200] * 4


def test_a_coach_sees_who_lets_them_look_and_no_longer(
    pair: tuple[httpx.Client, httpx.Client, str], urls: dict[str, str]
) -> None:
    from sqlalchemy import update

    from store.catalog import Catalog
    from store.tables import User

    ann, bob, session_id = pair
    catalog = Catalog.open(f"sqlite:///{urls['home']}/catalog.sqlite")
    assert bob.get("/dashboards/coach").status_code == 403
    with catalog.begin() as tx:
        tx.execute(update(User).where(User.email == "bob@two.example.org").values(role="coach"))
    assert "No player lets you look yet" not in ann.get("/").text
    grant = ann.post("/api/grants", json={"coach_email": "bob@two.example.org"}).raise_for_status().json()
    opened(bob, "/dashboards/coach")
    opened(bob, f"/dashboards/session/{session_id}")
    ann.delete(f"/api/grants/{grant['coach_id']}").raise_for_status()
    assert bob.get(f"/dashboards/session/{session_id}").status_code == 404
