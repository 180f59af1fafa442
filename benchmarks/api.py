"""The API under load, beside what the first system did: a row of the ORM for each heart rate (`bulk_insert_mappings`).

Real uvicorn, real HTTP; the catalog is SQLite in a fresh folder, or PostgreSQL with `SQUASH_BENCH_DATABASE_URL`.
`size` counts what 5,400 heart rates take on disk: the stored batch against table and index of rows.
"""

import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from sqlalchemy import DateTime, Float, String, create_engine, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

SAMPLES, WATCHES, SECONDS = 5400, 100, 8
START = datetime(2026, 1, 15, 10, tzinfo=UTC)


class Base(DeclarativeBase):
    pass


class HeartRate(Base):
    """As the reference has it: primary key of time and session."""

    __tablename__ = "heart_rate_data"
    time: Mapped[datetime] = mapped_column(DateTime, primary_key=True)
    session_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    heart_rate: Mapped[float] = mapped_column(Float)
    hr_zone: Mapped[int]
    confidence: Mapped[float]


@contextmanager
def serving(home: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "SQUASH_HOME": str(home)}
    env.pop("PREFECT_API_URL", None)
    if url := os.environ.get("SQUASH_BENCH_DATABASE_URL"):
        env["SQUASH_DATABASE_URL"] = url
    command = [sys.executable, "-m", "uvicorn", "api.app:app", "--port", str(port), "--log-level", "error"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--no-access-log"], env=env, stderr=log)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                httpx.get(f"{address}/openapi.json")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def player(url: str) -> httpx.Client:
    client = httpx.Client(base_url=url, timeout=60)
    account = {"email": f"{uuid.uuid4().hex}@example.org", "password": "a long pass phrase"}
    client.post("/api/auth/register", json=account).raise_for_status()
    token = client.post("/api/auth/login", json=account).raise_for_status().json()["access_token"]
    client.cookies.clear()
    client.headers["Authorization"] = f"Bearer {token}"
    return client


def begin(client: httpx.Client) -> str:
    return "/api/sessions/" + str(client.post("/api/sessions", json={}).raise_for_status().json()["session_id"])


def batch(seed: int) -> bytes:
    """A heart that wanders, as hearts do."""
    chance = random.Random(seed)
    bpm, rows = 120, []
    for i in range(SAMPLES):
        bpm = min(190, max(90, bpm + chance.choice((-2, -1, 0, 0, 1, 2))))
        moment = (START + timedelta(seconds=i)).isoformat()
        rows.append({"timestamp": moment, "heart_rate": bpm, "confidence": round(chance.uniform(0.8, 1), 2)})
    return json.dumps({"data": rows}).encode()


def rows_by_orm(folder: Path) -> tuple[float, int]:
    """Seconds and bytes of the peer: parse the same body, insert a row for each sample, commit to disk."""
    path = folder / "rows.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    empty, times = path.stat().st_size, []
    for seed in range(3):
        body, session_id = batch(seed), str(uuid.uuid4())
        began = time.perf_counter()
        rows = [
            {
                "time": datetime.fromisoformat(item["timestamp"]),
                "session_id": session_id,
                "heart_rate": item["heart_rate"],
                "hr_zone": 1,
                "confidence": item["confidence"],
            }
            for item in json.loads(body)["data"]
        ]
        with Session(engine) as tx:
            tx.execute(insert(HeartRate), rows)
            tx.commit()
        times.append(time.perf_counter() - began)
    engine.dispose()
    return statistics.median(times), (path.stat().st_size - empty) // 3


def kept_bytes(home: Path) -> int:
    return sum(path.stat().st_size for path in (home / "store").rglob("*") if path.is_file())


def hr_batch(client: httpx.Client, home: Path) -> tuple[float, int]:
    times, before = [], kept_bytes(home)
    for seed in range(5):
        url, body = begin(client), batch(seed)
        began = time.perf_counter()
        client.post(f"{url}/hr-data", content=body, headers={"Content-Type": "application/json"}).raise_for_status()
        times.append(time.perf_counter() - began)
    return statistics.median(times), (kept_bytes(home) - before) // 5


def points(clients: list[httpx.Client], urls: list[str]) -> tuple[list[float], float]:
    """Latencies of a press a second from each of 100 watches at once."""
    took: list[float] = []
    lock = threading.Lock()

    def press(i: int) -> None:
        time.sleep((i % WATCHES) / WATCHES)
        for n in range(SECONDS):
            began = time.perf_counter()
            clients[i % len(clients)].post(f"{urls[i]}/points", json={"winner": "me"}).raise_for_status()
            with lock:
                took.append(time.perf_counter() - began)
            time.sleep(max(0.0, 1 - (time.perf_counter() - began)))
            assert n < SECONDS

    began = time.perf_counter()
    with ThreadPoolExecutor(WATCHES) as pool:
        list(pool.map(press, range(WATCHES)))
    return took, len(took) / (time.perf_counter() - began)


def requests_a_second(clients: list[httpx.Client], path: str) -> float:
    stop = time.perf_counter() + 4

    def ask(client: httpx.Client) -> int:
        n = 0
        while time.perf_counter() < stop:
            client.get(path).raise_for_status()
            n += 1
        return n

    with ThreadPoolExecutor(8) as pool:
        return sum(pool.map(ask, clients[:8])) / 4


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as url:
        home = Path(folder)
        clients = [player(url) for _ in range(8)]
        ours_s, ours_bytes = hr_batch(clients[0], home)
        peer_s, peer_bytes = rows_by_orm(home)
        print(f"api_hr_batch_time ours={ours_s * 1e3:.1f}ms peer={peer_s * 1e3:.1f}ms ratio={peer_s / ours_s:.1f}")
        print(f"api_hr_batch_size ours={ours_bytes}B peer={peer_bytes}B ratio={peer_bytes / ours_bytes:.1f}")
        urls = [begin(clients[i % 8]) for i in range(WATCHES)]
        took, rate = points(clients, urls)
        p99 = statistics.quantiles(took, n=100)[98]
        median = statistics.median(took)
        print(f"api_points_p99 ours={p99 * 1e3:.1f}ms median={median * 1e3:.1f}ms rate={rate:.0f}/s watches={WATCHES}")
        print(f"api_requests ours={requests_a_second(clients, '/api/sessions?limit=20'):.0f}/s path=/api/sessions")
        fit = os.urandom(10 << 20)
        session = begin(clients[0])
        began = time.perf_counter()
        clients[0].post(f"{session}/upload/fit", files={"file": ("big.fit", fit)}).raise_for_status()
        print(f"api_upload_10MB ours={(time.perf_counter() - began) * 1e3:.0f}ms")


if __name__ == "__main__":
    main()
