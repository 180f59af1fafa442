"""The platform as players meet it: from an upload's last byte to readable insights and to the page; memory when idle.

Peer: the reference's way with the same file: fitparse, a row per sample into a database, a cold notebook.
"""

import os
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

import fitparse
import httpx
import psutil

import squashlib
from benchmarks.flows import stock
from flows.up import platform
from squashlib import report

N = int(os.environ.get("N", "5"))
REAL = Path(__file__).parents[2] / "shared/data/fit/squash_pixel_watch_3.fit"
IDLE_S = 20


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = dict(recordings(Path(folder)))
        with platform(Path(folder) / "home", announce=lambda _: None) as urls:
            player = signed_in(urls["api"])
            for _ in range(2):  # both workers' hands are warm
                seconds(player, next(iter(files.values())))
            time.sleep(IDLE_S)
            memory()
            for name, content in files.items():
                runs = [seconds(player, content) for _ in range(N)]
                insights, page = median(run[0] for run in runs), median(run[1] for run in runs)
                peer = reference(content, Path(folder)) if "motion" not in name else None
                beside = f" peer={peer:.2f}s ratio={peer / (insights + page):.1f}" if peer else ""
                print(f"upload_to_insights_{name} ours={insights:.2f}s then_page={page:.2f}s{beside}", flush=True)


def recordings(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The real recording of heart rate, where it is present, and the longest of some simulated matches at 50 Hz."""
    if REAL.exists():
        yield "real_heart_rate", REAL.read_bytes()
    match = max((squashlib.simulate(seed, rate_hz=50) for seed in range(3, 9)), key=lasts)
    squashlib.write_fit(match.session, folder / "motion.fit")
    yield f"motion_50hz_{lasts(match) / 60:.0f}min", (folder / "motion.fit").read_bytes()


def lasts(match: "squashlib.simulate.Match") -> float:
    return float(match.session.attrs["duration_s"])


def signed_in(api: str) -> httpx.Client:
    player = httpx.Client(base_url=api, timeout=60)
    account = {"email": f"{uuid.uuid4().hex}@example.org", "password": "a long password 123"}
    player.post("/api/auth/register", json=account).raise_for_status()
    token = player.post("/api/auth/login", json=account).raise_for_status().json()["access_token"]
    player.headers["Authorization"] = f"Bearer {token}"
    return player


def seconds(player: httpx.Client, content: bytes) -> tuple[float, float]:
    """From the upload's last byte to insights, and from there to the page."""
    body = {"sport": "squash", "start_time": "2026-01-08T20:57:00Z"}
    session_id = player.post("/api/sessions", json=body).raise_for_status().json()["session_id"]
    unique = content + uuid.uuid4().bytes  # what follows a FIT file is left out, but the bytes are new
    began = time.perf_counter()
    player.post(f"/api/sessions/{session_id}/upload/fit", files={"file": unique}).raise_for_status()
    moments = []
    for what in ("insights", "report"):
        while not player.get(f"/api/sessions/{session_id}/{what}").is_success:
            time.sleep(0.02)
            if time.perf_counter() - began > 120:
                raise SystemExit(f"no {what} after two minutes")
        moments.append(time.perf_counter())
    return moments[0] - began, moments[1] - moments[0]


def reference(content: bytes, folder: Path) -> float:
    """Fitparse, a row for each sample, and a notebook in a kernel that nobody warmed."""
    analysis = squashlib.analyse(squashlib.decode(content))
    report.save(folder / "peer", analysis.session, analysis.groups, analysis.to_dict())
    began = time.perf_counter()
    with closing(sqlite3.connect(folder / "peer.sqlite")) as rows:
        rows.execute("CREATE TABLE IF NOT EXISTS samples (at TEXT, heart_rate INTEGER)")
        for record in fitparse.FitFile(content).get_messages("record"):
            values = record.get_values()
            rows.execute("INSERT INTO samples VALUES (?, ?)", (str(values.get("timestamp")), values.get("heart_rate")))
        rows.commit()
    stock({"analysis_path": str(folder / "peer")})
    return time.perf_counter() - began


def memory() -> None:
    """What each process of the idle platform holds; shared pages count in proportion (PSS)."""
    whole = 0.0
    for process in psutil.Process().children(recursive=True):
        pss = process.memory_full_info().pss / 1e6
        whole += pss
        print(f"  {pss:6.0f} MB  {' '.join(process.cmdline()[1:5])}", flush=True)
    print(f"idle_memory ours={whole:.0f}MB limit=900MB", flush=True)


if __name__ == "__main__":
    main()
