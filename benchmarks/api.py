"""The API under load on PostgreSQL, beside what the first system did: a row of the ORM for each heart rate.

Real uvicorn with as many workers as `make up` starts (`WORKERS=` for others), real HTTP, a PostgreSQL of its own with
its usual durability (or the one of `SQUASH_BENCH_DATABASE_URL`). Server, database and clients share the machine's
cores; the clients are lean and all on one thread (`lines.py`), and a point's time counts from the moment at which it
was due. Both ways get the same batches over HTTP. `size` counts what 5,400 heart rates take on disk: the stored batch
and its catalog rows against table and index of rows. `REQUESTS=` of memory's run.
"""

import contextlib
import http.client
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg

from benchmarks.lines import as_fast_as_it_goes, each_second, request
from flows.up import API_WORKERS
from tests import services

SAMPLES, WATCHES, SECONDS, BATCHES = 5400, 100, 20, 12
WORKERS = int(os.environ.get("WORKERS", API_WORKERS))
REQUESTS = int(os.environ.get("REQUESTS", "20000"))
START = datetime(2026, 1, 15, 10, tzinfo=UTC)
FORM = b'--b\r\nContent-Disposition: form-data; name="file"; filename="big.fit"\r\n\r\n%s\r\n--b--\r\n'


class Client:
    """A lean HTTP client: what is measured is the server."""

    def __init__(self, url: str) -> None:
        self.host = urlsplit(url).netloc
        self.connection = http.client.HTTPConnection(self.host, timeout=120)
        self.headers = {"Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> bytes:
        self.connection.request(method, path, body, {**self.headers, "Content-Type": kind})
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return content

    def log_in(self) -> "Client":
        account = json.dumps({"email": f"{uuid.uuid4().hex}@example.org", "password": "a long pass phrase"}).encode()
        self.ask("POST", "/api/auth/register", account)
        token = json.loads(self.ask("POST", "/api/auth/login", account))["access_token"]
        self.headers["Authorization"] = f"Bearer {token}"
        return self

    def begin(self) -> str:
        return "/api/sessions/" + str(json.loads(self.ask("POST", "/api/sessions", b"{}"))["session_id"])


@contextlib.contextmanager
def serving(app: str, home: Path, settings: dict[str, str], workers: int) -> Iterator[tuple[str, psutil.Process]]:
    port = services.free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--workers", str(workers)]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SQUASH_", "PREFECT_"))}
    with (home / f"{app}.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--log-level", "error", "--no-access-log", "--timeout-keep-alive", "300"],
            env={**env, **settings},
            stderr=log,
        )
    try:
        for _ in range(1200):
            with contextlib.suppress(OSError, RuntimeError):
                Client(f"http://127.0.0.1:{port}").ask("GET", "/openapi.json")
                break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def batch(seed: int) -> bytes:
    """A heart that wanders, as hearts do."""
    chance = random.Random(seed)
    bpm, rows = 120, []
    for i in range(SAMPLES):
        bpm = min(190, max(90, bpm + chance.choice((-2, -1, 0, 0, 1, 2))))
        moment = (START + timedelta(seconds=i)).isoformat()
        rows.append({"timestamp": moment, "heart_rate": bpm, "confidence": round(chance.uniform(0.8, 1), 2)})
    return json.dumps({"data": rows}).encode()


def send_batches(client: Client, begin: Callable[[], str]) -> float:
    """Median seconds of a match's heart rate in one POST; the first one warms the server up."""
    took = []
    for seed in range(BATCHES):
        url, body = begin(), batch(seed)
        began = time.perf_counter()
        client.ask("POST", f"{url}/hr-data", body)
        took.append(time.perf_counter() - began)
    return statistics.median(took[2:])


def kept_bytes(home: Path, database_url: str) -> int:
    """What lies on disk: blobs, and the rows of the journal."""
    blobs = sum(path.stat().st_size for path in (home / "store").rglob("*") if path.is_file())
    tables = ("uploads", "jobs", "session_events")
    with psycopg.connect(database_url) as connection:
        sizes = [connection.execute(f"SELECT pg_total_relation_size('{table}')").fetchone() for table in tables]
    return blobs + sum(int(size[0]) for size in sizes if size)


def resident_mb(server: psutil.Process) -> float:
    """Memory of the server and its workers."""
    return sum(one.memory_info().rss for one in (server, *server.children(recursive=True))) / 1e6


@contextlib.contextmanager
def databases() -> Iterator[tuple[str, str]]:
    """Two fresh databases on one server."""
    if given := os.environ.get("SQUASH_BENCH_DATABASE_URL"):
        yield given, given
        return
    with services.postgres(durable=True) as server, services.database(server) as one, services.database(server) as two:
        yield one, two


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, databases() as (ours_url, peer_url):
        home = Path(folder)
        settings = {"SQUASH_HOME": str(home), "SQUASH_DATABASE_URL": ours_url}
        with serving("api.app:app", home, settings, WORKERS) as (url, server):
            ours_s, ours_bytes = load(url, server, home, ours_url)
        peer = {"PEER_DATABASE_URL": peer_url.replace("postgresql://", "postgresql+psycopg://")}
        with serving("benchmarks.peers.rows_by_orm:app", home, peer, 1) as (url, _):
            client = Client(url)
            peer_s = send_batches(client, lambda: f"/api/sessions/{uuid.uuid4()}")
            peer_bytes = int(client.ask("GET", "/size")) // BATCHES
        print(f"api_hr_batch_time ours={ours_s * 1e3:.1f}ms peer={peer_s * 1e3:.1f}ms ratio={peer_s / ours_s:.1f}")
        print(f"api_hr_batch_size ours={ours_bytes}B peer={peer_bytes}B ratio={peer_bytes / ours_bytes:.1f}")


def load(url: str, server: psutil.Process, home: Path, database_url: str) -> tuple[float, int]:
    """Print what the server bears; return seconds and bytes of a batch."""
    people = [Client(url).log_in() for _ in range(8)]
    before = kept_bytes(home, database_url)
    ours_s = send_batches(people[0], people[0].begin)
    ours_bytes = (kept_bytes(home, database_url) - before) // BATCHES
    print(f"# {WORKERS} workers; server, PostgreSQL and clients share {os.cpu_count()} cores")
    tokens = [person.headers["Authorization"] for person in people]
    paths = [f"{people[i % 8].begin()}/points" for i in range(WATCHES)]
    presses = [request("POST", url, path, tokens[i % 8], b'{"winner":"me"}') for i, path in enumerate(paths)]
    each_second(url, presses, 2)  # pool, threads and caches are warm
    began, took = time.perf_counter(), each_second(url, presses, SECONDS)
    rate = len(took) / (time.perf_counter() - began)
    p99, median = statistics.quantiles(took, n=100)[98], statistics.median(took)
    print(f"api_points_p99 ours={p99 * 1e3:.1f}ms median={median * 1e3:.1f}ms rate={rate:.0f}/s watches={WATCHES}")
    fit = FORM % os.urandom(10 << 20)
    uploads = []
    for _ in range(5):
        session, began = people[0].begin(), time.perf_counter()
        people[0].ask("POST", f"{session}/upload/fit", fit, "multipart/form-data; boundary=b")
        uploads.append(time.perf_counter() - began)
    print(f"api_upload_10MB ours={statistics.median(uploads) * 1e3:.0f}ms")
    mixed = [request("GET", url, "/api/sessions?limit=20", token) for token in tokens] + presses[:8]
    as_fast_as_it_goes(url, mixed, REQUESTS // 10)
    first_mb, rate = resident_mb(server), as_fast_as_it_goes(url, mixed[:8], REQUESTS)
    print(f"api_requests ours={rate:.0f}/s requests={REQUESTS} path=/api/sessions")
    last_mb = resident_mb(server)
    print(f"api_memory ours={last_mb - first_mb:+.1f}MB from={first_mb:.0f}MB to={last_mb:.0f}MB requests={REQUESTS}")
    return ours_s, ours_bytes


if __name__ == "__main__":
    main()
